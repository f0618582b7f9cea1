// Mutexes: nobody else, eight that want it, and eight where the holder gives way so that somebody always waits.
#include <sched.h>

#include <mutex>

#include "bench/harness.hpp"
#include "bench/thread_tools.hpp"

namespace {

constexpr int crew = 8;

// The counter is read and written for real on each turn: the compiler may not gather the additions.
template <class Mutex>
[[gnu::noinline]] void add_locked(Mutex& mutex, std::int64_t& counter, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    mutex.lock();
    benchmark::DoNotOptimize(++counter);
    mutex.unlock();
  }
}

// Lock, add one, unlock by one goroutine; an operation is one such turn, here and below.
void mutex_uncontended(benchmark::State& state) {
  const std::int64_t n = bench::scaled(100'000'000);
  bench::on_goroutines(state, n, [n] {
    rove::mutex mutex;
    std::int64_t counter = 0;
    add_locked(mutex, counter, n);
    bench::check(counter == n, "mutex_uncontended");
  });
}
BENCH_GOROUTINES(mutex_uncontended);

// The same by eight goroutines.
void mutex_contended(benchmark::State& state) {
  const std::int64_t n = bench::scaled(2'000'000);
  bench::on_goroutines(state, crew * n, [n] {
    rove::mutex mutex;
    std::int64_t counter = 0;
    rove::wait_group wg;
    for (int i = 0; i < crew; ++i)
      wg.go([&mutex, &counter, n] { add_locked(mutex, counter, n); });
    wg.wait();
    bench::check(counter == crew * n, "mutex_contended");
  });
}
BENCH_GOROUTINES(mutex_contended);

// The same, and the holder yields while it holds.
void mutex_handoff(benchmark::State& state) {
  const std::int64_t n = bench::scaled(125'000);
  bench::on_goroutines(state, crew * n, [n] {
    rove::mutex mutex;
    std::int64_t counter = 0;
    rove::wait_group wg;
    for (int i = 0; i < crew; ++i)
      wg.go([&mutex, &counter, n] {
        for (std::int64_t k = 0; k < n; ++k) {
          mutex.lock();
          ++counter;
          rove::yield();
          mutex.unlock();
        }
      });
    wg.wait();
    bench::check(counter == crew * n, "mutex_handoff");
  });
}
BENCH_GOROUTINES(mutex_handoff);

// A second thread sleeps meanwhile: a process of one thread has cheaper mutexes.
void mutex_uncontended_threads(benchmark::State& state) {
  const std::int64_t n = bench::scaled(100'000'000);
  bench::on_threads(state, n, [n] {
    bench::thread_queue<int> until_the_end(1);
    std::thread sleeper([&until_the_end] { until_the_end.pop(); });
    std::mutex mutex;
    std::int64_t counter = 0;
    add_locked(mutex, counter, n);
    until_the_end.push(0);
    sleeper.join();
    bench::check(counter == n, "mutex_uncontended_threads");
  });
}
BENCH_THREADS(mutex_uncontended_threads);

void mutex_contended_threads(benchmark::State& state) {
  const std::int64_t n = bench::scaled(1'000'000);
  bench::on_threads(state, crew * n, [n] {
    std::mutex mutex;
    std::int64_t counter = 0;
    bench::run_threads(crew, [&](int) { add_locked(mutex, counter, n); });
    bench::check(counter == crew * n, "mutex_contended_threads");
  });
}
BENCH_THREADS(mutex_contended_threads);

void mutex_handoff_threads(benchmark::State& state) {
  const std::int64_t n = bench::scaled(40'000);
  bench::on_threads(state, crew * n, [n] {
    std::mutex mutex;
    std::int64_t counter = 0;
    bench::run_threads(crew, [&](int) {
      for (std::int64_t k = 0; k < n; ++k) {
        mutex.lock();
        ++counter;
        sched_yield();
        mutex.unlock();
      }
    });
    bench::check(counter == crew * n, "mutex_handoff_threads");
  });
}
BENCH_THREADS(mutex_handoff_threads);

}  // namespace
