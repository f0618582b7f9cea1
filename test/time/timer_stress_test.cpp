// Timers that many goroutines and threads set, stop and receive from at the same time.
//
// Each setting is used up once: by the tick or the call, by a stop that says true, or by the next setting that says
// true.
#include <vector>

#include "test/support/fixture.hpp"

using namespace rove_test;

namespace {

struct account {
  std::atomic<long> set{0}, taken_back{0}, came{0};
  bool balanced() const { return set == taken_back + came; }
};

template <class Timer>
void change(Timer& t, account& a, dice& d) {
  switch (d.below(4)) {
    case 0: a.taken_back += t.stop(); break;
    case 1:
      ++a.set;
      a.taken_back += t.reset(std::chrono::microseconds(d.below(50)));
      break;
    case 2:
      ++a.set;
      a.taken_back += t.reset(std::chrono::microseconds(d.below(2000)));
      break;
    case 3:
      ++a.set;
      a.taken_back += t.reset(1h);
      break;
  }
}

// `body(index)` in goroutines of a runtime and on plain threads, all at the same time.
template <class Body>
void everybody(unsigned procs, Body body) {
  rove::runtime rt(with_procs(procs));
  plain_threads threads;
  for (unsigned i = 0; i < 2; ++i) threads.start([&, i] { body(100 + i); });
  rt.run([&] {
    rove::wait_group wg;
    for (unsigned i = 0; i < 4; ++i) wg.go([&, i] { body(i); });
    wg.wait();
  });
  threads.join();
}

}  // namespace

TEST_CASE("timer stress: every tick is received once, or taken back") {
  for (const unsigned procs : {1u, 2u, 4u}) {
    std::vector<rove::timer> timers;
    for (int i = 0; i < 8; ++i) timers.emplace_back(1h);
    account a;
    a.set = 8;
    everybody(procs, [&](unsigned index) {
      dice d(index);
      for (int i = 0; i < 300 * load; ++i) {
        rove::timer &one = timers[d.below(8)], &two = timers[d.below(8)];
        switch (d.below(5)) {
          case 0: a.came += one.c().try_recv().value.has_value(); break;
          case 1: a.came += one.c().recv_for(std::chrono::microseconds(d.below(100))).value.has_value(); break;
          case 2:
            a.came += rove::select(one.c().on_recv(), two.c().on_recv(),
                                   rove::on_timeout(std::chrono::microseconds(d.below(100)))) != 2;
            break;
          default: change(one, a, d);
        }
        d.delay();
      }
    });
    for (rove::timer& t : timers) a.taken_back += t.stop();
    CHECK(a.balanced());
    for (rove::timer& t : timers) CHECK_FALSE(t.c().try_recv().value);
  }
}

TEST_CASE("timer stress: every function is called once for each setting, or taken back") {
  for (const unsigned procs : {1u, 2u, 4u}) {
    rove::runtime rt(with_procs(procs));
    account a;
    std::vector<rove::timer> timers;
    rt.run([&] {
      for (int i = 0; i < 8; ++i) timers.push_back(rove::after_func(1h, [&a] { ++a.came; }));
      a.set = 8;
    });
    everybody(procs, [&](unsigned index) {
      dice d(index);
      for (int i = 0; i < 300 * load; ++i) {
        change(timers[d.below(8)], a, d);
        d.delay();
      }
    });
    for (rove::timer& t : timers) a.taken_back += t.stop();
    eventually([&] { return a.balanced(); });
    rove::sleep_for(3ms);
    CHECK(a.balanced());
  }
}

TEST_CASE("timer stress: a storm of timers, armed, reset and stopped") {
  on_processors([] {
    constexpr int rounds = 5 * load, n = 2000;
    std::atomic<long> wrong{0};
    rove::wait_group wg;
    for (unsigned g = 0; g < 10; ++g)
      wg.go([&, g] {
        dice d(g);
        std::vector<rove::timer> timers;
        for (int i = 0; i < n; ++i) timers.push_back(rove::after_func(1h, [&] { ++wrong; }));
        for (int r = 0; r < rounds; ++r)
          for (int i = 0; i < n / 10; ++i) timers[d.below(n)].reset(std::chrono::minutes(1 + d.below(1000)));
        for (rove::timer& t : timers) wrong += !t.stop();
      });
    wg.wait();
    CHECK(wrong == 0);
  });
}

TEST_CASE("timer stress: channels that go away while others wait, on a runtime that ends") {
  std::atomic<int> wrong{0};
  for (int i = 0; i < 10 * load; ++i) {
    rove::ticker k(50us);
    rove::timer t(1h);
    plain_threads threads;
    threads.start([&] { wrong += !t.c().recv(); });
    {
      rove::runtime rt(with_procs(2));
      for (unsigned g = 0; g < 6; ++g)
        rt.go([&, g] {
          dice d(g);
          for (;;) {
            const auto soon = rove::after(std::chrono::microseconds(d.below(90)));
            rove::select(t.c().on_recv(), k.c().on_recv(), soon.on_recv());
          }
        });
      rove::sleep_for(200us);
      if (i % 2) t.reset(1ms);
    }
    t.reset(0s);
    threads.join();
  }
  CHECK(wrong == 0);
}
