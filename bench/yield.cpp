// Giving way: two that take turns, one alone, and a thousand; on threads, sched_yield with both on one CPU.
#include <sched.h>

#include "bench/harness.hpp"
#include "bench/thread_tools.hpp"

namespace {

// Each `Who` is a function, and so a place to yield at, of its own: two goroutines at one place flatter the switch.
template <int Who>
[[gnu::noinline]] void yield_times(std::int64_t n, std::int64_t& done) {
  for (std::int64_t i = 0; i < n; ++i) {
    rove::yield();
    ++done;
  }
}

// Two goroutines yield n times each while main waits; an operation is one yield.
void yield(benchmark::State& state) {
  const std::int64_t n = bench::scaled(10'000'000);
  bench::on_goroutines(state, 2 * n, [n] {
    std::int64_t first = 0;
    std::int64_t second = 0;
    rove::wait_group wg;
    wg.go([&first, n] { yield_times<1>(n, first); });
    wg.go([&second, n] { yield_times<2>(n, second); });
    wg.wait();
    bench::check(first == n && second == n, "yield");
  });
}
BENCH_GOROUTINES(yield);

// Main yields with nobody to give way to.
void yield_alone(benchmark::State& state) {
  const std::int64_t n = bench::scaled(10'000'000);
  bench::on_goroutines(state, n, [n] {
    std::int64_t done = 0;
    yield_times<0>(n, done);
    bench::check(done == n, "yield_alone");
  });
}
BENCH_GOROUTINES(yield_alone);

// A thousand goroutines yield n times each.
void yield_1000g(benchmark::State& state) {
  constexpr int goroutines = 1000;
  const std::int64_t n = bench::scaled(10'000);
  bench::on_goroutines(state, goroutines * n, [n] {
    std::vector<std::int64_t> done(goroutines, 0);
    rove::wait_group wg;
    for (std::int64_t& mine : done)
      wg.go([&mine, n] {
        std::int64_t count = 0;
        yield_times<3>(n, count);
        mine = count;
      });
    wg.wait();
    for (const std::int64_t count : done)
      bench::check(count == n, "yield_1000g");
  });
}
BENCH_GOROUTINES(yield_1000g);

void stay_on_first_cpu() {
  cpu_set_t allowed;
  cpu_set_t one;
  CPU_ZERO(&allowed);
  CPU_ZERO(&one);
  sched_getaffinity(0, sizeof(allowed), &allowed);
  int cpu = 0;
  while (cpu < CPU_SETSIZE - 1 && !CPU_ISSET(cpu, &allowed))
    ++cpu;
  CPU_SET(cpu, &one);
  sched_setaffinity(0, sizeof(one), &one);
}

// The kernel's yield: two threads on one CPU, so that each call really goes to the other.
void yield_threads(benchmark::State& state) {
  const std::int64_t n = bench::scaled(800'000);
  bench::on_threads(state, 2 * n, [n] {
    bench::run_threads(2, [n](int) {
      stay_on_first_cpu();
      for (std::int64_t i = 0; i < n; ++i)
        sched_yield();
    });
  });
}
BENCH_THREADS(yield_threads);

}  // namespace
