// Priorities: who comes first, who never takes the last worker, and that nobody waits for ever.
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "test/support/fixture.hpp"

using namespace rove_test;

namespace {

constexpr rove::options frame{.priority = rove::priority::frame}, background{.priority = rove::priority::background};

// A runtime with one processor that runs when the test says so: its order can be told exactly.
struct stepped {
  rove::runtime rt;
  std::string order;

  stepped() : rt(settings()) {
    rt.go([] { rove::yield(); });  // a processor's very first dispatch is a slice's end
    run();
  }
  static rove::config settings() {
    rove::config c = with_procs(1);
    c.own_threads = false;
    return c;
  }
  void run() {
    while (rt.poll(1h)) {
    }
  }
};

}  // namespace

TEST_CASE("priority: the frame's come first, the background's last") {
  stepped s;
  for (int i = 0; i < 4; ++i) s.rt.go(background, [&] { s.order += 'b'; });
  for (int i = 0; i < 10; ++i) s.rt.go([&] { s.order += 'n'; });
  for (int i = 0; i < 6; ++i) s.rt.go(frame, [&] { s.order += 'f'; });
  s.run();
  CHECK(s.order == "ffffffnnnnnnnnnnbbbb");

  s.order.clear();  // started, woken and yielding on a processor that is at work
  const auto gate = rove::make_chan<int>();
  for (int i = 0; i < 3; ++i)
    s.rt.go(frame, [&, gate] {
      gate.recv();
      s.order += 'f';
      rove::yield();
      s.order += 'F';
    });
  s.run();
  s.rt.go([&, gate] {
    for (int i = 0; i < 5; ++i) rove::go([&] { s.order += 'n'; });
    rove::go(background, [&] { s.order += 'b'; });
    gate.close();
    rove::go(frame, [&] { s.order += 'g'; });
    s.order += '-';
    rove::yield();
    s.order += '+';
  });
  s.run();
  CHECK(s.order.size() == 3 * 2 + 5 + 1 + 1 + 2);
  CHECK(s.order.front() == '-');
  CHECK(s.order.back() == 'b');
  CHECK(s.order.find_first_of("n+") > s.order.find_last_of("fgF"));
  check_nothing_left(s.rt);
}

TEST_CASE("priority: a normal one comes at least once in 64 dispatches, one of the background every 10 ms") {
  stepped s;
  bool over = false;
  int turns = 0, normal_turns = 0, most_between = 0, since = 0;
  for (int i = 0; i < 3; ++i)
    s.rt.go(frame, [&] {
      while (!over) {
        ++turns;
        most_between = std::max(most_between, ++since);
        rove::yield();
      }
    });
  s.rt.go([&] {
    for (; normal_turns < 100; ++normal_turns) {
      since = 0;
      rove::yield();
    }
    over = true;
  });
  s.run();
  CHECK(turns >= 100);
  CHECK(most_between <= 64);

  for (const unsigned procs : {1u, 2u}) {
    rove::runtime rt(with_procs(procs));
    std::atomic<bool> stop{false}, ran{false};
    for (unsigned i = 0; i < 2 * procs; ++i) {
      const auto busy = [&] {
        while (!stop) rove::yield();
      };
      if (i % 2)
        rt.go(frame, busy);
      else
        rt.go(busy);
    }
    rt.go(background, [&] { ran = true; });
    while (!ran) std::this_thread::yield();
    stop = true;
    check_nothing_left(rt);
  }
}

TEST_CASE("priority: the background never takes the last worker") {
  for (const unsigned procs : {2u, 3u}) {
    rove::runtime rt(with_procs(procs));
    std::atomic<unsigned> inside{0}, most{0}, ended{0};
    std::atomic<bool> stop{false};
    for (unsigned i = 0; i < 3 * procs; ++i)
      rt.go(background, [&] {
        const unsigned now = ++inside;
        unsigned seen = most;
        while (seen < now && !most.compare_exchange_weak(seen, now)) {
        }
        while (!stop) std::this_thread::yield();  // computes
        --inside;
        ++ended;
      });
    while (inside < procs - 1) std::this_thread::yield();
    for (int i = 0; i < 20; ++i) {
      CHECK(rt.run([] { return 7; }) == 7);       // a worker is left for it, and for the frame's
      CHECK(rt.spawn(frame, [] { return 8; }).get() == 8);
    }
    std::this_thread::sleep_for(30ms);            // longer than until a spare is started
    CHECK(inside == procs - 1);
    stop = true;
    while (ended < 3 * procs) std::this_thread::yield();
    CHECK(most <= procs - 1);
    check_nothing_left(rt);
  }
}

