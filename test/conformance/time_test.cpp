// What Go's tests say of Sleep, After, AfterFunc and Timer: order, stopping, resetting, races. No time is too late:
// a loaded machine may take as long as it likes.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <vector>

#include "test/conformance/support.hpp"

using namespace rove_test;
using steady = std::chrono::steady_clock;

namespace {

// A timer that tells by a channel, whatever makes it: the library's own, or a function that is called.
struct by_channel {
  rove::timer t;
  explicit by_channel(std::chrono::nanoseconds d) : t(d) {}
  rove::recv_chan<steady::time_point> c() const { return t.c(); }
};
struct by_function {
  rove::chan<steady::time_point> ch = rove::make_chan<steady::time_point>(1);
  rove::timer t;
  explicit by_function(std::chrono::nanoseconds d)
      : t(rove::after_func(d, [ch = ch] { ch.send(steady::now()); })) {}
  rove::recv_chan<steady::time_point> c() const { return ch; }
};

// Stopped, it does not fire, though timers around it do.
template <class Timer>
void check_stopped() {
  rove::wait_group around;
  around.add(1);
  rove::after_func(2ms, [&] { around.done(); });
  Timer stopped(1h);
  auto called = std::make_shared<std::atomic<bool>>(false);
  auto func = rove::after_func(1h, [called] { *called = true; });
  const auto later = rove::after(4ms);
  CHECK(stopped.t.stop());
  CHECK(func.stop());
  later.recv();
  around.wait();
  CHECK_FALSE(stopped.c().try_recv().value);
  CHECK_FALSE(*called);
  CHECK_FALSE(func.stop());
  CHECK_FALSE(stopped.t.stop());
}

// Stopped as often before its time as after it: stop says whether there is a tick to be had.
template <class Timer, class Stop>
void race_of_two(Stop stop) {
  on_processors([&] {
    rove::wait_group wg;
    verdict v;
    for (int g = 0; g < 20; ++g)
      wg.go([&] {
        for (int i = 0; i < 5 * load; ++i) {
          Timer a(200us), b(200us);
          const auto other = rove::select(a.c().on_recv(), b.c().on_recv()) == 0 ? &b : &a;
          if (!stop(other->t)) v.expect(other->c().recv().has_value());  // would wait for ever if there were none
          v.expect(!other->c().try_recv().value);
        }
      });
    wg.wait();
    CHECK(v.wrong() == 0);
  });
}

template <class Timer>
void zero_timers() {
  for (int i = 0; i < 100 * load; ++i) {
    Timer t(0s);
    CHECK(t.c().recv());
  }
}

// Stopped and reset to the past, again and again, it fires once in the end.
template <class Timer>
void moved_earlier() {
  for (int i = 0; i < 10 * load; ++i) {
    Timer t(1h);
    for (int k = 0; k < 10; ++k) {
      if (!t.t.stop()) t.c().recv();
      t.t.reset(-24h * 365 * 50);
    }
    CHECK(t.c().recv());
    CHECK_FALSE(t.c().try_recv().value);
  }
}

// Timers that are made, drained, put far away and brought near, in an order left to chance.
template <class Timer>
void adjusted(std::uint64_t index) {
  dice d(index);
  std::vector<std::unique_ptr<Timer>> timers(20);
  std::vector<int> states(timers.size());
  std::vector<std::size_t> left;
  for (std::size_t i = 0; i < timers.size(); ++i) left.push_back(i);
  while (!left.empty()) {
    const std::size_t at = d.below(static_cast<unsigned>(left.size()));
    const std::size_t i = left[at];
    switch (states[i]++) {
      case 0: timers[i] = std::make_unique<Timer>(0s); break;
      case 1: timers[i]->c().recv(); break;
      case 2: CHECK_FALSE(timers[i]->t.reset(1min)); break;
      case 4: CHECK_FALSE(timers[i]->t.reset(3min)); break;
      case 6: CHECK_FALSE(timers[i]->t.reset(2min)); break;
      case 3:
      case 5:
      case 7: CHECK(timers[i]->t.stop()); break;
      case 8: CHECK_FALSE(timers[i]->t.reset(0s)); break;
      case 9: CHECK(timers[i]->c().recv()); break;
      default:
        left[at] = left.back();
        left.pop_back();
    }
  }
}

}  // namespace

TEST_CASE("time: a sleep takes its time, though others wake meanwhile") {
  on_processors([] {
    auto other = rove::spawn([] { rove::sleep_for(5ms); });
    const auto start = steady::now();
    rove::sleep_for(10ms);
    CHECK(steady::now() - start >= 10ms);
    other.get();
  });
}

