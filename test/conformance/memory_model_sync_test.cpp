// What happens before what: wait_group, in all the ways that it is used.
#include <array>
#include <optional>
#include <thread>

#include "test/conformance/memory_model.hpp"

using namespace rove_test;

TEST_CASE("memory model: wait_group, done comes before the wait that it ends") {
  on_processors([] {
    for (int i = 0; i < rounds; ++i) {
      int x = 0, y = 0;
      rove::wait_group wg;
      wg.add(2);
      rove::go([&] {
        x = 42;
        wg.done();
      });
      std::optional<std::thread> plain;
      const auto second = [&] {
        y = 42;
        wg.done();
      };
      if (i % 10 == 0)
        plain.emplace(second);
      else
        rove::go(second);
      wg.wait();
      CHECK(x++ == 42);
      CHECK(y++ == 42);
      if (plain) rove::blocking([&] { plain->join(); });
    }
  });
}

TEST_CASE("memory model: wait_group, for all who wait") {
  on_processors([] {
    constexpr std::size_t n = 3;
    for (int i = 0; i < rounds; ++i) {
      std::array<int, n> data{};
      verdict v;
      rove::wait_group wg, readers;
      wg.add(n);
      for (std::size_t p = 0; p < n; ++p)
        rove::go([&, p] {
          data[p] = 42;
          wg.done();
        });
      for (std::size_t p = 0; p < n; ++p)
        readers.go([&] {
          wg.wait();
          for (const int d : data) v.expect(d == 42);
        });
      readers.wait();
      CHECK(v.wrong() == 0);
    }
  });
}

TEST_CASE("memory model: wait_group, used again") {
  on_processors([] {
    constexpr int n = 3;
    for (int i = 0; i < rounds / 4; ++i) {
      std::array<int, n> data{};
      rove::wait_group wg;
      for (int again = 0; again < 3; ++again) {
        for (int& d : data) wg.go([&d] { ++d; });
        auto also_waits = rove::spawn([&] {
          wg.wait();
          for (int& d : data) ++d;
        });
        wg.wait();
        also_waits.wait();
        for (int& d : data) ++d;
      }
      CHECK(data == std::array<int, n>{9, 9, 9});
    }
  });
}

TEST_CASE("memory model: wait_group, waits at the same time, and adds at the same time") {
  on_processors([] {
    for (int i = 0; i < rounds; ++i) {
      rove::wait_group wg;
      auto came = rove::make_chan<bool>(4);
      std::array<int, 4> data{};
      for (int& d : data)
        rove::go([&wg, &d, came] {
          wg.add(1);
          came.send(true);
          d = 1;
          wg.done();
        });
      for (std::size_t p = 0; p < data.size(); ++p) came.recv();
      auto other = rove::spawn([&] { wg.wait(); });
      wg.wait();
      for (int& d : data) CHECK(d == 1);
      other.get();
    }
  });
}

TEST_CASE("memory model: wait_group, nothing is ordered by a panic, and nothing is spoilt") {
  on_processors([] {
    for (int i = 0; i < rounds; ++i) {
      int x = 0;
      auto ch = rove::make_chan<bool>(1);
      rove::wait_group wg;
      rove::go([&, ch] {
        x = 1;
        if (panic_of([&] { wg.add(-1); }) == "sync: negative WaitGroup counter")
          rove::go([&x, ch] {
            ++x;
            ch.send(true);
          });
      });
      ch.recv();
      CHECK(x == 2);
    }
  });
}
