// wait_group and once.
#include <memory>
#include <optional>
#include <vector>

#include "test/support/fixture.hpp"

using namespace rove_test;

TEST_CASE("wait_group: waits until all are done") {
  on_processors([] {
    rove::wait_group wg;
    wg.wait();  // nothing to wait for
    std::atomic<int> done{0};
    for (int i = 0; i < 100; ++i)
      wg.go([&] {
        rove::yield();
        ++done;
      });
    wg.wait();
    CHECK(done == 100);
    wg.add(5);
    for (int i = 0; i < 5; ++i)
      rove::go([&] {
        ++done;
        wg.done();
      });
    wg.wait();
    CHECK(done == 105);
    wg.add(3);
    wg.add(-3);
    wg.wait();
  });
}

TEST_CASE("wait_group: used again and again") {
  on_processors([] {
    rove::wait_group wg;
    for (int round = 0; round < 50 * load; ++round) {
      int n = 0;
      wg.go([&] { ++n; });
      wg.wait();
      wg.go([&] { ++n; });
      wg.wait();
      if (n != 2) FAIL("came back too early");
    }
  });
}

TEST_CASE("wait_group: many wait, goroutines and threads") {
  on_processors([] {
    rove::wait_group wg;
    wg.add(1);
    std::atomic<int> released{0};
    std::atomic<bool> done{false};
    std::vector<rove::task<void>> tasks;
    std::vector<std::thread> threads;
    const auto wait = [&] {
      wg.wait();
      released += done;
    };
    for (int i = 0; i < 50; ++i) tasks.push_back(rove::spawn(wait));
    for (int i = 0; i < 3; ++i) threads.emplace_back(wait);
    for (int i = 0; i < 10; ++i) rove::yield();
    done = true;
    wg.done();
    tasks.clear();
    rove::blocking([&] {
      for (auto& t : threads) t.join();
    });
    CHECK(released == 53);
  });
}

TEST_CASE("wait_group: destroyed as soon as wait returned") {
  on_processors([] {
    for (int i = 0; i < 200 * load; ++i) {
      auto wg = std::make_unique<rove::wait_group>();
      for (int k = 0; k < 3; ++k) wg->go([] {});
      wg->wait();
    }
  });
}

TEST_CASE("wait_group: destroyed by a plain thread as soon as wait returned") {
  rove::runtime rt(with_procs(2));
  for (int i = 0; i < 100 * load; ++i) {
    auto wg = std::make_unique<rove::wait_group>();
    wg->add(2);
    for (int k = 0; k < 2; ++k) rt.go([w = wg.get()] { w->done(); });
    wg->wait();
  }
  check_nothing_left(rt);
}

TEST_CASE("wait_group: a negative counter panics, and is as before") {
  const auto check = [] {
    rove::wait_group wg;
    const std::string text = "sync: negative WaitGroup counter";
    CHECK(panic_of([&] { wg.done(); }) == text);
    CHECK(panic_of([&] { wg.add(-5); }) == text);
    wg.wait();
    wg.add(2);
    CHECK(panic_of([&] { wg.add(-3); }) == text);
    wg.done();
    wg.done();
    wg.wait();
  };
  check();
  on_processors(check);
}

TEST_CASE("wait_group: large numbers") {
  rove::wait_group wg;
  wg.add(INT32_MAX);
  wg.add(-INT32_MAX);
  wg.wait();
  CHECK(panic_of([&] { wg.add(INT32_MIN); }) == "sync: negative WaitGroup counter");
  wg.wait();
}

TEST_CASE("wait_group: go counts down also if the goroutine is ended or calls goexit") {
  on_processors([] {
    rove::wait_group wg;
    for (int i = 0; i < 10; ++i) wg.go([] { rove::goexit(); });
    wg.wait();
  });
  rove::wait_group wg;
  {
    rove::runtime rt(with_procs(2));
    rt.run([&] {
      for (int i = 0; i < 10; ++i) wg.go([] { rove::chan<int>().recv(); });
    });
  }
  wg.wait();
}

TEST_CASE("wait_group: what a goroutine captured is gone when wait returns") {
  on_processors([] {
    for (int i = 0; i < 50; ++i) {
      counted::alive = 0;
      rove::wait_group wg;
      wg.go([c = counted(1)] { rove::yield(); });
      wg.wait();
      CHECK(counted::alive == 0);
    }
  });
}

TEST_CASE("once: runs once, and everybody waits for it") {
  on_processors([] {
    rove::once o;
    int runs = 0;
    std::atomic<int> saw_it{0};
    rove::wait_group wg;
    const auto use = [&] {
      o.call([&] {
        rove::yield();
        rove::sleep_for(1ms);
        ++runs;
      });
      saw_it += runs == 1;
    };
    for (int i = 0; i < 50; ++i) wg.go(use);
    std::thread plain(use);
    wg.wait();
    rove::blocking([&] { plain.join(); });
    CHECK(runs == 1);
    CHECK(saw_it == 51);
  });
}

TEST_CASE("once: if it throws, the next call tries again") {
  on_processors([] {
    rove::once o;
    std::atomic<int> tries{0}, threw{0};
    rove::wait_group wg;
    for (int i = 0; i < 10; ++i)
      wg.go([&] {
        try {
          o.call([&] {
            rove::yield();
            if (++tries < 4) throw std::runtime_error("not yet");
          });
        } catch (const std::runtime_error&) {
          ++threw;
        }
      });
    wg.wait();
    CHECK(tries == 4);
    CHECK(threw == 3);
    o.call([&] { ++tries; });
    CHECK(tries == 4);
  });
}

TEST_CASE("once: goexit inside lets the next one try") {
  on_processors([] {
    rove::once o;
    rove::spawn([&] { o.call([] { rove::goexit(); }); }).wait();
    int n = 0;
    o.call([&] { ++n; });
    CHECK(n == 1);
  });
}
