// What happens before what: channels, goroutines, tasks, locks. The data that is handed over is plain, so that
// ThreadSanitizer finds every order that is missing; elsewhere the values themselves are looked at.
#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "src/os/lock_rank.hpp"
#include "test/conformance/memory_model.hpp"

using namespace rove_test;

namespace {

template <int Capacity>
struct with_chan {
  rove::chan<int> ch = rove::make_chan<int>(Capacity);
  int x = 0;
};

constexpr auto sends = [](auto& s) { s.ch.send(1); };
constexpr auto receives = [](auto& s) { s.ch.recv(); };
constexpr auto closes = [](auto& s) { s.ch.close(); };
constexpr auto tries_until_received = [](auto& s) {
  for (auto r = s.ch.try_recv(); !r.value && !r.closed; r = s.ch.try_recv()) rove::yield();
};
constexpr auto tries_until_sent = [](auto& s) {
  while (!s.ch.try_send(1)) rove::yield();
};

}  // namespace

TEST_CASE("memory model: a send comes before its receive returns") {
  ordered<with_chan<0>>(sends, receives);
  ordered<with_chan<1>>(sends, receives);
  ordered<with_chan<10>>(sends, receives);
  ordered<with_chan<10>>(sends, tries_until_received);
  ordered<with_chan<0>>(sends, tries_until_received);
  ordered<with_chan<0>>(tries_until_sent, receives);
}

TEST_CASE("memory model: unbuffered, a receive comes before its send returns") {
  ordered<with_chan<0>>(receives, sends);
  ordered<with_chan<0>>(tries_until_received, sends);
  ordered<with_chan<0>>(receives, tries_until_sent);
}

TEST_CASE("memory model: a close comes before the receive that sees it") {
  ordered<with_chan<0>>(closes, receives);
  ordered<with_chan<10>>(closes, receives);
  ordered<with_chan<10>>(closes, tries_until_received);
  ordered<with_chan<2>>(closes, [](auto& s) {
    for ([[maybe_unused]] int v : s.ch) FAIL("a value out of nowhere");
  });
}

TEST_CASE("memory model: a close may be seen by a try, or not yet") {
  on_processors([] {
    for (int i = 0; i < rounds; ++i) {
      int x = 0;
      auto written = rove::make_chan<int>(), read = rove::make_chan<int>();
      verdict v;
      rove::go([&, written, read] {
        if (written.try_recv().closed) v.expect(x == 1);
        read.close();
      });
      auto writer = rove::spawn([&, written] {
        x = 1;
        written.close();
      });
      read.recv();
      writer.wait();
      CHECK(v.wrong() == 0);
    }
  });
}

TEST_CASE("memory model: the k-th receive comes before the k+C-th send returns") {
  on_processors([] {
    for (const int capacity : {1, 2, 5}) {
      // Each slot is written before its value is sent and read before the room is given back: it is then free again.
      const auto n = static_cast<std::size_t>(capacity);
      auto ch = rove::make_chan<std::size_t>(capacity);
      auto room = rove::make_chan<std::monostate>(capacity);
      std::vector<long> slots(n);
      auto reader = rove::spawn([&] {
        long sum = 0;
        for (const std::size_t k : ch) {
          sum += slots[k];
          room.recv();
        }
        return sum;
      });
      long sum = 0;
      for (std::size_t i = 0; i < 100 * load; ++i) {
        room.send({});
        slots[i % n] = static_cast<long>(i);
        sum += static_cast<long>(i);
        ch.send(i % n);
      }
      ch.close();
      CHECK(reader.get() == sum);
    }
  });
}

TEST_CASE("memory model: a buffer of one is a mutex, one of C lets C in and is a wait_group when filled") {
  on_processors([] {
    auto lock = rove::make_chan<std::monostate>(1);
    long guarded = 0;
    const auto add = [&] {
      for (int i = 0; i < 20 * load; ++i) {
        lock.send({});
        ++guarded;
        lock.recv();
      }
    };
    rove::wait_group wg;
    for (int i = 0; i < 4; ++i) wg.go(add);
    std::thread plain(add);
    wg.wait();
    rove::blocking([&] { plain.join(); });
    CHECK(guarded == 5L * 20 * load);

    for (int round = 0; round < rounds / 10; ++round) {
      constexpr int n = 10, capacity = 5;
      auto running = rove::make_chan<bool>(capacity);
      std::array<int, n> data{};
      for (std::size_t i = 0; i < n; ++i) {
        running.send(true);
        rove::go([&data, running, i] {
          data[i] = 42;
          running.recv();
        });
      }
      for (int i = 0; i < capacity; ++i) running.send(true);
      CHECK(data == std::array<int, n>{42, 42, 42, 42, 42, 42, 42, 42, 42, 42});
    }
  });
}

TEST_CASE("memory model: a buffer of elements without size keeps the same order") {
  on_runtimes([](rove::runtime& rt) {
    for (int i = 0; i < rounds / 4; ++i) {
      int x = 0, y = 0;
      auto ch = rove::make_chan<std::monostate>(2);
      ch.send({});
      ch.send({});
      const auto take = [ch](int& mine) {
        ++mine;
        ch.recv();
      };
      rove::go(take, std::ref(x));
      rove::go(take, std::ref(y));
      ch.send({});
      ch.send({});
      CHECK(x++ == 1);
      CHECK(y++ == 1);
    }
    static_cast<void>(rt);
  });
}

