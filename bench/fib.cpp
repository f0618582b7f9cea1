// Fork and join: fib(30), where each call above the cutoff forks a goroutine for one half.
//
// The leaves must do the same work in every language. gcc unrolls the recursion of a plain fib into itself, noinline
// or not, and gets 1.4 times faster than the calls that were written; clang finds that it is pure and calls it once.
// So the leaf of the work keeps its calls with an empty asm. The one that gcc may unroll is kept beside it, since the
// figures of TBB, enkiTS and libfork were taken with such a leaf.
#include "bench/harness.hpp"
#include "bench/thread_tools.hpp"

namespace {

constexpr int cutoff = 12;
constexpr int rounds = 100;
constexpr std::int64_t answer = 832'040;  // fib(30)

[[gnu::noinline]] std::int64_t serial_fib(int n) {
  if (n < 2)
    return n;
  std::int64_t a = serial_fib(n - 1);
  asm volatile("" : "+r"(a));
  std::int64_t b = serial_fib(n - 2);
  asm volatile("" : "+r"(b));
  return a + b;
}

[[gnu::noinline]] std::int64_t unrolled_fib(int n) { return n < 2 ? n : unrolled_fib(n - 1) + unrolled_fib(n - 2); }

using leaf = std::int64_t(int);

template <leaf* Leaf>
std::int64_t parallel_fib(int n) {
  if (n <= cutoff)
    return Leaf(n);
  std::int64_t a = 0;
  rove::wait_group wg;
  wg.add(1);
  rove::go([&wg, &a, n] {
    a = parallel_fib<Leaf>(n - 1);
    wg.done();
  });
  const std::int64_t b = parallel_fib<Leaf>(n - 2);
  wg.wait();
  return a + b;
}

template <leaf* Leaf>
void run_parallel(benchmark::State& state, const char* name) {
  const std::int64_t n = bench::scaled(rounds);
  bench::on_goroutines(state, n, [n, name] {
    for (std::int64_t i = 0; i < n; ++i)
      bench::check(parallel_fib<Leaf>(30) == answer, name);
  });
}

void fib30_cut12(benchmark::State& state) { run_parallel<serial_fib>(state, "fib30_cut12"); }
BENCH_GOROUTINES(fib30_cut12);

void fib30_cut12_unrolled(benchmark::State& state) { run_parallel<unrolled_fib>(state, "fib30_cut12_unrolled"); }
BENCH_GOROUTINES(fib30_cut12_unrolled);

void run_serial(benchmark::State& state, leaf* fib, const char* name) {
  const std::int64_t n = bench::scaled(rounds);
  bench::on_threads(state, n, [n, fib, name] {
    for (std::int64_t i = 0; i < n; ++i) {
      int argument = 30;
      benchmark::DoNotOptimize(argument);
      bench::check(fib(argument) == answer, name);
    }
  });
}

void fib30_serial(benchmark::State& state) { run_serial(state, serial_fib, "fib30_serial"); }
BENCH_THREADS(fib30_serial);

void fib30_serial_unrolled(benchmark::State& state) { run_serial(state, unrolled_fib, "fib30_serial_unrolled"); }
BENCH_THREADS(fib30_serial_unrolled);

std::int64_t fib_threads(int n) {
  if (n <= cutoff)
    return serial_fib(n);
  std::int64_t a = 0;
  std::thread fork([&a, n] { a = fib_threads(n - 1); });
  const std::int64_t b = fib_threads(n - 2);
  fork.join();
  return a + b;
}

// 6,764 threads for each fib(30), so only once or twice.
void fib30_cut12_threads(benchmark::State& state) {
  const std::int64_t n = bench::scaled(4);
  bench::on_threads(state, n, [n] {
    for (std::int64_t i = 0; i < n; ++i)
      bench::check(fib_threads(30) == answer, "fib30_cut12_threads");
  });
}
BENCH_THREADS(fib30_cut12_threads);

}  // namespace
