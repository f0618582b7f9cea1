// An idle runtime does nothing: no thread of the process is switched to while all goroutines wait.
#include <dirent.h>

#include <fstream>
#include <map>

#include "test/support/fixture.hpp"

#if !ROVE_TSAN  // whose own thread ticks

using namespace rove_test;

namespace {

// Context switches so far, for each thread but the calling one.
std::map<std::string, long> switches() {
  std::map<std::string, long> all;
  DIR* const d = opendir("/proc/self/task");
  while (const dirent* e = readdir(d)) {
    if (e->d_name[0] == '.' || std::to_string(thread_now()) == e->d_name) continue;
    std::ifstream status("/proc/self/task/" + std::string(e->d_name) + "/status");
    std::string word, name;
    while (status >> word) {
      if (word == "Name:") status >> name;
      long n = 0;
      if (word.find("ctxt_switches:") != std::string::npos && status >> n) all[name + " " + e->d_name] += n;
    }
  }
  closedir(d);
  return all;
}

// Goroutines have come to rest; from some moment on, two seconds pass without a switch.
void check_idle() {
  for (int attempt = 0; attempt < 3; ++attempt) {
    std::this_thread::sleep_for(400ms);  // searching, then sysmon's last ticks
    const auto before = switches();
    std::this_thread::sleep_for(2s);
    const auto after = switches();
    INFO("threads: " << after.size());
    if (before == after) return;
    for (const auto& [name, n] : after) {
      const auto b = before.find(name);
      if (attempt == 2 && (b == before.end() || b->second != n)) FAIL("thread " + name + " was switched to");
    }
  }
}

}  // namespace

TEST_CASE("idle: parked goroutines and a far timer use no CPU") {
  rove::runtime rt(with_procs(4));
  auto ch = rove::make_chan<int>();
  for (int i = 0; i < 100; ++i) rt.go([ch] { ch.recv(); });
  rt.go([] { rove::sleep_for(1h); });
  rt.run([] {
    rove::wait_group wg;
    for (int i = 0; i < 1000; ++i) wg.go([] { rove::yield(); });
    wg.wait();
  });
  check_idle();
  // It is not asleep for good.
  CHECK(rt.run([] { return rove::spawn([] { return 3; }).get(); }) == 3);
  ch.close();
  eventually([&] { return rt.stats().goroutines == 1; });
}

TEST_CASE("idle: two runtimes, one never used") {
  rove::runtime a(with_procs(2)), b(with_procs(2));
  a.go([] { rove::chan<int>().recv(); });
  eventually([&] { return a.stats().parked == 1; });
  check_idle();
}

TEST_CASE("idle: a goroutine in blocking, and a wired one that waits") {
  rove::runtime rt(with_procs(2));
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  rt.go([&] {
    rove::blocking([&] {
      char c;
      return read(ends[0], &c, 1);
    });
  });
  auto ch = rove::make_chan<int>();
  rt.go([ch] {
    rove::lock_os_thread();
    ch.recv();
  });
  eventually([&] { return rt.stats().parks >= 1; });
  check_idle();
  close(ends[1]);
  ch.close();
  check_nothing_left(rt);
  close(ends[0]);
}
#endif
