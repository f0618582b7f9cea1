// Timers, tickers and functions called later: what Go's tests do not ask, such as plain threads, ends of runtimes,
// moves.
#include <memory>
#include <optional>
#include <vector>

#include "test/debug/child.hpp"
#include "test/support/fixture.hpp"

using namespace rove_test;

namespace {

// `n` wait for something in `rt`.
void until_parked(rove::runtime& rt, std::uint64_t n) {
  eventually([&] { return rt.stats().parked == n; });
}

}  // namespace

TEST_CASE("timer: misuse panics with Go's texts") {
  rove::timer t;
  CHECK_FALSE(t.c());
  CHECK(panic_of([&] { t.stop(); }) == "time: Stop called on uninitialized Timer");
  CHECK(panic_of([&] { t.reset(1s); }) == "time: Reset called on uninitialized Timer");
  rove::ticker k;
  k.stop();
  CHECK(panic_of([&] { k.reset(1s); }) == "time: Reset called on uninitialized Ticker");
  CHECK(panic_of([] { rove::ticker(0s); }) == "non-positive interval for NewTicker");
  CHECK(panic_of([] { rove::ticker(-1h); }) == "non-positive interval for NewTicker");
  k = rove::ticker(1h);
  CHECK(panic_of([&] { k.reset(0ns); }) == "non-positive interval for Ticker.Reset");
  CHECK(panic_of([] { rove::after_func(1ms, [] {}); }) == "rove: no runtime on this thread");
}

TEST_CASE("timer: moved, the one it was moved from is empty, the one it replaces is stopped") {
  on_processors([] {
    rove::timer a(1h), b(0s);
    const auto channel_of_a = a.c();
    b = std::move(a);
    CHECK(b.c() == channel_of_a);
    CHECK(panic_of([&] { a.stop(); }) == "time: Stop called on uninitialized Timer");
    a = std::move(b);
    CHECK(a.reset(0s));
    CHECK(a.c().recv());
    rove::ticker k(1h), l(1ms);
    const auto channel_of_l = l.c();
    l = std::move(k);
    CHECK_FALSE(k.c());
    CHECK_FALSE(channel_of_l.recv_for(3ms).value);
  });
}

TEST_CASE("timer: when it goes away no tick comes to the channel that is left") {
  on_processors([] {
    std::optional<rove::timer> due(0s), late(1ms);
    const auto a = due->c(), b = late->c();
    due.reset();
    late.reset();
    CHECK_FALSE(a.try_recv().value);
    CHECK_FALSE(b.recv_for(3ms).value);
    std::optional<rove::ticker> k(1ms);
    const auto c = k->c();
    CHECK(c.recv());
    k.reset();
    CHECK_FALSE(c.recv_for(3ms).value);
  });
}

TEST_CASE("timer: what a handle keeps") {
  auto alive = std::make_shared<counted>();
  rove::run(with_procs(2), [&] {
    auto ran = rove::make_chan<int>(1);
    rove::after_func(1ms, [ran, alive] { ran.send(1); });  // dropped at once: it is called all the same
    CHECK(ran.recv() == 1);
    eventually([&] { return alive.use_count() == 1; });
    rove::after_func(1h, [alive] {}).stop();
    CHECK(alive.use_count() == 1);
    rove::timer t = rove::after_func(1h, [alive] {});
    CHECK_FALSE(t.c());
    t = rove::timer(1h);
    CHECK(alive.use_count() == 2);  // a function whose time is to come stays
  });
  CHECK(alive.use_count() == 1);    // until its runtime is gone
}

TEST_CASE("timer: in a heap only while somebody waits for it") {
  rove::runtime rt(with_procs(2));
  rt.run([&] {
    rove::timer a(1h), b(1h);
    rove::ticker k(1h);
    auto other = rove::after(1h);
    auto stop = rove::make_chan<int>();
    CHECK(rt.stats().timers == 0);
    rove::wait_group wg;
    bool ticked = false;
    std::size_t taken = 99;
    wg.go([&] { ticked = a.c().recv_for(1h).value.has_value(); });
    wg.go([&] { taken = rove::select(b.c().on_recv(), k.c().on_recv(), stop.on_recv()); });
    until_parked(rt, 2);
    CHECK(rt.stats().timers == 4);  // and the time limit
    a.reset(0s);
    eventually([&] { return rt.stats().timers == 2; });
    b.stop();
    CHECK(rt.stats().timers == 1);
    b.reset(1h);
    CHECK(rt.stats().timers == 2);
    stop.send(1);
    wg.wait();
    CHECK(ticked);
    CHECK(taken == 2);
    CHECK(rt.stats().timers == 0);
  });
  check_nothing_left(rt);
}

