// run: the main goroutine, its result, and what a goroutine may know of its runtime.
#include <memory>
#include <vector>

#include "test/support/fixture.hpp"

using namespace rove_test;

TEST_CASE("run gives main's value, and 0 for void") {
  CHECK(rove::run([] {}) == 0);
  CHECK(rove::run([] { return 42; }) == 42);
  CHECK(rove::run(with_procs(2), [] { return std::string("text"); }) == "text");
  const auto p = rove::run(with_procs(1), [] { return std::make_unique<int>(7); });
  CHECK(*p == 7);
}

TEST_CASE("run may be called again and again") {
  int sum = 0;
  for (int i = 0; i < 200; ++i) sum += rove::run(with_procs(1 + i % 4), [i] { return i; });
  CHECK(sum == 199 * 100);
}

TEST_CASE("run takes a callable by reference and calls it once") {
  struct main_function {
    int calls = 0;
    int operator()() { return ++calls; }
  } f;
  CHECK(rove::run(f) == 1);
  CHECK(f.calls == 1);
}

TEST_CASE("run works on several threads at once") {
  std::atomic<int> sum{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&sum, i] {
      for (int k = 0; k < 10; ++k)
        sum += rove::run(with_procs(2), [i] { return rove::spawn([i] { return i; }).get(); });
    });
  for (std::thread& t : threads) t.join();
  CHECK(sum == 60);
}

TEST_CASE("run inside a goroutine panics") {
  std::string text;
  rove::run([&] { text = panic_of([] { rove::run([] {}); }); });
  CHECK(text == "rove: run called inside a goroutine");
}

TEST_CASE("when main returns the others end") {
  for (const unsigned n : {1u, 2u, 4u}) {
    counted::alive = 0;
    std::atomic<int> started{0};
    rove::run(with_procs(n), [&] {
      auto ch = rove::make_chan<int>();
      for (int i = 0; i < 100; ++i)
        rove::go([&started, ch, c = counted(i)] {
          counted on_stack;
          ++started;
          ch.recv();
        });
      eventually([&] { return started == 100; });
    });
    CHECK(counted::alive == 0);
  }
}

TEST_CASE("goroutines that were never dispatched are destroyed with their closures") {
  counted::alive = 0;
  rove::run(with_procs(1), [] {
    for (int i = 0; i < 1000; ++i) rove::go([c = counted(i)] {});
  });
  CHECK(counted::alive == 0);
}

TEST_CASE("goexit in main lets the others go on") {
  // Another goroutine ends the process's wait: a report is made only when none is left (reports_test).
  on_processors([] {
    std::atomic<bool> destroyed{false}, after{false};
    struct at_exit {
      std::atomic<bool>& b;
      ~at_exit() { b = true; }
    };
    rove::wait_group wg;
    wg.go([&] {
      at_exit a{destroyed};
      rove::goexit();
      after = true;
    });
    wg.wait();
    CHECK(destroyed);
    CHECK_FALSE(after);
  });
}

TEST_CASE("goexit: destructors run and may park") {
  on_processors([] {
    auto ch = rove::make_chan<int>();
    struct says {
      rove::chan<int> ch;
      ~says() { ch.send(5); }
    };
    rove::go([&] {
      says s{ch};
      rove::goexit();
    });
    CHECK(ch.recv() == 5);
  });
}

TEST_CASE("on a plain thread") {
  CHECK(rove::this_goroutine::id() == 0);
  CHECK(rove::this_goroutine::name().empty());
  rove::this_goroutine::set_name("nobody");
  CHECK(rove::this_goroutine::name().empty());
  CHECK(rove::this_goroutine::stack_left() == 0);
  CHECK(rove::num_goroutines() == 0);
  CHECK(rove::max_procs() >= 1);
  rove::yield();
  rove::lock_os_thread();
  rove::unlock_os_thread();
  CHECK(rove::blocking([] { return 3; }) == 3);
  const std::string none = "rove: no runtime on this thread";
  CHECK(panic_of([] { rove::go([] {}); }) == none);
  CHECK(panic_of([] { (void)rove::spawn([] {}); }) == none);
  CHECK(panic_of([] { rove::set_max_procs(2); }) == none);
  CHECK(panic_of([] {
    rove::wait_group wg;
    wg.go([] {});
  }) == none);
  CHECK(panic_of([] { rove::goexit(); }) != "");
}

TEST_CASE("a go that panics destroys what it was given") {
  counted::alive = 0;
  CHECK(panic_of([] { rove::go([c = counted(1)] {}); }) != "");
  CHECK(panic_of([] { (void)rove::spawn([c = counted(1)] {}); }) != "");
  rove::wait_group wg;
  CHECK(panic_of([&] { wg.go([c = counted(1)] {}); }) != "");
  wg.wait();  // what it added was taken back
  CHECK(counted::alive == 0);
}

TEST_CASE("num_goroutines counts those that have not ended") {
  on_processors([] {
    CHECK(rove::num_goroutines() == 1);
    auto ch = rove::make_chan<int>();
    for (int i = 0; i < 50; ++i) rove::go([ch] { ch.recv(); });
    CHECK(rove::num_goroutines() == 51);
    ch.close();
    eventually([] { return rove::num_goroutines() == 1; });
  });
}

TEST_CASE("on_thread_start and on_thread_stop are called on each thread of the runtime") {
  std::atomic<int> starts{0}, stops{0};
  rove::config c = with_procs(4);
  c.on_thread_start = [&] { ++starts; };
  c.on_thread_stop = [&] { ++stops; };
  {
    rove::runtime rt(c);
    rt.run([] {
      std::atomic<int> inside{0};
      rove::wait_group wg;
      for (int i = 0; i < 3; ++i)
        wg.go([&] {
          rove::blocking([&] {
            ++inside;
            while (inside < 3) std::this_thread::yield();
          });
        });
      wg.wait();
    });
  }
  CHECK(starts >= 3);
  CHECK(stops == starts);
}
