// condition_variable and condition_variable_any: nothing is lost, first come first woken, no wake-up without a reason;
// the mutex's timed forms.
#include <deque>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <stop_token>
#include <vector>

#include "test/support/fixture.hpp"
#include "test/support/go_parked.hpp"

using namespace rove_test;

TEST_CASE("condition_variable: who waits longest is woken first") {
  rove::runtime rt(with_procs(1));
  rt.run([&] {
    rove::mutex m;
    rove::condition_variable cv;
    std::vector<int> order;
    rove::wait_group wg;
    for (int i = 0; i < 6; ++i) {
      wg.go([&, i] {
        std::unique_lock l(m);
        cv.wait(l);
        order.push_back(i);
      });
      eventually([&] { return rt.stats().parked == static_cast<std::size_t>(i + 1); });
    }
    for (std::size_t i = 0; i < 3; ++i) {
      cv.notify_one();
      eventually([&] {
        const std::lock_guard l(m);
        return order.size() == i + 1;
      });
    }
    cv.notify_all();
    wg.wait();
    CHECK(std::vector<int>(order.begin(), order.begin() + 3) == std::vector<int>{0, 1, 2});
    CHECK(order.size() == 6);
    cv.notify_one();
    cv.notify_all();
  });
}

TEST_CASE("condition_variable: each notify_one wakes one, and nobody wakes without") {
  on_processors([] {
    rove::mutex m;
    rove::condition_variable cv;
    int woken = 0, waiting = 0;
    rove::wait_group wg;
    constexpr int n = 20;
    for (int i = 0; i < n; ++i)
      wg.go([&] {
        std::unique_lock l(m);
        ++waiting;
        cv.wait(l);
        ++woken;
      });
    eventually([&] {
      std::lock_guard l(m);
      return waiting == n;
    });
    for (int i = 0; i < n; ++i) {
      cv.notify_one();
      eventually([&] {
        std::lock_guard l(m);
        return woken == i + 1;
      });
      for (int k = 0; k < 5; ++k) rove::yield();
      std::lock_guard l(m);
      CHECK(woken == i + 1);
    }
    wg.wait();
  });
}

TEST_CASE("condition_variable: a bounded queue of goroutines and threads") {
  on_processors([] {
    rove::mutex m;
    rove::condition_variable not_empty, not_full;
    std::deque<int> queue;
    std::atomic<long> sum{0};
    constexpr int each = 100 * load, makers = 3;
    const auto make = [&](int i) {
      dice d(static_cast<std::uint64_t>(i));
      for (int k = 1; k <= each; ++k) {
        d.delay();
        std::unique_lock l(m);
        not_full.wait(l, [&] { return queue.size() < 2; });
        queue.push_back(k);
        l.unlock();
        not_empty.notify_one();
      }
    };
    const auto take = [&] {
      for (int k = 0; k < each; ++k) {
        std::unique_lock l(m);
        while (queue.empty()) not_empty.wait(l);
        sum += queue.front();
        queue.pop_front();
        not_full.notify_one();
      }
    };
    rove::wait_group wg;
    for (int i = 0; i < makers - 1; ++i) wg.go([&, i] { make(i); });
    for (int i = 0; i < makers - 1; ++i) wg.go(take);
    std::thread a(make, 100), b(take);
    wg.wait();
    rove::blocking([&] {
      a.join();
      b.join();
    });
    CHECK(sum == makers * (long{each} * (each + 1) / 2));
    CHECK(queue.empty());
  });
}

TEST_CASE("condition_variable: a notification or a time-out, never both, never none") {
  on_processors([] {
    rove::mutex m;
    rove::condition_variable cv;
    std::atomic<int> in_time{0}, late{0};
    rove::wait_group wg;
    for (int i = 0; i < 8; ++i)
      wg.go([&, i] {
        dice d(static_cast<std::uint64_t>(i));
        for (int k = 0; k < 20 * load; ++k) {
          std::unique_lock l(m);
          const auto s = cv.wait_for(l, std::chrono::microseconds(d.below(100)));
          ++(s == std::cv_status::timeout ? late : in_time);
          if (!l.owns_lock()) FAIL("the lock was not taken again");
        }
      });
    for (int i = 0; i < 100 * load; ++i) {
      cv.notify_one();
      rove::yield();
    }
    wg.wait();
    CHECK(in_time + late == 8 * 20 * load);
    std::unique_lock l(m);
    CHECK(cv.wait_for(l, -1s) == std::cv_status::timeout);
    CHECK(cv.wait_until(l, std::chrono::system_clock::now()) == std::cv_status::timeout);
    CHECK_FALSE(cv.wait_for(l, 1ms, [] { return false; }));
    CHECK(cv.wait_for(l, 1h, [] { return true; }));
    CHECK_FALSE(cv.wait_until(l, std::chrono::steady_clock::now() + 1ms, [] { return false; }));
    CHECK(l.owns_lock());
  });
}