TEST_CASE("memory model: the order holds for a sender that had to wait") {
  on_processors([] {
    for (int i = 0; i < rounds / 2; ++i) {
      auto ch = rove::make_chan<int*>(1);
      ch.send(nullptr);
      int value = 0;
      go_parked([&value, ch] {
        value = 42;
        ch.send(&value);
      });
      CHECK(*ch.recv() == nullptr);
      int* const p = i % 2 ? *ch.recv() : *ch.try_recv().value;
      CHECK((*p)++ == 42);
    }
  });
}

TEST_CASE("memory model: what a sent pointer points to, and what a request's answer wrote") {
  on_processors([] {
    struct request {
      std::function<void()> call;
      rove::chan<bool> done;
    };
    auto requests = rove::make_chan<request>();
    rove::go([requests] {
      for (const request& r : requests) {
        r.call();
        r.done.send(true);
      }
    });
    for (int i = 0; i < rounds; ++i) {
      auto boxes = rove::make_chan<std::unique_ptr<int>>();
      rove::go([boxes, i] { boxes.send(std::make_unique<int>(i)); });
      auto box = *boxes.recv();
      CHECK((*box)++ == i);

      int x = 0;
      auto done = rove::make_chan<bool>(1);
      requests.send({[&] { x = i + 1; }, done});
      done.recv();
      CHECK(x == i + 1);
    }
    requests.close();
  });
}

TEST_CASE("memory model: a value is read before it is sent, the variable may be overwritten by what is received") {
  on_processors([] {
    for (int i = 0; i < rounds; ++i) {
      int x = 7;
      auto ch = rove::make_chan<int>(i % 2 * 10);
      auto other = rove::spawn([&x, ch] { ch.send(std::as_const(x)); });
      x = *ch.recv() + 1;
      CHECK(x == 8);
      other.get();
    }
  });
}

TEST_CASE("memory model: starting a goroutine comes before it runs, its end before its task's wait and get") {
  on_processors([] {
    for (int i = 0; i < rounds; ++i) {
      int x = i;
      auto task = rove::spawn([&x, i] { return x++ == i; });
      CHECK(task.get());
      CHECK(x++ == i + 1);
      auto second = rove::spawn([&x] { ++x; });
      second.wait();
      CHECK(x++ == i + 3);
      auto third = rove::spawn([&x] { ++x; });
      if (i % 2) rove::yield();
      while (!third.done()) rove::yield();
      CHECK(x++ == i + 5);
      { const auto joined = rove::spawn([&x] { ++x; }); }
      CHECK(x == i + 7);
    }
  });
  rove::runtime rt(with_procs(2));  // the same for a plain thread
  for (int i = 0; i < rounds; ++i) {
    int x = i;
    rt.spawn([&x] { ++x; }).wait();
    CHECK(x++ == i + 1);
    rt.run([&x] { ++x; });
    CHECK(x == i + 3);
  }
}

TEST_CASE("memory model: what goroutines did comes before the end of their runtime") {
  for (int i = 0; i < rounds / 10 + 1; ++i) {
    std::array<int, 8> data{};
    std::atomic<int> ran{0};
    rove::run(with_procs(2), [&] {
      for (int& d : data)
        rove::go([&d, &ran] {
          ran.fetch_add(1, std::memory_order_relaxed);  // orders nothing
          d = 1;
        });
      rove::yield();
    });
    int sum = 0;
    for (int& d : data) sum += std::exchange(d, 2);
    CHECK(sum == ran);
  }
}

TEST_CASE("memory model: an unlock comes before the next lock") {
  struct state {
    rove::mutex m;
    int x = 0;
    bool written = false;  // guarded by m
  };
  ordered<state>(
      [](state& s) {  // x is written outside
        const std::lock_guard lock(s.m);
        s.written = true;
      },
      [](state& s) {
        for (bool seen = false; !seen;) {
          if (!s.m.try_lock()) s.m.lock();
          seen = s.written;
          s.m.unlock();
          rove::yield();
        }
      });
  if (rove::os::debug_checks) return;  // what follows is refused then: unlocked by another goroutine, as a signal
  on_processors([] {
    for (int i = 0; i < rounds; ++i) {
      rove::mutex m;
      std::string a;
      m.lock();
      auto other = rove::spawn([&] {
        a = "written by the other";
        m.unlock();
      });
      m.lock();
      CHECK(a == "written by the other");
      a.clear();
      m.unlock();
      other.get();
    }
  });
}

TEST_CASE("memory model: once, its run comes before every call's return") {
  on_processors([] {
    for (int i = 0; i < rounds; ++i) {
      rove::once o;
      std::string text;
      verdict v;
      rove::wait_group wg;
      for (int g = 0; g < 4; ++g)
        wg.go([&] {
          o.call([&] { text = "set once"; });
          v.expect(text == "set once");
        });
      wg.wait();
      CHECK(v.wrong() == 0);
    }
  });
}
