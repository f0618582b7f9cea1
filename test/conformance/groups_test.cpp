// What Go's tests say of semaphore and singleflight (golang.org/x/sync).
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <system_error>

#include "test/conformance/support.hpp"

using namespace rove_test;

namespace {

const std::error_code none;
const std::error_code canceled = rove::errc::canceled;
const std::error_code doomed(71, std::generic_category());

}  // namespace

TEST_CASE("semaphore: hammered with every weight") {
  on_processors([] {
    constexpr int n = 4;
    rove::semaphore s(n);
    std::atomic<int> held{0};
    verdict v;
    rove::wait_group wg;
    for (int weight = 0; weight <= n; ++weight)
      wg.go([&, weight] {
        dice d(static_cast<std::uint64_t>(weight));
        for (int i = 0; i < 20 * load; ++i) {
          s.acquire(weight);
          v.expect((held += weight) <= n);
          d.delay();
          held -= weight;
          s.release(weight);
        }
      });
    wg.wait();
    CHECK(v.wrong() == 0);
    CHECK(s.try_acquire(n));
  });
}

TEST_CASE("semaphore: as a lock, by ten goroutines") {
  on_processors([] {
    rove::semaphore s(1);
    int guarded = 0;
    rove::wait_group wg;
    for (int g = 0; g < 10; ++g)
      wg.go([&] {
        for (int i = 0; i < 20 * load; ++i) {
          s.acquire();
          ++guarded;
          s.release();
        }
      });
    wg.wait();
    CHECK(guarded == 200 * load);
  });
}

TEST_CASE("semaphore: released more than held") {
  on_processors([] {
    rove::semaphore s(1);
    CHECK(panic_of([&] { s.release(1); }) == "semaphore: released more than held");
    CHECK(s.try_acquire(1));
    CHECK_FALSE(s.try_acquire(1));
  });
}

TEST_CASE("semaphore: trying succeeds when there is enough") {
  on_processors([] {
    rove::semaphore s(2);
    s.acquire(1);
    CHECK(s.try_acquire(1));
    CHECK_FALSE(s.try_acquire(1));
    s.release(2);
    CHECK(s.try_acquire(1));
    s.acquire(1);
    CHECK_FALSE(s.try_acquire(1));
  });
}

TEST_CASE("semaphore: acquiring with a context succeeds, or gives up with it") {
  on_processors([] {
    rove::semaphore s(2);
    const auto within = [&](std::chrono::nanoseconds d) {
      auto [ctx, cancel] = rove::with_timeout(rove::background(), d);
      return s.acquire(ctx, 1);
    };
    s.acquire(1);
    CHECK(within(1h) == none);
    CHECK(within(2ms) == rove::errc::deadline_exceeded);
    s.release(2);
    CHECK(within(1h) == none);
    s.acquire(1);
    CHECK(within(2ms) == rove::errc::deadline_exceeded);
    s.release(2);
    CHECK(s.try_acquire(2));
  });
}

TEST_CASE("semaphore: who asks for more than there is does not keep others waiting") {
  on_processors([] {
    constexpr int n = 2;
    rove::semaphore s(n);
    auto [ctx, cancel] = rove::with_cancel(rove::background());
    auto too_big = rove::spawn([&s, ctx = ctx] { return s.acquire(ctx, n + 1); });
    rove::error_group g;
    for (int i = 0; i < 3 * n; ++i)
      g.go([&] {
        const std::error_code e = s.acquire(g.context(), 1);
        if (!e) {
          rove::sleep_for(100us);
          s.release(1);
        }
        return e;
      });
    CHECK(g.wait() == none);
    cancel();
    CHECK(too_big.get() == canceled);
    CHECK(s.try_acquire(n));
  });
}

TEST_CASE("semaphore: who asks for all of it is not starved by those who take one again and again") {
  on_processors([] {
    constexpr int n = 4;
    rove::semaphore s(n);
    std::atomic<bool> running{true};
    rove::wait_group wg;
    for (int i = 0; i < n; ++i) {
      s.acquire(1);
      wg.go([&] {
        while (running) {
          rove::sleep_for(10us);
          s.release(1);
          s.acquire(1);
        }
        s.release(1);
      });
    }
    s.acquire(n);
    running = false;
    s.release(n);
    wg.wait();
    CHECK(s.try_acquire(n));
  });
}

TEST_CASE("semaphore: one that gives up lets those behind it go") {
  on_processors([] {
    for (int i = 0; i < 5 * load; ++i) {
      rove::semaphore s(10);
      s.acquire(1);
      auto [ctx, cancel] = rove::with_cancel(rove::background());
      auto big = rove::spawn([&s, ctx = ctx] { return s.acquire(ctx, 10); });
      while (s.try_acquire(1)) {  // until the big one waits
        s.release(1);
        rove::yield();
      }
      auto canceler = rove::spawn([cancel = cancel] { cancel(); });
      CHECK(s.acquire(rove::background(), 1) == none);
      s.release(1);
      canceler.get();
      CHECK(big.get() == canceled);
    }
  });
}

