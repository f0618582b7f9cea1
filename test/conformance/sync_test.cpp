// What Go's tests say of Mutex, Once, OnceFunc and WaitGroup.
#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

#include "test/conformance/support.hpp"
#include "test/debug/child.hpp"

using namespace rove_test;

TEST_CASE("mutex: try_lock, and hammered by lock and try_lock") {
  on_processors([] {
    rove::mutex m;
    m.lock();
    CHECK_FALSE(m.try_lock());
    m.unlock();
    CHECK(m.try_lock());
    m.unlock();

    long guarded = 0, taken = 0;
    std::atomic<long> locked{0};
    rove::wait_group wg;
    for (int g = 0; g < 10; ++g)
      wg.go([&] {
        for (int i = 0; i < 100 * load; ++i) {
          if (i % 3 == 0) {
            if (!m.try_lock()) continue;
            ++taken;
          } else {
            m.lock();
            ++locked;
          }
          ++guarded;
          m.unlock();
        }
      });
    wg.wait();
    CHECK(guarded == locked + taken);
    CHECK(m.try_lock());
    m.unlock();
  });
}

TEST_CASE("mutex: who takes it again and again does not keep it from others") {
  on_processors([] {
    rove::mutex m;
    std::atomic<bool> over{false};
    auto hog = rove::spawn([&] {
      while (!over) {
        m.lock();
        rove::sleep_for(100us);
        m.unlock();
      }
    });
    auto other = rove::spawn([&] {
      for (int i = 0; i < 10; ++i) {
        rove::sleep_for(100us);
        m.lock();
        m.unlock();
      }
    });
    other.get();  // comes back at all: the test's time is the bound
    over = true;
    hog.get();
    CHECK(m.try_lock());
    m.unlock();
  });
}

TEST_CASE("mutex: unlocked though it never was locked") {
  const ending e = run_in_child([] { rove::mutex().unlock(); });
  CHECK(e.status == 2);
  CHECK(e.error_output.rfind("fatal error: sync: unlock of unlocked mutex\n", 0) == 0);
}

TEST_CASE("mutex: unlocked twice") {
  const ending e = run_in_child([] {
    rove::mutex m;
    m.lock();
    m.unlock();
    try {
      m.unlock();
    } catch (...) {  // it is fatal, not a panic
      std::_Exit(77);
    }
  });
  CHECK(e.status == 2);
  CHECK(e.error_output.rfind("fatal error: sync: unlock of unlocked mutex\n", 0) == 0);
}

TEST_CASE("once: ten goroutines, one run, and all see it") {
  on_processors([] {
    for (int round = 0; round < 5 * load; ++round) {
      rove::once o;
      int runs = 0;
      verdict v;
      rove::wait_group wg;
      for (int g = 0; g < 10; ++g)
        wg.go([&] {
          o.call([&] { ++runs; });
          v.expect(runs == 1);
        });
      wg.wait();
      CHECK(runs == 1);
      CHECK(v.wrong() == 0);
    }
  });
}

TEST_CASE("once: a call that throws was none, the next one runs") {
  on_processors([] {
    rove::once o;
    CHECK_THROWS_AS(o.call([] { throw std::runtime_error("failed"); }), std::runtime_error);
    int runs = 0;
    o.call([&] { ++runs; });
    o.call([&] { ++runs; });
    CHECK(runs == 1);
  });
}

TEST_CASE("wait_group: nobody is let go too soon, and it is used again") {
  on_processors([] {
    rove::wait_group first, second;
    constexpr int n = 16;
    for (int round = 0; round < 8; ++round) {
      first.add(n);
      second.add(n);
      auto ended = rove::make_chan<bool>(n);
      for (int i = 0; i < n; ++i)
        rove::go([&, ended] {
          first.done();
          second.wait();
          ended.send(true);
        });
      first.wait();
      for (int i = 0; i < n; ++i) {
        CHECK_FALSE(ended.try_recv().value);
        second.done();
      }
      for (int i = 0; i < n; ++i) CHECK(ended.recv());
    }
  });
}

TEST_CASE("wait_group: one done too many panics") {
  on_processors([] {
    rove::wait_group wg;
    wg.add(1);
    wg.done();
    CHECK(panic_of([&] { wg.done(); }) == "sync: negative WaitGroup counter");
  });
}

TEST_CASE("wait_group: wait comes back when both are done, never before") {
  on_processors([] {
    for (int i = 0; i < 100 * load; ++i) {
      rove::wait_group wg;
      std::atomic<int> n{0};
      for (int k = 0; k < 2; ++k) {
        wg.add(1);
        rove::go([&] {
          ++n;
          wg.done();
        });
      }
      wg.wait();
      if (n != 2) FAIL("came back too soon");
    }
  });
}

TEST_CASE("wait_group: a member behind a byte") {
  on_processors([] {
    struct {
      char c;
      rove::wait_group wg;
    } x{};
    bool ran = false;
    x.wg.add(1);
    rove::go([&] {
      ran = true;
      x.wg.done();
    });
    x.wg.wait();
    CHECK(ran);
  });
}

TEST_CASE("wait_group: go counts, runs and counts back") {
  on_processors([] {
    rove::wait_group wg;
    int i = 0;
    wg.go([&] { ++i; });
    wg.wait();
    CHECK(i == 1);
  });
}

TEST_CASE("wait_group: an exception in go ends the process, wait does not come back before", "[native]") {
  const ending e = run_in_child([] {
    rove::run(with_procs(2), [] {
      rove::wait_group wg;
      wg.go([] { throw std::runtime_error("test"); });
      wg.wait();
      std::fputs("wait came back\n", stderr);
    });
  });
  CHECK(e.error_output.rfind("panic: test\n\ngoroutine ", 0) == 0);
  CHECK(e.error_output.find("wait came back") == std::string::npos);
  CHECK(e.signal == SIGABRT);
}
