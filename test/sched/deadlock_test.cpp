// Deadlocks are reported, and nothing else is: each program runs in a child process. Those with the tag [native] need a
// process without threads but its own: an emulator has some.
#include "test/debug/child.hpp"
#include "test/support/fixture.hpp"

using namespace rove_test;

namespace {

const std::string asleep = "fatal error: all goroutines are asleep - deadlock!\n\n";

std::string first_lines(const ending& e, int n) {
  std::size_t at = 0;
  while (n-- > 0 && at != std::string::npos) at = e.error_output.find('\n', at) + 1;
  return e.error_output.substr(0, at);
}

// The only goroutine waits as `header` tells.
void check_deadlock(const ending& e, const std::string& header) {
  INFO(e.error_output);
  CHECK(e.status == 2);
  CHECK(first_lines(e, 3) == asleep + header + "\n");
}

bool contains(const ending& e, const std::string& what) { return e.error_output.find(what) != std::string::npos; }

rove::config detecting(std::optional<bool> how) {
  rove::config c = with_procs(2);
  c.detect_deadlock = how;
  return c;
}

constexpr int fine = 42;

}  // namespace

TEST_CASE("deadlock: main receives", "[native]") {
  check_deadlock(run_in_child([] { rove::run([] { rove::make_chan<int>().recv(); }); }), "goroutine 1 [chan receive]:");
}
TEST_CASE("deadlock: main sends", "[native]") {
  check_deadlock(run_in_child([] { rove::run([] { rove::make_chan<int>().send(1); }); }), "goroutine 1 [chan send]:");
}
TEST_CASE("deadlock: main receives from a nil channel", "[native]") {
  check_deadlock(run_in_child([] { rove::run([] { rove::chan<int>().recv(); }); }),
                 "goroutine 1 [chan receive (nil chan)]:");
}
TEST_CASE("deadlock: main sends to a nil channel", "[native]") {
  check_deadlock(run_in_child([] { rove::run([] { rove::chan<int>().send(1); }); }),
                 "goroutine 1 [chan send (nil chan)]:");
}
TEST_CASE("deadlock: main locks twice", "[native]") {
  check_deadlock(run_in_child([] {
                   rove::run([] {
                     rove::mutex m;
                     m.lock();
                     m.lock();
                   });
                 }),
                 "goroutine 1 [sync.Mutex.Lock]:");
}
TEST_CASE("deadlock: main waits for a wait_group", "[native]") {
  check_deadlock(run_in_child([] {
                   rove::run([] {
                     rove::wait_group wg;
                     wg.add(1);
                     wg.wait();
                   });
                 }),
                 "goroutine 1 [sync.WaitGroup.Wait]:");
}
TEST_CASE("deadlock: a once that waits for itself", "[native]") {
  check_deadlock(run_in_child([] {
                   rove::run([] {
                     rove::once o;
                     o.call([&] { o.call([] {}); });
                   });
                 }),
                 "goroutine 1 [sync.Mutex.Lock]:");
}
TEST_CASE("deadlock: a wired goroutine", "[native]") {
  check_deadlock(run_in_child([] {
                   rove::run(with_procs(2), [] {
                     rove::lock_os_thread();
                     rove::yield();
                     rove::make_chan<int>().recv();
                   });
                 }),
                 "goroutine 1 [chan receive]:");
}
TEST_CASE("deadlock: a goroutine that was wired on another thread, and main", "[native]") {
  const ending e = run_in_child([] {
    rove::run(with_procs(2), [] {
      auto t = rove::spawn([] {
        rove::lock_os_thread();
        rove::sleep_for(1ms);
        rove::chan<int>().recv();
      });
      t.get();
    });
  });
  INFO(e.error_output);
  CHECK(e.status == 2);
  CHECK(first_lines(e, 3) == asleep + "goroutine 1 [task join]:\n");
}
TEST_CASE("deadlock: after sleeping, after blocking, with a name", "[native]") {
  check_deadlock(run_in_child([] {
                   rove::run(with_procs(2), [] {
                     rove::this_goroutine::set_name("ma\"in");
                     rove::sleep_for(20ms);
                     rove::blocking([] { std::this_thread::sleep_for(5ms); });
                     rove::make_chan<int>().recv();
                   });
                 }),
                 "goroutine 1 \"ma\\\"in\" [chan receive]:");
}

