// What reports say of goroutines that wait in a select, and of panics of channels. Each program runs in a child
// process; those with the tag [native] need a process without threads but its own.
#include <thread>

#include "src/sched/machine.hpp"
#include "src/sched/park.hpp"
#include "test/debug/child.hpp"
#include "test/support/fixture.hpp"

using namespace rove_test;

namespace {

bool begins(const ending& e, const std::string& text) { return e.error_output.compare(0, text.size(), text) == 0; }

template <class Body>
void check_deadlock(Body body, const std::string& reason) {
  const ending e = run_in_child([&] { rove::run(body); });
  INFO(e.error_output);
  CHECK(e.status == 2);
  CHECK(begins(e, "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [" + reason + "]:\n"));
}

template <class Body>
void check_panic(Body body, const std::string& text) {
  const ending e = run_in_child([&] { rove::run(body); });
  INFO(e.error_output);
  CHECK(e.signal == SIGABRT);
  CHECK(begins(e, "panic: " + text + "\n\ngoroutine 1 [running]:\n"));
}

}  // namespace

TEST_CASE("chan reports: deadlock in a select", "[native]") {
  check_deadlock(
      [] {
        auto a = rove::make_chan<int>(), b = rove::make_chan<int>();
        rove::select(a.on_recv(), b.on_send(1));
      },
      "select");
}
TEST_CASE("chan reports: deadlock in a select with both directions of one channel", "[native]") {
  check_deadlock(
      [] {
        auto a = rove::make_chan<int>();
        rove::select(a.on_recv(), a.on_send(1));
      },
      "select");
}
TEST_CASE("chan reports: deadlock in a select of nil channels", "[native]") {
  check_deadlock([] { rove::select(rove::chan<int>().on_recv(), rove::chan<int>().on_send(1)); }, "select");
}
TEST_CASE("chan reports: deadlock in a select with a limit that never comes", "[native]") {
  check_deadlock([] { rove::select(rove::chan<int>().on_recv(), rove::on_timeout(std::chrono::hours::max())); }, "select");
}
TEST_CASE("chan reports: deadlock in a select without cases", "[native]") {
  check_deadlock([] { rove::select(); }, "select (no cases)");
}
TEST_CASE("chan reports: deadlock in a selector", "[native]") {
  check_deadlock(
      [] {
        rove::selector set;
        set.add(rove::make_chan<int>().on_recv());
        set.select();
      },
      "select");
}
TEST_CASE("chan reports: deadlock in a receive with a limit that never comes", "[native]") {
  check_deadlock([] { rove::make_chan<int>().recv_for(std::chrono::hours::max()); }, "chan receive");
}
TEST_CASE("chan reports: no deadlock while a limit is pending", "[native]") {
  const ending e = run_in_child([] {
    _exit(rove::run([] {
      rove::select(rove::chan<int>().on_recv(), rove::on_timeout(20ms));
      rove::make_chan<int>().recv_for(20ms);
      rove::chan<int>().send_for(1, 20ms);
      return 42;
    }));
  });
  CHECK(e.status == 42);
}

TEST_CASE("chan reports: a send on a closed channel") {
  check_panic(
      [] {
        auto ch = rove::make_chan<int>();
        ch.close();
        rove::select(ch.on_send(1), rove::otherwise());
      },
      "send on closed channel");
}
TEST_CASE("chan reports: a send on a channel that is closed meanwhile") {
  check_panic(
      [] {
        auto ch = rove::make_chan<int>(), never = rove::make_chan<int>();
        rove::go([ch] { ch.close(); });
        rove::select(ch.on_send(1), never.on_recv());
      },
      "send on closed channel");
}
TEST_CASE("chan reports: close of a closed channel, close of nil, impossible sizes") {
  on_processors([] {
    auto ch = rove::make_chan<int>();
    ch.close();
    CHECK(panic_of([&] { ch.close(); }) == "close of closed channel");
    CHECK(panic_of([&] { rove::chan<int>().close(); }) == "close of nil channel");
    CHECK(panic_of([&] { ch.send(1); }) == "send on closed channel");
    CHECK(panic_of([&] { ch.try_send(1); }) == "send on closed channel");
    CHECK(panic_of([] { rove::make_chan<int>(-1); }) == "makechan: size out of range");
    CHECK(panic_of([] { rove::make_chan<int>(PTRDIFF_MAX); }) == "makechan: size out of range");
  });
}

