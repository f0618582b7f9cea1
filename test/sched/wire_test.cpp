// lock_os_thread: a goroutine and its thread, and nothing else on that thread.
#include <vector>

#include "test/support/fixture.hpp"

using namespace rove_test;

TEST_CASE("wired: the thread stays, whatever the goroutine waits for") {
  on_processors([] {
    rove::wait_group wg;
    std::atomic<int> good{0};
    auto ping = rove::make_chan<int>();
    auto pong = rove::make_chan<int>();
    rove::mutex m;
    wg.go([=] {
      for (int x : ping) pong.send(x);
    });
    wg.go([&, ping, pong] {
      rove::lock_os_thread();
      const long thread = thread_now();
      for (int i = 0; i < 50; ++i) {
        ping.send(i);
        good += pong.recv() == i && thread_now() == thread;
        rove::yield();
        good += thread_now() == thread;
        rove::sleep_for(1us);
        good += thread_now() == thread;
        m.lock();
        m.unlock();
        rove::blocking([&] { good += thread_now() == thread; });
        good += thread_now() == thread;
        rove::spawn([] {}).get();
        good += thread_now() == thread;
      }
      ping.close();
      rove::unlock_os_thread();
    });
    wg.wait();
    CHECK(good == 50 * 6);
  });
}

TEST_CASE("wired: no other goroutine runs on its thread") {
  on_processors([] {
    std::atomic<long> wired{0};
    std::atomic<int> wrong{0};
    std::atomic<bool> over{false};
    rove::wait_group wg;
    wg.go([&] {
      rove::lock_os_thread();
      wired = thread_now();
      for (int i = 0; i < 200; ++i) {
        rove::yield();
        if (i % 20 == 0) rove::sleep_for(100us);
      }
      wired = 0;
      rove::unlock_os_thread();
      over = true;
    });
    for (int i = 0; i < 10; ++i)
      wg.go([&] {
        while (!over) {
          const long w = wired;
          if (w != 0 && thread_now() == w && wired == w) ++wrong;
          rove::yield();
        }
      });
    wg.wait();
    CHECK(wrong == 0);
  });
}

TEST_CASE("wired: nests") {
  on_processors([] {
    rove::wait_group wg;
    std::atomic<bool> stayed{true};
    wg.go([&] {
      rove::lock_os_thread();
      rove::lock_os_thread();
      const long thread = thread_now();
      rove::unlock_os_thread();
      for (int i = 0; i < 50; ++i) {
        rove::sleep_for(1us);
        if (thread_now() != thread) stayed = false;
      }
      rove::unlock_os_thread();
      rove::unlock_os_thread();  // once too often: nothing happens
    });
    wg.wait();
    CHECK(stayed);
    migrate();  // an unwired one is free to move
  });
}

TEST_CASE("wired: may end locked") {
  on_processors([] {
    for (int i = 0; i < 30; ++i) {
      rove::spawn([] { rove::lock_os_thread(); }).get();
      rove::spawn([] {
        rove::lock_os_thread();
        rove::yield();
        rove::goexit();
      }).wait();
    }
    CHECK(rove::spawn([] { return 1; }).get() == 1);
  });
}

TEST_CASE("wired: more of them than processors, handing values around") {
  on_processors([] {
    constexpr int n = 8;
    std::vector<rove::chan<int>> ring;
    for (int i = 0; i <= n; ++i) ring.push_back(rove::make_chan<int>());
    std::atomic<int> moved{0};
    rove::wait_group wg;
    for (int i = 0; i < n; ++i)
      wg.go([&, in = ring[i], out = ring[i + 1]] {
        rove::lock_os_thread();
        const long thread = thread_now();
        for (int x : in) {
          if (thread_now() != thread) ++moved;
          out.send(x + 1);
        }
        out.close();
      });
    for (int i = 0; i < 50; ++i) {
      ring[0].send(i);
      CHECK(ring[n].recv() == i + n);
    }
    ring[0].close();
    wg.wait();
    CHECK(moved == 0);
  });
}

TEST_CASE("wired: main, and the number of processors changes") {
  rove::run(with_procs(2), [] {
    rove::lock_os_thread();
    const long thread = thread_now();
    for (unsigned n : {1u, 3u, 1u, 4u}) {
      rove::set_max_procs(n);
      rove::spawn([] { rove::sleep_for(1us); }).get();
      CHECK(thread_now() == thread);
    }
  });
}

TEST_CASE("wired: exceptions and errno stay right") {
  on_processors([] {
    auto t = rove::spawn([] {
      rove::lock_os_thread();
      try {
        throw 5;
      } catch (int) {
        errno = 9;
        rove::sleep_for(10us);
        const bool same = errno == 9;
        throw same ? std::runtime_error("same") : std::runtime_error("different");
      }
    });
    CHECK_THROWS_WITH(t.get(), "same");
  });
}
