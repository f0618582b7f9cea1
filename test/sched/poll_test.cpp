// runtime::poll: a host lends its thread, beside the runtime's own ones or in place of them.
#include <chrono>
#include <thread>
#include <vector>

#include <rove/io.hpp>

#include "test/support/fixture.hpp"

using namespace rove_test;
using namespace std::chrono_literals;

namespace {

rove::config hosted(unsigned procs, std::function<void()> on_work = {}) {
  rove::config c = with_procs(procs);
  c.own_threads = false;
  c.on_work = std::move(on_work);
  return c;
}

}  // namespace

TEST_CASE("poll: a runtime without threads runs on the calling thread, and only then") {
  rove::runtime rt(hosted(1));
  const auto here = std::this_thread::get_id();
  int steps = 0;
  rt.go([&] {
    for (int i = 0; i < 3; ++i) {
      CHECK(std::this_thread::get_id() == here);
      ++steps;
      rove::yield();
    }
  });
  std::this_thread::sleep_for(2ms);
  CHECK(steps == 0);
  CHECK(rt.poll(1h));
  CHECK(steps == 3);
  CHECK_FALSE(rt.poll(1h));  // nothing is runnable
  CHECK(rt.stats().threads == 0);
}

TEST_CASE("poll: goroutines wait for each other, for timers and for plain threads") {
  rove::runtime rt(hosted(2));
  const auto ch = rove::make_chan<int>();
  const auto from_host = rove::make_chan<int>(1);
  int sum = 0;
  bool slept = false;
  rt.go([&, ch] {
    for (int x : ch) sum += x;
    sum += *from_host.recv();
    rove::sleep_for(1ms);
    slept = true;
  });
  rt.go([ch] {
    for (int i = 1; i <= 100; ++i) ch.send(i);
    ch.close();
  });
  CHECK(rt.poll(1h));
  CHECK(sum == 5050);
  CHECK_FALSE(rt.poll(1ms));
  from_host.send(7);
  while (!slept) rt.poll(1ms);
  CHECK(sum == 5057);
}

TEST_CASE("poll: the budget is kept by goroutines that yield, and the rest is done later") {
  rove::runtime rt(hosted(1));
  bool stop = false;
  std::uint64_t turns[2] = {};
  for (std::uint64_t& n : turns)
    rt.go([&] {
      while (!stop) {
        ++n;
        rove::yield();
      }
    });
  CHECK(rt.poll(2ms));  // comes back, although there is always something to do
  const std::uint64_t after_first = turns[0] + turns[1];
  CHECK(after_first > 0);
  CHECK(rt.poll(2ms));
  CHECK(turns[0] + turns[1] > after_first);
  stop = true;
  CHECK(rt.poll(1h));
  CHECK(rt.stats().goroutines == 0);
}

TEST_CASE("poll: a budget of nothing takes one look") {
  rove::runtime rt(hosted(1));
  CHECK_FALSE(rt.poll(0s));
  bool ran = false;
  rt.go([&] { ran = true; });
  while (!ran) rt.poll(0s);
  CHECK(ran);
}

TEST_CASE("poll: the host is told of work that arrives while it does not poll") {
  std::atomic<int> told{0};
  rove::runtime rt(hosted(1, [&] { ++told; }));
  const auto ch = rove::make_chan<int>();
  int got = 0;
  rt.go([&, ch] { got = *ch.recv(); });
  CHECK(told > 0);
  rt.poll(1h);
  CHECK(got == 0);
  int before = told;
  std::thread([ch] { ch.send(5); }).join();
  CHECK(told > before);
  rt.poll(1h);
  CHECK(got == 5);
  before = told;
  rt.go([] {});
  CHECK(told > before);
}

TEST_CASE("poll: beside the runtime's own threads, and from several at once") {
  rove::runtime rt(with_procs(4));
  std::atomic<int> done{0};
  constexpr int all = 2000;
  std::atomic<bool> over{false};
  std::vector<std::thread> hosts;
  for (int i = 0; i < 2; ++i)
    hosts.emplace_back([&] {
      while (!over) rt.poll(200us);
    });
  for (int i = 0; i < all; ++i)
    rt.go([&] {
      for (int k = 0; k < 5; ++k) rove::yield();
      rove::blocking([] {});
      ++done;
    });
  while (done < all) rt.poll(1ms);
  over = true;
  for (std::thread& t : hosts) t.join();
  CHECK(done == all);
}

TEST_CASE("poll: misuse") {
  rove::runtime rt(hosted(1));
  bool threw = false, refused = false;
  rt.go([&] {
    try {
      rt.poll(1ms);
    } catch (const rove::panic& p) {
      threw = std::string(p.what()) == "rove: poll called inside a goroutine";
    }
    try {
      rove::lock_os_thread();
    } catch (const rove::panic&) {
      refused = true;
    }
  });
  rt.poll(1h);
  CHECK(threw);
  CHECK(refused);
}

TEST_CASE("poll: a runtime without threads ends on the thread that destroys it") {
  int unwound = 0;
  struct count {
    int& n;
    ~count() { ++n; }
  };
  {
    rove::runtime rt(hosted(1));
    const auto never = rove::make_chan<int>();
    for (int i = 0; i < 10; ++i)
      rt.go([&, never] {
        count c{unwound};
        never.recv();
      });
    rt.go([&] {
      count c{unwound};
      rove::sleep_for(1h);
    });
    rt.poll(1h);
    rt.go([&, never] {  // never dispatched
      count c{unwound};
      never.recv();
    });
  }
  CHECK(unwound >= 11);
}

TEST_CASE("poll: rove::run without threads of its own") {
  rove::config c = hosted(2);
  const auto here = std::this_thread::get_id();
  CHECK(rove::run(c, [&] {
          rove::wait_group wg;
          int n = 0;
          for (int i = 0; i < 100; ++i)
            wg.go([&] {
              rove::sleep_for(100us);
              rove::blocking([] { std::this_thread::sleep_for(10us); });
              if (std::this_thread::get_id() == here) ++n;
            });
          wg.wait();
          return n;
        }) == 100);
}

TEST_CASE("poll: on_work tells of goroutines, not of timers and descriptors that are waited for") {
  std::atomic<int> told{0};
  rove::runtime rt(hosted(1, [&] { ++told; }));
  rove::io::pipe_ends pipe = rove::io::pipe();
  int over = 0;
  rt.go([&] {
    rove::sleep_for(20ms);
    ++over;
  });
  rt.go([&] {
    char c;
    over += pipe.reader.read(std::span(&c, 1)) == 1;
  });
  while (rt.poll(1s)) {
  }
  const int before = told;
  for (int i = 0; i < 5; ++i) rt.poll(1ms);
  CHECK(told == before);
  pipe.writer.write("x");
  while (over < 2) rt.poll(1ms);
}