TEST_CASE("priority: nor does it if it is wired to threads, or was waiting for descriptors while all workers were busy") {
  int pipes[4][2];
  for (auto& p : pipes) REQUIRE(pipe(p) == 0);
  for (const auto& [procs, wired] : {std::pair(2u, true), std::pair(3u, true), std::pair(2u, false)}) {
    rove::runtime rt(with_procs(procs));
    std::atomic<unsigned> coming{0}, inside{0}, most{0}, ended{0}, busy{0};
    std::atomic<bool> stop{false}, busy_over{false};
    for (auto& p : pipes)
      rt.go(background, [&, wired = wired, end = p[0]] {
        ++coming;
        if (wired) {
          rove::lock_os_thread();
          for (int i = 0; i < 50; ++i) rove::yield();
        } else {
          rove::io::wait(end, rove::io::readable);
        }
        const unsigned now = ++inside;
        unsigned seen = most;
        while (seen < now && !most.compare_exchange_weak(seen, now)) {
        }
        while (!stop) std::this_thread::yield();  // computes
        --inside;
        ++ended;
      });
    if (!wired) {
      while (coming < 4) std::this_thread::yield();
      for (int i = 0; i < 2; ++i)
        rt.go([&] {
          ++busy;
          while (!busy_over) std::this_thread::yield();
        });
      while (busy < 2) std::this_thread::yield();
      for (auto& p : pipes) REQUIRE(write(p[1], "x", 1) == 1);
      std::this_thread::sleep_for(20ms);          // sysmon finds them
      busy_over = true;
    }
    while (inside == 0) std::this_thread::yield();
    std::this_thread::sleep_for(20ms);
    stop = true;
    while (ended < 4) std::this_thread::yield();
    CHECK(most <= procs - 1);
    rt.spawn(background, [] {}).get();            // nobody is counted any more
    check_nothing_left(rt);
  }
  for (auto& p : pipes) close(p[0]), close(p[1]);
}

TEST_CASE("priority: what is in `blocking` takes no worker from the background, and one alone may have the only one") {
  rove::runtime rt(with_procs(2));
  std::atomic<int> blocked{0};
  for (int i = 0; i < 4; ++i)
    rt.go(background, [&] {
      rove::blocking([&] {
        ++blocked;
        while (blocked < 4) std::this_thread::yield();  // for each other
      });
      rove::yield();
    });
  check_nothing_left(rt);
  CHECK(blocked == 4);

  rove::runtime single(with_procs(1));
  std::atomic<int> steps{0};
  single.spawn(background, [&] {
    rove::lock_os_thread();
    for (; steps < 10; ++steps) {
      rove::yield();
      rove::sleep_for(10us);
    }
    rove::unlock_os_thread();
    rove::go([&] { ++steps; });
  }).get();
  check_nothing_left(single);
  CHECK(steps == 11);
}

TEST_CASE("priority: all at once, with names and stacks, hosts, locks and an end in the middle") {
  for (int round = 0; round < load + 2; ++round) {
    rove::config c = with_procs(1 + static_cast<unsigned>(round) % 3);
    c.own_threads = round % 4 != 3;
    rove::runtime rt(c);
    rove::host h(rt);
    std::atomic<int> done{0};
    const auto ch = rove::make_chan<int>(2);
    rove::mutex m;
    constexpr int all = 30;
    const rove::priority kinds[] = {rove::priority::frame, rove::priority::normal, rove::priority::background};
    for (int i = 0; i < all; ++i)
      rt.go(rove::options{.name = i % 2 ? "named" : "", .priority = kinds[i % 3]}, [&, ch, i] {
        dice d(static_cast<std::uint64_t>(round * all + i));
        for (int k = 0; k < 20; ++k) {
          d.delay();
          if (d.below(4) == 0) {
            const std::scoped_lock hold(m);
            rove::yield();
          } else if (d.below(4) == 0) {
            ch.send_for(k, 50us);
          } else if (d.below(4) == 0) {
            ch.recv_for(50us);
          } else if (d.below(8) == 0) {
            const rove::on_host guard(h);
          } else if (d.below(8) == 0) {
            rove::spawn(rove::options{.priority = kinds[d.below(3)]}, [] { rove::yield(); }).wait();
          }
        }
        ++done;
      });
    const bool whole = round % 2 == 0;
    for (int k = 0; whole ? done < all : k < 30; ++k) {
      h.poll(50us);
      if (!c.own_threads) rt.poll(50us);
    }
    rt.stop();
    CHECK((done == all || !whole));
    CHECK(rt.stats().goroutines == 0);
  }
}
