// The poller in its runtime: made at first use, looked at while processors work, beside blocking calls, in reports.
#include <dirent.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <sstream>
#include <string>

#include <rove/net.hpp>

#include "test/debug/child.hpp"
#include "test/support/fixture.hpp"
#include "test/support/go_parked.hpp"

using namespace rove_test;

namespace {

struct connected {
  rove::net::conn a, b;
};

connected make_pair() {
  rove::net::listener l = rove::net::listen("tcp", "127.0.0.1:0");
  connected c;
  c.a = rove::net::dial("tcp", l.local_addr().to_string());
  c.b = l.accept();
  return c;
}

// Does the process have a poller?
bool has_poller() {
  DIR* const d = opendir("/proc/self/fd");
  bool found = false;
  while (const dirent* const e = readdir(d)) {
    char target[64] = {};
    const ssize_t n = readlinkat(dirfd(d), e->d_name, target, sizeof target - 1);
    found = found || (n > 0 && std::strstr(target, "eventpoll"));
  }
  closedir(d);
  return found;
}

std::size_t read_some(rove::net::conn& c) {
  char part[64];
  return c.read(std::span(part));
}

// Answers each message until the end.
void echo(rove::net::conn& c) {
  char part[64];
  while (const std::size_t n = c.read(std::span(part))) c.write(std::string_view(part, n));
}

}  // namespace

TEST_CASE("netpoll: a runtime makes its poller when somebody waits, and takes it away") {
  {
    rove::runtime rt(with_procs(2));
    connected c = make_pair();  // here, on a plain thread
    c.a.write("xx");
    char one[1];
    c.b.read(std::span(one));   // they come together, so the other one is there
    rt.run([&] {
      CHECK(read_some(c.b) == 1);
      CHECK(!has_poller());
      const std::uint64_t reader = rove::this_goroutine::id();
      rove::wait_group wg;
      wg.go([&] {
        eventually([&] { return is_parked(reader); });
        c.a.write("y");
      });
      CHECK(read_some(c.b) == 1);
      CHECK(has_poller());
      wg.wait();
    });
    CHECK(rt.stats().polled > 0);
  }
  CHECK(!has_poller());
}

TEST_CASE("netpoll: a socket is served beside a goroutine that never parks") {
  for (const unsigned n : {1u, 2u}) {
    rove::runtime rt(with_procs(n));
    rt.run([] {
      connected c = make_pair();
      std::atomic<bool> stop{false};
      rove::wait_group all;
      all.go([&] { echo(c.b); });
      for (unsigned i = 0; i < rove::max_procs(); ++i)
        all.go([&] {
          while (!stop) asm volatile("");
        });
      for (int i = 0; i < 3; ++i) {
        c.a.write("ping");
        CHECK(read_some(c.a) == 4);
      }
      stop = true;
      c.a.close_write();
      all.wait();
    });
  }
}

TEST_CASE("netpoll: a socket is served beside goroutines that always have work") {
  on_processors([] {
    connected c = make_pair();
    std::atomic<bool> stop{false};
    rove::wait_group all;
    all.go([&] { echo(c.b); });
    for (int i = 0; i < 8; ++i)
      all.go([&] {
        while (!stop) rove::yield();
      });
    for (int i = 0; i < 20; ++i) {
      c.a.write("ping");
      CHECK(read_some(c.a) == 4);
    }
    stop = true;
    c.a.close_write();
    all.wait();
  });
}

TEST_CASE("netpoll: others run beside a goroutine whose socket is always ready") {
  rove::config alone = with_procs(1);
  alone.own_threads = false;    // no spare takes the other one: it runs if this one makes room
  rove::run(alone, [] {
    connected c = make_pair();
    c.b.write(std::string(2000, 'x'));
    bool ran = false;
    rove::go([&] { ran = true; });
    char one[1];
    for (int i = 0; i < 1000 && !ran; ++i) c.a.read(std::span(one));
    CHECK(ran);
  });
}

