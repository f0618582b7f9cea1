// Fairness: nobody is kept from running for ever by those who run all the time. And the number of processors.
#include <vector>

#include "test/debug/child.hpp"
#include "test/support/fixture.hpp"

using namespace rove_test;

namespace {

// Two that wake each other for ever, until `over`.
struct ping_pong {
  rove::chan<int> ping = rove::make_chan<int>(), pong = rove::make_chan<int>();
  rove::wait_group wg;

  ping_pong() {
    wg.go([p = ping, q = pong] {
      for (int x : p) q.send(x);
      q.close();
    });
    wg.go([this, p = ping, q = pong] {
      while (!over) {
        p.send(1);
        q.recv();
      }
      p.close();
    });
  }
  void stop() {
    over = true;
    wg.wait();
  }
  std::atomic<bool> over{false};
};

}  // namespace

TEST_CASE("fairness: a pair that wakes each other leaves room for new goroutines, woken ones and timers") {
  on_processors([] {
    std::vector<std::unique_ptr<ping_pong>> pairs;
    for (unsigned i = 0; i < rove::max_procs(); ++i) pairs.push_back(std::make_unique<ping_pong>());
    for (int i = 0; i < 50; ++i) {
      rove::spawn([] { rove::yield(); }).get();
      auto ch = rove::make_chan<int>();
      rove::go([ch] { ch.send(1); });
      ch.recv();
    }
    rove::sleep_for(1ms);
    for (auto& p : pairs) p->stop();
  });
}

TEST_CASE("fairness: one that keeps starting goroutines does not bury the first ones") {
  on_processors([] {
    std::atomic<bool> first_ran{false};
    std::atomic<long> started{0};
    rove::go([&] { first_ran = true; });
    rove::wait_group wg;
    // Always one more, started by the one before it: the newest first would never come to the oldest.
    struct starter {
      static void go_on(std::atomic<bool>& stop, std::atomic<long>& n, rove::wait_group& wg) {
        ++n;
        if (!stop) {
          wg.go([&] { go_on(stop, n, wg); });
          rove::yield();
        }
      }
    };
    for (unsigned i = 0; i < rove::max_procs(); ++i) wg.go([&] { starter::go_on(first_ran, started, wg); });
    wg.wait();
    CHECK(first_ran);
  });
}

TEST_CASE("fairness: yielding goroutines all get their turns") {
  on_processors([] {
    constexpr int n = 20;
    std::vector<std::atomic<int>> turns(n);
    std::atomic<bool> over{false};
    rove::wait_group wg;
    for (int i = 0; i < n; ++i)
      wg.go([&, i] {
        while (!over) {
          ++turns[static_cast<std::size_t>(i)];
          rove::yield();
        }
      });
    for (auto& t : turns) eventually([&] { return t > 100; });
    over = true;
    wg.wait();
  });
}

TEST_CASE("fairness: many woken at once while others are started") {
  on_processors([] {
    auto ch = rove::make_chan<int>();
    std::atomic<int> woken{0}, started{0};
    rove::wait_group wg;
    for (int i = 0; i < 1000; ++i)  // more than a lane holds
      wg.go([&, ch] {
        ch.recv();
        ++woken;
      });
    for (int i = 0; i < 1000; ++i) wg.go([&] { ++started; });
    for (int i = 0; i < 10; ++i) rove::yield();
    ch.close();
    wg.wait();
    CHECK(woken == 1000);
    CHECK(started == 1000);
  });
}

TEST_CASE("processors: work spreads to all of them") {
  // Each waits until all run at once: that needs as many threads.
  for (const unsigned n : {2u, 4u}) {
    rove::runtime rt(with_procs(n));
    rt.run([n] {
      std::atomic<unsigned> at_once{0};
      rove::wait_group wg;
      for (unsigned i = 0; i < n; ++i)
        wg.go([&] {
          ++at_once;
          while (at_once < n) std::this_thread::yield();
        });
      wg.wait();
    });
  }
}

