// mutex: exclusion between goroutines and threads, nobody starves, gone as soon as it was unlocked, misuse.
#include <memory>
#include <mutex>
#include <vector>

#include "test/debug/child.hpp"
#include "test/support/go_parked.hpp"

using namespace rove_test;

TEST_CASE("mutex: one at a time") {
  on_processors([] {
    rove::mutex m;
    long n = 0;
    int inside = 0;
    std::atomic<int> wrong{0};
    rove::wait_group wg;
    for (int i = 0; i < 16; ++i)
      wg.go([&, i] {
        dice d(static_cast<std::uint64_t>(i));
        for (int k = 0; k < 100 * load; ++k) {
          m.lock();
          wrong += ++inside != 1;
          ++n;
          d.delay();  // it may be held over a park, and released on another thread
          wrong += --inside != 0;
          m.unlock();
        }
      });
    wg.wait();
    CHECK(n == 16 * 100 * load);
    CHECK(wrong == 0);
  });
}

TEST_CASE("mutex: goroutines and plain threads") {
  on_processors([] {
    rove::mutex m;
    long n = 0;
    const auto work = [&](int i) {
      dice d(static_cast<std::uint64_t>(i));
      for (int k = 0; k < 100 * load; ++k) {
        std::lock_guard l(m);
        ++n;
        d.delay();
      }
    };
    rove::wait_group wg;
    for (int i = 0; i < 6; ++i) wg.go([&, i] { work(i); });
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i) threads.emplace_back(work, 100 + i);
    wg.wait();
    rove::blocking([&] {
      for (auto& t : threads) t.join();
    });
    CHECK(n == 8 * 100 * load);
  });
}

TEST_CASE("mutex: plain threads alone need no runtime") {
  rove::mutex m;
  long n = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int k = 0; k < 1000 * load; ++k) {
        std::lock_guard l(m);
        ++n;
      }
    });
  for (auto& t : threads) t.join();
  CHECK(n == 4000 * load);
}

TEST_CASE("mutex: with the standard's locks") {
  on_processors([] {
    rove::mutex a, b;
    {
      std::scoped_lock l(a, b);
      CHECK_FALSE(a.try_lock());
      CHECK_FALSE(b.try_lock());
    }
    {
      std::unique_lock l(a, std::try_to_lock);
      CHECK(l.owns_lock());
      std::unique_lock second(a, std::try_to_lock);
      CHECK_FALSE(second.owns_lock());
      l.unlock();
      CHECK(second.try_lock());
    }
    // Two that take both in different orders: std::lock avoids the deadlock by try_lock.
    rove::wait_group wg;
    int n = 0;
    for (int i = 0; i < 4; ++i)
      wg.go([&, i] {
        for (int k = 0; k < 50 * load; ++k) {
          if (i % 2) {
            std::scoped_lock l(a, b);
            ++n;
          } else {
            std::scoped_lock l(b, a);
            ++n;
          }
        }
      });
    wg.wait();
    CHECK(n == 200 * load);
  });
}

#ifdef ROVE_DEBUG_CHECKS
TEST_CASE("mutex: unlocked by another than who locked it is fatal where the library checks") {
  const ending e = run_in_child([] {
    rove::mutex m;
    m.lock();
    m.unlock();
    m.lock();
    std::thread([&] { m.unlock(); }).join();
  });
  CHECK(e.status == 2);
  CHECK(e.error_output.rfind("fatal error: rove: unlocked by another than who locked it\n", 0) == 0);
}

TEST_CASE("mutex: a double unlock that gives back another's lock is fatal where the library checks") {
  const ending e = run_in_child([] {
    rove::mutex m;
    std::thread([&] {
      m.lock();
      m.unlock();
      std::thread([&] { m.lock(); }).join();
      m.unlock();
    }).join();
  });
  CHECK(e.status == 2);
  CHECK(e.error_output.rfind("fatal error: rove: unlocked by another than who locked it\n", 0) == 0);
}

TEST_CASE("shared_mutex: a writer's lock given back by another is fatal where the library checks") {
  const ending e = run_in_child([] {
    rove::shared_mutex m;
    CHECK(m.try_lock());
    std::thread([&] { m.unlock(); }).join();
  });
  CHECK(e.status == 2);
  CHECK(e.error_output.rfind("fatal error: rove: unlocked by another than who locked it\n", 0) == 0);
}
#else
TEST_CASE("mutex: unlocked by another than who locked it") {
  on_processors([] {
    rove::mutex m;
    m.lock();
    auto t = rove::spawn([&] {
      m.lock();
      m.unlock();
    });
    rove::spawn([&] { m.unlock(); }).get();
    t.get();
    CHECK(m.try_lock());
    std::thread([&] { m.unlock(); }).join();
    CHECK(m.try_lock());
    m.unlock();
  });
}
#endif

