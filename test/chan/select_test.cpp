// select: which case is taken, what the handlers get, what stays where.
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "test/support/fixture.hpp"

using namespace rove_test;

TEST_CASE("select: the index of the case taken, and its handler") {
  on_processors([] {
    auto a = rove::make_chan<int>(1);
    auto b = rove::make_chan<std::string>(1);
    b.send("hello");
    std::string got;
    int wrong = 0;
    CHECK(rove::select(a.on_recv([&](std::optional<int>) { ++wrong; }),
                       b.on_recv([&](std::optional<std::string> s) { got = *s; })) == 1);
    CHECK(got == "hello");
    a.send(7);
    CHECK(rove::select(a.on_recv([&](std::optional<int> v) { wrong += v != 7; }), b.on_recv([&] { ++wrong; })) == 0);
    bool ran = false;
    CHECK(rove::select(a.on_send(3, [&] { ran = true; }), b.on_recv()) == 0);
    CHECK(ran);
    CHECK(rove::select(rove::otherwise([&] { ++wrong; }), b.on_recv(), a.on_recv()) == 2);
    CHECK(wrong == 0);
    CHECK(a.len() == 0);
  });
}

TEST_CASE("select: otherwise") {
  on_processors([] {
    auto a = rove::make_chan<int>();
    auto b = rove::make_chan<int>(1);
    rove::chan<int> nil;
    int ran = 0;
    const auto count = [&] { ++ran; };
    CHECK(rove::select(a.on_recv(), rove::otherwise(count)) == 1);
    CHECK(rove::select(rove::otherwise(count), a.on_send(1)) == 0);
    CHECK(rove::select(a.on_recv(), b.on_recv(), rove::otherwise(count)) == 2);
    CHECK(rove::select(a.on_recv(), rove::otherwise(count), a.on_send(1)) == 1);
    CHECK(rove::select(nil.on_recv(), rove::otherwise(count), nil.on_send(1)) == 1);
    CHECK(rove::select(rove::otherwise(count)) == 0);
    CHECK(ran == 6);
    CHECK(rove::select(b.on_send(4), rove::otherwise(count)) == 0);
    CHECK(rove::select(b.on_send(4), rove::otherwise(count)) == 1);
    CHECK(rove::select(b.on_send(4), a.on_send(5), rove::otherwise(count)) == 2);
    CHECK(rove::select(b.on_recv(), rove::otherwise(count)) == 0);
    CHECK(ran == 8);
  });
}

TEST_CASE("select: waits for a value, for room, for a close") {
  on_processors([] {
    for (const int capacity : {0, 1}) {
      auto a = rove::make_chan<int>(capacity), b = rove::make_chan<int>(capacity);
      auto done = rove::make_chan<std::size_t>();
      rove::go([=] {
        int got = 0;
        const std::size_t i = rove::select(a.on_recv(), b.on_recv([&](std::optional<int> v) { got = *v; }));
        done.send(i * 100 + static_cast<std::size_t>(got));
      });
      for (int i = 0; i < 5; ++i) rove::yield();
      b.send(5);
      CHECK(done.recv() == 105u);

      if (capacity > 0) a.send(0), b.send(0);
      rove::go([=] { done.send(rove::select(a.on_send(1), b.on_send(2))); });
      for (int i = 0; i < 5; ++i) rove::yield();
      if (capacity > 0) CHECK(a.recv() == 0);
      CHECK(a.recv() == 1);
      CHECK(done.recv() == 0u);
      if (capacity > 0) b.recv();

      rove::go([=] {
        bool closed = false;
        const std::size_t i = rove::select(a.on_recv(), b.on_recv([&](std::optional<int> v) { closed = !v; }));
        done.send(closed ? i : 99);
      });
      for (int i = 0; i < 5; ++i) rove::yield();
      b.close();
      CHECK(done.recv() == 1u);
      CHECK(rove::select(a.on_recv(), b.on_recv()) == 1);
    }
  });
}

