// semaphore: never more than there is, first come first served, cancelled waits leave no trace.
#include <memory>
#include <vector>

#include "test/support/fixture.hpp"
#include "test/support/go_parked.hpp"

using namespace rove_test;

TEST_CASE("semaphore: never more than there is") {
  on_processors([] {
    constexpr int size = 7;
    rove::semaphore s(size);
    std::atomic<int> held{0}, wrong{0};
    const auto work = [&](int i) {
      dice d(static_cast<std::uint64_t>(i));
      for (int k = 0; k < 50 * load; ++k) {
        const int n = static_cast<int>(d.below(size + 1));
        if (d.below(3) == 0) {
          if (!s.try_acquire(n)) continue;
        } else {
          s.acquire(n);
        }
        wrong += (held += n) > size;
        d.delay();
        held -= n;
        s.release(n);
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
    CHECK(wrong == 0);
    CHECK(s.try_acquire(size));
    CHECK_FALSE(s.try_acquire());
    CHECK(s.try_acquire(0));
    s.release(size);
  });
}

TEST_CASE("semaphore: who wants much is not overtaken by those who want little") {
  rove::runtime rt(with_procs(1));
  rt.run([&] {
    rove::semaphore s(3);
    std::vector<int> order;
    rove::wait_group wg;
    s.acquire(2);
    const auto start = [&](int n) {
      wg.go([&, n] {
        s.acquire(n);
        order.push_back(n);
        s.release(n);
      });
    };
    start(3);
    eventually([&] { return rt.stats().parked == 1; });
    CHECK_FALSE(s.try_acquire(1));  // one is free, but another waits
    start(1);
    eventually([&] { return rt.stats().parked == 2; });
    s.release(1);
    for (int i = 0; i < 5; ++i) rove::yield();
    CHECK(order.empty());
    s.release(1);
    wg.wait();
    CHECK(order == std::vector<int>{3, 1});
  });
}

TEST_CASE("semaphore: released more than held, negative weights") {
  const auto check = [] {
    rove::semaphore s(2);
    const std::string text = "semaphore: released more than held";
    CHECK(panic_of([&] { s.release(); }) == text);
    s.acquire();
    CHECK(panic_of([&] { s.release(2); }) == text);
    s.release();
    CHECK(panic_of([&] { s.acquire(-1); }) == "rove: negative semaphore weight");
    CHECK(panic_of([&] { s.release(-1); }) == "rove: negative semaphore weight");
    CHECK(panic_of([] { rove::semaphore(-1); }) == "rove: negative semaphore weight");
    CHECK(s.try_acquire(2));
  };
  check();
  on_processors(check);
}

TEST_CASE("semaphore: with a context") {
  on_processors([] {
    rove::semaphore s(2);
    CHECK_FALSE(s.acquire(rove::background()));
    const auto made = rove::with_cancel(rove::background());
    const rove::context ctx = made.ctx;
    const rove::cancel_function cancel = made.cancel;
    CHECK_FALSE(s.acquire(ctx, 1));
    std::vector<rove::task<std::error_code>> tasks;
    for (int n : {1, 2, 5}) tasks.push_back(rove::spawn([&, n] { return s.acquire(ctx, n); }));
    std::error_code plain;
    std::thread thread([&] { plain = s.acquire(ctx, 2); });
    for (int i = 0; i < 10; ++i) rove::yield();
    cancel();
    for (auto& t : tasks) CHECK(t.get() == rove::errc::canceled);
    rove::blocking([&] { thread.join(); });
    CHECK(plain == rove::errc::canceled);
    s.release(2);
    CHECK(s.acquire(ctx) == rove::errc::canceled);  // also if it is free
    auto [timed, stop] = rove::with_timeout(rove::background(), 5ms);
    CHECK_FALSE(s.acquire(rove::background(), 2));
    CHECK(s.acquire(timed) == rove::errc::deadline_exceeded);
    s.release(2);
    CHECK(s.try_acquire(2));
  });
}

TEST_CASE("semaphore: a cancelled waiter was in others' way") {
  rove::runtime rt(with_procs(1));
  rt.run([&] {
    rove::semaphore s(3);
    const auto made = rove::with_cancel(rove::background());
    const rove::context ctx = made.ctx;
    const rove::cancel_function cancel = made.cancel;
    s.acquire(2);
    auto big = rove::spawn([&] { return s.acquire(ctx, 3); });
    eventually([&] { return rt.stats().parked == 1; });
    auto small = rove::spawn([&] { s.acquire(1); });
    eventually([&] { return rt.stats().parked == 2; });
    cancel();
    CHECK(big.get() == rove::errc::canceled);
    small.get();
    const auto other = rove::with_cancel(rove::background());
    auto never = rove::spawn([&] { return s.acquire(other.ctx, 100); });
    eventually([&] { return rt.stats().parked == 1; });
    s.release(1);
    CHECK(s.try_acquire(1));  // who wants more than there is, is in nobody's way
    other.cancel();
    CHECK(never.get() == rove::errc::canceled);
    s.release(3);
  });
}

TEST_CASE("semaphore: cancelling and releasing at the same time") {
  on_processors([] {
    for (int i = 0; i < 20 * load; ++i) {
      rove::semaphore s(1);
      s.acquire();
      const auto made = rove::with_cancel(rove::background());
      const rove::context ctx = made.ctx;
      const rove::cancel_function cancel = made.cancel;
      std::atomic<int> got{0};
      rove::wait_group wg;
      for (int k = 0; k < 3; ++k)
        wg.go([&] {
          if (s.acquire(ctx)) return;
          ++got;
          s.release();
        });
      wg.go([&] { cancel(); });
      wg.go([&] { s.release(); });
      wg.wait();
      if (!s.try_acquire()) FAIL("a unit was lost");
      if (s.try_acquire()) FAIL("a unit was made");
    }
  });
}

TEST_CASE("semaphore: a destructor at its runtime's end takes what there is, or goes on without") {
  struct user {
    rove::semaphore& s;
    ~user() {
      s.acquire(2);
      s.release();
      s.release();
    }
  };
  struct late {
    rove::error_group& group;
    ~late() { group.go([] {}); }
  };
  static rove::semaphore free(2), taken(2), too_small(1);  // where no other was: what was gone on without is known by address
  rove::error_group full;
  full.set_limit(1);
  taken.acquire();
  rove::run(with_procs(2), [&] {
    for (rove::semaphore* const s : {&free, &taken, &too_small})
      go_parked([s] {
        const user u{*s};
        rove::select();
      });
    full.go([] { rove::select(); });
    go_parked([&full] {
      const late l{full};
      rove::select();
    });
  });
  CHECK(free.try_acquire(2));
  CHECK(taken.try_acquire());
  CHECK_FALSE(taken.try_acquire());
  taken.release(2);
  CHECK_THROWS_AS(taken.release(), rove::panic);
  CHECK_THROWS_AS(too_small.release(), rove::panic);
}

TEST_CASE("semaphore: destroyed by who got all of it") {
  on_processors([] {
    for (int i = 0; i < 100 * load; ++i) {
      auto s = std::make_unique<rove::semaphore>(2);
      s->acquire(2);
      for (int k = 0; k < 2; ++k) rove::go([s = s.get()] { s->release(); });
      s->acquire(2);
    }
    eventually([] { return rove::num_goroutines() == 1; });
  });
}