TEST_CASE("netpoll: the poller is kept while the processors are given away") {
  on_processors([] {
    connected c = make_pair();
    std::atomic<bool> answered{false};
    rove::wait_group wg;
    wg.go([&] {
      read_some(c.b);
      answered = true;
      c.b.write("x");
    });
    rove::yield();
    rove::blocking([&] {
      c.a.write("x");
      while (!answered) std::this_thread::yield();
    });
    CHECK(read_some(c.a) == 1);
    wg.wait();
  });
}

TEST_CASE("netpoll: waiting inside `blocking`, and wired to a thread") {
  on_processors([] {
    connected c = make_pair();
    rove::wait_group all;
    all.go([&] {
      rove::lock_os_thread();
      echo(c.b);
      rove::unlock_os_thread();
    });
    for (int i = 0; i < 50; ++i) {
      c.a.write("x");
      rove::blocking([&] { CHECK(read_some(c.a) == 1); });
    }
    c.a.close_write();
    all.wait();
  });
}

TEST_CASE("netpoll: timers and sockets are waited for in one place") {
  on_processors([] {
    connected c = make_pair();
    rove::wait_group all;
    all.go([&] { echo(c.b); });
    for (int i = 0; i < 20; ++i) {
      rove::sleep_for(std::chrono::microseconds(300));
      c.a.write("x");
      CHECK(read_some(c.a) == 1);
    }
    c.a.close_write();
    all.wait();
  });
}

TEST_CASE("netpoll: work from outside wakes a runtime that sleeps in its poller") {
  rove::runtime rt(with_procs(2));
  connected c = make_pair();
  auto reader = rt.spawn([&] { return read_some(c.b); });
  for (int i = 0; i < 50; ++i) {
    if (i % 10 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    CHECK(rt.run([i] { return i; }) == i);
  }
  c.a.write("x");
  CHECK(reader.get() == 1);
}

TEST_CASE("netpoll: who waits for a socket is no deadlock, and is told as IO wait", "[native]") {
  const ending e = run_in_child([] {
    rove::config config;
    config.detect_deadlock = true;
    rove::run(config, [] {
      connected c = make_pair();
      rove::go([&] { read_some(c.b); });
      auto never = rove::make_chan<int>();
      rove::go([] {
        rove::sleep_for(20ms);
        eventually([] {  // it may not have come there yet
          std::ostringstream text;
          rove::debug::dump(text);
          return text.str().find("[IO wait]") != std::string::npos;
        });
        std::fputs("seen", stderr);
        _exit(3);
      });
      never.recv();
    });
  });
  CHECK(e.status == 3);
  CHECK(e.error_output == "seen");
}

TEST_CASE("netpoll: when the last socket is let go a deadlock is one", "[native]") {
  const ending e = run_in_child([] {
    rove::config config;
    config.detect_deadlock = true;
    rove::run(config, [] {
      auto never = rove::make_chan<int>();
      rove::go([] {
        connected c = make_pair();
        rove::wait_group wg;
        wg.go([&c] { c.a.write("x"); });
        read_some(c.b);
        wg.wait();
      });
      never.recv();
    });
  });
  CHECK(e.status == 2);
  CHECK(e.error_output.find("all goroutines are asleep - deadlock!") != std::string::npos);
}

TEST_CASE("netpoll: the first to wait is on a thread that rests in no poller: a machine is woken for it") {
  for (const bool hosted : {true, false}) {
    INFO("on a host: " << hosted);
    rove::runtime rt(with_procs(2));
    rove::host h(rt);
    connected c = make_pair();
    std::atomic<std::uint64_t> id{0};
    std::atomic<bool> got{false};
    const auto read = [&] {
      id = rove::this_goroutine::id();
      got = read_some(c.a) == 1;
      id = 0;
    };
    if (hosted)
      rove::go_on(h, read);
    else
      rt.go([&] {
        rove::lock_os_thread();
        rove::blocking(read);
      });
    const auto turn = [&] {
      if (hosted) h.poll(1ms);
    };
    eventually([&] {
      turn();
      return id != 0 && is_parked(id);
    });
    c.b.write("x");
    eventually([&] {
      turn();
      return id == 0;
    });
    CHECK(got);
  }
}
