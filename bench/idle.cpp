// An idle runtime must be silent: counts the context switches of its threads in two seconds.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <variant>

#include "bench/harness.hpp"

namespace {

using namespace std::chrono_literals;

// Voluntary and other context switches of one thread of this process, since it began.
std::int64_t switches_of(const std::filesystem::path& task) {
  std::ifstream status(task / "status");
  std::int64_t sum = 0;
  for (std::string line; std::getline(status, line);) {
    const std::size_t key = line.find("ctxt_switches:");
    if (key != std::string::npos)
      sum += std::strtoll(line.c_str() + line.find(':') + 1, nullptr, 10);
  }
  return sum;
}

// Of every thread but the calling one.
std::map<std::string, std::int64_t> switches_of_others() {
  std::map<std::string, std::int64_t> counts;
  const std::string me = std::to_string(gettid());
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    const std::string id = task.path().filename();
    if (id != me)
      counts[id] = switches_of(task.path());
  }
  return counts;
}

std::int64_t switches_during(std::chrono::milliseconds span) {
  auto before = switches_of_others();
  std::this_thread::sleep_for(span);
  std::int64_t sum = 0;
  for (const auto& [id, count] : switches_of_others())
    sum += count - before[id];
  return sum;
}

// Something for the runtime to wake up for, so that all its threads exist: goroutines that sleep and yield.
void be_busy() {
  rove::wait_group wg;
  for (int i = 0; i < 100; ++i)
    wg.go([] {
      for (int k = 0; k < 20; ++k) {
        rove::sleep_for(1ms);
        rove::yield();
      }
    });
  wg.wait();
}

// After a busy moment main waits for a plain thread, which counts; half a second is given to come to rest.
void idle(benchmark::State& state) {
  for (auto _ : state) {
    std::int64_t switches = -1;
    bench::run_on_procs(state, [&switches] {
      be_busy();
      const auto done = rove::make_chan<std::monostate>();
      std::thread observer([&switches, done] {
        std::this_thread::sleep_for(500ms);
        switches = switches_during(2000ms);
        done.send({});
      });
      done.recv();
      observer.join();
    });
    state.counters["switches"] = static_cast<double>(switches);
    state.SetIterationTime(2);
  }
}
BENCH_GOROUTINES(idle);

}  // namespace