TEST_CASE("timer: on plain threads") {
  rove::timer t(1ms);
  const auto start = std::chrono::steady_clock::now();
  CHECK(t.c().recv().value() >= start);
  CHECK_FALSE(t.stop());
  t.reset(1h);
  CHECK_FALSE(t.c().recv_for(1ms).value);
  CHECK(t.reset(1ms));
  CHECK(rove::select(t.c().on_recv(), rove::on_timeout(1h)) == 0);
  CHECK(rove::after(0s).recv());
  rove::ticker k(1ms);
  auto last = start;
  for (int i = 0; i < 3; ++i) {
    const auto tick = k.c().recv().value();
    CHECK(tick > last);
    last = tick;
  }
}

TEST_CASE("timer: made on one side, waited for on the other") {
  for (const unsigned n : {1u, 2u}) {
    rove::runtime rt(with_procs(n));
    rove::timer outside(1h);
    auto inside = std::make_shared<rove::timer>();
    plain_threads threads;
    rt.run([&] { *inside = rove::timer(1h); });
    threads.start([&] { inside->c().recv(); });
    auto waits = rt.spawn([&] { return outside.c().recv().has_value(); });
    until_parked(rt, 1);
    rt.run([&] { inside->reset(1ms); });
    outside.reset(1ms);
    threads.join();
    CHECK(waits.get());
  }
}

TEST_CASE("timer: outlives the runtime in whose heap it is") {
  for (const unsigned n : {1u, 2u}) {
    rove::timer t(1h);
    rove::ticker k(1h);
    auto other = std::make_unique<rove::runtime>(with_procs(n));
    auto ends = std::make_unique<rove::runtime>(with_procs(n));
    std::atomic<int> got{0};
    ends->go([&] { rove::select(t.c().on_recv(), k.c().on_recv()); });  // the first: both stand in this runtime's heaps
    until_parked(*ends, 1);
    other->go([&] {
      t.c().recv();
      ++got;
    });
    until_parked(*other, 1);
    plain_threads threads;
    threads.start([&] {
      k.c().recv();
      ++got;
    });
    rove::sleep_for(1ms);  // the thread waits too by now, most likely
    ends.reset();
    CHECK(t.reset(1ms));
    k.reset(1ms);
    threads.join();
    eventually([&] { return got == 2; });
  }
}

TEST_CASE("timer: a runtime's end stops its functions, whoever holds the timer") {
  for (const unsigned n : {1u, 2u, 4u}) {
    std::atomic<int> ran{0};
    auto alive = std::make_shared<counted>();
    std::vector<rove::timer> timers;
    auto rt = std::make_unique<rove::runtime>(with_procs(n));
    rt->run([&] {
      for (int i = 0; i < 100; ++i) timers.push_back(rove::after_func(1h, [&ran, alive] { ++ran; }));
      timers.push_back(rove::after_func(0s, [&ran, alive] { ++ran; }));
      rove::after_func(1h, [&ran, alive] { ++ran; });
      eventually([&] { return ran == 1; });
    });
    CHECK(timers[0].stop());
    rt->stop();
    timers[1].reset(0s);
    rt.reset();
    CHECK_FALSE(timers[2].stop());
    CHECK_FALSE(timers[3].reset(0s));
    CHECK_FALSE(timers.back().reset(1h));
    CHECK(timers.back().stop());
    timers.clear();
    eventually([&] { return alive.use_count() == 1; });
    CHECK(ran == 1);
  }
}

TEST_CASE("timer: functions are due while their runtime ends") {
  std::atomic<int> began{0}, ended{0};
  auto alive = std::make_shared<counted>();
  for (int i = 0; i < 20 * load; ++i)
    rove::run(with_procs(1 + static_cast<unsigned>(i) % 3), [&] {
      for (int k = 0; k < 50; ++k)
        rove::after_func(std::chrono::microseconds(k), [&began, &ended, alive] {
          struct guard {
            std::atomic<int>& n;
            ~guard() { ++n; }
          } g{ended};
          ++began;
          rove::sleep_for(1h);
        });
      rove::sleep_for(20us);
    });
  CHECK(began == ended);
  CHECK(alive.use_count() == 1);
}

TEST_CASE("timer: a deadlock is seen although a timer runs that nobody waits for", "[native]") {
  const ending e = run_in_child([] {
    rove::run([] {
      rove::timer unused(1h);
      rove::make_chan<int>().recv();
    });
  });
  CHECK(e.status == 2);
  CHECK(e.error_output.find("all goroutines are asleep - deadlock!") != std::string::npos);
}

TEST_CASE("timer: a function that is to be called is no deadlock") {
  rove::run(with_procs(2), [] {
    auto done = rove::make_chan<int>();
    rove::after_func(2ms, [done] { done.send(1); });
    CHECK(done.recv() == 1);
    rove::timer t(2ms);
    CHECK(t.c().recv());
  });
}
