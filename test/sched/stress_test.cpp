// All of it at once, with goroutines that are forced from thread to thread and random delays. ROVE_SEED repeats a run's
// choices (not the machine's).
#include <vector>

#include "test/support/fixture.hpp"

using namespace rove_test;

namespace {

// What stays true of a goroutine wherever it runs: its locals of every kind, its id, its exception.
class resident {
 public:
  explicit resident(std::uint64_t seed) : number_(seed), real_(static_cast<double>(seed) / 3), id_(rove::this_goroutine::id()) {}

  template <class F>
  void over(F f) {
    std::uint64_t a = number_ * 3, b = number_ ^ 0x5555, c = a + b;
    double x = real_ + 1, y = real_ * 2;
    f();
    good_ = good_ && a == number_ * 3 && b == (number_ ^ 0x5555) && c == a + b && x == real_ + 1 && y == real_ * 2 &&
            rove::this_goroutine::id() == id_;
  }
  bool good() const { return good_; }

 private:
  std::uint64_t number_;
  double real_;
  std::uint64_t id_;
  bool good_ = true;
};

struct world {
  rove::chan<int> unbuffered = rove::make_chan<int>(), buffered = rove::make_chan<int>(3);
  rove::mutex mutex;
  long guarded = 0;
  std::atomic<long> sent{0}, received{0}, locked{0};
  std::atomic<int> wrong{0};
};

void step(world& w, dice& d, resident& self) {
  const auto& ch = d.below(2) ? w.unbuffered : w.buffered;
  switch (d.below(12)) {
    case 0: self.over([] { rove::yield(); }); break;
    case 1: self.over([&] { w.sent += ch.try_send(1); }); break;
    case 2: self.over([&] { w.received += ch.try_recv().value.has_value(); }); break;
    case 3: self.over([&] {
      std::lock_guard l(w.mutex);
      ++w.guarded;
      ++w.locked;
      if (d.below(8) == 0) rove::yield();
    }); break;
    case 4: self.over([&] { w.wrong += rove::spawn([n = d.below(100)] { return n + 1; }).get() == 0; }); break;
    case 5: self.over([&] { rove::sleep_for(std::chrono::microseconds(d.below(30))); }); break;
    case 6: self.over([&] { rove::blocking([&] { d.delay(); }); }); break;
    case 7: self.over([&] {
      try {
        throw static_cast<int>(d.below(100));
      } catch (int before) {
        rove::yield();
        d.delay();
        try {
          throw;
        } catch (int after) {
          w.wrong += before != after;
        }
      }
    }); break;
    case 8: self.over([&] {
      rove::lock_os_thread();
      const long thread = thread_now();
      rove::yield();
      d.delay();
      w.wrong += thread_now() != thread;
      rove::unlock_os_thread();
    }); break;
    case 9: self.over([&] {  // a pair that must meet
      auto own = rove::make_chan<int>();
      rove::go([own] { own.send(7); });
      w.wrong += own.recv() != 7;
    }); break;
    case 10: self.over([&] {
      // Shared: if the waiter is ended, those it waits for still count.
      const auto wg = std::make_shared<rove::wait_group>();
      for (unsigned i = d.below(5); i > 0; --i) {
        wg->add(1);
        rove::go([wg] {
          struct leave {
            rove::wait_group& wg;
            ~leave() { wg.done(); }
          } l{*wg};
          rove::yield();
        });
      }
      wg->wait();
    }); break;
    default: d.delay(); break;
  }
}

}  // namespace

TEST_CASE("stress: everything at once") {
  INFO("seed " << seed());
  on_processors([] {
    world w;
    rove::wait_group wg;
    for (int i = 0; i < 32; ++i)
      wg.go([&, i] {
        dice d(static_cast<std::uint64_t>(i));
        resident self(d.next());
        for (int k = 0; k < 60 * load; ++k) step(w, d, self);
        if (!self.good()) ++w.wrong;
      });
    wg.wait();
    while (w.buffered.try_recv().value) ++w.received;
    CHECK(w.wrong == 0);
    CHECK(w.guarded == w.locked);
    CHECK(w.sent == w.received);
  });
}

