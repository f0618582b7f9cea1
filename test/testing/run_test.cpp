// Deterministic runs: the same seed, the same interleaving; the virtual clock; leaks, deadlocks, panics.
#include <rove/rove.hpp>
#include <rove/test.hpp>

#include <set>
#include <span>
#include <stdexcept>

#include "test/catch.hpp"
#include "test/debug/child.hpp"

using namespace std::chrono_literals;

namespace {

// Something of everything that is decided: starts, channels, a select, locks, timers, yields.
void busy_program(std::string* log = nullptr) {
  const auto note = [log](char c) {
    if (log) *log += c;
  };
  auto a = rove::make_chan<int>(), b = rove::make_chan<int>(2);
  rove::mutex m;
  rove::wait_group wg;
  int sum = 0;
  for (int k = 0; k < 4; ++k)
    wg.go([&, k] {
      for (int i = 0; i < 3; ++i) {
        a.send(k);
        b.send(k);
        m.lock();
        rove::yield();
        ++sum;
        m.unlock();
        note(static_cast<char>('a' + k));
      }
    });
  for (int k = 0; k < 2; ++k)
    wg.go([&, k] {
      for (int i = 0; i < 12; ++i) {
        rove::select(a.on_recv([&] { note('1'); }), b.on_recv([&] { note('2'); }));
        if (i % 4 == k) rove::sleep_for(1ms);
      }
    });
  wg.wait();
  if (sum != 12) throw std::logic_error("sum");
}

rove::test::failure::kind failure_of(std::uint64_t seed, void (*f)(), std::string& text, std::size_t& count) {
  try {
    rove::test::run(seed, f);
  } catch (const rove::test::failure& e) {
    text = e.what();
    count = e.goroutines();
    REQUIRE(e.seed() == seed);
    return e.what_failed();
  }
  FAIL("no failure");
  return {};
}

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("the same seed gives the same interleaving, another one mostly another", "[testing]") {
  std::vector<std::string> logs;
  std::vector<rove::test::result> results;
  for (const std::uint64_t seed : {7u, 7u, 8u, 9u, 0u}) {
    std::string log;
    results.push_back(rove::test::run(seed, [&] { busy_program(&log); }));
    logs.push_back(log);
  }
  CHECK(logs[0] == logs[1]);
  CHECK(results[0].schedule == results[1].schedule);
  CHECK(results[0].fingerprint == results[1].fingerprint);
  CHECK(results[0].elapsed == results[1].elapsed);
  CHECK(results[0].seed == 7);
  CHECK(results[0].decisions == results[0].schedule.size());
  CHECK(results[0].schedule.front() == 0);
  CHECK(results[0].schedule != results[2].schedule);
  CHECK(results[2].schedule != results[3].schedule);
  CHECK(results[3].schedule != results[4].schedule);
  std::set<std::string> different(logs.begin(), logs.end());
  CHECK(different.size() == 4);
}

TEST_CASE("another runtime beside a run does not change it", "[testing]") {
  const auto alone = rove::test::run(3, [] { busy_program(); });
  rove::config c;
  c.max_procs = 2;
  std::atomic<bool> stop{false};  // the runtime ends before it
  rove::runtime other(c);
  for (int i = 0; i < 2; ++i)
    other.go([&stop] {
      auto x = rove::make_chan<int>(1), y = rove::make_chan<int>(1);
      while (!stop) {
        x.send(1);
        y.send(1);
        for (int k = 0; k < 2; ++k) rove::select(x.on_recv(), y.on_recv());
        rove::yield();
      }
    });
  const auto beside = rove::test::run(3, [] { busy_program(); });
  stop = true;
  CHECK(beside.schedule == alone.schedule);
}

TEST_CASE("two runs on two threads", "[testing]") {
  const auto alone = rove::test::run(5, [] { busy_program(); });
  rove::test::result there;
  std::thread t([&] { there = rove::test::run(5, [] { busy_program(); }); });
  const auto here = rove::test::run(5, [] { busy_program(); });
  t.join();
  CHECK(here.schedule == alone.schedule);
  CHECK(there.schedule == alone.schedule);
}

TEST_CASE("time jumps to the next timer when all are parked, and to no other moment", "[testing]") {
  const auto r = rove::test::run(1, [] {
    const rove::time_point start = rove::now();
    CHECK(start.time_since_epoch() == 946'684'800s);
    std::vector<std::int64_t> woken;
    rove::wait_group wg;
    for (const int hours : {3, 1, 2})
      wg.go([&woken, hours, start] {
        rove::sleep_for(std::chrono::hours(hours));
        woken.push_back((rove::now() - start) / 1h);
      });
    auto tick = rove::ticker(40min);
    CHECK(tick.c().recv() == start + 40min);
    rove::sleep_until(start + 90min);
    CHECK(rove::now() == start + 90min);
    CHECK(tick.c().recv() == start + 80min);
    CHECK(rove::now() == start + 90min);
    CHECK(rove::after(1ns).recv() == start + 90min + 1ns);
    wg.wait();
    CHECK(woken == std::vector<std::int64_t>{1, 2, 3});
    CHECK(rove::now() == start + 3h);
    rove::blocking([] { rove::sleep_for(1h); });
    CHECK(rove::now() == start + 4h);
    rove::sleep_until(std::chrono::steady_clock::now() + 1h);  // a point of the real clock is past
    CHECK(rove::now() == start + 4h);
  });
  CHECK(r.elapsed == 4h);
  CHECK(rove::now() < rove::time_point(946'684'800s));
}

TEST_CASE("limits of waits, contexts and after_func come at their very instant", "[testing]") {
  rove::test::run(2, [] {
    const rove::time_point start = rove::now();
    auto [ctx, cancel] = rove::with_timeout(rove::background(), 5s);
    CHECK(ctx.deadline() == start + 5s);
    int called = 0;
    auto later = rove::after_func(5s, [&called] { ++called; });
    rove::sleep_for(5s - 1ns);
    rove::test::wait();
    CHECK_FALSE(ctx.err());
    CHECK(called == 0);
    rove::sleep_for(1ns);
    rove::test::wait();
    CHECK(ctx.err() == rove::errc::deadline_exceeded);
    CHECK(called == 1);
    cancel();

    auto ch = rove::make_chan<int>();
    CHECK_FALSE(ch.recv_for(250ms).value);
    CHECK(rove::now() == start + 5s + 250ms);
    CHECK(rove::select(ch.on_recv(), rove::on_timeout(750ms)) == 1);
    CHECK(rove::now() == start + 6s);
    rove::mutex m;
    m.lock();
    bool got = true;
    rove::spawn([&] { got = m.try_lock_for(1s); }).wait();
    CHECK_FALSE(got);
    CHECK(rove::now() == start + 7s);
    m.unlock();
  });
}

TEST_CASE("test::wait returns when the others have done what they can", "[testing]") {
  rove::test::run(4, [] {
    bool done = false;
    auto ch = rove::make_chan<int>();
    rove::go([&] {
      for (int i = 0; i < 20; ++i) rove::yield();
      done = true;
      ch.recv();
    });
    rove::test::wait();
    CHECK(done);
    const rove::time_point before = rove::now();
    rove::go([] { rove::sleep_for(1h); });
    rove::test::wait();  // it waits for nobody who sleeps
    CHECK(rove::now() == before);
    ch.send(1);
    CHECK(rove::test::seed() == 4);
    std::string second;
    rove::go([&second] {
      try {
        rove::test::wait();
      } catch (const rove::panic& p) {
        second = p.what();
      }
    });
    try {
      rove::test::wait();
    } catch (const rove::panic& p) {
      second = p.what();
    }
    rove::sleep_for(2h);
    CHECK(second == "rove: test::wait called by two goroutines at once");
  });
  CHECK(rove::test::seed() == 0);
  CHECK_THROWS_WITH(rove::test::wait(), "rove: test::wait called outside of test::run");
}

TEST_CASE("goroutines that are left are listed with what they wait for and where they were started", "[testing]") {
  static int ended = 0;
  struct guard {
    ~guard() { ++ended; }
  };
  std::string text;
  std::size_t count = 0;
  const auto kind = failure_of(
      11,
      [] {
        auto ch = rove::make_chan<int>();
        rove::options o;
        o.name = "forgotten";
        rove::go(o, [ch] {
          const guard g;
          ch.recv();
        });
        rove::go([] {
          const guard g;
          rove::sleep_for(1h);
        });
        rove::sleep_for(180s);
      },
      text, count);
  INFO(text);
  CHECK(kind == rove::test::failure::kind::leak);
  CHECK(count == 2);
  CHECK(ended == 2);
  CHECK(contains(text, "2 goroutines are left at the end of the test (seed 11)\n\ngoroutine "));
  CHECK(contains(text, "\"forgotten\" [chan receive, 3 minutes]:\n"));
  CHECK(contains(text, "[sleep, 3 minutes]:\n"));
  CHECK(contains(text, "created by "));
  CHECK_FALSE(contains(text, "task join"));
}

TEST_CASE("a deadlock is a failure that lists who waits, and what was begun is unwound", "[testing]") {
  static int ended = 0;
  std::string text;
  std::size_t count = 0;
  const auto kind = failure_of(
      12,
      [] {
        struct guard {
          ~guard() { ++ended; }
        } g;
        rove::mutex a, b;
        rove::wait_group wg;
        wg.go([&] {
          std::unique_lock first(a);
          rove::sleep_for(1s);
          std::unique_lock second(b);
        });
        wg.go([&] {
          std::unique_lock first(b);
          rove::sleep_for(1s);
          std::unique_lock second(a);
        });
        wg.add(1);  // of somebody who never comes
        wg.wait();
      },
      text, count);
  INFO(text);
  CHECK(kind == rove::test::failure::kind::deadlock);
  CHECK(count == 3);
  CHECK(ended == 1);
  CHECK(contains(text, "all goroutines are asleep - deadlock! (seed 12)\n\ngoroutine "));
  CHECK(contains(text, "[sync.Mutex.Lock]:\n"));
  CHECK(contains(text, "[sync.WaitGroup.Wait]:\n"));
}

TEST_CASE("what f throws is thrown by run, and by explore", "[testing]") {
  CHECK_THROWS_WITH(rove::test::run(1, [] { throw std::runtime_error("mine"); }), "mine");
  int runs = 0;
  const auto fails_late = [&runs] {
    if (++runs == 4) throw std::runtime_error("fourth");
  };
  CHECK_THROWS_AS(rove::test::explore(10, fails_late), std::runtime_error);
  CHECK(runs == 4);
  CHECK_THROWS_WITH(rove::test::run(1, [] { rove::goexit(); }), "rove: task ended by goexit");
  rove::test::run(1, [] { CHECK_THROWS_WITH(rove::test::run(1, [] {}), "rove: test::run called inside a goroutine"); });
}

TEST_CASE("a panic of another goroutine says which seed it was", "[testing]") {
  const auto e = rove_test::run_in_child([] {
    rove::test::run(23, [] {
      rove::go([] { throw std::runtime_error("of another"); });
      rove::sleep_for(1s);
    });
  });
  INFO(e.error_output);
  CHECK(e.signal == SIGABRT);
  CHECK(contains(e.error_output,
                 "rove::test: failed with seed 23; ROVE_TEST_SEED=23 runs it again\npanic: of another\n"));
}

TEST_CASE("ROVE_TEST_SEED is taken instead of the argument", "[testing]") {
  const auto e = rove_test::run_in_child([] {
    setenv("ROVE_TEST_SEED", "77", 1);
    int runs = 0;
    std::uint64_t seed = 0;
    const auto f = [&] {
      ++runs;
      seed = rove::test::seed();
    };
    const auto r = rove::test::run(1, f);
    if (r.seed != 77 || seed != 77) _exit(1);
    if (rove::test::explore(100, f) != 1 || runs != 2 || seed != 77) _exit(2);
    setenv("ROVE_TEST_SEED", "77x", 1);
    rove::test::run(1, f);
  });
  CHECK(e.status == 2);
  CHECK(contains(e.error_output, "fatal error: rove: ROVE_TEST_SEED=77x is not a number\n"));
}

TEST_CASE("plain threads and pipes work in a run; the clock then goes on with the real one", "[testing]") {
  rove::test::run(6, [] {
    auto ch = rove::make_chan<int>(4);
    rove::blocking([&] { std::thread([ch] { ch.send(1); }).join(); });
    CHECK(ch.recv() == 1);
    auto [in, out] = rove::io::pipe();
    const rove::time_point before = rove::now();
    std::atomic<bool> slept{false};
    std::thread writer([&out = out, &slept] {
      while (!slept) std::this_thread::yield();
      const char c = 'x';
      out.write(std::as_bytes(std::span(&c, 1)));
    });
    rove::go([&slept] {
      rove::sleep_for(1us);
      slept = true;
    });
    char c = 0;
    CHECK(in.read(std::as_writable_bytes(std::span(&c, 1))) == 1);
    writer.join();
    CHECK(rove::now() - before >= 1us);
    CHECK(rove::now() - before < 1h);
    rove::lock_os_thread();
    rove::yield();
    rove::unlock_os_thread();
  });
}
