// A runtime's end: goroutines that are parked, in every kind of wait, running, sleeping, in `blocking`, unwinding.
#include <vector>

#include "src/sched/scheduler.hpp"
#include "test/support/fixture.hpp"
#include "test/support/go_parked.hpp"

using namespace rove_test;

namespace {

// Where goroutines can wait. Each is parked when its runtime ends.
struct waits {
  rove::chan<int> empty = rove::make_chan<int>();
  rove::chan<int> full = rove::make_chan<int>(1);
  rove::chan<int> nil;
  rove::mutex locked;
  rove::wait_group never_done;
  rove::once running;
  std::atomic<int> unwound{0}, started{0};

  waits() {
    full.send(0);
    locked.lock();
    never_done.add(1);
  }
  ~waits() { locked.unlock(); }

  struct mark {
    waits& w;
    counted c;
    explicit mark(waits& all) : w(all) { ++w.started; }
    ~mark() { ++w.unwound; }
  };

  static constexpr int kinds = 11;
  void wait(int kind) {
    mark m{*this};
    switch (kind) {
      case 0: empty.recv(); break;
      case 1: full.send(1); break;
      case 2: nil.recv(); break;
      case 3: nil.send(1); break;
      case 4: locked.lock(); break;
      case 5: never_done.wait(); break;
      case 6: rove::sleep_for(1h); break;
      case 7: rove::spawn([this] { empty.recv(); }).get(); break;
      case 8: rove::blocking([this] { empty.recv(); }); break;
      case 9:
        rove::lock_os_thread();
        empty.recv();
        break;
      case 10: rove::sleep_for(std::chrono::hours::max()); break;
    }
  }
};

void end_with_all_kinds(rove::at_end how, unsigned procs, bool wait_until_parked) {
  waits w;
  {
    rove::config c = with_procs(procs);
    c.at_end = how;
    rove::runtime rt(c);
    for (int i = 0; i < 3 * waits::kinds; ++i) rt.go([&w, i] { w.wait(i % waits::kinds); });
    if (wait_until_parked) {
      eventually([&] { return w.started == 3 * waits::kinds; });
      eventually([&] { return rt.stats().parks >= 3u * (waits::kinds - 1); });
    }
    rt.stop();
    CHECK(rt.stats().goroutines == 0);
    CHECK(rt.stats().timers == 0);
  }
  if (how == rove::at_end::unwind) CHECK(w.unwound == w.started);
  else CHECK(w.unwound == 0);
  // Nobody is left in the queues: a waiter that was would be written to, and would get the value.
  CHECK_FALSE(w.empty.try_send(1));
  CHECK(w.full.len() == 1);
  CHECK(w.full.try_recv().value == 0);
  CHECK(w.full.len() == 0);
  w.never_done.done();
}

}  // namespace

TEST_CASE("ending: goroutines parked in every kind of wait are unwound") {
  for (int i = 0; i < 20; ++i)
    for (const unsigned n : {1u, 2u, 4u}) {
      counted::alive = 0;
      end_with_all_kinds(rove::at_end::unwind, n, true);
      CHECK(counted::alive == 0);
    }
}

TEST_CASE("ending: at any moment") {
  for (int i = 0; i < 20 * load; ++i) {
    counted::alive = 0;
    end_with_all_kinds(rove::at_end::unwind, 1 + static_cast<unsigned>(i) % 4, false);
    CHECK(counted::alive == 0);
  }
}

TEST_CASE("ending: with abandon no destructor runs, and nobody stays in a queue") {
  for (const unsigned n : {1u, 2u, 4u}) end_with_all_kinds(rove::at_end::abandon, n, true);
  // The descriptors are as new: goroutines that get them run, announce blocking calls and are wired as any.
  on_processors([] {
    for (int i = 0; i < 100; ++i) {
      CHECK(rove::spawn([] {
              return rove::blocking([] {
                auto ch = rove::make_chan<int>(1);
                ch.send(4);
                return *ch.recv();
              });
            }).get() == 4);
    }
  });
}