TEST_CASE("time: sleeping for nothing returns") {
  on_processors([] {
    auto busy = rove::spawn([] {
      for (int i = 0; i < 100; ++i) rove::yield();
    });
    for (int i = 0; i < 100; ++i) {
      rove::sleep_for(0s);
      auto ch = rove::make_chan<bool>(1);
      ch.send(true);
      CHECK(ch.recv());
    }
    busy.get();
  });
}

TEST_CASE("time: too long to count is never, negative is now") {
  for (const unsigned n : {1u, 2u}) {
    std::atomic<bool> woke{false};
    {
      rove::runtime rt(with_procs(n));
      rt.run([&] {
        rove::go([&] {
          rove::sleep_for(std::chrono::nanoseconds::max());
          woke = true;
        });
        const auto never = rove::after(std::chrono::nanoseconds::max());
        CHECK(rove::select(never.on_recv(), rove::after(5ms).on_recv()) == 1);
        rove::sleep_for(std::chrono::nanoseconds::min());
        CHECK(rove::after(std::chrono::nanoseconds::min()).recv());
      });
    }
    CHECK_FALSE(woke);
  }
}

TEST_CASE("time: after, at the time that was asked for, however late it is received") {
  on_processors([] {
    const auto start = steady::now();
    const auto tick = *rove::after(10ms).recv();
    CHECK(steady::now() - start >= 10ms);
    CHECK(tick - start >= 10ms);

    const auto before = steady::now();
    const auto ch = rove::after(1ms);
    const auto after = steady::now();
    rove::sleep_for(5ms);
    const auto due = *ch.recv();
    CHECK(due >= before + 1ms);
    CHECK(due <= after + 1ms);
  });
}

TEST_CASE("time: one after the other, none too fast") {
  on_processors([] {
    const auto start = steady::now();
    for (int i = 0; i < 10; ++i) rove::after(1ms).recv();
    CHECK(steady::now() - start >= 10ms);
  });
}

TEST_CASE("time: armed in any order, they fire in the order of their times") {
  const auto order_of_arrival = [](std::chrono::milliseconds unit) {
    auto arrived = rove::make_chan<int>(20);
    const std::vector<int> slots{5, 3, 6, 6, 6, 1, 1, 2, 7, 9, 4, 8, 0};
    const auto start = steady::now();
    rove::wait_group wg;
    verdict v;
    for (const int slot : slots)
      wg.go([&, arrived, slot, ch = rove::after(slot * unit)] {
        const auto tick = *ch.recv();
        v.expect(tick - start >= slot * unit);
        arrived.send(slot);
      });
    wg.wait();
    CHECK(v.wrong() == 0);
    arrived.close();
    std::vector<int> order;
    for (const int slot : arrived) order.push_back(slot);
    CHECK(order.size() == slots.size());
    return std::is_sorted(order.begin(), order.end());
  };
  on_processors([&] {
    // Between the tick and its receiver's send anything may come on a loaded machine; not with ever more time, though.
    bool sorted = false;
    for (auto unit = 2ms; !sorted && unit < 1s; unit *= 2) sorted = order_of_arrival(unit);
    CHECK(sorted);
  });
}

TEST_CASE("time: after_func calls in a goroutine of its own, which may sleep and start others") {
  on_processors([] {
    auto done = rove::make_chan<bool>();
    struct chain {
      static void step(int left, const rove::chan<bool>& done) {
        if (left == 0) return done.send(true);
        rove::after_func(0s, [=] { step(left - 1, done); });
        rove::sleep_for(1ms);
      }
    };
    rove::after_func(0s, [done] { chain::step(10, done); });
    CHECK(done.recv() == true);
    eventually([] { return rove::num_goroutines() == 1; });
  });
}

TEST_CASE("time: after_func is not starved by two that always have work") {
  on_processors([] {
    std::atomic<bool> stop{false};
    auto ch = rove::make_chan<bool>(1);
    rove::wait_group wg;
    wg.go([&, ch] {
      while (!stop) ch.send(true);
      ch.close();
    });
    wg.go([ch] {
      for ([[maybe_unused]] const bool b : ch) {
      }
    });
    rove::after_func(1us, [&] { stop = true; });
    wg.wait();
    CHECK(stop);
  });
}

TEST_CASE("time: a stopped timer does not fire, with others around it") {
  on_processors([] {
    check_stopped<by_channel>();
    check_stopped<by_function>();
  });
}