TEST_CASE("processors: set_max_procs gives the old number, and refuses nonsense") {
  rove::run(with_procs(3), [] {
    CHECK(rove::max_procs() == 3);
    CHECK(rove::set_max_procs(1) == 3);
    CHECK(rove::set_max_procs(5) == 1);
    CHECK(rove::max_procs() == 5);
    CHECK(panic_of([] { rove::set_max_procs(0); }) != "");
    CHECK(panic_of([] { rove::set_max_procs(1025); }) != "");
    CHECK(rove::max_procs() == 5);
    CHECK(rove::spawn([] { return rove::max_procs(); }).get() == 5);
  });
  rove::config c = with_procs(1);
  c.max_procs = 100'000;
  CHECK(panic_of([&] { rove::runtime rt(c); }) != "");
}

TEST_CASE("processors: their number changes while all are busy") {
  on_processors([] {
    std::atomic<bool> over{false};
    std::atomic<long> work{0};
    rove::wait_group wg;
    auto ch = rove::make_chan<int>(4);
    for (int i = 0; i < 8; ++i)
      wg.go([&, i, ch] {
        dice d(static_cast<std::uint64_t>(i));
        while (!over) {
          (void)ch.try_send(i);
          (void)ch.try_recv();
          ++work;
          d.delay();
          rove::yield();
        }
      });
    for (int i = 0; i < 20 * load; ++i) {
      rove::set_max_procs(1 + static_cast<unsigned>(i * 7 % 8));
      const long before = work;
      eventually([&] { return work > before + 20; });
    }
    over = true;
    wg.wait();
  });
}

TEST_CASE("processors: fewer of them run fewer at the same time") {
  rove::run(with_procs(4), [] {
    rove::set_max_procs(1);
    // Once the others have rested, goroutines that hold a processor for a moment never overlap. (A spare processor,
    // which is meant for those that hold one for 10 ms, may appear on a machine under load; then it is tried again.)
    for (int attempt = 0;; ++attempt) {
      std::atomic<int> inside{0}, most{0};
      rove::wait_group wg;
      for (int i = 0; i < 50; ++i)
        wg.go([&] {
          const int n = ++inside;
          if (n > most) most = n;
          for (int k = 0; k < 1000; ++k) asm volatile("");
          --inside;
          rove::yield();
        });
      wg.wait();
      if (most == 1) break;
      if (attempt == 1000) FAIL("goroutines go on running at the same time");
    }
  });
}

TEST_CASE("processors: ROVE_MAXPROCS comes before the config") {
  setenv("ROVE_MAXPROCS", "3", 1);
  rove::config c;
  c.max_procs = 2;
  CHECK(rove::run(c, [] { return rove::max_procs(); }) == 3);
  CHECK(rove::max_procs() == 3);
  setenv("ROVE_MAXPROCS", "", 1);
  CHECK(rove::run(c, [] { return rove::max_procs(); }) == 2);
  unsetenv("ROVE_MAXPROCS");
}

namespace {

void check_bad_number(const char* text) {
  const ending e = run_in_child([text] {
    setenv("ROVE_MAXPROCS", text, 1);
    rove::run([] {});
  });
  CHECK(e.status == 2);
  // Where a program cannot start itself (qemu's user mode) the child is a fork of one that had runtimes.
  if (e.error_output.rfind("fatal error: rove: a runtime cannot be used in the child of a fork", 0) == 0) return;
  const std::string start = "fatal error: rove: ROVE_MAXPROCS=" + std::string(text) + " is not a number from 1 to 1024\n";
  CHECK(e.error_output.substr(0, start.size()) == start);
}

}  // namespace

TEST_CASE("processors: a malformed ROVE_MAXPROCS is fatal (text)") { check_bad_number("abc"); }
TEST_CASE("processors: a malformed ROVE_MAXPROCS is fatal (zero)") { check_bad_number("0"); }
TEST_CASE("processors: a malformed ROVE_MAXPROCS is fatal (too large)") { check_bad_number("100000"); }
TEST_CASE("processors: a malformed ROVE_MAXPROCS is fatal (negative)") { check_bad_number("-1"); }
TEST_CASE("processors: a malformed ROVE_MAXPROCS is fatal (more than a number)") { check_bad_number("2x"); }
TEST_CASE("processors: a malformed ROVE_MAXPROCS is fatal (space)") { check_bad_number(" 2"); }
TEST_CASE("processors: a malformed ROVE_MAXPROCS is fatal (overflow)") { check_bad_number("99999999999999999999"); }
