// What reports say of goroutines that wait in a select, and of panics of channels. Each program runs in a child
// process; those with the tag [native] need a process without threads but its own.
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