TEST_CASE("deadlock: every goroutine is told, with its reason, its frames and where it was started", "[native]") {
  const ending e = run_in_child([] {
    rove::run(with_procs(2), [] {
      auto ch = rove::make_chan<int>();
      rove::mutex m;
      m.lock();
      rove::go({.name = "reader"}, [ch] { ch.recv(); });
      rove::go([&] { m.lock(); });
      auto t = rove::spawn([] { rove::chan<int>().send(1); });
      t.get();
    });
  });
  INFO(e.error_output);
  CHECK(e.status == 2);
  CHECK(first_lines(e, 3) == asleep + "goroutine 1 [task join]:\n");
  CHECK(contains(e, "\n\ngoroutine 2 \"reader\" [chan receive]:\n"));
  CHECK(contains(e, "\n\ngoroutine 3 [sync.Mutex.Lock]:\n"));
  CHECK(contains(e, "\n\ngoroutine 4 [chan send (nil chan)]:\n"));
  CHECK(contains(e, "\ncreated by "));
  CHECK_FALSE(contains(e, "goroutine 5"));
}

TEST_CASE("deadlock: main called goexit, nobody is left") {
  const ending e = run_in_child([] { rove::run(with_procs(2), [] { rove::goexit(); }); });
  INFO(e.error_output);
  CHECK(e.status == 2);
  CHECK(first_lines(e, 1) == "fatal error: no goroutines (main called rove::goexit) - deadlock!\n");
}
TEST_CASE("deadlock: main called goexit, the others went on and ended") {
  const ending e = run_in_child([] {
    rove::config c = detecting(false);  // reported always
    rove::run(c, [] {
      rove::go([] {
        for (int i = 0; i < 10; ++i) rove::sleep_for(1ms);
        std::fputs("went on\n", stderr);
      });
      rove::goexit();
    });
  });
  INFO(e.error_output);
  CHECK(e.status == 2);
  CHECK(first_lines(e, 2) == "went on\nfatal error: no goroutines (main called rove::goexit) - deadlock!\n");
}
TEST_CASE("deadlock: main called goexit, the others wait for ever", "[native]") {
  const ending e = run_in_child([] {
    rove::run(with_procs(2), [] {
      rove::go([] { rove::make_chan<int>().recv(); });
      rove::goexit();
    });
  });
  INFO(e.error_output);
  CHECK(e.status == 2);
  CHECK(first_lines(e, 3) == asleep + "goroutine 2 [chan receive]:\n");
}

TEST_CASE("deadlock: the report may be looked at first", "[native]") {
  const ending e = run_in_child([] {
    rove::config c = with_procs(1);
    c.on_fatal = [](std::string_view report) {
      std::fprintf(stderr, "seen: %.30s\n", std::string(report).c_str());
    };
    rove::run(c, [] { rove::make_chan<int>().recv(); });
  });
  INFO(e.error_output);
  CHECK(e.status == 2);
  CHECK(first_lines(e, 2) == "seen: fatal error: all goroutines ar\nfatal error: all goroutines are asleep - deadlock!\n");
}

// ---- and when not --------------------------------------------------------------------------------------------------

TEST_CASE("no deadlock: sleepers will wake") {
  const ending e = run_in_child([] {
    rove::run(with_procs(2), [] {
      auto ch = rove::make_chan<int>();
      rove::go([ch] {
        rove::sleep_for(50ms);
        ch.send(1);
      });
      ch.recv();
      rove::sleep_for(20ms);
    });
    _exit(fine);
  });
  INFO(e.error_output);
  CHECK(e.status == fine);
}
TEST_CASE("no deadlock: one is in blocking") {
  const ending e = run_in_child([] {
    rove::run(with_procs(2), [] {
      auto ch = rove::make_chan<int>();
      rove::go([ch] {
        rove::blocking([] { std::this_thread::sleep_for(50ms); });
        ch.send(1);
      });
      ch.recv();
    });
    _exit(fine);
  });
  INFO(e.error_output);
  CHECK(e.status == fine);
}
TEST_CASE("no deadlock: a foreign thread exists, and sends at last") {
  const ending e = run_in_child([] {
    auto ch = rove::make_chan<int>();
    std::thread foreign([ch] {
      std::this_thread::sleep_for(50ms);
      ch.send(1);
    });
    rove::run(with_procs(2), [ch] { ch.recv(); });
    foreign.join();
    _exit(fine);
  });
  INFO(e.error_output);
  CHECK(e.status == fine);
}
TEST_CASE("no deadlock: a plain thread is in a call, and detection is on") {
  const ending e = run_in_child([] {
    auto ask = rove::make_chan<int>();
    auto answer = rove::make_chan<int>();
    std::atomic<bool> in_call{false};
    std::thread foreign([&] {
      in_call = true;
      ask.recv();  // will be answered by a goroutine that sleeps
      std::this_thread::sleep_for(10ms);
      answer.send(1);
    });
    eventually([&] { return in_call.load(); });
    std::this_thread::sleep_for(20ms);
    rove::runtime rt(detecting(std::nullopt));
    rt.run([&] {
      ask.send(1);
      answer.recv();
    });
    foreign.join();
    _exit(fine);
  });
  INFO(e.error_output);
  CHECK(e.status == fine);
}
TEST_CASE("no deadlock: detection is off") {
  const ending e = run_in_child([] {
    std::thread ends_it([] {
      std::this_thread::sleep_for(50ms);
      _exit(fine);
    });
    rove::run(detecting(false), [] { rove::make_chan<int>().recv(); });
  });
  INFO(e.error_output);
  CHECK(e.status == fine);
}
TEST_CASE("no deadlock: unset, a runtime that is an object does not look") {
  const ending e = run_in_child([] {
    auto ch = rove::make_chan<int>();
    rove::runtime rt(detecting(std::nullopt));
    rt.go([ch] { ch.recv(); });
    eventually([&] { return rt.stats().parked == 1; });
    std::this_thread::sleep_for(50ms);
    ch.send(1);  // this thread is the one that helps
    _exit(fine);
  });
  INFO(e.error_output);
  CHECK(e.status == fine);
}
TEST_CASE("no deadlock: a runtime with no goroutine at all") {
  const ending e = run_in_child([] {
    rove::runtime rt(detecting(true));
    rt.run([] {});
    std::this_thread::sleep_for(20ms);
    rt.run([] {});
    _exit(fine);
  });
  INFO(e.error_output);
  CHECK(e.status == fine);
}
TEST_CASE("no deadlock: main waits for a goroutine of another runtime that works") {
  const ending e = run_in_child([] {
    auto ch = rove::make_chan<int>();
    rove::runtime other(with_procs(1));
    other.go([ch] {
      rove::sleep_for(50ms);
      ch.send(1);
    });
    rove::run(detecting(true), [ch] { ch.recv(); });
    _exit(fine);
  });
  INFO(e.error_output);
  CHECK(e.status == fine);
}

