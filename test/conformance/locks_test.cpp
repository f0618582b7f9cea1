// What Go's tests say of RWMutex and Cond, for shared_mutex and condition_variable.
#include <algorithm>
#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "src/os/lock_rank.hpp"
#include "test/conformance/support.hpp"
#include "test/debug/child.hpp"

using namespace rove_test;

namespace {

// Counts readers as 1 and writers as 10,000: who holds the lock sees who else does.
void hammer(int readers, int turns) {
  rove::shared_mutex m;
  std::atomic<int> active{0};
  verdict v;
  rove::wait_group wg;
  const auto write = [&] {
    for (int i = 0; i < turns; ++i) {
      m.lock();
      v.expect((active += 10'000) == 10'000);
      for (int k = 0; k < 100; ++k) asm volatile("");
      active -= 10'000;
      m.unlock();
    }
  };
  const auto read = [&] {
    for (int i = 0; i < turns; ++i) {
      m.lock_shared();
      const int n = ++active;
      v.expect(n >= 1 && n < 10'000);
      for (int k = 0; k < 100; ++k) asm volatile("");
      --active;
      m.unlock_shared();
    }
  };
  wg.go(write);
  for (int i = 0; i < readers / 2; ++i) wg.go(read);
  wg.go(write);
  for (int i = readers / 2; i < readers; ++i) wg.go(read);
  wg.wait();
  CHECK(v.wrong() == 0);
}

void check_misuse(const std::string& text, void (*misuse)()) {
  const ending e = run_in_child([misuse] {
    try {
      misuse();
    } catch (...) {  // it is fatal, not a panic
      std::_Exit(77);
    }
  });
  CHECK(e.status == 2);
  CHECK(e.error_output.rfind("fatal error: " + text + "\n", 0) == 0);
}

const std::string unlock_text = "sync: Unlock of unlocked RWMutex";
const std::string unlock_shared_text = "sync: RUnlock of unlocked RWMutex";

}  // namespace

TEST_CASE("shared_mutex: readers hold it together") {
  on_processors([] {
    for (const int n : {1, 3, 4}) {
      rove::shared_mutex m;
      auto locked = rove::make_chan<bool>(), unlock = rove::make_chan<bool>(), done = rove::make_chan<bool>();
      for (int i = 0; i < n; ++i)
        rove::go([&, locked, unlock, done] {
          m.lock_shared();
          locked.send(true);
          unlock.recv();
          m.unlock_shared();
          done.send(true);
        });
      for (int i = 0; i < n; ++i) locked.recv();  // all of them have it
      CHECK_FALSE(m.try_lock());
      for (int i = 0; i < n; ++i) unlock.send(true);
      for (int i = 0; i < n; ++i) done.recv();
      CHECK(m.try_lock());
      m.unlock();
    }
  });
}

TEST_CASE("shared_mutex: who may have it beside whom") {
  on_processors([] {
    rove::shared_mutex m;
    m.lock();
    CHECK_FALSE(m.try_lock());
    CHECK_FALSE(m.try_lock_shared());
    m.unlock();
    CHECK(m.try_lock());
    m.unlock();
    CHECK(m.try_lock_shared());
    CHECK(m.try_lock_shared());
    CHECK_FALSE(m.try_lock());
    m.unlock_shared();
    m.unlock_shared();
    CHECK(m.try_lock());
    m.unlock();
  });
}

TEST_CASE("shared_mutex: hammered by two writers and one to ten readers") {
  on_processors([] {
    for (const int readers : {1, 3, 5, 10}) hammer(readers, 10 * load);
  });
}

TEST_CASE("shared_mutex: a reader's view keeps writers out, a writer's keeps readers out") {
  if (rove::os::debug_checks) return;  // others than who locked it unlock it: refused then
  on_processors([] {
    rove::shared_mutex m;
    auto writing = rove::make_chan<bool>(1), reading = rove::make_chan<bool>(1);
    constexpr int n = 10;
    auto other = rove::spawn([&] {
      for (int i = 0; i < n; ++i) {
        m.lock_shared();
        m.lock_shared();
        reading.send(true);
        m.lock();
        writing.send(true);
      }
    });
    for (int i = 0; i < n; ++i) {
      reading.recv();
      m.unlock_shared();
      let_others_run();
      CHECK_FALSE(writing.try_recv().value);
      m.unlock_shared();
      writing.recv();
      let_others_run();
      CHECK_FALSE(reading.try_recv().value);
      m.unlock();
    }
    other.get();
    CHECK(m.try_lock());
    m.unlock();
  });
}

TEST_CASE("shared_mutex: a writer that waits holds new readers back, readers that waited go before the next") {
  on_processors([] {
    rove::shared_mutex m;
    std::string order;  // guarded by m, or by everybody's waiting
    m.lock_shared();
    go_parked([&] {
      m.lock();
      order += "w";
      m.unlock();
    });
    CHECK_FALSE(m.try_lock_shared());
    rove::mutex o;
    go_parked([&] {
      m.lock_shared();
      {
        const std::lock_guard l(o);
        order += "r";
      }
      m.unlock_shared();
    });
    go_parked([&] {
      m.lock();
      order += "W";
      m.unlock();
    });
    m.unlock_shared();
    eventually([] { return rove::num_goroutines() == 1; });
    const std::lock_guard l(o);
    CHECK(order == "wrW");
  });
}

TEST_CASE("shared_mutex: unlocked though it never was locked") {
  check_misuse(unlock_text, [] { rove::shared_mutex().unlock(); });
}
TEST_CASE("shared_mutex: a reader unlocks as a writer") {
  check_misuse(unlock_text, [] {
    rove::shared_mutex m;
    m.lock_shared();
    m.unlock();
  });
}
TEST_CASE("shared_mutex: a writer unlocks twice") {
  check_misuse(unlock_text, [] {
    rove::shared_mutex m;
    m.lock();
    m.unlock();
    m.unlock();
  });
}
TEST_CASE("shared_mutex: no reader unlocks") {
  check_misuse(unlock_shared_text, [] { rove::shared_mutex().unlock_shared(); });
}
TEST_CASE("shared_mutex: a writer unlocks as a reader") {
  check_misuse(unlock_shared_text, [] {
    rove::shared_mutex m;
    m.lock();
    m.unlock_shared();
  });
}
TEST_CASE("shared_mutex: a reader unlocks twice") {
  check_misuse(unlock_shared_text, [] {
    rove::shared_mutex m;
    m.lock_shared();
    m.unlock_shared();
    m.unlock_shared();
  });
}

TEST_CASE("condition_variable: one is woken for each notify_one") {
  on_processors([] {
    rove::mutex m;
    rove::condition_variable c;
    constexpr int n = 5;
    auto running = rove::make_chan<bool>(n), awake = rove::make_chan<bool>(n);
    for (int i = 0; i < n; ++i)
      rove::go([&, running, awake] {
        std::unique_lock l(m);
        running.send(true);
        c.wait(l);
        awake.send(true);
      });
    for (int i = 0; i < n; ++i) running.recv();
    for (int i = 0; i < n; ++i) {
      let_others_run();
      CHECK_FALSE(awake.try_recv().value);  // nobody wakes by himself
      {
        const std::lock_guard l(m);
        c.notify_one();
      }
      awake.recv();
      let_others_run();
      CHECK_FALSE(awake.try_recv().value);  // one only
    }
    c.notify_one();  // for nobody
    eventually([] { return rove::num_goroutines() == 1; });
  });
}

TEST_CASE("condition_variable: the one who waited longest is woken") {
  on_processors([] {
    rove::mutex m;
    rove::condition_variable c;
    constexpr int n = 100;
    auto running = rove::make_chan<bool>(n);
    auto awake = rove::make_chan<int>(n);
    for (int i = 0; i < n; ++i) {
      rove::go([&, running, awake, i] {
        std::unique_lock l(m);
        running.send(true);
        c.wait(l);
        awake.send(i);
      });
      if (i > 0) CHECK(awake.recv() == i - 1);
      running.recv();
      const std::lock_guard l(m);
      c.notify_one();
    }
    CHECK(awake.recv() == n - 1);
    eventually([] { return rove::num_goroutines() == 1; });  // the last one still unlocks
  });
}

TEST_CASE("condition_variable: notify_all wakes each of them once") {
  on_processors([] {
    rove::mutex m;
    rove::condition_variable c;
    constexpr int n = 20;
    auto running = rove::make_chan<int>(n), awake = rove::make_chan<int>(n);
    bool over = false;
    for (int g = 0; g < n; ++g)
      rove::go([&, running, awake, g] {
        std::unique_lock l(m);
        while (!over) {
          running.send(g);
          c.wait(l);
          awake.send(g);
        }
      });
    for (int round = 0; round < n; ++round) {
      for (int i = 0; i < n; ++i) running.recv();
      if (round == n - 1) {
        const std::lock_guard l(m);
        over = true;
      }
      CHECK_FALSE(awake.try_recv().value);
      {
        const std::lock_guard l(m);
        c.notify_all();
      }
      std::vector<int> seen(n);
      for (int i = 0; i < n; ++i) ++seen[static_cast<std::size_t>(*awake.recv())];
      CHECK(std::count(seen.begin(), seen.end(), 1) == n);
    }
    CHECK_FALSE(running.try_recv().value);
    c.notify_all();
    eventually([] { return rove::num_goroutines() == 1; });
  });
}

TEST_CASE("condition_variable: a value goes round three goroutines") {
  on_processors([] {
    for (int round = 0; round < 5 * load; ++round) {
      rove::mutex m;
      rove::condition_variable c;
      int x = 0;
      verdict v;
      rove::wait_group wg;
      wg.go([&] {
        std::unique_lock l(m);
        x = 1;
        c.wait(l);
        v.expect(x == 2);
        x = 3;
        c.notify_one();
      });
      wg.go([&] {
        std::unique_lock l(m);
        while (x != 1) {
          l.unlock();
          rove::yield();
          l.lock();
        }
        x = 2;
        c.notify_one();
      });
      wg.go([&] {
        std::unique_lock l(m);
        while (x < 2) {
          l.unlock();
          rove::yield();
          l.lock();
        }
        if (x == 2) c.wait(l);
        v.expect(x == 3);
      });
      wg.wait();
      CHECK(v.wrong() == 0);
    }
  });
}

TEST_CASE("condition_variable: a notify goes to who waited before it, not to a later one") {
  on_processors([] {
    for (int round = 0; round < 20 * load; ++round) {
      rove::mutex m;
      rove::condition_variable c;
      auto ch = rove::make_chan<bool>();
      rove::go([&, ch] {
        {
          std::unique_lock l(m);
          ch.send(true);
          c.wait(l);
        }
        ch.send(true);
      });
      ch.recv();
      m.lock();  // now the first waits
      m.unlock();
      bool done = false;
      rove::wait_group wg;
      wg.go([&] { c.notify_all(); });
      wg.go([&] {
        std::unique_lock l(m);
        while (!done) c.wait(l);
      });
      CHECK(ch.recv());
      {
        const std::lock_guard l(m);
        done = true;
      }
      c.notify_all();
      wg.wait();
    }
  });
}