TEST_CASE("semaphore: cancelled before there was enough, and with a context that is over") {
  on_processors([] {
    for (int i = 0; i < 5 * load; ++i) {
      rove::semaphore s(2);
      auto [ctx, cancel] = rove::with_cancel(rove::background());
      s.acquire(1);
      auto other = rove::spawn([&s, cancel = cancel] {
        while (s.try_acquire(1)) {
          s.release(1);
          rove::yield();
        }
        cancel();
        s.release(1);
      });
      CHECK(s.acquire(ctx, 2) == canceled);
      other.get();
      CHECK(s.try_acquire(2));
      s.release(2);
      CHECK(s.acquire(ctx, 1) == canceled);  // though it could be had
      CHECK(s.try_acquire(2));
    }
  });
}

TEST_CASE("singleflight: gives what the function gives, also an error") {
  on_processors([] {
    rove::singleflight<std::string, std::string> g;
    CHECK(g.call("key", [] { return std::string("bar"); }) == "bar");
    CHECK_THROWS_AS(g.call("key", []() -> std::string { throw std::runtime_error("some error"); }), std::runtime_error);
    CHECK(g.call("key", [] { return std::string("again"); }) == "again");  // nothing is kept
    rove::singleflight<int, std::error_code> codes;
    CHECK(codes.call(1, [] { return doomed; }) == doomed);
  });
}

TEST_CASE("singleflight: who comes while it runs shares the call") {
  on_runtimes([](rove::runtime& rt) {
    rove::singleflight<std::string, std::string> g;
    auto ch = rove::make_chan<std::string>(1);
    std::atomic<int> calls{0}, right{0};
    rove::wait_group wg;
    constexpr int n = 10;
    for (int i = 0; i < n; ++i)
      wg.go([&, ch] {
        right += g.call("key", [&] {
          ++calls;
          std::string v = *ch.recv();
          ch.send(v);  // for those that came later
          return v;
        }) == "bar";
      });
    eventually([&] { return rt.stats().parked == n; });  // one in the function, the others behind it
    ch.send("bar");
    wg.wait();
    CHECK(calls == 1);
    CHECK(right == n);
  });
}

TEST_CASE("singleflight: forget lets the next one run, and the one after that shares it") {
  on_processors([] {
    rove::singleflight<std::string, int> g;
    auto started = rove::make_chan<int>();
    auto unblock_first = rove::make_chan<int>(), unblock_second = rove::make_chan<int>();
    auto first = rove::spawn([&] {
      return g.call("key", [&] {
        started.close();
        unblock_first.recv();
        return 1;
      });
    });
    started.recv();
    g.forget("key");
    auto results = rove::make_chan<int>(2);
    go_parked([&, results] {
      results.send(g.call("key", [&] {
        unblock_second.recv();
        return 2;
      }));
    });
    unblock_first.close();
    CHECK(first.get() == 1);
    // The first one's end has not taken the second's place.
    go_parked([&, results] { results.send(g.call("key", [] { return 3; })); });
    unblock_second.close();
    CHECK(results.recv() == 2);
    CHECK(results.recv() == 2);
  });
}

TEST_CASE("singleflight: an exception goes to everybody who shared the call") {
  on_runtimes([](rove::runtime& rt) {
    rove::singleflight<int, int> g;
    auto go_on = rove::make_chan<int>();
    std::atomic<int> threw{0}, calls{0};
    rove::wait_group wg;
    for (int i = 0; i < 5; ++i)
      wg.go([&, go_on] {
        try {
          g.call(1, [&]() -> int {
            ++calls;
            go_on.recv();
            throw std::runtime_error("invalid");
          });
        } catch (const std::runtime_error& e) {
          threw += e.what() == std::string("invalid");
        }
      });
    eventually([&] { return rt.stats().parked == 5; });
    go_on.close();
    wg.wait();
    CHECK(threw == 5);
    CHECK(calls == 1);
    CHECK(g.call(1, [] { return 7; }) == 7);
  });
}

TEST_CASE("singleflight: goexit in the function ends those who share it too") {
  on_runtimes([](rove::runtime& rt) {
    rove::singleflight<int, int> g;
    auto go_on = rove::make_chan<int>();
    std::atomic<int> came_back{0};
    rove::wait_group wg;
    for (int i = 0; i < 5; ++i)
      wg.go([&, go_on] {
        g.call(1, [&]() -> int {
          go_on.recv();
          rove::goexit();
        });
        ++came_back;
      });
    eventually([&] { return rt.stats().parked == 5; });
    go_on.close();
    wg.wait();
    CHECK(came_back == 0);
    CHECK(g.call(1, [] { return 7; }) == 7);
  });
}
