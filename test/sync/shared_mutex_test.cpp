// shared_mutex: readers together, writers alone, nobody starves, gone as soon as it was unlocked, misuse.
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include "test/debug/child.hpp"
#include "test/support/fixture.hpp"

using namespace rove_test;

namespace {

// Counts who is inside; wrong if a writer is not alone.
struct watched {
  rove::shared_mutex m;
  std::atomic<int> readers{0}, writers{0}, wrong{0};
  long value = 0;

  void read(dice& d) {
    m.lock_shared();
    ++readers;
    const long before = value;
    wrong += writers != 0;
    d.delay();
    wrong += writers != 0 || value != before;
    --readers;
    m.unlock_shared();
  }
  void write(dice& d) {
    m.lock();
    wrong += ++writers != 1 || readers != 0;
    ++value;
    d.delay();
    wrong += readers != 0;
    --writers;
    m.unlock();
  }
  void either(dice& d) { d.below(5) == 0 ? write(d) : read(d); }
};

}  // namespace

TEST_CASE("shared_mutex: readers together, writers alone") {
  on_processors([] {
    watched w;
    std::atomic<long> writes{0};
    rove::wait_group wg;
    for (int i = 0; i < 12; ++i)
      wg.go([&, i] {
        dice d(static_cast<std::uint64_t>(i));
        for (int k = 0; k < 100 * load; ++k) {
          if (i < 3) {
            w.write(d);
            ++writes;
          } else {
            w.read(d);
          }
        }
      });
    wg.wait();
    CHECK(w.wrong == 0);
    CHECK(w.value == writes);
    CHECK(w.m.try_lock());
    w.m.unlock();
  });
}

TEST_CASE("shared_mutex: goroutines of two runtimes and plain threads") {
  watched w;
  rove::runtime a(with_procs(2)), b(with_procs(1));
  rove::wait_group wg;
  const auto work = [&](int i) {
    dice d(static_cast<std::uint64_t>(i));
    for (int k = 0; k < 50 * load; ++k) w.either(d);
  };
  for (int i = 0; i < 4; ++i) {
    wg.add(2);
    a.go([&, i] { work(i); wg.done(); });
    b.go([&, i] { work(10 + i); wg.done(); });
  }
  plain_threads threads;
  for (int i = 0; i < 2; ++i) threads.start(work, 20 + i);
  threads.join();
  wg.wait();
  CHECK(w.wrong == 0);
  check_nothing_left(a);
  check_nothing_left(b);
}

TEST_CASE("shared_mutex: many readers are inside at once") {
  on_processors([] {
    rove::shared_mutex m;
    rove::latch all_inside(10);
    rove::wait_group wg;
    for (int i = 0; i < 10; ++i)
      wg.go([&] {
        std::shared_lock l(m);
        all_inside.arrive_and_wait();  // none leaves before all are in
      });
    wg.wait();
    CHECK(m.try_lock());
    m.unlock();
  });
}

TEST_CASE("shared_mutex: a waiting writer holds new readers back, and those go before the next writer") {
  rove::runtime rt(with_procs(1));
  rt.run([&] {
    rove::shared_mutex m;
    std::mutex lock_of_order;  // readers are inside at once, also on one processor: it may get a spare
    std::vector<int> order;
    const auto note = [&](int who) {
      const std::lock_guard l(lock_of_order);
      order.push_back(who);
    };
    const auto parked = [&](std::size_t n) { eventually([&] { return rt.stats().parked == n; }); };
    rove::wait_group wg;
    m.lock_shared();
    wg.go([&] { m.lock(); note(1); m.unlock(); });
    parked(1);
    CHECK_FALSE(m.try_lock_shared());
    CHECK_FALSE(m.try_lock());
    for (int i = 0; i < 3; ++i) {
      wg.go([&] { m.lock_shared(); note(2); m.unlock_shared(); });
      parked(2 + static_cast<std::size_t>(i));
    }
    wg.go([&] { m.lock(); note(3); m.unlock(); });
    parked(5);
    CHECK(order.empty());
    m.unlock_shared();
    wg.wait();
    CHECK(order == std::vector<int>{1, 2, 2, 2, 3});
  });
}

TEST_CASE("shared_mutex: readers that wait for a writer go before a writer that waits longer") {
  rove::runtime rt(with_procs(1));
  rt.run([&] {
    rove::shared_mutex m;
    std::vector<int> order;
    rove::wait_group wg;
    m.lock();
    wg.go([&] { m.lock(); order.push_back(1); m.unlock(); });
    eventually([&] { return rt.stats().parked == 1; });
    wg.go([&] { m.lock_shared(); order.push_back(2); m.unlock_shared(); });
    eventually([&] { return rt.stats().parked == 2; });
    m.unlock();
    wg.wait();
    CHECK(order == std::vector<int>{2, 1});
  });
}

TEST_CASE("shared_mutex: neither readers nor writers starve beside hogs") {
  on_processors([] {
    rove::shared_mutex m;
    std::atomic<bool> over{false};
    rove::wait_group hogs, others;
    for (int i = 0; i < 3; ++i)
      hogs.go([&, i] {
        while (!over) {
          if (i == 0) m.lock(); else m.lock_shared();
          rove::yield();
          if (i == 0) m.unlock(); else m.unlock_shared();
        }
      });
    for (int i = 0; i < 4; ++i)
      others.go([&, i] {
        for (int k = 0; k < 20; ++k) {
          if (i % 2) {
            std::unique_lock l(m);
          } else {
            std::shared_lock l(m);
          }
        }
      });
    others.wait();
    over = true;
    hogs.wait();
  });
}