TEST_CASE("ending: after an abandon, blocking gives the processor away in the same descriptors") {
  rove::config c = with_procs(1);
  c.at_end = rove::at_end::abandon;
  auto ch = rove::make_chan<int>();
  {
    std::atomic<int> inside{0};
    rove::runtime rt(c);
    for (int i = 0; i < 64; ++i)
      rt.go([&inside, &ch] {  // owns nothing: what an abandoned goroutine owns is leaked
        rove::blocking([&] {
          ++inside;
          ch.recv();
        });
      });
    eventually([&] { return inside == 64; });
  }
  rove::run(with_procs(1), [] {
    std::atomic<int> kept{0};
    rove::wait_group wg;
    for (int i = 0; i < 128; ++i)  // at the same time: among their descriptors are those 64
      wg.go([&] { rove::blocking([&] { kept += rove::sched::this_machine()->p != nullptr; }); });
    wg.wait();
    CHECK(kept == 0);
  });
}

TEST_CASE("ending: running goroutines end at their next call that can park") {
  const auto loops = [](int kind, waits& w) {
    waits::mark m{w};
    auto room = rove::make_chan<int>(1);
    rove::mutex free;
    rove::wait_group none;
    for (;;) switch (kind) {
        case 0: rove::yield(); break;
        case 1:  // never has to wait
          room.send(1);
          room.recv();
          break;
        case 2:
          free.lock();
          free.unlock();
          break;
        case 3: none.wait(); break;
        case 4: rove::sleep_for(0s); break;
        case 5: rove::sleep_for(1us); break;
        case 6: rove::spawn([] {}).get(); break;
      }
  };
  for (const unsigned n : {1u, 2u, 4u}) {
    counted::alive = 0;
    waits w;
    {
      rove::runtime rt(with_procs(n));
      for (int i = 0; i < 7; ++i) rt.go(loops, i, std::ref(w));
      eventually([&] { return w.started >= 2; });
    }
    CHECK(w.unwound == w.started);
    CHECK(counted::alive == 0);
  }
}

TEST_CASE("ending: one in blocking is waited for") {
  for (const unsigned n : {1u, 2u}) {
    std::atomic<bool> inside{false}, left{false}, after{false};
    {
      rove::runtime rt(with_procs(n));
      rt.go([&] {
        rove::blocking([&] {
          inside = true;
          while (!rove::sched::current()->home()->is_ending()) std::this_thread::yield();
          std::this_thread::sleep_for(30ms);  // for an end that does not wait
          left = true;
        });
        rove::yield();
        after = true;
      });
      eventually([&] { return inside.load(); });
    }
    CHECK(left);
    CHECK_FALSE(after);
  }
}

TEST_CASE("ending: calls of a goroutine that is being unwound return at once") {
  struct result {
    bool recv_empty = false, locked = false, waited = false, slept = false, sent = false, yielded = false, joined = false,
         go = false;
  };
  for (const unsigned n : {1u, 2u}) {
    result r;
    auto nothing = rove::make_chan<int>();
    rove::mutex held, free;
    held.lock();
    rove::wait_group never;
    never.add(1);
    struct last_words {
      result& r;
      rove::chan<int> ch;
      rove::mutex &held, &free;
      rove::wait_group& never;
      ~last_words() {
        r.recv_empty = !ch.recv().has_value();
        ch.send(1);
        r.sent = true;
        free.lock();
        free.unlock();
        r.locked = free.try_lock();
        never.wait();
        r.waited = true;
        rove::sleep_for(1h);
        r.slept = true;
        rove::yield();
        r.yielded = true;
        rove::go([] {});
        r.go = true;
        r.joined = panic_of([] { rove::spawn([] { return 1; }).get(); }) == "rove: task ended by goexit";
        for (int x : ch) r.recv_empty = x == 0;
        rove::chan<int>().recv();
        rove::chan<int>().send(1);
        rove::blocking([] {});
      }
    };
    {
      rove::runtime rt(with_procs(n));
      rt.go([&] {
        last_words l{r, nothing, held, free, never};
        nothing.recv();
      });
      eventually([&] { return rt.stats().parked == 1; });
    }
    CHECK(r.recv_empty);
    CHECK(r.sent);
    CHECK(r.locked);
    CHECK(r.waited);
    CHECK(r.slept);
    CHECK(r.yielded);
    CHECK(r.go);
    CHECK(r.joined);
    held.unlock();
  }
}

