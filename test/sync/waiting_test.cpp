// event, latch and barrier.
#include <memory>
#include <vector>

#include "test/support/fixture.hpp"

using namespace rove_test;

TEST_CASE("event: auto-reset lets one through for each set, in the order of their coming") {
  rove::runtime rt(with_procs(1));
  rt.run([&] {
    rove::event e;
    std::vector<int> order;
    std::atomic<std::size_t> through{0};
    rove::wait_group wg;
    for (int i = 0; i < 5; ++i) {
      wg.go([&, i] {
        e.wait();
        order.push_back(i);
        ++through;
      });
      eventually([&] { return rt.stats().parked == static_cast<std::size_t>(i + 1); });
    }
    for (std::size_t i = 0; i < 5; ++i) {
      CHECK(through == i);
      e.set();
      eventually([&] { return through == i + 1; });
      CHECK_FALSE(e.try_wait());
    }
    wg.wait();
    CHECK(order == std::vector<int>{0, 1, 2, 3, 4});
  });
}

TEST_CASE("event: set twice is set once, reset takes it away") {
  const auto check = [] {
    rove::event e;
    CHECK_FALSE(e.try_wait());
    e.set();
    e.set();
    CHECK(e.try_wait());
    CHECK_FALSE(e.try_wait());
    e.set();
    e.reset();
    CHECK_FALSE(e.try_wait());
    CHECK_FALSE(e.wait_for(1ms));
    CHECK_FALSE(e.wait_for(-1ms));
    CHECK_FALSE(e.wait_until(std::chrono::steady_clock::now() + 1ms));
    CHECK_FALSE(e.wait_until(std::chrono::system_clock::now() - 1h));
    e.set();
    e.wait();
    rove::event from_start(rove::event::auto_reset, true);
    CHECK(from_start.wait_for(0ms));
    CHECK_FALSE(from_start.try_wait());
  };
  check();
  on_processors(check);
}

TEST_CASE("event: manual-reset lets all through until it is reset") {
  on_processors([] {
    rove::event e(rove::event::manual_reset);
    std::atomic<int> through{0};
    rove::wait_group wg;
    for (int i = 0; i < 20; ++i)
      wg.go([&] {
        e.wait();
        ++through;
        e.wait();
      });
    std::thread plain([&] {
      e.wait();
      ++through;
    });
    for (int i = 0; i < 10; ++i) rove::yield();
    CHECK(through == 0);
    e.set();
    wg.wait();
    rove::blocking([&] { plain.join(); });
    CHECK(through == 21);
    CHECK(e.try_wait());
    CHECK(e.wait_for(0s));
    e.reset();
    CHECK_FALSE(e.try_wait());
  });
}

TEST_CASE("event: no set is lost or used twice, with waits that time out") {
  on_processors([] {
    rove::event e;
    std::atomic<int> through{0};
    std::atomic<bool> over{false};
    rove::wait_group wg;
    constexpr int sets = 20 * load;
    for (int i = 0; i < 6; ++i)
      wg.go([&, i] {
        while (!over) {
          if (i % 2 ? e.wait_for(20us) : e.try_wait()) ++through;
          rove::yield();
        }
      });
    for (int i = 0; i < sets; ++i) {
      e.set();
      eventually([&] { return through > i; });
      CHECK(through == i + 1);
    }
    over = true;
    wg.wait();
    CHECK(through == sets);
    CHECK_FALSE(e.try_wait());
  });
}

TEST_CASE("event: destroyed as soon as wait returned, goroutine or thread") {
  rove::runtime rt(with_procs(2));
  for (int i = 0; i < 100 * load; ++i) {
    auto e = std::make_unique<rove::event>(i % 2 ? rove::event::auto_reset : rove::event::manual_reset);
    rt.go([e = e.get()] { e->set(); });
    e->wait();
  }
  rt.run([] {
    for (int i = 0; i < 100 * load; ++i) {
      auto e = std::make_unique<rove::event>(i % 2 ? rove::event::auto_reset : rove::event::manual_reset);
      rove::go([e = e.get()] { e->set(); });
      if (i % 3 == 0) rove::yield();
      if (i % 4) e->wait(); else CHECK(e->wait_for(1h));
    }
  });
  check_nothing_left(rt);
}

TEST_CASE("event: what was written before set is seen") {
  on_processors([] {
    for (int i = 0; i < 20 * load; ++i) {
      rove::event ping, pong;
      int value = 0;
      rove::go([&] {
        ping.wait();
        ++value;
        pong.set();
      });
      value = 1;
      ping.set();
      pong.wait();
      if (value != 2) FAIL("it was not seen");
    }
  });
}