TEST_CASE("deadlock: true reports whenever all are parked") {
  const ending e = run_in_child([] {
    rove::runtime rt(detecting(true));
    std::thread foreign([] { std::this_thread::sleep_for(10s); });
    rt.run([] { rove::make_chan<int>().recv(); });
  });
  INFO(e.error_output);
  CHECK(e.status == 2);
  CHECK(first_lines(e, 1) == "fatal error: all goroutines are asleep - deadlock!\n");
  CHECK(contains(e, " [chan receive]:\n"));
}
TEST_CASE("deadlock: goroutines of two runtimes that wait for each other") {
  const ending e = run_in_child([] {
    auto ch = rove::make_chan<int>();
    rove::runtime other(with_procs(1));
    other.go([ch] { ch.recv(); });
    rove::run(detecting(true), [ch] {
      rove::sleep_for(10ms);
      rove::chan<int>().recv();
    });
  });
  INFO(e.error_output);
  CHECK(e.status == 2);
  CHECK(contains(e, " [chan receive]:\n"));
  CHECK(contains(e, " [chan receive (nil chan)]:\n"));
}
TEST_CASE("deadlock: the last one to park is of a runtime that does not ask for reports") {
  const ending e = run_in_child([] {
    auto ch = rove::make_chan<int>();
    rove::runtime other(with_procs(1));
    other.go([ch] {
      rove::sleep_for(20ms);
      ch.recv();
    });
    rove::run(detecting(true), [ch] { rove::chan<int>().recv(); });
  });
  INFO(e.error_output);
  CHECK(e.status == 2);
  CHECK(contains(e, " [chan receive]:\n"));
  CHECK(contains(e, " [chan receive (nil chan)]:\n"));
}
TEST_CASE("deadlock: found however the last ones come to park", "[native]") {
  // The last to park may be any of them, on any processor: the report must come every time.
  const ending e = run_in_child([] {
    rove::run(with_procs(4), [] {
      rove::wait_group wg;
      auto ch = rove::make_chan<int>();
      for (int i = 0; i < 50; ++i)
        wg.go([=] {
          dice d(static_cast<std::uint64_t>(i));
          for (int k = 0; k < 50; ++k) d.delay();
          ch.recv();
        });
      wg.wait();
    });
  });
  INFO(e.error_output);
  CHECK(e.status == 2);
  CHECK(first_lines(e, 3) == asleep + "goroutine 1 [sync.WaitGroup.Wait]:\n");
}
TEST_CASE("deadlock: found though a foreign thread was there when the last one came to park", "[native]") {
  check_deadlock(run_in_child([] {
                   rove::run(with_procs(2), [] {
                     std::thread([] { std::this_thread::sleep_for(20ms); }).detach();
                     rove::chan<int>().recv();
                   });
                 }),
                 "goroutine 1 [chan receive (nil chan)]:");
}
TEST_CASE("deadlock: the last one to park is wired, and inside blocking", "[native]") {
  check_deadlock(run_in_child([] {
                   rove::run(with_procs(1), [] {
                     rove::lock_os_thread();
                     rove::sleep_for(20ms);
                     rove::blocking([] { rove::chan<int>().recv(); });
                   });
                 }),
                 "goroutine 1 [chan receive (nil chan)]:");
}
