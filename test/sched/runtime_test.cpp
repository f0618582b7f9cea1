// class runtime: several in one process, started and stopped, used from plain threads and from each other.
#include <memory>
#include <vector>

#include "test/support/fixture.hpp"

using namespace rove_test;

TEST_CASE("runtime: run gives the result and rethrows") {
  rove::runtime rt(with_procs(2));
  CHECK(rt.run([] { return 3; }) == 3);
  rt.run([] {});
  CHECK_THROWS_WITH(rt.run([]() -> int { throw std::runtime_error("out of run"); }), "out of run");
  CHECK(*rt.run([] { return std::make_unique<int>(4); }) == 4);
  check_nothing_left(rt);
}

TEST_CASE("runtime: start and stop 200 times") {
  for (int i = 0; i < 200; ++i) {
    std::atomic<int> ran{0};
    rove::runtime rt(with_procs(1 + i % 4));
    auto ch = rove::make_chan<int>();
    for (int k = 0; k < 20; ++k)
      rt.go([&ran, ch, k] {
        ++ran;
        if (k % 2) ch.recv();
      });
    if (i % 3) eventually([&] { return ran == 20; });
    if (i % 2) rt.stop();
  }
}

TEST_CASE("runtime: unused, it starts no thread and ends at once") {
  for (int i = 0; i < 200; ++i) rove::runtime rt(with_procs(4));
  const rove::runtime rt(with_procs(4));
  CHECK(rt.stats().goroutines == 0);
  CHECK(rt.stats().threads == 0);
}

TEST_CASE("runtime: stop may be called twice, by several threads, and then nothing starts") {
  counted::alive = 0;
  {
    rove::runtime rt(with_procs(2));
    auto ch = rove::make_chan<int>();
    for (int i = 0; i < 20; ++i) rt.go([ch, c = counted(i)] { ch.recv(); });
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) threads.emplace_back([&] { rt.stop(); });
    for (auto& t : threads) t.join();
    CHECK(rt.stats().goroutines == 0);
    CHECK(counted::alive == 0);
    std::atomic<bool> ran{false};  // not after the stop
    rt.go([&ran, c = counted(0)] { ran = true; });
    rt.stop();
    CHECK_FALSE(ran);
  }
  CHECK(counted::alive == 0);
}

TEST_CASE("runtime: what is started after the stop is destroyed") {
  counted::alive = 0;
  for (int i = 0; i < 200; ++i) {
    rove::runtime rt(with_procs(1 + i % 4));
    rt.go([] {});
    rt.stop();
    for (int k = 0; k < 5; ++k) rt.go([c = counted(k)] {});
  }
  CHECK(counted::alive == 0);
}

TEST_CASE("runtime: started from plain threads while it stops") {
  counted::alive = 0;
  for (int i = 0; i < 50; ++i) {
    rove::runtime rt(with_procs(2));
    std::atomic<bool> stopped{false};
    std::thread starter([&] {
      while (!stopped) {
        rt.go([c = counted(1)] { rove::yield(); });
        std::this_thread::yield();
      }
    });
    eventually([&] { return rt.stats().spawned > 10; });
    rt.stop();
    stopped = true;
    starter.join();
  }
  CHECK(counted::alive == 0);
}

TEST_CASE("runtime: stop inside one of its goroutines panics, inside another's it works") {
  rove::runtime a(with_procs(2)), b(with_procs(2));
  CHECK(a.run([&] { return panic_of([&] { a.stop(); }); }) == "rove: runtime stopped from one of its goroutines");
  auto ch = rove::make_chan<int>();
  b.go([ch] { ch.recv(); });
  a.run([&] { rove::blocking([&] { b.stop(); }); });
  CHECK(b.stats().goroutines == 0);
}

