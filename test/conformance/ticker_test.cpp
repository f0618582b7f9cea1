// What Go's tests say of Ticker, and of a timer's and a ticker's channel: no stale tick after stop or reset.
#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "test/conformance/support.hpp"

using namespace rove_test;
using steady = std::chrono::steady_clock;

namespace {

constexpr auto far_away = 10'000s;

// Goroutines in a goroutine, threads on a plain thread.
class others {
 public:
  void start(std::function<void()> f) {
    if (rove::this_goroutine::id() != 0)
      goroutines_.go(std::move(f));
    else
      threads_.emplace_back(std::move(f));
  }
  void join() {
    goroutines_.wait();
    for (std::thread& t : threads_) t.join();
    threads_.clear();
  }

 private:
  rove::wait_group goroutines_;
  std::vector<std::thread> threads_;
};

// What a timer's and a ticker's channel may show, step by step. `Kind` is rove::timer or rove::ticker.
template <class Kind>
void channel_of() {
  constexpr bool ticks_again = std::is_same_v<Kind, rove::ticker>;
  Kind k(far_away);
  const auto c = k.c();
  const auto no_tick = [&] {
    CHECK(c.len() == 0);
    CHECK_FALSE(c.try_recv().value);
  };
  const auto tick = [&] {
    eventually([&] { return c.try_recv().value.has_value(); });
    CHECK(c.len() == 0);
  };
  const auto wait_past = [](std::chrono::nanoseconds d) { rove::sleep_for(d); };  // what was due by then has been due

  k.stop();
  no_tick();
  k.reset(far_away);
  no_tick();
  k.reset(1ns);
  wait_past(1us);
  CHECK(c.len() == 0);
  tick();
  wait_past(1us);
  k.reset(far_away);  // a ticker had ticked again
  no_tick();

  {  // one waits: put far away, brought near
    others o;
    std::atomic<bool> done{false};
    o.start([&] {
      c.recv();
      done = true;
    });
    let_others_run();
    CHECK_FALSE(done);
    k.reset(2 * far_away);
    let_others_run();
    CHECK_FALSE(done);
    k.reset(1ns);
    o.join();
    if (ticks_again)
      tick();
    else
      no_tick();
    k.stop();
    no_tick();
  }
  {  // two wait in a select
    k.reset(far_away);
    others o;
    std::atomic<int> got{0};
    auto stop = rove::make_chan<bool>();
    for (int i = 0; i < 2; ++i)
      o.start([&] { rove::select(c.on_recv([&] { ++got; }), stop.on_recv()); });
    let_others_run();
    CHECK(got == 0);
    k.reset(100us);
    eventually([&] { return got > 0; });
    k.stop();
    const int then = got;
    stop.close();
    o.join();
    if (ticks_again)
      CHECK(got >= then);
    else
      CHECK(got == 1);
    no_tick();
  }
  {  // two wait for a stopped one
    others o;
    std::atomic<int> got{0};
    auto stop = rove::make_chan<bool>();
    for (int i = 0; i < 2; ++i)
      o.start([&] { rove::select(c.on_recv([&] { ++got; }), stop.on_recv()); });
    let_others_run();
    stop.close();
    o.join();
    CHECK(got == 0);
  }
  // A tick that is due and was not taken is taken back.
  k.reset(1ns);
  wait_past(1ms);
  k.stop();
  no_tick();
  k.reset(1ns);
  wait_past(1ms);
  k.reset(1h);
  no_tick();
  k.reset(1ns);
  tick();
  wait_past(1ms);
  if (ticks_again)
    tick();
  else
    no_tick();
  k.reset(1h);
  no_tick();
}

}  // namespace

TEST_CASE("ticker: ticks are never too fast, nor after a reset to a longer interval") {
  on_processors([] {
    constexpr auto interval = 1ms;
    constexpr int n = 5;
    const auto start = steady::now();
    rove::ticker k(interval);
    for (int i = 0; i < n; ++i) k.c().recv();
    CHECK(steady::now() - start >= n * interval);
    const auto moved = steady::now();
    k.reset(2 * interval);
    for (int i = 0; i < n; ++i) k.c().recv();
    CHECK(steady::now() - moved >= 2 * n * interval);
    k.stop();
    rove::sleep_for(3 * interval);
    CHECK_FALSE(k.c().try_recv().value);
  });
}

TEST_CASE("ticker: the time of a tick is when it was due, however late it is received") {
  on_processors([] {
    const auto before = steady::now();
    const rove::ticker k(1ms);
    const auto after = steady::now();
    rove::sleep_for(5ms);
    const auto tick = *k.c().recv();
    CHECK(tick >= before + 1ms);
    CHECK(tick <= after + 1ms);
  });
}

TEST_CASE("ticker: made, received from and stopped again and again") {
  on_processors([] {
    for (int i = 0; i < 10; ++i) {
      rove::ticker k(1ms);
      CHECK(k.c().recv());
      k.stop();
    }
  });
}