TEST_CASE("time: many functions are stopped in time") {
  on_processors([] {
    std::atomic<int> ran{0}, stopped{0};
    rove::wait_group wg;
    for (int i = 0; i < 100; ++i)
      wg.go([&] {
        auto t = rove::after_func(1h, [&] { ++ran; });
        rove::sleep_for(1ms);
        stopped += t.stop();
      });
    wg.wait();
    CHECK(stopped == 100);
    CHECK(ran == 0);
  });
}

TEST_CASE("time: reset moves the time, and tells whether a tick was still to come") {
  on_processors([] {
    by_channel t(1h);
    CHECK(t.t.reset(2h));
    CHECK_FALSE(t.c().try_recv().value);
    const auto moved = steady::now();
    CHECK(t.t.reset(5ms));
    CHECK(*t.c().recv() - moved >= 5ms);
    CHECK_FALSE(t.t.reset(1h));
    CHECK_FALSE(t.c().try_recv().value);
    CHECK(t.t.stop());

    by_function f(1h);
    const auto moved_too = steady::now();
    CHECK(f.t.reset(5ms));
    CHECK(*f.c().recv() - moved_too >= 5ms);
    CHECK_FALSE(f.t.reset(1h));
    CHECK_FALSE(f.c().try_recv().value);
    CHECK(f.t.stop());
  });
}

TEST_CASE("time: timers for no time at all are not missed") {
  on_processors([] {
    zero_timers<by_channel>();
    zero_timers<by_function>();
    by_function again(1h);
    for (int i = 0; i < 100 * load; ++i) {
      again.t.reset(0s);
      CHECK(again.c().recv());
    }
  });
}

TEST_CASE("time: moved earlier again and again, a timer is not lost") {
  on_processors([] {
    moved_earlier<by_channel>();
    moved_earlier<by_function>();
  });
}

TEST_CASE("time: moved to and fro, no timer is lost") {
  on_processors([] {
    for (std::uint64_t i = 0; i < 3; ++i) {
      adjusted<by_channel>(2 * i);
      adjusted<by_function>(2 * i + 1);
    }
  });
}

TEST_CASE("time: stop's answer is true or there is a tick, when it races with the time") {
  race_of_two<by_channel>([](rove::timer& t) { return t.stop(); });
}

TEST_CASE("time: reset's answer is true or there was a tick, when it races with the time") {
  // Whether there was one cannot be received after a reset: no stale tick is. So the answer itself is counted.
  on_processors([] {
    rove::wait_group wg;
    verdict v;
    for (int g = 0; g < 20; ++g)
      wg.go([&] {
        for (int i = 0; i < 5 * load; ++i) {
          rove::timer a(200us), b(200us);
          const auto other = rove::select(a.c().on_recv(), b.c().on_recv()) == 0 ? &b : &a;
          v.expect(other->reset(1h));  // nobody took its tick
          v.expect(!other->c().try_recv().value);
          v.expect(other->stop());
        }
      });
    wg.wait();
    CHECK(v.wrong() == 0);
  });
}

TEST_CASE("time: many receive from one timer and reset it") {
  on_processors([] {
    rove::timer t(1ns);
    rove::wait_group wg;
    std::atomic<int> ticks{0};
    for (int g = 0; g < 4; ++g)
      wg.go([&] {
        for (int i = 0; i < 50 * load; ++i) {
          rove::select(t.c().on_recv([&] { ++ticks; }), rove::otherwise());
          t.reset(1ns);
        }
      });
    wg.wait();
    t.reset(1ns);
    CHECK(t.c().recv());
    CHECK(t.c().len() == 0);
    CHECK(ticks <= 4 * 50 * load);
  });
}

TEST_CASE("time: timers that nobody holds any more are gone") {
  on_runtimes([](rove::runtime& rt) {
    const std::uint64_t before = rt.stats().timers;
    for (int i = 0; i < 10 * load; ++i) {
      static_cast<void>(rove::after(1h));
      const rove::timer t(1h);
      const rove::ticker k(1h);
      rove::timer(1h).stop();
      rove::ticker(1h).stop();
    }
    CHECK(rt.stats().timers == before);
  });
}

TEST_CASE("time: an exception passes a timer's and a ticker's end") {
  on_processors([] {
    CHECK_THROWS_AS(
        [] {
          const rove::ticker k(1h);
          const rove::timer t(1h);
          throw std::runtime_error("in between");
        }(),
        std::runtime_error);
  });
}