TEST_CASE("stress: forced from thread to thread") {
  INFO("seed " << seed());
  on_processors([] {
    rove::wait_group wg;
    std::atomic<int> wrong{0};
    auto ch = rove::make_chan<int>();
    for (int i = 0; i < 4; ++i)
      wg.go([&, i] {
        dice d(static_cast<std::uint64_t>(i));
        resident self(d.next());
        for (int k = 0; k < 3; ++k) {
          self.over([] { migrate(); });
          d.delay();
        }
        if (!self.good()) ++wrong;
      });
    wg.wait();
    CHECK(wrong == 0);
  });
}

TEST_CASE("stress: the number of processors changes, and the runtime ends in the middle") {
  INFO("seed " << seed());
  for (int round = 0; round < 5 * load; ++round) {
    auto w = std::make_unique<world>();
    {
      rove::runtime rt(with_procs(1 + static_cast<unsigned>(round) % 4));
      for (int i = 0; i < 16; ++i)
        rt.go([&w, i, round] {
          dice d(static_cast<std::uint64_t>(100 * round + i));
          resident self(d.next());
          for (;;) {
            if (d.below(50) == 0) rove::set_max_procs(1 + d.below(6));
            step(*w, d, self);
            if (!self.good()) ++w->wrong;
          }
        });
      eventually([&] { return rt.stats().spawned > 200; });
    }
    if (w->wrong != 0) CHECK(w->wrong == 0);
    if (!w->mutex.try_lock()) FAIL("a mutex stayed locked");
  }
}

TEST_CASE("stress: two runtimes and plain threads share everything") {
  INFO("seed " << seed());
  world w;
  std::atomic<int> bad{0};
  {
    rove::runtime a(with_procs(2)), b(with_procs(1));
    rove::wait_group wg;
    const auto work = [&](int i) {
      dice d(static_cast<std::uint64_t>(i));
      resident self(d.next());
      for (int k = 0; k < 60 * load; ++k) step(w, d, self);
      bad += !self.good();
      wg.done();
    };
    wg.add(16);
    for (int i = 0; i < 8; ++i) {
      a.go(work, i);
      b.go(work, 100 + i);
    }
    std::thread plain([&] {
      dice d(1000);
      for (int k = 0; k < 200 * load; ++k) {
        switch (d.below(4)) {
          case 0: w.sent += w.buffered.try_send(1); break;
          case 1: w.received += w.buffered.try_recv().value.has_value(); break;
          case 2: {
            std::lock_guard l(w.mutex);
            ++w.guarded;
            ++w.locked;
            break;
          }
          default: bad += a.spawn([] { return 3; }).get() != 3; break;
        }
        d.delay();
      }
    });
    wg.wait();
    plain.join();
    check_nothing_left(a);
    check_nothing_left(b);
  }
  while (w.buffered.try_recv().value) ++w.received;
  CHECK(bad == 0);
  CHECK(w.wrong == 0);
  CHECK(w.guarded == w.locked);
  CHECK(w.sent == w.received);
}

TEST_CASE("stress: a thread wakes the last goroutine of a runtime, which ends while the thread is still about to return") {
  std::atomic<bool> over{false};
  auto ch = rove::make_chan<int>();
  std::thread waker([&] {
    for (int i = 0; !over; ++i)
      if (!ch.try_send(i)) std::this_thread::yield();
  });
  int last = -1, grew = 0;
  for (int i = 0; i < 150 * load; ++i) {
    rove::runtime rt(with_procs(2));
    const int got = *rt.run([&] { return ch.recv(); });
    grew += got > last;
    last = got;
  }
  over = true;
  waker.join();
  CHECK(grew == 150 * load);
}