TEST_CASE("mutex: nobody starves beside one that takes it again and again") {
  // The hog unlocks and locks without a pause; a waiter must be handed the lock. Events alone are looked at.
  on_processors([] {
    rove::mutex m;
    std::atomic<bool> over{false};
    std::atomic<int> served{0};
    rove::wait_group hogs, waiters;
    for (int i = 0; i < 2; ++i)
      hogs.go([&] {
        while (!over) {
          m.lock();
          for (int k = 0; k < 200; ++k) asm volatile("");
          m.unlock();
        }
      });
    for (int i = 0; i < 4; ++i)
      waiters.go([&] {
        for (int k = 0; k < 10; ++k) {
          m.lock();
          ++served;
          m.unlock();
        }
      });
    std::thread plain([&] {
      for (int k = 0; k < 10; ++k) {
        m.lock();
        ++served;
        m.unlock();
      }
    });
    waiters.wait();
    rove::blocking([&] { plain.join(); });
    over = true;
    hogs.wait();
    CHECK(served == 50);
  });
}

TEST_CASE("mutex: a waiter is handed the lock after few turns of a hog that holds it for long") {
  on_processors([] {
    rove::mutex m;
    std::atomic<std::uint64_t> waiter_id{0};
    std::atomic<bool> begun{false}, over{false};
    int turns = 0, turns_until_served = -1;
    auto hog = rove::spawn([&] {
      // Holds it for 2 ms a turn: whoever waits has waited long enough after the second. Turns count at whose end the
      // waiter is in the queue; it may be slow to come there, and to come back after it was woken.
      while (!over && turns < 20) {
        const std::lock_guard l(m);
        begun = true;
        std::this_thread::sleep_for(2ms);
        turns += waiter_id != 0 && is_parked(waiter_id);
      }
    });
    auto waiter = rove::spawn([&] {
      eventually([&] { return begun.load(); });
      waiter_id = rove::this_goroutine::id();
      m.lock();
      turns_until_served = turns;
      over = true;
      m.unlock();
    });
    waiter.get();
    hog.get();
    CHECK(turns_until_served >= 0);
    CHECK(turns_until_served <= 3);
  });
}

TEST_CASE("mutex: destroyed by whoever gets it last, right after the unlock") {
  on_processors([] {
    for (int round = 0; round < 100 * load; ++round) {
      struct shared {
        rove::mutex m;
        int left = 3;
      };
      auto* const s = new shared;
      const auto leave = [s] {
        s->m.lock();
        const bool last = --s->left == 0;
        s->m.unlock();
        if (last) delete s;  // the others have unlocked: they touch it no more
      };
      rove::go(leave);
      rove::go(leave);
      leave();
    }
    eventually([] { return rove::num_goroutines() == 1; });
  });
}

TEST_CASE("mutex: many of them, so that they share places in the table") {
  on_processors([] {
    constexpr int n = 1000;
    std::vector<std::unique_ptr<rove::mutex>> mutexes;
    std::vector<int> counts(n);
    for (int i = 0; i < n; ++i) mutexes.push_back(std::make_unique<rove::mutex>());
    rove::wait_group wg;
    for (int g = 0; g < 50; ++g)
      wg.go([&, g] {
        dice d(static_cast<std::uint64_t>(g));
        for (int k = 0; k < 100 * load; ++k) {
          const auto i = d.below(n);
          std::lock_guard l(*mutexes[i]);
          ++counts[i];
          if (k % 10 == 0) rove::yield();
        }
      });
    wg.wait();
    long sum = 0;
    for (int c : counts) sum += c;
    CHECK(sum == 50L * 100 * load);
  });
}

TEST_CASE("mutex: waiters are ended, those behind them are not forgotten") {
  for (int round = 0; round < 10 * load; ++round) {
    rove::mutex m;
    m.lock();
    rove::runtime stays(with_procs(2));
    std::atomic<int> had_it{0};
    rove::wait_group wg;
    {
      rove::runtime ends(with_procs(2));
      for (int i = 0; i < 4; ++i) {
        ends.go([&] {
          m.lock();
          m.unlock();
        });
        wg.add(1);
        stays.go([&] {
          m.lock();
          ++had_it;
          m.unlock();
          wg.done();
        });
      }
      eventually([&] { return stays.stats().parked + ends.stats().parked == 8; });
      if (round % 2) m.unlock();
      ends.stop();
      if (round % 2 == 0) m.unlock();
    }
    wg.wait();
    if (had_it != 4) CHECK(had_it == 4);
    CHECK(m.try_lock());
    m.unlock();
  }
}

TEST_CASE("mutex: unlocking what is not locked is fatal") {
  const ending plain = run_in_child([] {
    rove::mutex m;
    m.lock();
    m.unlock();
    m.unlock();
  });
  CHECK(plain.status == 2);
  CHECK(plain.error_output.rfind("fatal error: sync: unlock of unlocked mutex\n\n", 0) == 0);
}

TEST_CASE("mutex: unlocking what is not locked is fatal in a goroutine too") {
  const ending in_goroutine = run_in_child([] {
    rove::run([] {
      rove::mutex m;
      m.unlock();
    });
  });
  CHECK(in_goroutine.status == 2);
  // Where a program cannot start itself (qemu's user mode) the child is a fork of one that had runtimes.
  if (in_goroutine.error_output.rfind("fatal error: rove: a runtime cannot be used in the child of a fork", 0) == 0) return;
  CHECK(in_goroutine.error_output.rfind("fatal error: sync: unlock of unlocked mutex\n\ngoroutine 1 [running]:\n", 0) == 0);
}
