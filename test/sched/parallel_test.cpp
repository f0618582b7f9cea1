// parallel_for and parallel_invoke: each index once, uneven work, what is thrown, nesting.
#include <rove/parallel.hpp>

#include <array>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "test/support/fixture.hpp"

using namespace rove_test;

namespace {

std::vector<int> calls_of(std::int64_t first, std::int64_t last, std::uint64_t grain) {
  std::vector<int> calls(static_cast<std::size_t>(std::max<std::int64_t>(last - first, 0)), 0);
  rove::parallel_for(first, last, grain, [&](std::int64_t i) { ++calls[static_cast<std::size_t>(i - first)]; });
  return calls;
}

}  // namespace

TEST_CASE("parallel_for: each index once, whatever the grain") {
  on_processors([] {
    for (const std::int64_t n : {0, 1, 2, 7, 100, 1001})
      for (const std::uint64_t grain : {0, 1, 3, 64, 5000}) {
        const std::vector<int> calls = calls_of(-5, n - 5, grain);
        CHECK(std::accumulate(calls.begin(), calls.end(), 0) == n);
        CHECK(std::all_of(calls.begin(), calls.end(), [](int c) { return c == 1; }));
      }
    CHECK(calls_of(3, -3, 1).empty());
  });
}

TEST_CASE("parallel_for: pieces, and small and unsigned indices to their ends") {
  on_processors([] {
    std::atomic<int> pieces{0}, sum{0};
    rove::parallel_for(0, 10, 4, [&](int from, int to) {
      ++pieces;
      for (int i = from; i < to; ++i) sum += i;
    });
    CHECK(pieces == 3);
    CHECK(sum == 45);
    std::array<std::atomic<int>, 256> seen{};
    rove::parallel_for(std::uint8_t{0}, std::uint8_t{255}, 10, [&](std::uint8_t i) { ++seen[i]; });
    CHECK(std::all_of(seen.begin(), seen.end() - 1, [](auto& c) { return c == 1; }));
    CHECK(seen[255] == 0);
    std::atomic<int> calls{0};
    rove::parallel_for(INT64_MIN, INT64_MAX, UINT64_MAX, [&](std::int64_t from, std::int64_t to) {
      CHECK(from == INT64_MIN);
      CHECK(to == INT64_MAX);
      ++calls;
    });
    CHECK(calls == 1);
  });
}

TEST_CASE("parallel_for: a body that blocks does not hold up the others") {
  rove::run(with_procs(2), [] {
    const auto rest_done = rove::make_chan<int>();
    std::atomic<int> done{0};
    rove::parallel_for(0, 100, 1, [&](int i) {
      if (i == 0) {
        CHECK(rest_done.recv() == 1);
      } else if (++done == 99) {
        rest_done.send(1);
      }
    });
    CHECK(done == 99);
  });
}

TEST_CASE("parallel_for: the first exception leaves it, when the pieces under way are over") {
  on_processors([] {
    std::atomic<int> inside{0};
    const auto body = [&](std::int64_t i) {
      ++inside;
      rove::yield();
      --inside;
      if (i == 10) throw std::runtime_error("ten");
    };
    // Were pieces handed out further, this would not end.
    CHECK_THROWS_AS(rove::parallel_for(std::int64_t{0}, INT64_MAX, 1, body), std::runtime_error);
    CHECK(inside == 0);
  });
}

TEST_CASE("parallel_for: nested, from many goroutines") {
  on_processors([] {
    std::atomic<int> calls{0};
    rove::wait_group wg;
    for (int g = 0; g < 4; ++g)
      wg.go([&] {
        rove::parallel_for(0, 20, 1, [&](int) { rove::parallel_for(0, 20, 3, [&](int) { ++calls; }); });
      });
    wg.wait();
    CHECK(calls == 1600);
  });
}

TEST_CASE("parallel_for: not on a plain thread") {
  CHECK_THROWS_WITH(rove::parallel_for(0, 2, 1, [](int) {}), "rove: no runtime on this thread");
}

TEST_CASE("parallel_for: its goroutine ends while it waits") {
  std::atomic<int> started{0}, finished{0};
  rove::run(with_procs(2), [&] {
    const auto never = rove::make_chan<int>();
    rove::go([&, never] {
      rove::parallel_for(0, 2, 1, [&](int) {
        ++started;
        struct leave {
          std::atomic<int>& n;
          ~leave() { ++n; }
        } l{finished};
        never.recv();
      });
    });
    while (started == 0) rove::yield();
  });
  CHECK(finished == started);
}

TEST_CASE("parallel_invoke: all, and the first error in their order") {
  on_processors([] {
    int a = 0, b = 0, c = 0;
    rove::parallel_invoke([&] { a = 1; });
    CHECK(a == 1);
    rove::parallel_invoke([&] { a = 2; }, [&] { b = 3; }, [&] { c = 4; });
    CHECK((a == 2 && b == 3 && c == 4));
    bool over = false;
    try {
      rove::parallel_invoke([] { rove::yield(); }, [] { throw std::runtime_error("second"); },
                            [&] {
                              rove::yield();
                              over = true;
                              throw std::runtime_error("third");
                            });
      FAIL();
    } catch (const std::runtime_error& e) {
      CHECK(std::string(e.what()) == "second");
      CHECK(over);
    }
  });
}