TEST_CASE("ticker: an interval must be positive") {
  const auto all = [] {
    CHECK(panic_of([] { rove::ticker(-1ns); }) == "non-positive interval for NewTicker");
    CHECK(panic_of([] { rove::ticker(0s); }) == "non-positive interval for NewTicker");
    rove::ticker k(1h);
    CHECK(panic_of([&] { k.reset(0s); }) == "non-positive interval for Ticker.Reset");
    CHECK(panic_of([&] { k.reset(-1h); }) == "non-positive interval for Ticker.Reset");
    k.reset(1ns);
    CHECK(k.c().recv());
  };
  all();
  on_processors(all);
}

TEST_CASE("ticker: a hundred of the fastest ticks, beside one that sleeps again and again") {
  on_processors([] {
    std::atomic<bool> stop{false};
    auto other = rove::spawn([&] {
      while (!stop) rove::sleep_for(1ns);
    });
    rove::ticker k(1ns);
    for (int i = 0; i < 100; ++i) CHECK(k.c().recv());
    k.stop();
    stop = true;
    other.get();
  });
}

TEST_CASE("ticker: ten receive from one") {
  on_processors([] {
    rove::ticker k(1ns);
    std::atomic<int> ticks{0};
    rove::wait_group wg;
    for (int g = 0; g < 10; ++g)
      wg.go([&] {
        for (int i = 0; i < 20; ++i) ticks += k.c().recv().has_value();
      });
    wg.wait();
    k.stop();
    CHECK(ticks == 200);
    CHECK_FALSE(k.c().try_recv().value);
  });
}

TEST_CASE("ticker: many wake for each tick, or by a time limit of their own") {
  on_processors([] {
    rove::ticker k(1us);
    rove::wait_group wg;
    std::atomic<int> turns{0};
    for (int g = 0; g < 4; ++g)
      wg.go([&] {
        for (int i = 0; i < 100 * load; ++i) {
          rove::select(k.c().on_recv(), rove::after(1ms).on_recv());
          ++turns;
        }
      });
    wg.wait();
    k.stop();
    CHECK(turns == 400 * load);
  });
}

TEST_CASE("ticker: goroutines with a ticker each share a mutex") {
  on_processors([] {
    rove::mutex m;
    int guarded = 0;
    rove::wait_group wg;
    for (int g = 0; g < 8; ++g)
      wg.go([&] {
        rove::ticker k(1ns);
        for (int i = 0; i < 20 * load; ++i) {
          k.c().recv();
          const std::lock_guard l(m);
          ++guarded;
        }
      });
    wg.wait();
    CHECK(guarded == 160 * load);
  });
}

TEST_CASE("timer: its channel, step by step") {
  channel_of<rove::timer>();
  on_processors([] { channel_of<rove::timer>(); });
}

TEST_CASE("ticker: its channel, step by step") {
  channel_of<rove::ticker>();
  on_processors([] { channel_of<rove::ticker>(); });
}

TEST_CASE("timer: what stop and reset say of a tick that was due and not taken") {
  const auto all = [] {
    rove::timer t(far_away);
    CHECK(t.reset(1ns));
    rove::sleep_for(1ms);
    CHECK(t.stop());
    CHECK_FALSE(t.stop());
    CHECK_FALSE(t.reset(1ns));
    rove::sleep_for(1ms);
    CHECK(t.reset(1ns));
    CHECK(t.c().recv());
    CHECK_FALSE(t.reset(1h));
    CHECK(t.stop());
  };
  all();
  on_processors(all);
}

TEST_CASE("timer: a heap full of timers does not slow down selects with a limit of their own") {
  on_processors([] {
    rove::wait_group wg;
    for (int i = 0; i < 100 * load; ++i) wg.go([] { rove::sleep_for(10us); });
    for (int i = 0; i < 100; ++i) rove::sleep_for(1us);

    // Work goes round through a goroutine that keeps a queue; each answer is waited for with a limit.
    using work = std::function<void()>;
    auto in = rove::make_chan<work>(), out = rove::make_chan<work>();
    wg.go([=] {
      std::deque<work> queue;
      for (bool open = true; open;)
        rove::select((queue.empty() ? rove::chan<work>() : out).on_send(queue.empty() ? work() : queue.front(),
                                                                         [&] { queue.pop_front(); }),
                     in.on_recv([&](std::optional<work> w) {
                       open = w.has_value();
                       if (open) queue.push_back(std::move(*w));
                     }));
      out.close();
    });
    int done = 0;
    for (int i = 0; i < 10 * load; ++i) {
      for (int k = 0; k < 20; ++k) in.send([&] { ++done; });
      for (int k = 0; k < 20; ++k)
        rove::select(out.on_recv([](std::optional<work> w) { (*w)(); }),
                     rove::after(1h).on_recv([] { FAIL("nobody answered"); }));
    }
    in.close();
    wg.wait();
    CHECK(done == 200 * load);
  });
}

TEST_CASE("timer: one that was never made panics") {
  CHECK(panic_of([] { rove::timer().stop(); }) == "time: Stop called on uninitialized Timer");
  CHECK(panic_of([] { rove::timer().reset(1ns); }) == "time: Reset called on uninitialized Timer");
  rove::ticker().stop();
  CHECK(panic_of([] { rove::ticker().reset(1ns); }) == "time: Reset called on uninitialized Ticker");
}