TEST_CASE("select: a send on a closed channel panics") {
  on_processors([] {
    auto a = rove::make_chan<int>(), closed = rove::make_chan<int>();
    closed.close();
    CHECK(panic_of([&] { rove::select(a.on_recv(), closed.on_send(1)); }) == "send on closed channel");
    CHECK(panic_of([&] { rove::select(closed.on_send(1), rove::otherwise()); }) == "send on closed channel");
    CHECK(panic_of([&] { rove::select(a.on_recv(), closed.on_send(1), rove::otherwise()); }) == "send on closed channel");
    auto later = rove::make_chan<int>();
    auto text = rove::spawn([=] { return panic_of([&] { rove::select(a.on_recv(), later.on_send(1)); }); });
    for (int i = 0; i < 5; ++i) rove::yield();
    later.close();
    CHECK(text.get() == "send on closed channel");
    CHECK_FALSE(a.try_send(1));  // it left that queue too
  });
}

TEST_CASE("select: both directions of one channel, and one channel twice") {
  on_processors([] {
    auto ch = rove::make_chan<int>();
    CHECK(rove::select(ch.on_send(1), ch.on_recv(), rove::otherwise()) == 2);  // not with itself
    auto done = rove::make_chan<std::size_t>(2);
    for (int i = 0; i < 2; ++i) rove::go([=] { done.send(rove::select(ch.on_send(1), ch.on_recv())); });
    CHECK(*done.recv() + *done.recv() == 1);
    rove::go([=] { done.send(rove::select(ch.on_recv(), ch.on_recv(), ch.on_send(3))); });
    ch.send(2);
    CHECK(*done.recv() < 2);
    rove::go([=] { done.send(rove::select(ch.on_recv(), ch.on_recv(), ch.on_send(3))); });
    CHECK(ch.recv() == 3);
    CHECK(done.recv() == 2u);
  });
}

TEST_CASE("select: a nil channel is never ready") {
  on_processors([] {
    rove::chan<int> nil;
    auto a = rove::make_chan<int>(1);
    CHECK(rove::select(nil.on_recv(), nil.on_send(1), a.on_send(1)) == 2);
    CHECK(rove::select(nil.on_recv(), rove::on_timeout(1ms), nil.on_send(1)) == 1);
    auto got = rove::spawn([=] { return rove::select(nil.on_recv(), a.on_recv(), a.on_recv()); });
    CHECK(got.get() > 0);
  });
}

TEST_CASE("select: of several ready cases one is taken uniformly at random") {
  on_processors([] {
    constexpr int n = 8000;
    std::array<int, 4> taken{};
    auto a = rove::make_chan<int>(1), b = rove::make_chan<int>(1);
    for (int i = 0; i < n; ++i) {
      a.try_send(1);
      b.try_recv();
      ++taken[rove::select(a.on_recv(), b.on_send(1), a.on_recv(), a.on_recv())];
    }
    for (const int t : taken) {
      CHECK(t > n / 4 - n / 16);
      CHECK(t < n / 4 + n / 16);
    }
  });
}

TEST_CASE("select: time limits") {
  on_processors([] {
    auto ch = rove::make_chan<int>(1);
    int ran = 0;
    const auto count = [&] { ++ran; };
    const auto start = std::chrono::steady_clock::now();
    CHECK(rove::select(ch.on_recv(), rove::on_timeout(2ms, count)) == 1);
    CHECK(rove::select(ch.on_recv(), rove::on_timeout(std::chrono::steady_clock::now() + 2ms, count)) == 1);
    CHECK(rove::select(rove::on_timeout(std::chrono::system_clock::now() + 2ms, count), ch.on_recv()) == 0);
    CHECK(std::chrono::steady_clock::now() - start >= 5ms);
    CHECK(rove::select(ch.on_recv(), rove::on_timeout(0s, count)) == 1);
    CHECK(rove::select(ch.on_recv(), rove::on_timeout(-1h, count)) == 1);
    CHECK(rove::select(ch.on_recv(), rove::on_timeout(std::chrono::steady_clock::time_point::min(), count)) == 1);
    CHECK(rove::select(rove::on_timeout(1ms, count)) == 0);
    CHECK(rove::select(rove::otherwise(count), rove::on_timeout(1ms), ch.on_recv()) == 0);
    CHECK(ran == 8);
    ch.send(1);
    CHECK(rove::select(ch.on_recv(), rove::on_timeout(0s, count)) == 0);
    rove::go([=] { ch.send(2); });
    int got = 0;
    CHECK(rove::select(ch.on_recv([&](std::optional<int> v) { got = *v; }), rove::on_timeout(24h, count)) == 0);
    CHECK(got == 2);
    rove::go([=] { ch.send(3); });
    CHECK(rove::select(ch.on_recv(), rove::on_timeout(std::chrono::hours::max(), count)) == 0);
    CHECK(ran == 8);
  });
}