TEST_CASE("condition_variable: destroyed as soon as all were notified") {
  on_processors([] {
    for (int i = 0; i < 50 * load; ++i) {
      rove::mutex m;
      auto cv = std::make_unique<rove::condition_variable>();
      bool ready = false;
      rove::wait_group wg;
      wg.go([&] {
        std::lock_guard l(m);
        ready = true;
        cv->notify_all();
      });
      {
        std::unique_lock l(m);
        cv->wait(l, [&] { return ready; });
        cv.reset();
      }
      wg.wait();
    }
  });
}

TEST_CASE("condition_variable: a goroutine that is ended in it has the lock while it unwinds") {
  rove::mutex m;
  rove::condition_variable cv;
  bool had_lock = false;
  {
    rove::runtime rt(with_procs(2));
    rt.go([&] {
      std::unique_lock l(m);
      struct look {
        std::unique_lock<rove::mutex>& l;
        bool& had_lock;
        ~look() { had_lock = l.owns_lock(); }
      } looks{l, had_lock};
      cv.wait(l);
    });
    eventually([&] { return rt.stats().parked == 1; });
  }
  CHECK(had_lock);
  CHECK(m.try_lock());
  m.unlock();
}

TEST_CASE("condition_variable_any: a goroutine that is ended while it takes the lock again has it while it unwinds") {
  for (const bool held : {false, true}) {
    rove::mutex m;
    rove::condition_variable_any cv;
    rove::run(with_procs(1), [&] {
      for (int i = 0; i < 2; ++i)
        go_parked([&] {
          const std::lock_guard guard(m);  // which unlocks, however it leaves
          cv.wait(m);
        });
      if (held) m.lock();
      cv.notify_all();
    });
    CHECK(m.try_lock() == !held);
  }
}

TEST_CASE("condition_variable_any: with other locks") {
  on_processors([] {
    rove::condition_variable_any cv;
    rove::shared_mutex m;
    int stage = 0;
    rove::wait_group wg;
    for (int i = 0; i < 4; ++i)
      wg.go([&] {
        std::shared_lock l(m);
        cv.wait(l, [&] { return stage == 1; });
        if (!l.owns_lock()) FAIL("the lock was not taken again");
      });
    wg.go([&] {
      std::lock_guard l(m);
      stage = 1;
      cv.notify_all();
    });
    wg.wait();
    std::unique_lock l(m);
    CHECK(cv.wait_for(l, 1ms) == std::cv_status::timeout);
    CHECK(cv.wait_until(m, std::chrono::steady_clock::now(), [&] { return stage == 1; }));  // any lock at all
  });
}

TEST_CASE("condition_variable_any: a stop request ends the wait") {
  on_processors([] {
    for (int i = 0; i < 4 * load; ++i) {
      rove::condition_variable_any cv;
      rove::mutex m;
      std::stop_source source;
      bool ready = false;
      rove::wait_group wg;
      std::atomic<int> stopped{0};
      for (int k = 0; k < 3; ++k)
        wg.go([&, k] {
          std::unique_lock l(m);
          const bool how = k == 0 ? cv.wait_for(l, source.get_token(), 1h, [&] { return ready; })
                                  : cv.wait(l, source.get_token(), [&] { return ready; });
          stopped += !how;
        });
      if (i % 2) rove::yield();
      source.request_stop();
      wg.wait();
      CHECK(stopped == 3);
      std::unique_lock l(m);
      CHECK_FALSE(cv.wait(l, source.get_token(), [] { return false; }));
      ready = true;
      CHECK(cv.wait(l, source.get_token(), [&] { return ready; }));
      CHECK_FALSE(cv.wait_until(l, std::stop_token(), std::chrono::steady_clock::now() + 1ms, [] { return false; }));
    }
  });
}

TEST_CASE("mutex: with a time limit") {
  const auto check = [] {
    rove::mutex m;
    CHECK(m.try_lock_for(0s));
    CHECK_FALSE(m.try_lock_for(-1s));
    CHECK_FALSE(m.try_lock_for(1ms));
    CHECK_FALSE(m.try_lock_until(std::chrono::steady_clock::now() + 1ms));
    CHECK_FALSE(m.try_lock_until(std::chrono::system_clock::now() + 1ms));
    m.unlock();
    std::unique_lock l(m, 1h);
    CHECK(l.owns_lock());
  };
  check();
  on_processors(check);
}

TEST_CASE("mutex: waiters that give up and waiters that stay") {
  on_processors([] {
    rove::mutex m;
    long n = 0;
    std::atomic<long> had_it{0};
    const auto work = [&](int i) {
      dice d(static_cast<std::uint64_t>(i));
      for (int k = 0; k < 50 * load; ++k) {
        if (i % 2) {
          m.lock();
        } else if (!m.try_lock_for(std::chrono::microseconds(d.below(60)))) {
          continue;
        }
        ++n;
        d.delay();
        m.unlock();
        ++had_it;
      }
    };
    rove::wait_group wg;
    for (int i = 0; i < 8; ++i) wg.go([&, i] { work(i); });
    std::thread a(work, 100), b(work, 101);
    wg.wait();
    rove::blocking([&] {
      a.join();
      b.join();
    });
    CHECK(n == had_it);
    CHECK(n >= 5L * 50 * load);
    CHECK(m.try_lock_for(1h));
    m.unlock();
  });
}
