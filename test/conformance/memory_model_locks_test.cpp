// What happens before what: shared_mutex, condition_variable, semaphore, barrier, latch, event, groups.
#include <mutex>
#include <shared_mutex>
#include <string>
#include <system_error>

#include "test/conformance/memory_model.hpp"

using namespace rove_test;

TEST_CASE("memory model: shared_mutex, a writer's unlock comes before readers and the next writer") {
  on_processors([] {
    rove::shared_mutex m;
    long a = 0, b = 0;
    verdict v;
    rove::wait_group wg;
    const auto write = [&] {
      for (int i = 0; i < 20 * load; ++i) {
        const std::lock_guard l(m);
        ++a;
        ++b;
      }
    };
    const auto read = [&] {
      for (int i = 0; i < 20 * load; ++i) {
        const std::shared_lock l(m);
        v.expect(a == b);
      }
    };
    for (int g = 0; g < 2; ++g) wg.go(write);
    for (int g = 0; g < 4; ++g) wg.go(read);
    std::thread writer(write), reader(read);
    wg.wait();
    rove::blocking([&] {
      writer.join();
      reader.join();
    });
    CHECK(v.wrong() == 0);
    CHECK(a == 60L * load);
  });
}

TEST_CASE("memory model: shared_mutex, all readers' unlocks come before the next writer's lock") {
  on_processors([] {
    for (int i = 0; i < rounds; ++i) {
      rove::shared_mutex m;
      std::array<int, 3> read{};  // each written by one reader, under its read lock
      std::atomic<int> locked{0};
      rove::wait_group wg;
      for (int& r : read)
        wg.go([&] {
          m.lock_shared();
          locked.fetch_add(1, std::memory_order_relaxed);  // orders nothing
          rove::yield();
          r = 1;
          m.unlock_shared();
        });
      while (locked.load(std::memory_order_relaxed) != 3) rove::yield();
      m.lock();
      for (int& r : read) CHECK(r++ == 1);
      m.unlock();
      wg.wait();
    }
  });
}

TEST_CASE("memory model: condition_variable, what comes before a notify is seen by who was waiting") {
  struct state {
    rove::mutex m;
    rove::condition_variable c;
    bool ready = false;
    int x = 0;
  };
  ordered<state>(
      [](state& s) {
        const std::lock_guard l(s.m);
        s.ready = true;
        s.c.notify_one();
      },
      [](state& s) {
        std::unique_lock l(s.m);
        s.c.wait(l, [&] { return s.ready; });
      });
}

TEST_CASE("memory model: semaphore, a release comes before the acquire that it lets through") {
  struct state {
    rove::semaphore s{2};
    int x = 0;
    state() { s.acquire(2); }
  };
  ordered<state>([](state& s) { s.s.release(2); }, [](state& s) { s.s.acquire(2); });
  ordered<state>([](state& s) { s.s.release(1); }, [](state& s) { s.s.acquire(rove::background(), 1); });
  ordered<state>([](state& s) { s.s.release(1); },
                 [](state& s) {
                   while (!s.s.try_acquire(1)) rove::yield();
                 });
}

TEST_CASE("memory model: latch and event, a count_down and a set come before the wait that they end") {
  struct with_latch {
    rove::latch l{1};
    int x = 0;
  };
  ordered<with_latch>([](auto& s) { s.l.count_down(); }, [](auto& s) { s.l.wait(); });
  ordered<with_latch>([](auto& s) { s.l.count_down(); },
                      [](auto& s) {
                        while (!s.l.try_wait()) rove::yield();
                      });
  struct with_event {
    rove::event e;
    int x = 0;
  };
  ordered<with_event>([](auto& s) { s.e.set(); }, [](auto& s) { s.e.wait(); });
  ordered<with_event>([](auto& s) { s.e.set(); },
                      [](auto& s) {
                        while (!s.e.wait_for(200us)) {
                        }
                      });
  struct with_manual_event {
    rove::event e{rove::event::manual_reset};
    int x = 0;
  };
  ordered<with_manual_event>([](auto& s) { s.e.set(); }, [](auto& s) { s.e.wait(); });
}

TEST_CASE("memory model: barrier, what is done in a phase comes before the next one") {
  on_processors([] {
    constexpr std::size_t n = 4;
    rove::barrier b(n);
    std::array<int, n> a{}, sums{};
    rove::wait_group wg;
    for (std::size_t g = 0; g < n; ++g)
      wg.go([&, g] {
        for (int phase = 1; phase <= 10 * load; ++phase) {
          a[g] = phase;
          b.arrive_and_wait();
          int sum = 0;
          for (const int v : a) sum += v;
          sums[g] += sum == phase * static_cast<int>(n);
          b.arrive_and_wait();
        }
      });
    wg.wait();
    for (const int s : sums) CHECK(s == 10 * load);
  });
}

TEST_CASE("memory model: once_value and singleflight, the call comes before every one that has its result") {
  on_processors([] {
    for (int i = 0; i < rounds; ++i) {
      std::string text;
      auto f = rove::once_value([&] { return text = "made by one", &text; });
      rove::singleflight<int, std::string*> flight;
      std::string flown;
      verdict v;
      rove::wait_group wg;
      for (int g = 0; g < 4; ++g)
        wg.go([&] {
          v.expect(*f() == "made by one");
          flight.call(1, [&] {
            if (flown.empty()) flown = "flown";
            return &flown;
          });
          v.expect(flown == "flown");
        });
      wg.wait();
      CHECK(v.wrong() == 0);
    }
  });
}

TEST_CASE("memory model: error_group, what its goroutines did comes before wait, an error before the context's end") {
  on_processors([] {
    const std::error_code doomed(71, std::generic_category());
    for (int i = 0; i < rounds / 2; ++i) {
      rove::error_group g;
      const rove::context ctx = g.context();
      int x = 0, y = 0;
      verdict v;
      g.go([&] {
        x = 1;
        return doomed;
      });
      g.go([&] {
        ctx.done().recv();
        v.expect(x == 1);
        y = 1;
      });
      CHECK(g.wait() == doomed);
      CHECK(x++ + y++ == 2);
      CHECK(v.wrong() == 0);
    }
  });
}
