// blocking: the processor goes on; everything works inside. And system calls that nobody announced.
#include <pthread.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "test/support/fixture.hpp"

using namespace rove_test;

namespace {

// Two ends of a pipe, to block in a read for as long as a test wants.
struct channel_of_bytes {
  int ends[2];
  channel_of_bytes() { REQUIRE(pipe(ends) == 0); }
  ~channel_of_bytes() {
    close(ends[0]);
    close(ends[1]);
  }
  bool get() const {
    char c = 0;
    return read(ends[0], &c, 1) == 1;
  }
  void put() const {
    if (write(ends[1], "x", 1) != 1) std::abort();
  }
};

}  // namespace

TEST_CASE("blocking gives what the call gives") {
  on_processors([] {
    CHECK(rove::blocking([] { return 5; }) == 5);
    rove::blocking([] {});
    int there = 0;
    int& r = rove::blocking([&]() -> int& { return there; });
    CHECK(&r == &there);
    CHECK(*rove::blocking([] { return std::make_unique<int>(6); }) == 6);
    CHECK_THROWS_WITH(rove::blocking([]() -> int { throw std::runtime_error("out of it"); }), "out of it");
    rove::yield();
  });
}

TEST_CASE("blocking: the processor goes on with others") {
  on_processors([] {
    channel_of_bytes bytes;
    std::atomic<int> inside{0};
    rove::wait_group wg;
    for (int i = 0; i < 8; ++i)  // more than processors
      wg.go([&] {
        rove::blocking([&] {
          ++inside;
          bytes.get();
        });
      });
    eventually([&] { return inside == 8; });
    for (int i = 0; i < 8; ++i) bytes.put();
    wg.wait();
  });
}

TEST_CASE("blocking nests") {
  on_processors([] {
    std::atomic<bool> other{false};
    rove::go([&] { other = true; });
    const int n = rove::blocking([&] {
      return rove::blocking([&] {
        while (!other) std::this_thread::yield();
        return rove::blocking([] { return 1; }) + 1;
      }) + 1;
    });
    CHECK(n == 3);
    rove::yield();
    CHECK(rove::spawn([] { return 1; }).get() == 1);
  });
}

TEST_CASE("blocking: channels, mutexes, spawn and yield inside") {
  on_processors([] {
    auto ch = rove::make_chan<int>();
    auto back = rove::make_chan<int>();
    rove::go([=] {
      for (int x : ch) back.send(2 * x);
      back.close();
    });
    rove::mutex m;
    int in_mutex = 0;
    const int sum = rove::blocking([&] {
      int s = 0;
      for (int i = 0; i < 100; ++i) {
        ch.send(i);
        s += *back.recv();
        rove::yield();
        std::lock_guard l(m);
        ++in_mutex;
      }
      ch.close();
      s += rove::spawn([&] { return 1000; }).get();
      rove::go([&] {
        std::lock_guard l(m);
        ++in_mutex;
      });
      rove::sleep_for(1ms);
      return s;
    });
    CHECK(sum == 9900 + 1000);
    eventually([] { return rove::num_goroutines() == 1; });
    std::lock_guard l(m);
    CHECK(in_mutex == 101);
  });
}

TEST_CASE("blocking: an exception comes out of it, after a park too") {
  on_processors([] {
    for (int i = 0; i < 50; ++i) {
      auto ch = rove::make_chan<int>();
      rove::go([ch] { ch.send(1); });
      CHECK_THROWS_WITH(rove::blocking([&] {
        ch.recv();
        throw std::runtime_error("inside");
      }), "inside");
      rove::yield();
    }
    struct blocks {
      ~blocks() { rove::blocking([] { rove::yield(); }); }
    };
    int caught = 0;
    try {
      blocks b;
      throw 5;
    } catch (int n) {
      caught = n;
    }
    CHECK(caught == 5);
  });
}

TEST_CASE("blocking: goexit inside") {
  on_processors([] {
    rove::wait_group wg;
    for (int i = 0; i < 20; ++i)
      wg.go([] {
        rove::blocking([] {
          rove::yield();
          rove::goexit();
        });
      });
    wg.wait();
    channel_of_bytes bytes;
    std::atomic<bool> ran{false};
    wg.go([&] { rove::blocking([&] { bytes.get(); }); });
    wg.go([&] {
      ran = true;
      bytes.put();
    });
    wg.wait();
    CHECK(ran);
  });
}

TEST_CASE("blocking: many go in and out") {
  on_processors([] {
    std::atomic<int> n{0};
    rove::wait_group wg;
    for (int i = 0; i < 50; ++i)
      wg.go([&, i] {
        dice d(static_cast<std::uint64_t>(i));
        for (int k = 0; k < 20 * load; ++k) {
          rove::blocking([&] {
            d.delay();
            ++n;
          });
          d.delay();
        }
      });
    wg.wait();
    CHECK(n == 50 * 20 * load);
  });
}

