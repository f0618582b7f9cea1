// spawn and task: results of every kind, exceptions, goroutines that end early, handles that are dropped.
#include <array>
#include <memory>
#include <vector>

#include "test/support/fixture.hpp"

using namespace rove_test;

TEST_CASE("task: values, references, void, move-only") {
  on_processors([] {
    CHECK(rove::spawn([] { return 5; }).get() == 5);
    CHECK(rove::spawn([](int a, int b) { return a * b; }, 6, 7).get() == 42);
    int there = 0;
    int& r = rove::spawn([&]() -> int& { return there; }).get();
    CHECK(&r == &there);
    rove::spawn([&] { there = 1; }).get();
    CHECK(there == 1);
    CHECK(*rove::spawn([] { return std::make_unique<int>(3); }).get() == 3);
    CHECK(rove::spawn([] { return std::string(1000, 's'); }).get() == std::string(1000, 's'));
    const auto large = rove::spawn([] {
                         std::array<int, 5000> a;
                         a.fill(8);
                         return a;
                       }).get();
    CHECK((large.front() == 8 && large.back() == 8));
    struct no_default {
      explicit no_default(int v) : value(v) {}
      int value;
    };
    CHECK(rove::spawn([] { return no_default(4); }).get().value == 4);
  });
}

TEST_CASE("task: exceptions go to who asks") {
  on_processors([] {
    auto t = rove::spawn([]() -> int { throw std::runtime_error("from the task"); });
    t.wait();
    CHECK(t.done());
    CHECK_THROWS_WITH(t.get(), "from the task");
    auto v = rove::spawn([] { throw 17; });
    CHECK_THROWS_AS(v.get(), int);
    auto p = rove::spawn([] {
      auto ch = rove::make_chan<int>();
      ch.close();
      ch.close();
    });
    CHECK(panic_of([&] { p.get(); }) == "close of closed channel");
    { auto nobody_asks = rove::spawn([] { throw std::runtime_error("dropped"); }); }
  });
}

TEST_CASE("task: an exception is destroyed once, by who has it last") {
  on_processors([] {
    counted::alive = 0;
    struct error {
      counted c;
    };
    {
      auto t = rove::spawn([] { throw error{counted(1)}; });
      try {
        t.get();
      } catch (const error&) {
        CHECK(counted::alive == 1);
      }
    }
    { auto dropped = rove::spawn([] { throw error{counted(1)}; }); }
    CHECK(counted::alive == 0);
  });
}

TEST_CASE("task: goexit") {
  on_processors([] {
    auto t = rove::spawn([]() -> int { rove::goexit(); });
    t.wait();
    CHECK(t.done());
    CHECK(panic_of([&] { t.get(); }) == "rove: task ended by goexit");
    auto v = rove::spawn([] { rove::goexit(); });
    CHECK(panic_of([&] { v.get(); }) == "rove: task ended by goexit");
  });
}

TEST_CASE("task: ended by its runtime, asked on a plain thread") {
  for (const unsigned n : {1u, 2u, 4u}) {
    rove::runtime rt(with_procs(n));
    auto ch = rove::make_chan<int>();
    auto parked = rt.spawn([ch] { return *ch.recv(); });
    auto done = rt.spawn([] { return 4; });
    done.wait();
    rt.stop();
    parked.wait();  // its goroutine is gone; its last machine may be about to say so
    CHECK(parked.done());
    CHECK(panic_of([&] { parked.get(); }) == "rove: task ended by goexit");
    CHECK(done.get() == 4);
    auto late = rt.spawn([] { return 1; });
    CHECK(panic_of([&] { late.get(); }) == "rove: task ended by goexit");
  }
}

TEST_CASE("task: values are destroyed once, taken or not") {
  on_processors([] {
    counted::alive = 0;
    { auto dropped = rove::spawn([] { return counted(1); }); }
    CHECK(counted::alive == 0);
    {
      auto waited = rove::spawn([c = counted(2)] { return c; });
      waited.wait();
      CHECK(counted::alive == 1);
    }
    CHECK(counted::alive == 0);
    { CHECK(rove::spawn([] { return counted(3); }).get().value == 3); }
    CHECK(counted::alive == 0);
  });
}

TEST_CASE("task: the destructor joins") {
  on_processors([] {
    bool over = false;
    {
      auto t = rove::spawn([&] {
        for (int i = 0; i < 100; ++i) rove::yield();
        over = true;
      });
    }
    CHECK(over);
  });
}

TEST_CASE("task: moves, and waiting more than once") {
  on_processors([] {
    rove::task<int> t;
    CHECK_FALSE(t.valid());
    t = rove::spawn([] { return 1; });
    CHECK(t.valid());
    rove::task<int> u = std::move(t);
    CHECK_FALSE(t.valid());
    u.wait();
    u.wait();
    CHECK(u.get() == 1);
    CHECK_FALSE(u.valid());
    u = rove::spawn([] { return 2; });
    u = rove::spawn([] { return 3; });  // joins the first
    CHECK(u.get() == 3);
  });
}

TEST_CASE("task: many wait for one") {
  on_processors([] {
    auto go_on = rove::make_chan<int>();
    auto t = rove::spawn([&] { return *go_on.recv(); });
    std::atomic<int> seen{0};
    rove::wait_group wg;
    for (int i = 0; i < 50; ++i)
      wg.go([&] {
        t.wait();
        seen += t.done();
      });
    std::thread plain([&] {
      t.wait();
      seen += t.done();
    });
    for (int i = 0; i < 10; ++i) rove::yield();
    go_on.send(9);
    wg.wait();
    rove::blocking([&] { plain.join(); });
    CHECK(seen == 51);
    CHECK(t.get() == 9);
  });
}

TEST_CASE("task: spawned and joined by plain threads") {
  rove::runtime rt(with_procs(2));
  std::atomic<long> sum{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      for (int k = 0; k < 200; ++k) sum += rt.spawn([i, k] { return i * k; }).get();
    });
  for (auto& t : threads) t.join();
  CHECK(sum == 6L * 199 * 100);
  check_nothing_left(rt);
}

TEST_CASE("task: a tree of them") {
  struct tree {
    static int leaves(int depth) {
      if (depth == 0) return 1;
      auto left = rove::spawn(leaves, depth - 1);
      const int right = leaves(depth - 1);
      return left.get() + right;
    }
  };
  on_processors([] { CHECK(tree::leaves(12) == 4096); });
}

TEST_CASE("task: a loop of them ends with its runtime") {
  for (int i = 0; i < 10 * load; ++i) {
    rove::runtime rt(with_procs(2));
    for (int k = 0; k < 4; ++k)
      rt.go([] {
        for (unsigned n = 0;; ++n) {
          { auto t = rove::spawn([] {}); }
          if (n % 4 == 0) rove::yield();
        }
      });
    for (int k = 0; k < i % 10; ++k) std::this_thread::yield();
    rt.stop();
    check_nothing_left(rt);
  }
}
