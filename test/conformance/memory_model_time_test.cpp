// What happens before what: timers, and the end of a context.
#include <chrono>
#include <stop_token>
#include <system_error>

#include "test/conformance/memory_model.hpp"

using namespace rove_test;

namespace {

struct with_context {
  with_context() : with_context(rove::with_cancel_cause(rove::background())) {}
  rove::context ctx;
  std::function<void()> cancel;
  int x = 0;

 private:
  template <class Made>
  explicit with_context(Made made) {
    auto& [c, f] = made;
    ctx = c;
    cancel = [f = f] { f(std::error_code(5, std::generic_category())); };
  }
};

constexpr auto cancels = [](auto& s) { s.cancel(); };
constexpr int time_rounds = 50;

}  // namespace

TEST_CASE("memory model: context, cancel comes before whatever tells of it") {
  ordered<with_context>(cancels, [](auto& s) { s.ctx.done().recv(); });
  ordered<with_context>(cancels, [](auto& s) {
    while (!s.ctx.done().try_recv().closed) rove::yield();
  });
  ordered<with_context>(cancels, [](auto& s) {
    while (!s.ctx.err()) rove::yield();
  });
  ordered<with_context>(cancels, [](auto& s) {
    while (!s.ctx.cause()) rove::yield();
  });
}

TEST_CASE("memory model: context, cancel comes before its children's end") {
  ordered<with_context>(cancels, [](auto& s) {
    auto [child, cancel] = rove::with_cancel(s.ctx);
    auto [timed, cancel_timed] = rove::with_timeout(child, 1h);
    timed.done().recv();
  });
  ordered<with_context>(cancels, [](auto& s) {
    const std::stop_token token = s.ctx.stop_token();
    while (!token.stop_requested()) rove::yield();
  });
}

TEST_CASE("memory model: context, cancel comes before its after_func runs, whose stop comes before what follows") {
  on_processors([] {
    for (int i = 0; i < rounds; ++i) {
      int x = 0;
      auto ran = rove::make_chan<int>(1);
      auto [ctx, cancel] = rove::with_cancel(rove::background());
      auto stop = rove::after_func(ctx, [&x, ran] { ran.send(++x); });
      auto other = rove::spawn([&x, cancel = cancel] {
        x = 41;
        cancel();
      });
      CHECK(ran.recv() == 42);
      ++x;
      CHECK_FALSE(stop());
      other.get();
    }
  });
}

TEST_CASE("memory model: context, a value is seen by who gets the context") {
  on_processors([] {
    struct boxed {
      int* p;
    };
    for (int i = 0; i < rounds; ++i) {
      auto ch = rove::make_chan<rove::context>(1);
      int x = 0;
      auto other = rove::spawn([&x, ch] {
        x = 1;
        ch.send(rove::with_value(rove::background(), boxed{&x}));
      });
      const rove::context ctx = *ch.recv();
      CHECK((*ctx.value<boxed>()->p)++ == 1);
      other.get();
    }
  });
}

TEST_CASE("memory model: timers, arming comes before the tick") {
  const auto hand_over = [](auto arm) {
    on_processors([&] {
      for (int i = 0; i < time_rounds; ++i) {
        int v = 0;
        auto done = rove::make_chan<int>();
        const auto work = [&v, done] {
          v += 1;
          done.send(0);
        };
        arm(v, work);
        done.recv();
        CHECK(v++ == 3);
        eventually([] { return rove::num_goroutines() == 1; });
      }
    });
  };
  hand_over([](int& v, auto work) {
    v = 2;
    rove::after_func(1ns, work);
  });
  hand_over([](int& v, auto work) {
    auto t = rove::after_func(1h, work);
    t.stop();
    v = 2;
    t.reset(1ns);
  });
  hand_over([](int& v, auto work) {
    v = 2;
    rove::go([ch = rove::after(1ns), work] {
      ch.recv();
      work();
    });
  });
}

TEST_CASE("memory model: timers, stop and reset come before the tick that they lead to") {
  const auto by_tick = []<class Kind>(std::type_identity<Kind>) {
    on_processors([] {
      for (int i = 0; i < time_rounds; ++i) {
        int v = 0;
        auto done = rove::make_chan<int>();
        Kind k(1h);
        rove::go([&v, done, c = k.c()] {
          c.recv();
          ++v;
          done.send(0);
        });
        k.stop();
        v = 2;
        k.reset(1ns);
        done.recv();
        CHECK(v++ == 3);
      }
    });
  };
  by_tick(std::type_identity<rove::timer>());
  by_tick(std::type_identity<rove::ticker>());
}

TEST_CASE("memory model: timers, a chain of functions, each started by the one before") {
  on_processors([] {
    int left = 20;
    auto done = rove::make_chan<bool>();
    struct chain {
      static void step(int& left, const rove::chan<bool>& done) {
        if (--left < 0) return done.send(true);
        rove::after_func(0s, [&left, done] { step(left, done); });
      }
    };
    rove::after_func(0s, [&left, done] { chain::step(left, done); });
    CHECK(done.recv());
    CHECK(left == -1);
  });
}

TEST_CASE("memory model: timers, a stop that answers false comes after the function has started only") {
  on_processors([] {
    for (int i = 0; i < time_rounds; ++i) {
      auto ran = rove::make_chan<int>(1);
      int x = i;
      auto t = rove::after_func(std::chrono::microseconds(i), [&x, ran] { ran.send(++x); });
      rove::sleep_for(std::chrono::microseconds(i));
      if (!t.stop()) CHECK(ran.recv() == i + 1);
      ++x;  // it has run, or never will
      CHECK(x > i);
    }
  });
}
