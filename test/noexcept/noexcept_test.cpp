// rove without exceptions and RTTI: what works as always, and what becomes of panics, goexit and the end of a runtime.
#include <rove/test.hpp>

#include "test/debug/child.hpp"
#include "test/support/fixture.hpp"

#if ROVE_EXCEPTIONS || defined(__cpp_rtti)
#error "this program is for builds with -Dcpp_eh=none -Dcpp_rtti=false"
#endif

using namespace rove_test;

TEST_CASE("without exceptions: goroutines, channels, select, locks, tasks, sleeping") {
  on_processors([] {
    auto ch = rove::make_chan<int>(2);
    auto done = rove::make_chan<int>();
    rove::go([=] {
      int sum = 0;
      for (const int x : ch) sum += x;
      done.send(sum);
    });
    for (int i = 0; i < 100; ++i) ch.send(i);
    ch.close();
    int got = 0;
    rove::select(done.on_recv([&](std::optional<int> x) { got = x.value_or(-1); }));
    CHECK(got == 4950);

    rove::mutex m;
    rove::wait_group wg;
    int count = 0;
    for (int i = 0; i < 100; ++i)
      wg.go([&] {
        const std::lock_guard hold(m);
        ++count;
        rove::yield();
      });
    wg.wait();
    CHECK(count == 100);
    CHECK(rove::spawn([] { return 7; }).get() == 7);
    rove::sleep_for(1us);
    CHECK(rove::blocking([] { return 3; }) == 3);
    CHECK(done.recv_for(1us).value == std::nullopt);
  });
}

TEST_CASE("without exceptions: the end of a runtime abandons what is parked") {
  static int destroyed = 0;
  struct owner {
    ~owner() { ++destroyed; }
  };
  auto ch = rove::make_chan<int>();
  rove::run(with_procs(2), [&] {
    for (int i = 0; i < 10; ++i)
      rove::go([ch] {
        owner o;
        ch.recv();
      });
    rove::go([] { rove::sleep_for(1h); });
    rove::yield();
  });
  CHECK(destroyed == 0);
  CHECK_FALSE(ch.try_send(1));  // nobody is left in the queue
}

TEST_CASE("without exceptions: goexit ends its goroutine at once") {
  std::atomic<bool> after{false};
  rove::runtime rt(with_procs(1));
  rt.go([&] {
    rove::goexit();
    after = true;
  });
  eventually([&] { return rt.stats().goroutines == 0; });
  CHECK_FALSE(after);
}

TEST_CASE("without exceptions: misuse is reported as a panic and ends the process") {
  const ending e = run_in_child([] {
    rove::run([] {
      auto ch = rove::make_chan<int>();
      ch.close();
      ch.send(1);
    });
  });
  INFO(e.error_output);
  CHECK(e.status == 2);
  CHECK(e.error_output.find("panic: send on closed channel\n\ngoroutine 1 [running]:\n") == 0);
}

TEST_CASE("without exceptions: a deadlock is reported", "[native]") {
  const ending e = run_in_child([] { rove::run([] { rove::make_chan<int>().recv(); }); });
  INFO(e.error_output);
  CHECK(e.status == 2);
  CHECK(e.error_output.find("goroutine 1 [chan receive]:\n") != std::string::npos);
}

TEST_CASE("without exceptions: a deterministic run, and its failure, which is fatal") {
  const auto r = rove::test::run(1, [] { rove::sleep_for(std::chrono::hours(1)); });
  CHECK(r.elapsed == std::chrono::hours(1));
  const auto e = run_in_child([] {
    rove::test::run(5, [] { rove::go([] { rove::make_chan<int>().recv(); }); });
  });
  CHECK(e.status == 2);
  CHECK(e.error_output.find("1 goroutine is left at the end of the test (seed 5)\n\ngoroutine ") != std::string::npos);
}
