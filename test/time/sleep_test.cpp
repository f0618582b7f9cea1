// Sleeping: order, and times that are nothing, negative or too long to count.
#include <algorithm>
#include <limits>
#include <vector>

#include "test/support/fixture.hpp"

using namespace rove_test;
using clock_type = std::chrono::steady_clock;

TEST_CASE("sleep: at least as long as asked") {
  on_processors([] {
    for (const auto d : {1us, 50us, 1000us, 10'000us}) {
      const auto start = clock_type::now();
      rove::sleep_for(d);
      CHECK(clock_type::now() - start >= d);
      const auto until = clock_type::now() + d;
      rove::sleep_until(until);
      CHECK(clock_type::now() >= until);
      const auto wall = std::chrono::system_clock::now() + d;
      rove::sleep_until(wall);
      CHECK(std::chrono::system_clock::now() + 1ms >= wall);
    }
    rove::sleep_for(std::chrono::duration<double>(0.001));
    rove::sleep_for(std::chrono::duration<float, std::milli>(0.5f));
  });
}

TEST_CASE("sleep: on a plain thread") {
  const auto start = clock_type::now();
  rove::sleep_for(2ms);
  rove::sleep_until(clock_type::now() + 2ms);
  CHECK(clock_type::now() - start >= 4ms);
  rove::sleep_for(0s);
  rove::sleep_for(-1h);
  rove::sleep_until(clock_type::time_point::min());
  rove::sleep_until(std::chrono::system_clock::time_point::min());
}

TEST_CASE("sleep: nothing and less return at once") {
  on_processors([] {
    rove::sleep_for(0s);
    rove::sleep_for(-1ns);
    rove::sleep_for(-1h);
    rove::sleep_for(clock_type::duration::min());
    rove::sleep_for(std::chrono::hours::min());
    rove::sleep_for(std::chrono::duration<double>(-1e300));
    rove::sleep_for(std::chrono::duration<double>(-std::numeric_limits<double>::infinity()));
    rove::sleep_until(clock_type::time_point::min());
    rove::sleep_until(clock_type::time_point{});
    rove::sleep_until(std::chrono::system_clock::time_point::min());
    rove::sleep_until(std::chrono::time_point<std::chrono::steady_clock, std::chrono::hours>::min());
    rove::sleep_until(std::chrono::time_point<std::chrono::system_clock, std::chrono::hours>::min());
  });
}

TEST_CASE("sleep: too long to count is for ever") {
  for (const unsigned n : {1u, 2u}) {
    std::atomic<int> started{0}, woke{0};
    {
      rove::runtime rt(with_procs(n));
      const auto start = [&](auto sleep) {
        rt.go([&, sleep] {
          ++started;
          sleep();
          ++woke;
        });
      };
      using hours = std::chrono::hours;
      start([] { rove::sleep_for(hours::max()); });
      start([] { rove::sleep_for(clock_type::duration::max()); });
      start([] { rove::sleep_for(std::chrono::duration<double>(1e300)); });
      start([] { rove::sleep_for(std::chrono::duration<double>(std::numeric_limits<double>::infinity())); });
      start([] { rove::sleep_until(clock_type::time_point::max()); });
      start([] { rove::sleep_until(std::chrono::system_clock::time_point::max()); });
      start([] { rove::sleep_until(std::chrono::time_point<clock_type, hours>::max()); });
      start([] { rove::sleep_until(std::chrono::time_point<std::chrono::system_clock, hours>::max()); });
      start([] { rove::sleep_until(std::chrono::sys_days::max()); });
      eventually([&] { return started == 9; });
      eventually([&] { return rt.stats().parked == 9 || woke > 0; });
      CHECK(rt.stats().timers == 9);
      rt.run([] { rove::sleep_for(5ms); });
    }
    CHECK(woke == 0);
  }
}

TEST_CASE("sleep: armed in any order, each wakes in its time") {
  on_processors([] {
    const auto start = clock_type::now() + 5ms;
    std::vector<std::atomic<int>> woke(200);
    std::atomic<int> early{0};
    rove::wait_group wg;
    for (int i = 0; i < 200; ++i)
      wg.go([&, t = i * 37 % 200] {
        rove::sleep_until(start + t * 100us);
        early += clock_type::now() < start + t * 100us;
        ++woke[static_cast<std::size_t>(t)];
      });
    wg.wait();
    CHECK(early == 0);
    CHECK(std::all_of(woke.begin(), woke.end(), [](auto& n) { return n == 1; }));
  });
}

TEST_CASE("sleep: ten thousand of them") {
  on_processors([] {
    constexpr int n = 1000 * load;
    std::atomic<int> early{0}, woke{0};
    rove::wait_group wg;
    for (int i = 0; i < n; ++i)
      wg.go([&, i] {
        const auto until = clock_type::now() + std::chrono::microseconds(i * 7919 % 20'000);
        rove::sleep_until(until);
        early += clock_type::now() < until;
        ++woke;
      });
    wg.wait();
    CHECK(woke == n);
    CHECK(early == 0);
  });
}

TEST_CASE("sleep: beside goroutines that never rest") {
  on_processors([] {
    std::atomic<bool> over{false};
    rove::wait_group wg;
    for (unsigned i = 0; i < 2 * rove::max_procs(); ++i)
      wg.go([&] {
        while (!over) rove::yield();
      });
    for (int i = 0; i < 20; ++i) rove::sleep_for(100us);
    over = true;
    wg.wait();
  });
}

TEST_CASE("sleep: beside goroutines that neither park nor yield") {
  on_processors([] {
    std::atomic<bool> over{false};
    rove::wait_group wg;
    for (unsigned i = 0; i < rove::max_procs(); ++i)
      wg.go([&] {
        while (!over) {
        }
      });
    for (int i = 0; i < 3; ++i) rove::sleep_for(1ms);
    over = true;
    wg.wait();
  });
}

TEST_CASE("sleep: an earlier timer is not kept waiting by a later one") {
  for (const unsigned n : {1u, 2u, 4u})
    rove::run(with_procs(n), [] {
      rove::wait_group wg;
      rove::go([] { rove::sleep_for(1h); });
      for (int i = 0; i < 10; ++i) {
        rove::sleep_for(2ms);
        wg.go([] { rove::sleep_for(1ms); });
        wg.wait();
      }
    });
}