TEST_CASE("runtime: go and spawn start goroutines here, whoever calls") {
  rove::runtime a(with_procs(1)), b(with_procs(2));
  const std::uint64_t before = b.stats().spawned;
  CHECK(a.run([&] { return b.spawn([] { return rove::max_procs(); }).get(); }) == 2);
  CHECK(b.run([&] { return a.spawn([] { return rove::max_procs(); }).get(); }) == 1);
  CHECK(b.stats().spawned == before + 2);
  CHECK(a.run([] { return rove::spawn([] { return rove::max_procs(); }).get(); }) == 1);
}

TEST_CASE("runtime: goroutines of two meet on one channel") {
  for (const unsigned n : {1u, 2u}) {
    rove::runtime a(with_procs(n)), b(with_procs(3 - n));
    auto there = rove::make_chan<int>();
    auto back = rove::make_chan<int>(3);
    auto echo = b.spawn([=] {
      for (int x : there) back.send(x + 1);
      back.close();
    });
    const long sum = a.run([=] {
      rove::go([=] {
        for (int i = 0; i < 1000; ++i) there.send(i);
        there.close();
      });
      long s = 0;
      for (int x : back) s += x;
      return s;
    });
    CHECK(sum == 500500);
    echo.get();
    check_nothing_left(a);
    check_nothing_left(b);
  }
}

TEST_CASE("runtime: a mutex and a wait_group shared by two and by plain threads") {
  rove::runtime a(with_procs(2)), b(with_procs(2));
  rove::mutex m;
  rove::wait_group wg;
  long n = 0;
  const int rounds = 300 * load;
  const auto work = [&] {
    for (int i = 0; i < rounds; ++i) {
      m.lock();
      ++n;
      m.unlock();
    }
    wg.done();
  };
  wg.add(6);
  std::thread c(work), d(work);
  for (int i = 0; i < 2; ++i) {
    a.go(work);
    b.go(work);
  }
  wg.wait();
  c.join();
  d.join();
  CHECK(n == 6L * rounds);
}

TEST_CASE("runtime: one ends while the other waits for it") {
  auto ch = rove::make_chan<int>();
  rove::runtime a(with_procs(1));
  auto waits = a.spawn([ch] { return ch.recv().has_value(); });
  struct closes {
    rove::chan<int> ch;
    ~closes() { ch.close(); }
  };
  {
    rove::runtime b(with_procs(1));
    auto nothing = rove::make_chan<int>();
    std::atomic<bool> parked{false};
    b.go([&parked, nothing, ch] {
      closes c{ch};
      parked = true;
      nothing.recv();
    });
    eventually([&] { return parked.load(); });
  }
  CHECK_FALSE(waits.get());
}

TEST_CASE("runtime: stats") {
  rove::runtime rt(with_procs(2));
  auto ch = rove::make_chan<int>();
  for (int i = 0; i < 10; ++i) rt.go([ch] { ch.recv(); });
  for (int i = 0; i < 5; ++i) rt.go([] { rove::sleep_for(1h); });
  eventually([&] { return rt.stats().parked == 15; });
  rove::statistics s = rt.stats();
  CHECK(s.goroutines == 15);
  CHECK(s.timers == 5);
  CHECK(s.spawned == 15);
  CHECK(s.parks >= 15);
  CHECK(s.switches >= 15);
  CHECK(s.threads >= 1);
  CHECK(s.stack_reserved >= 15 * 16384);
  CHECK(s.stack_resident >= 15 * 4096);
  ch.close();
  eventually([&] {  // who ran the last of them counts as running until it rests
    s = rt.stats();
    return s.goroutines == 5 && s.parked == 5;
  });
  CHECK(s.runnable == 0);
  CHECK(s.timers == 5);
}

TEST_CASE("runtime: goroutines started on every one are spread, ids are the process's") {
  rove::runtime a(with_procs(1)), b(with_procs(1));
  std::uint64_t last = 0;
  for (int i = 0; i < 50; ++i) {
    const std::uint64_t x = a.run([] { return rove::this_goroutine::id(); });
    const std::uint64_t y = b.run([] { return rove::this_goroutine::id(); });
    CHECK(x != y);
    CHECK(x != last);
    last = y;
  }
}
