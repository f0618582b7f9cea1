// Hosts: how goroutines on them end, and what is fatal.
#include "test/debug/child.hpp"
#include "test/support/fixture.hpp"

using namespace rove_test;

TEST_CASE("host: goroutines end there by goexit, an exception's task, and with a runtime that nobody polls") {
  rove::runtime rt(with_procs(2));
  rove::host h(rt);
  auto left = rove::spawn_on(h, [] { rove::goexit(); });
  auto threw = rove::spawn_on(h, []() -> int { throw std::runtime_error("there"); });
  h.poll(1h);
  CHECK(panic_of([&] { left.get(); }) == "rove: task ended by goexit");
  CHECK_THROWS_WITH(threw.get(), "there");
  check_nothing_left(rt);

  const auto leaks = ROVE_ASAN ? rove::at_end::unwind : rove::at_end::abandon;
  for (const auto kind : {rove::at_end::unwind, leaks})
    for (const bool own : {true, false})
      for (const bool by_destructor : {false, true}) {
        rove::config c = with_procs(2);
        c.at_end = kind;
        c.own_threads = own;
        const long here = thread_now();
        std::atomic<int> unwound{0}, astray{0};
        struct count {
          std::atomic<int>&n, &astray;
          long where;
          ~count() {
            ++n;
            if (thread_now() != where) ++astray;
          }
        };
        auto ending = std::make_unique<rove::runtime>(c);
        rove::host last(*ending);
        const auto never = rove::make_chan<int>();
        for (int i = 0; i < 5; ++i)
          rove::go_on(last, [&, never] {  // parked there
            const count k{unwound, astray, here};
            never.recv();
          });
        rove::go_on(last, [&] {           // sleeps there
          const count k{unwound, astray, here};
          rove::sleep_for(1h);
        });
        while (last.poll(1ms)) {
        }
        for (int i = 0; i < 5; ++i)
          rove::go_on(last, [&, never, k = std::make_unique<int>(i)] { never.recv(); });  // never run
        ending->go([&, never] {           // waits for the host's poll
          const rove::on_host guard(last);
          const count k{unwound, astray, here};
          never.recv();
        });
        while (last.runnable() < 6)
          if (!own) ending->poll(1ms);
        if (by_destructor)
          ending.reset();
        else
          ending->stop();
        CHECK(unwound == (kind == rove::at_end::unwind ? 7 : 0));
        CHECK(astray == 0);
        CHECK(last.runnable() == 0);
      }
}

TEST_CASE("host: hosts end on threads of their own while their runtime is stopped and ends") {
  for (int round = 0; round < load + 10; ++round) {
    auto rt = std::make_unique<rove::runtime>(with_procs(1));
    const auto never = rove::make_chan<int>();
    rove::host stays(*rt);  // and has somebody to be ended, so that the stop looks at all hosts
    rove::go_on(stays, [never] { never.recv(); });
    stays.poll(1h);
    std::atomic<int> made{0}, ran{0};
    std::atomic<bool> begin{false};
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i)
      threads.emplace_back([&] {
        std::vector<std::unique_ptr<rove::host>> hosts(100);
        for (auto& h : hosts) {
          h = std::make_unique<rove::host>(*rt);
          rove::go_on(*h, [&] { ++ran; });
          h->poll(1h);
        }
        ++made;
        while (!begin) std::this_thread::yield();
        for (auto& h : hosts) h.reset();
      });
    while (made < 2) std::this_thread::yield();
    begin = true;
    if (round % 2) rt->stop();
    rt.reset();
    for (std::thread& t : threads) t.join();
    CHECK(ran == 200);
    CHECK_FALSE(stays.poll(0s));
  }
}

TEST_CASE("host: who joins a goroutine on a host is not deadlocked when that ends") {
  const ending e = run_in_child([] {
    rove::config c = with_procs(1);
    c.detect_deadlock = true;
    rove::runtime rt(c);
    rove::host h(rt);
    std::atomic<bool> over{false};
    rt.go([&] {  // the worker rests each time, while the host's thread ends what it waits for
      for (int i = 0; i < 3000; ++i) rove::spawn_on(h, [] {}).wait();
      over = true;
    });
    while (!over)
      if (!h.poll(1ms)) std::this_thread::yield();
    _exit(42);
  });
  CHECK(e.error_output == "");
  CHECK(e.status == 42);
}

TEST_CASE("host: who waits for its poll is not deadlocked") {
  const ending e = run_in_child([] {
    rove::config c = with_procs(2);
    c.detect_deadlock = true;
    rove::runtime rt(c);
    rove::host h(rt);
    std::atomic<bool> came{false};
    rt.go([&] {
      rove::switch_to(h);
      came = true;
    });
    while (h.runnable() == 0) std::this_thread::yield();
    std::this_thread::sleep_for(5ms);
    h.poll(1h);
    _exit(came ? 42 : 1);
  });
  CHECK(e.error_output == "");
  CHECK(e.status == 42);
}

TEST_CASE("host: who waits there for what never comes is") {
  const ending e = run_in_child([] {
    rove::config c = with_procs(2);
    c.detect_deadlock = true;
    rove::runtime rt(c);
    rove::host h(rt);
    rove::go_on(h, [] { rove::make_chan<int>().recv(); });
    for (;;) h.poll(1ms);
  });
  CHECK(e.error_output.find("all goroutines are asleep - deadlock!") != std::string::npos);
  CHECK(e.status == 2);
}

TEST_CASE("host: destroyed too early") {
  const ending e = run_in_child([] {
    rove::runtime rt(with_procs(1));
    rove::host h(rt);
    rove::go_on(h, [] {});
  });
  CHECK(e.error_output.find("fatal error: rove: host destroyed while goroutines are on it") != std::string::npos);
  CHECK(e.status == 2);
}
