// What one that is parked costs: its time to be made and parked, its resident bytes, its page tables, its waking.
//
// Each of these wants a process of its own: memory that an earlier work left behind would be found there again. run.sh
// does so.
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <system_error>
#include <thread>
#include <variant>
#include <vector>

#include "bench/harness.hpp"

namespace {

// The figure, in bytes, of the line `key` in /proc/self/status, which is in kB.
double status_bytes(const char* key) {
  std::FILE* const file = std::fopen("/proc/self/status", "r");
  bench::check(file != nullptr, "/proc/self/status");
  double bytes = -1;
  char line[256];
  while (std::fgets(line, sizeof(line), file) != nullptr) {
    if (std::strncmp(line, key, std::strlen(key)) == 0)
      bytes = std::atof(line + std::strlen(key)) * 1024;
  }
  std::fclose(file);
  bench::check(bytes >= 0, key);
  return bytes;
}

struct footprint {
  double resident = status_bytes("VmRSS:");
  double page_tables = status_bytes("VmPTE:");
};

// What came between the two, for each of `n`.
void report_memory(benchmark::State& state, const footprint& before, const footprint& after, std::int64_t n) {
  state.counters["resident_bytes"] = (after.resident - before.resident) / static_cast<double>(n);
  state.counters["page_table_bytes"] = (after.page_tables - before.page_tables) / static_cast<double>(n);
}

void report_wake(benchmark::State& state, const bench::stopwatch& watch, std::int64_t n) {
  state.counters["wake_ns"] = watch.seconds() * 1e9 / static_cast<double>(n);
}

// n goroutines park on one channel. The operation is one goroutine, from its creation until it runs: the clock stops
// when the last one has reached the channel.
void park_goroutines(benchmark::State& state, std::int64_t n) {
  const footprint before;
  const auto gate = rove::make_chan<std::monostate>();
  std::atomic<std::int64_t> started{0};
  rove::wait_group wg;
  const bench::stopwatch creation;
  for (std::int64_t i = 0; i < n; ++i) {
    wg.add(1);
    rove::go([&, gate] {
      started.fetch_add(1, std::memory_order_relaxed);  // relaxed: only a count
      gate.recv();
      wg.done();
    });
  }
  while (started.load(std::memory_order_relaxed) < n)
    rove::yield();  // relaxed: only a count
  bench::report(state, creation, n);
  rove::sleep_for(std::chrono::milliseconds(100));  // the last ones still park
  report_memory(state, before, footprint{}, n);
  const bench::stopwatch waking;
  gate.close();
  wg.wait();
  report_wake(state, waking, n);
}

void run_park_goroutines(benchmark::State& state, std::int64_t n) {
  for (auto _ : state)
    bench::run_on_procs(state, [&state, n] { park_goroutines(state, n); });
}

void memory_100k(benchmark::State& state) { run_park_goroutines(state, 100'000); }
BENCH_GOROUTINES(memory_100k);

void memory_1m(benchmark::State& state) { run_park_goroutines(state, 1'000'000); }
BENCH_GOROUTINES(memory_1m);

// --- on threads: as many as the machine gives, of 100,000 ---

struct thread_gate {
  std::mutex mutex;
  std::condition_variable opened;
  std::int64_t waiting = 0;
  bool open = false;

  void wait() {
    std::unique_lock lock(mutex);
    ++waiting;
    opened.wait(lock, [this] { return open; });
  }
  std::int64_t count() {
    const std::scoped_lock lock(mutex);
    return waiting;
  }
};

// Makes threads until there are `most`, or the system refuses one.
std::vector<std::thread> make_threads(thread_gate& gate, std::size_t most) {
  std::vector<std::thread> threads;
  threads.reserve(most);
  try {
    while (threads.size() < most)
      threads.emplace_back([&gate] { gate.wait(); });
  } catch (const std::system_error&) {}
  return threads;
}

std::size_t most_threads() {
  const char* const text = std::getenv("ROVE_BENCH_THREADS");
  return text == nullptr ? 100'000 : static_cast<std::size_t>(std::strtoul(text, nullptr, 10));
}

// The kernel's own stack of each thread, 16 KiB on x86-64 and AArch64, is not in the resident bytes of a process.
void memory_100k_threads(benchmark::State& state) {
  for (auto _ : state) {
    thread_gate gate;
    const footprint before;
    const bench::stopwatch creation;
    std::vector<std::thread> threads = make_threads(gate, most_threads());
    const auto n = static_cast<std::int64_t>(threads.size());
    bench::check(n > 0, "memory_100k_threads");
    while (gate.count() < n)
      std::this_thread::yield();
    bench::report(state, creation, n);
    report_memory(state, before, footprint{}, n);
    state.counters["threads"] = static_cast<double>(n);
    const bench::stopwatch waking;
    {
      const std::scoped_lock lock(gate.mutex);
      gate.open = true;
    }
    gate.opened.notify_all();
    for (std::thread& t : threads)
      t.join();
    report_wake(state, waking, n);
  }
}
BENCH_THREADS(memory_100k_threads);

}  // namespace
