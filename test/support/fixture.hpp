// What tests of the runtime share: a body run with 1, 2 and more processors and nothing left behind, waiting for an
// event, moving a goroutine to another thread, seeded delays.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <rove/rove.hpp>

#include "test/catch.hpp"

namespace rove_test {

using namespace std::chrono_literals;

#if ROVE_SANITIZED
inline constexpr int load = 1;       // how much a stress test does
#else
inline constexpr int load = 10;
#endif

// A runtime with exactly this many processors, whatever the environment says.
inline rove::config with_procs(unsigned n) {
  unsetenv("ROVE_MAXPROCS");
  rove::config c;
  c.max_procs = n;
  return c;
}

// Waits for what must come: no bound of its own, the test's is the bound. Parks nothing, so it works everywhere.
template <class Condition>
void eventually(Condition c) {
  while (!c()) {
    rove::yield();
    std::this_thread::yield();
  }
}

// All goroutines of `rt` are gone, and so are their timers and places in queues.
inline void check_nothing_left(rove::runtime& rt) {
  eventually([&] { return rt.stats().goroutines == 0; });
  const rove::statistics s = rt.stats();
  CHECK(s.runnable == 0);
  CHECK(s.parked == 0);
  CHECK(s.timers == 0);
}

// Runs `body` as a goroutine of a runtime with 1, of one with 2 and of one with 4 processors. Assertions work in it, as
// long as no two goroutines or threads use them at the same time.
template <class Body>
void on_processors(Body body) {
  for (const unsigned n : {1u, 2u, 4u}) {
    INFO("processors: " << n);
    rove::runtime rt(with_procs(n));
    rt.run(body);
    check_nothing_left(rt);
  }
}

// The system's number of the calling thread. Out of line: a compiler may not keep it over a park.
[[gnu::noinline]] inline long thread_now() {
  asm volatile("");
  return syscall(SYS_gettid);
}

// The calling goroutine goes on on another thread. Another goroutine takes its processor and keeps it until then.
// Nobody waits for that one's end: its end would make the caller runnable where it came from.
inline void migrate() {
  const long start = thread_now();
  while (thread_now() == start) {
    auto ch = rove::make_chan<int>();
    auto resumed = std::make_shared<std::atomic<bool>>(false);
    rove::go([ch, resumed] {
      ch.send(1);
      while (!resumed->load()) std::this_thread::yield();
    });
    ch.recv();
    resumed->store(true);
  }
}

// The seed of this process's random choices: ROVE_SEED, or a new one. It is printed, so that a failure can be repeated.
inline std::uint64_t seed() {
  static const std::uint64_t value = [] {
    const char* const given = std::getenv("ROVE_SEED");
    const std::uint64_t s = given ? std::strtoull(given, nullptr, 0) : std::random_device{}();
    std::printf("seed: ROVE_SEED=%llu\n", static_cast<unsigned long long>(s));
    std::fflush(stdout);
    return s;
  }();
  return value;
}

// A stream of random choices for one goroutine or thread of a test.
class dice {
 public:
  explicit dice(std::uint64_t index) : state_(seed() ^ (index + 1) * 0x9e3779b97f4a7c15u) {}

  std::uint64_t next() {  // splitmix64
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
  }
  unsigned below(unsigned n) { return static_cast<unsigned>(next() % n); }

  // Something that changes who runs when, or nothing.
  void delay() {
    switch (below(16)) {
      case 0: rove::yield(); break;
      case 1: std::this_thread::yield(); break;
      case 2: spin(below(2000)); break;
      case 3:
        if (below(16) == 0) rove::sleep_for(std::chrono::microseconds(below(50)));
        break;
      case 4:
        if (below(16) == 0) rove::blocking([] { std::this_thread::yield(); });
        break;
      default: break;
    }
  }

 private:
  static void spin(unsigned n) {
    for (unsigned i = 0; i < n; ++i) asm volatile("");
  }
  std::uint64_t state_;
};

// Plain threads of a test. When it fails by an exception they are left alone, so that the exception is what is
// reported.
class plain_threads {
 public:
  template <class... Call>
  void start(Call&&... call) { threads_.emplace_back(std::forward<Call>(call)...); }
  void join() {
    for (std::thread& t : threads_) t.join();
    threads_.clear();
  }
  ~plain_threads() {
    for (std::thread& t : threads_) t.detach();
  }

 private:
  std::vector<std::thread> threads_;
};

// Counts objects that are alive, to see that each is destroyed once.
struct counted {
  static inline std::atomic<int> alive{0};
  int value;

  explicit counted(int v = 0) : value(v) { ++alive; }
  counted(const counted& other) : value(other.value) { ++alive; }
  counted(counted&& other) noexcept : value(std::exchange(other.value, -1)) { ++alive; }
  counted& operator=(const counted&) = default;
  counted& operator=(counted&& other) noexcept {
    value = std::exchange(other.value, -1);
    return *this;
  }
  ~counted() { --alive; }
};

// What the call threw, as text: a panic's message, "" if nothing.
template <class F>
std::string panic_of(F f) {
  try {
    f();
  } catch (const rove::panic& p) {
    return p.what();
  }
  return "";
}

}  // namespace rove_test