TEST_CASE("shared_mutex: a writer that waited is handed the lock beside one that takes it again and again") {
  on_processors([] {
    rove::shared_mutex m;
    std::atomic<bool> over{false};
    m.lock();
    auto hog = rove::spawn([&] {
      while (!over) {
        m.lock();
        for (int k = 0; k < 2000; ++k) asm volatile("");
        m.unlock();
      }
    });
    rove::wait_group wg;
    for (int i = 0; i < 3; ++i)
      wg.go([&] {
        for (int k = 0; k < 5; ++k) {
          m.lock();
          m.unlock();
        }
      });
    m.unlock();
    wg.wait();
    over = true;
    hog.get();
  });
}

TEST_CASE("shared_mutex: with the standard's locks, together with a std::mutex") {
  on_processors([] {
    rove::shared_mutex m;
    rove::mutex other;
    std::mutex standard;
    {
      std::scoped_lock l(m, other, standard);
      CHECK_FALSE(m.try_lock_shared());
      CHECK_FALSE(other.try_lock());
    }
    {
      std::shared_lock a(m), b(m, std::try_to_lock);
      CHECK(b.owns_lock());
      std::unique_lock w(m, std::try_to_lock);
      CHECK_FALSE(w.owns_lock());
    }
    std::lock_guard l(m);
    std::shared_lock s(m, std::defer_lock);
    CHECK_FALSE(s.try_lock());
  });
}

TEST_CASE("shared_mutex: destroyed by whoever gets it last, right after the unlock") {
  on_processors([] {
    for (int round = 0; round < 100 * load; ++round) {
      struct shared {
        rove::shared_mutex m;
        std::atomic<int> left{4};
      };
      auto* const s = new shared;
      const auto write = [s] {
        s->m.lock();
        const bool last = --s->left == 0;
        s->m.unlock();
        if (last) delete s;
      };
      const auto read = [s, write] {
        s->m.lock_shared();
        rove::yield();
        s->m.unlock_shared();
        write();
      };
      rove::go(write);
      rove::go(read);
      rove::go(read);
      write();
    }
    eventually([] { return rove::num_goroutines() == 1; });
  });
}

TEST_CASE("shared_mutex: waiters are ended, those behind them are not forgotten") {
  for (int round = 0; round < 10 * load; ++round) {
    rove::shared_mutex m;
    const bool reads = round % 3 == 0;
    reads ? m.lock_shared() : m.lock();
    rove::runtime stays(with_procs(2));
    std::atomic<int> had_it{0};
    rove::wait_group wg;
    {
      rove::runtime ends(with_procs(2));
      for (int i = 0; i < 4; ++i) {
        ends.go([&, i] {
          if (i % 2) {
            std::shared_lock l(m);
            rove::chan<int>().recv();
          } else {
            std::lock_guard l(m);
            rove::chan<int>().recv();
          }
        });
        if (i == 0) eventually([&] { return ends.stats().parked == 1; });  // a writer is the first
        wg.add(1);
        stays.go([&, i] {
          if (i < 2) {
            std::shared_lock l(m);
            ++had_it;
          } else {
            std::lock_guard l(m);
            ++had_it;
          }
          wg.done();
        });
      }
      eventually([&] { return stays.stats().parked + ends.stats().parked == 8; });
      if (round % 2) reads ? m.unlock_shared() : m.unlock();
      ends.stop();
      if (reads && round % 2 == 0) m.unlock_shared();
      if (!reads && round % 2 == 0) m.unlock();
    }
    wg.wait();
    if (had_it != 4) CHECK(had_it == 4);
    CHECK(m.try_lock());
    m.unlock();
  }
}

TEST_CASE("shared_mutex: unlock of an unlocked one is fatal") {
  const ending e = run_in_child([] { rove::shared_mutex().unlock(); });
  CHECK(e.status == 2);
  CHECK(e.error_output.rfind("fatal error: sync: Unlock of unlocked RWMutex\n", 0) == 0);
}
TEST_CASE("shared_mutex: unlock by a reader is fatal") {
  const ending e = run_in_child([] {
    rove::shared_mutex m;
    m.lock_shared();
    m.unlock();
  });
  CHECK(e.status == 2);
  CHECK(e.error_output.rfind("fatal error: sync: Unlock of unlocked RWMutex\n", 0) == 0);
}
TEST_CASE("shared_mutex: unlock_shared of an unlocked one is fatal") {
  const ending e = run_in_child([] { rove::shared_mutex().unlock_shared(); });
  CHECK(e.status == 2);
  CHECK(e.error_output.rfind("fatal error: sync: RUnlock of unlocked RWMutex\n", 0) == 0);
}
TEST_CASE("shared_mutex: unlock_shared by the writer is fatal") {
  const ending e = run_in_child([] {
    rove::shared_mutex m;
    m.lock();
    m.unlock_shared();
  });
  CHECK(e.status == 2);
  CHECK(e.error_output.rfind("fatal error: sync: RUnlock of unlocked RWMutex\n", 0) == 0);
}