TEST_CASE("latch: counts down once, for many, goroutines and threads") {
  on_processors([] {
    rove::latch l(10);
    std::atomic<int> came{0}, late{0};
    rove::wait_group wg;
    for (int i = 0; i < 20; ++i)
      wg.go([&] {
        l.wait();
        late += came != 10;
      });
    std::thread plain([&] {
      l.wait();
      late += came != 10;
    });
    CHECK_FALSE(l.try_wait());
    for (int i = 0; i < 8; ++i)
      wg.go([&] {
        ++came;
        l.count_down();
      });
    came += 2;
    l.count_down(2);
    wg.wait();
    rove::blocking([&] { plain.join(); });
    CHECK(late == 0);
    CHECK(l.try_wait());
    l.wait();
    l.count_down(0);
  });
}

TEST_CASE("latch: arrive_and_wait, zero from the start, too many") {
  on_processors([] {
    rove::latch none(0);
    CHECK(none.try_wait());
    none.wait();
    CHECK(panic_of([&] { none.count_down(); }) == "rove: latch counted below zero");
    CHECK(none.try_wait());
    rove::latch two(2);
    CHECK(panic_of([&] { two.count_down(3); }) == "rove: latch counted below zero");
    CHECK(panic_of([&] { two.count_down(-1); }) == "rove: latch counted below zero");
    rove::go([&] { two.arrive_and_wait(); });
    two.arrive_and_wait();
    CHECK(two.try_wait());
    CHECK(rove::latch::max() > 1'000'000'000);
    eventually([] { return rove::num_goroutines() == 1; });
  });
}

TEST_CASE("latch: destroyed as soon as wait returned") {
  rove::runtime rt(with_procs(2));
  for (int i = 0; i < 100 * load; ++i) {
    auto l = std::make_unique<rove::latch>(2);
    for (int k = 0; k < 2; ++k) rt.go([l = l.get()] { l->count_down(); });
    l->wait();
  }
  rt.run([] {
    for (int i = 0; i < 100 * load; ++i) {
      auto l = std::make_unique<rove::latch>(2);
      for (int k = 0; k < 2; ++k) rove::go([l = l.get()] { l->count_down(); });
      l->wait();
    }
  });
  check_nothing_left(rt);
}

TEST_CASE("barrier: nobody passes before all have come, and the function runs in between") {
  on_processors([] {
    constexpr int crew = 6, phases = 30 * load;
    int completed = 0;
    std::atomic<int> arrived{0}, wrong{0};
    rove::barrier b(crew, [&]() noexcept {
      wrong += arrived != crew;
      arrived = 0;
      ++completed;
    });
    const auto work = [&](int i) {
      dice d(static_cast<std::uint64_t>(i));
      for (int k = 0; k < phases; ++k) {
        d.delay();
        ++arrived;
        if (d.below(2)) {
          b.arrive_and_wait();
        } else {
          auto token = b.arrive();
          d.delay();
          b.wait(std::move(token));
        }
        wrong += completed < k + 1;
      }
    };
    rove::wait_group wg;
    for (int i = 0; i < crew - 1; ++i) wg.go([&, i] { work(i); });
    std::thread plain(work, crew);
    wg.wait();
    rove::blocking([&] { plain.join(); });
    CHECK(completed == phases);
    CHECK(wrong == 0);
  });
}

TEST_CASE("barrier: who drops is not expected any more") {
  on_processors([] {
    int phases = 0;
    rove::barrier b(4, [&]() noexcept { ++phases; });
    rove::wait_group wg;
    for (int i = 0; i < 3; ++i)
      wg.go([&, i] {
        for (int k = 0; k < i; ++k) b.arrive_and_wait();
        b.arrive_and_drop();
      });
    for (int k = 0; k < 5; ++k) b.arrive_and_wait();
    wg.wait();
    CHECK(phases == 5);
    CHECK(panic_of([&] { static_cast<void>(b.arrive(2)); }) == "rove: barrier: more arrived than expected");
    CHECK(panic_of([&] { static_cast<void>(b.arrive(0)); }) == "rove: barrier: more arrived than expected");
    b.arrive_and_wait();
    CHECK(phases == 6);
  });
}

TEST_CASE("barrier: an arrival too many leaves it whole, whenever it comes") {
  std::atomic<int> phases{0}, arrived{0}, too_many{0};
  struct counter {
    std::atomic<int>* phases;
    void operator()() noexcept { ++*phases; }
  };
  rove::barrier<counter> b(1, counter{&phases});
  const auto arrive = [&] {
    for (int i = 0; i < 1000 * load; ++i) try {
        static_cast<void>(b.arrive());
        ++arrived;
      } catch (const rove::panic&) {
        ++too_many;
      }
  };
  std::thread other(arrive);
  arrive();
  other.join();
  CHECK(arrived + too_many == 2000 * load);
  CHECK(phases == arrived);
  struct dropper {
    rove::barrier<dropper>** self;
    int* panics;
    void operator()() noexcept {
      try {
        (*self)->arrive_and_drop();
      } catch (const rove::panic&) {
        ++*panics;
      }
    }
  };
  int panics = 0;
  rove::barrier<dropper>* self = nullptr;
  rove::barrier<dropper> one(1, dropper{&self, &panics});
  self = &one;
  one.arrive_and_wait();
  one.arrive_and_wait();                   // is still expected
  CHECK(panics == 2);
}

TEST_CASE("barrier: several arrivals at once, an old token, and its end") {
  on_processors([] {
    rove::barrier b(3);
    auto first = b.arrive(2);
    auto second = b.arrive();
    b.wait(std::move(first));
    auto third = b.arrive(3);
    b.wait(std::move(second));
    b.wait(std::move(third));
    for (int i = 0; i < 50 * load; ++i) {
      auto gone = std::make_unique<rove::barrier<>>(2);
      rove::latch other_is_out(1);
      rove::go([&, g = gone.get()] {
        g->arrive_and_wait();
        other_is_out.count_down();
      });
      gone->arrive_and_wait();
      other_is_out.wait();
      gone.reset();
    }
  });
}

TEST_CASE("waiting: goroutines in each of these are ended with their runtime") {
  rove::event e;
  rove::latch l(1);
  rove::barrier b(100);
  rove::semaphore s(1);
  rove::condition_variable cv;
  rove::mutex m;
  rove::shared_mutex rw;
  std::atomic<int> unwound{0};
  struct note {
    std::atomic<int>& n;
    ~note() { ++n; }
  };
  s.acquire();
  rw.lock();
  {
    rove::runtime rt(with_procs(2));
    const auto start = [&](auto wait) {
      rt.go([&unwound, wait] {
        note n{unwound};
        wait();
      });
    };
    start([&] { e.wait(); });
    start([&] { e.wait_for(1h); });
    start([&] { l.wait(); });
    start([&] { b.arrive_and_wait(); });
    start([&] { s.acquire(); });
    start([&] { s.acquire(2); });
    start([&] { static_cast<void>(s.acquire(rove::background())); });
    start([&] { rw.lock(); });
    start([&] { rw.lock_shared(); });
    start([&] {
      std::unique_lock lock(m);
      note second{unwound};
      cv.wait(lock);
    });
    eventually([&] { return rt.stats().parked == 10; });
  }
  CHECK(unwound == 11);
  e.set();
  CHECK(e.try_wait());
  CHECK(m.try_lock());
  m.unlock();
  s.release();
  CHECK(s.try_acquire());
  rw.unlock();
  CHECK(rw.try_lock());
  rw.unlock();
  cv.notify_all();
}

TEST_CASE("waiting: at a runtime's end a destructor that waits returns at once") {
  rove::event e;
  rove::latch l(1);
  rove::semaphore s(0);
  rove::mutex m, held;
  rove::shared_mutex rw;
  rove::condition_variable cv;
  held.lock();
  rw.lock();
  std::atomic<int> steps{0};
  {
    rove::runtime rt(with_procs(1));
    rt.go([&] {
      struct waits {
        std::function<void()> f;
        ~waits() { f(); }
      } w{[&] {
        e.wait();
        ++steps;
        l.wait();
        ++steps;
        s.acquire();
        ++steps;
        steps += s.acquire(rove::background()) == rove::errc::deadline_exceeded;
        std::lock_guard a(held);
        steps += !held.try_lock_for(1h);
        std::lock_guard b(rw);
        ++steps;
        std::unique_lock lock(m);
        cv.wait(lock);
        cv.wait(lock, [] { return false; });
        steps += !cv.wait_for(lock, 1h, [] { return false; });
      }};
      rove::chan<int>().recv();
    });
    eventually([&] { return rt.stats().parked == 1; });
  }
  CHECK(steps == 7);
  CHECK_FALSE(held.try_lock());
  held.unlock();
  rw.unlock();
}