// ---- what a library with debug_checks refuses ----------------------------------------------------------------------

#ifdef ROVE_DEBUG_CHECKS

namespace {

template <class Body>
void check_stopped(Body body, const std::string& maker) {
  const ending e = run_in_child(body);
  INFO(e.error_output);
  CHECK(e.status == 2);
  CHECK(begins(e, "fatal error: rove: channel operation after its runtime stopped\n\nthread "));
  CHECK(e.error_output.find("channel made by ") != std::string::npos);
  CHECK(e.error_output.find(maker, e.error_output.find("channel made by ")) != std::string::npos);
}

[[gnu::noinline]] rove::chan<int> made_here(std::ptrdiff_t capacity = 0) {
  rove::chan<int> ch = rove::make_chan<int>(capacity);
  asm volatile("" : : "r"(&ch) : "memory");  // so that this is no tail call, whose caller would be told
  return ch;
}

// A channel that only goroutines have used, which are gone.
rove::chan<int> left_behind() {
  return rove::run([] { return made_here(); });
}

}  // namespace

TEST_CASE("chan reports: a receive from goroutines of a runtime that stopped") {
  check_stopped([] { left_behind().recv(); }, "made_here");
}

TEST_CASE("chan reports: a send to a runtime that was stopped and is still there") {
  check_stopped(
      [] {
        const auto ch = made_here(1);
        rove::runtime rt;
        rt.go([ch] { while (ch.recv()) continue; });
        for (int i = 0; i < 3; ++i) ch.send(i);
        rt.stop();
        ch.try_send(1);
        ch.send(2);
      },
      "made_here");
}

TEST_CASE("chan reports: a select of what a runtime left that stopped") {
  check_stopped([] { rove::select(left_behind().on_recv(), left_behind().on_send(1), rove::chan<int>().on_recv()); },
                "made_here");
}

TEST_CASE("chan reports: a loop over what a runtime left that stopped") {
  check_stopped(
      [] {
        const auto two_of_three = [] {
          auto ch = made_here(3);
          ch.send(1);
          ch.send(2);
          return ch;
        };
        int sum = 0;
        for (const int v : rove::run(two_of_three))
          if ((sum += v) > 3) _exit(1);
      },
      "made_here");
}

TEST_CASE("chan reports: what may come after the runtime stopped") {
  const ending e = run_in_child([] {
    const auto ch = left_behind(), full = rove::run([] { return rove::make_chan<int>(1); });
    full.send(1);
    if (full.recv() != 1 || ch.recv_for(1ms).value || ch.try_send(1)) _exit(1);
    full.close();
    if (full.recv()) _exit(2);
    // Somebody else is there: another runtime, or a thread that used it.
    {
      rove::runtime rt;
      rt.go([ch] { rove::sleep_for(5ms); ch.send(2); });
      if (ch.recv() != 2) _exit(3);
    }
    std::atomic<bool> used{false};
    std::thread other([&] {
      used = ch.len() == 0;
      std::this_thread::sleep_for(5ms);
      ch.send(3);
    });
    while (!used) std::this_thread::yield();
    if (ch.recv() != 3) _exit(4);
    other.join();
    // Those that nobody sends to.
    auto [ctx, cancel] = rove::with_timeout(rove::background(), 5ms);
    const auto tick = rove::run([&ctx = ctx] { ctx.done().len(); return rove::after(1ms); });
    tick.recv();
    ctx.done().recv();
    cancel();
  });
  INFO(e.error_output);
  CHECK(e.status == 99);
}

TEST_CASE("chan reports: a goroutine is woken that does not wait") {
  const ending e = run_in_child([] { rove::run([] { rove::sched::ready(rove::sched::current()); }); });
  CHECK(e.status == 2);
  CHECK(begins(e, "fatal error: rove: woke a goroutine that does not wait\n"));
}

TEST_CASE("chan reports: a goroutine is woken that ended with its runtime") {
  const ending e = run_in_child([] { rove::sched::ready(rove::run([] { return rove::sched::current(); })); });
  CHECK(e.status == 2);
  CHECK(begins(e, "fatal error: rove: woke a goroutine that has ended\n"));
}

#endif