TEST_CASE("select: a duration begins anew with each select") {
  on_processors([] {
    rove::chan<int> nil;
    auto limit = rove::on_timeout(2ms);
    for (int i = 0; i < 3; ++i) {
      const auto start = std::chrono::steady_clock::now();
      CHECK(rove::select(nil.on_recv(), limit) == 1);
      CHECK(std::chrono::steady_clock::now() - start >= 2ms);
    }
  });
}

TEST_CASE("select: a case may be an lvalue, and keeps what was not sent") {
  on_processors([] {
    auto out = rove::make_chan<std::unique_ptr<int>>();
    auto k = out.on_send(std::make_unique<int>(5));
    CHECK(rove::select(k, rove::otherwise()) == 1);
    CHECK(rove::select(k, rove::on_timeout(1ms)) == 1);
    REQUIRE(k.value());
    CHECK(*k.value() == 5);
    auto got = rove::spawn([=] { return **out.recv(); });
    CHECK(rove::select(k) == 0);
    CHECK_FALSE(k.value());
    CHECK(got.get() == 5);
    const auto receives = rove::make_chan<int>(1).on_recv();  // keeps its channel
    CHECK(rove::select(receives, rove::otherwise()) == 1);
    auto kept = rove::make_chan<std::string>(1).on_send("x");
    const auto nothing = rove::otherwise();
    CHECK(rove::select(kept, nothing) == 0);
    CHECK(rove::select(kept, nothing) == 1);
  });
}

TEST_CASE("select: handlers run when it is over, may use its channels, and throw") {
  on_processors([] {
    auto a = rove::make_chan<int>(1), b = rove::make_chan<int>(1);
    a.send(1);
    CHECK(rove::select(a.on_recv([&](std::optional<int> v) {
      a.send(*v + 1);
      rove::select(b.on_send(9), b.on_recv());
    })) == 0);
    CHECK(a.recv() == 2);
    CHECK(b.recv() == 9);
    a.send(1);
    CHECK_THROWS_WITH(rove::select(a.on_recv([&] { throw std::runtime_error("handler"); }), b.on_recv()), "handler");
    CHECK(a.len() == 0);
    CHECK_THROWS_WITH(rove::select(a.on_recv(), rove::otherwise([&] { throw std::runtime_error("other"); })), "other");
    CHECK_THROWS_WITH(rove::select(a.on_send(1, [&] { throw std::runtime_error("sent"); }), b.on_recv()), "sent");
    CHECK(a.len() == 1);
  });
}

TEST_CASE("select: values are moved into handlers, or destroyed") {
  on_processors([] {
    counted::alive = 0;
    {
      auto ch = rove::make_chan<counted>(2);
      ch.send(counted(1));
      ch.send(counted(2));
      int sum = 0;
      rove::select(ch.on_recv([&](std::optional<counted> c) { sum += c->value; }), rove::otherwise());
      rove::select(ch.on_recv([&](auto&& c) { sum += c->value; }), rove::on_timeout(1s));
      CHECK(sum == 3);
      ch.send(counted(3));
      rove::select(ch.on_recv(), rove::otherwise());
      CHECK(counted::alive == 0);
      rove::select(ch.on_send(counted(4)), ch.on_recv());
      CHECK(counted::alive == 1);
      rove::go([=] { rove::select(ch.on_recv([](std::optional<counted>) {}), rove::on_timeout(24h)); });
      eventually([] { return counted::alive == 0; });
    }
    CHECK(counted::alive == 0);
  });
}

TEST_CASE("select: with plain threads") {
  auto a = rove::make_chan<int>(), b = rove::make_chan<int>();
  rove::runtime rt(with_procs(1));
  std::thread t([=] {
    for (int i = 0; i < 100; ++i) rove::select(a.on_send(i), b.on_send(i));
  });
  int sum = 0;
  rt.run([&, a, b] {
    for (int i = 0; i < 100; ++i)
      rove::select(a.on_recv([&](auto v) { sum += *v; }), b.on_recv([&](auto v) { sum += *v; }));
  });
  t.join();
  CHECK(sum == 4950);
  CHECK(rove::select(a.on_recv(), rove::on_timeout(2ms)) == 1);
  CHECK(rove::select(a.on_recv(), rove::otherwise()) == 1);
  CHECK(rove::select(a.on_recv(), b.on_recv(), rove::otherwise()) == 2);
}