TEST_CASE("ending: a mutex that another holds stays that one's") {
  for (const unsigned n : {1u, 2u}) {
    rove::mutex m;
    m.lock();  // this thread's
    struct locks {
      rove::mutex& m;
      ~locks() {
        m.lock();
        m.unlock();
      }
    };
    auto nothing = rove::make_chan<int>();
    {
      rove::runtime rt(with_procs(n));
      rt.go([&] {
        locks l{m};
        nothing.recv();
      });
      eventually([&] { return rt.stats().parked == 1; });
    }
    CHECK_FALSE(m.try_lock());
    m.unlock();
    CHECK(m.try_lock());
    m.unlock();
  }
}

TEST_CASE("ending: a handler that rethrows, and one for exceptions only, let the end pass") {
  for (const unsigned n : {1u, 2u}) {
    std::atomic<int> passed{0}, wrong{0};
    auto nothing = rove::make_chan<int>();
    {
      rove::runtime rt(with_procs(n));
      rt.go([&] {
        try {
          try {
            nothing.recv();
          } catch (const std::exception&) {
            ++wrong;
          }
        } catch (...) {
          ++passed;
          throw;
        }
      });
      auto t = rt.spawn([&] {
        try {
          nothing.recv();
        } catch (...) {
          ++passed;
          throw;
        }
      });
      eventually([&] { return rt.stats().parked == 2; });
      rt.stop();
      CHECK(panic_of([&] { t.get(); }) == "rove: task ended by goexit");
    }
    CHECK(passed == 2);
    CHECK(wrong == 0);
  }
}

TEST_CASE("ending: what waits for an ended goroutine goes on") {
  rove::runtime host(with_procs(2));
  rove::wait_group wg;
  auto nothing = rove::make_chan<int>();
  {
    rove::runtime rt(with_procs(2));
    rt.run([&] {
      for (int i = 0; i < 10; ++i) wg.go([&] { nothing.recv(); });
    });
    auto waits_for_it = host.spawn([&] { wg.wait(); });
    rt.stop();
    waits_for_it.get();
  }
  check_nothing_left(host);
}

TEST_CASE("ending: who is unwound waits for the goroutines that use its frame") {
  struct parts {
    std::atomic<int> ended{0};
    int seen_by_wait_group = -1, seen_by_task = -1;
  };
  for (const unsigned n : {1u, 2u}) {
    parts p;
    auto nothing = rove::make_chan<int>();
    auto ends_late = [&p, nothing] {
      struct last {
        std::atomic<int>& ended;
        ~last() { ++ended; }
      } l{p.ended};
      nothing.recv();
    };
    {
      rove::runtime rt(with_procs(n));
      rt.go([&] {                                // older than those that it waits for: it is ended first
        struct joiner {
          rove::wait_group wg;
          parts& p;
          ~joiner() {
            wg.wait();
            p.seen_by_wait_group = p.ended;
          }
        } all{{}, p};
        for (int i = 0; i < 3; ++i) all.wg.go(ends_late);
        nothing.recv();
      });
      rt.go([&] {
        struct noter {
          parts& p;
          ~noter() { p.seen_by_task = p.ended; }
        } after{p};
        const rove::task<void> t = rove::spawn(ends_late);
        nothing.recv();
      });
      eventually([&] { return rt.stats().parked == 6; });
    }
    CHECK(p.ended == 4);
    CHECK(p.seen_by_wait_group >= 3);
    CHECK(p.seen_by_task >= 1);
  }
}

TEST_CASE("end: one that is wired, and inside blocking, waits for others as it is unwound") {
  rove::wait_group never_done;
  never_done.add(1);
  struct waits_at_end {
    rove::wait_group& wg;
    counted c;
    ~waits_at_end() { wg.wait(); }
  };
  for (int i = 0; i < load; ++i) {
    rove::runtime rt(with_procs(1));
    std::atomic<std::uint64_t> id{0};
    rt.go([&] {
      rove::lock_os_thread();
      id = rove::this_goroutine::id();
      rove::blocking([&] {
        waits_at_end w{never_done, counted{}};
        rove::chan<int>().recv();
      });
    });
    eventually([&] { return id != 0 && is_parked(id); });
    CHECK(counted::alive == 1);
  }
  CHECK(counted::alive == 0);
  never_done.done();
}