TEST_CASE("blocking: a timer is served though whoever kept it is in a blocking call") {
  rove::runtime rt(with_procs(2));
  rt.run([] {
    for (int i = 0; i < 3; ++i) {
      auto wake_blocker = rove::make_chan<int>();
      std::atomic<bool> armed{false}, fired{false};
      channel_of_bytes first, second;
      rove::wait_group wg;
      wg.go([&] {
        wake_blocker.recv();
        rove::blocking([&] { first.get(); });
      });
      rove::yield();
      wg.go([&] {
        armed = true;
        rove::sleep_for(200ms);
        fired = true;
        first.put();
        second.put();
      });
      // This processor does not move, so another one runs the sleeper, and then sleeps until its timer is due.
      while (!armed) std::this_thread::yield();
      std::this_thread::sleep_for(50ms);
      rove::blocking([&] {
        std::this_thread::sleep_for(10ms);
        wake_blocker.send(1);  // it runs on the processor that this one left, and blocks too
        second.get();
      });
      wg.wait();
      CHECK(fired);
    }
  });
}

TEST_CASE("calls that block without being announced do not hold up others") {
  // As many as there are processors; what they wait for is done by goroutines that need one.
  on_processors([] {
    const unsigned n = rove::max_procs();
    std::vector<std::unique_ptr<channel_of_bytes>> bytes;
    for (unsigned i = 0; i < n; ++i) bytes.push_back(std::make_unique<channel_of_bytes>());
    std::atomic<unsigned> inside{0};
    rove::wait_group wg;
    for (unsigned i = 0; i < n; ++i)
      wg.go([&, i] {
        ++inside;
        bytes[i]->get();
      });
    for (int i = 0; i < 100; ++i) wg.go([] { rove::yield(); });
    wg.go([&] {
      eventually([&] { return inside == n; });
      for (auto& b : bytes) b->put();
    });
    wg.wait();
    CHECK(inside == n);
  });
}

TEST_CASE("a goroutine that computes for long does not hold up others") {
  on_processors([] {
    const unsigned n = rove::max_procs();
    std::atomic<bool> others_done{false};
    std::atomic<int> done{0};
    rove::wait_group wg;
    for (unsigned i = 0; i < n; ++i)
      wg.go([&] {
        while (!others_done) {  // parks nothing
        }
      });
    for (int i = 0; i < 50; ++i)
      wg.go([&] {
        auto ch = rove::make_chan<int>(1);
        rove::go([ch] { ch.send(1); });
        ch.recv();
        rove::sleep_for(1us);
        if (++done == 50) others_done = true;
      });
    wg.wait();
    CHECK(done == 50);
  });
}

TEST_CASE("goroutines that compute for long, one after the other, on whatever processor") {
  // Each starts the next one when it has run for a while, and goes on until that one runs: on a processor that was
  // started for it, when the one before was held up. That one may be held up as well.
  struct chain {
    static void run(int left, std::atomic<int>& started, rove::wait_group& wg) {
      const int before = ++started;
      const auto until = std::chrono::steady_clock::now() + 30ms;
      while (std::chrono::steady_clock::now() < until) {
      }
      if (left == 0) return;
      wg.go([&, left] { run(left - 1, started, wg); });
      while (started == before) {
      }
    }
  };
  on_processors([] {
    std::atomic<int> started{0};
    rove::wait_group wg;
    wg.go([&] { chain::run(5, started, wg); });
    wg.wait();
    CHECK(started == 6);
  });
}

namespace {

// While it lives the system starts no thread: the size of a stack that nobody asked for is more than there is.
class refused_threads {
 public:
  refused_threads() {
    pthread_getattr_default_np(&before_);
    pthread_attr_t huge;
    pthread_attr_init(&huge);
    pthread_attr_setstacksize(&huge, std::size_t{1} << 60);
    REQUIRE(pthread_setattr_default_np(&huge) == 0);
    pthread_attr_destroy(&huge);
  }
  ~refused_threads() { pthread_setattr_default_np(&before_); }

 private:
  pthread_attr_t before_;
};

}  // namespace

TEST_CASE("blocking: threads are refused while all that there are are inside; later one comes for the rest") {
  constexpr int most = 10;
  channel_of_bytes bytes;
  std::atomic<bool> inside{false}, over{false};
  std::optional<refused_threads> refused;
  std::thread host([&] {  // not the test's thread, which has to see to the end of it
    rove::run(with_procs(1), [&] {
      rove::wait_group wg;
      rove::go([&] {  // the first made is the last to run
        for (int i = 0; i <= most; ++i) bytes.put();
      });
      for (int i = 0; i < most; ++i) wg.go([&] { rove::blocking([&] { bytes.get(); }); });
      refused.emplace();
      rove::blocking([&] {
        inside = true;
        bytes.get();
      });
      wg.wait();
      over = true;
    });
  });
  eventually([&] { return inside.load(); });
  std::this_thread::sleep_for(20ms);
  refused.reset();
  host.join();
  CHECK(over);
}
