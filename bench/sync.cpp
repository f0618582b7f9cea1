// A read-write mutex that is only read, and two goroutines that take turns by a condition variable.
#include <condition_variable>
#include <mutex>
#include <shared_mutex>

#include "bench/harness.hpp"
#include "bench/thread_tools.hpp"

namespace {

constexpr int crew = 8;

template <class Mutex>
[[gnu::noinline]] std::int64_t read_locked(Mutex& mutex, const std::int64_t& value, std::int64_t n) {
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    mutex.lock_shared();
    sum += value;
    asm volatile("" : "+r"(sum)::"memory");
    mutex.unlock_shared();
  }
  return sum;
}

void rwmutex_read(benchmark::State& state) {
  const std::int64_t n = bench::scaled(50'000'000);
  bench::on_goroutines(state, n, [n] {
    rove::shared_mutex mutex;
    const std::int64_t one = 1;
    bench::check(read_locked(mutex, one, n) == n, "rwmutex_read");
  });
}
BENCH_GOROUTINES(rwmutex_read);

void rwmutex_read_threads(benchmark::State& state) {
  const std::int64_t n = bench::scaled(20'000'000);
  bench::on_threads(state, n, [n] {
    std::shared_mutex mutex;
    const std::int64_t one = 1;
    bench::check(read_locked(mutex, one, n) == n, "rwmutex_read_threads");
  });
}
BENCH_THREADS(rwmutex_read_threads);

void rwmutex_read_8g(benchmark::State& state) {
  const std::int64_t n = bench::scaled(2'000'000);
  bench::on_goroutines(state, crew * n, [n] {
    rove::shared_mutex mutex;
    const std::int64_t one = 1;
    rove::wait_group wg;
    for (int g = 0; g < crew; ++g)
      wg.go([&] { bench::check(read_locked(mutex, one, n) == n, "rwmutex_read_8g"); });
    wg.wait();
  });
}
BENCH_GOROUTINES(rwmutex_read_8g);

void rwmutex_read_8g_threads(benchmark::State& state) {
  const std::int64_t n = bench::scaled(500'000);
  bench::on_threads(state, crew * n, [n] {
    std::shared_mutex mutex;
    const std::int64_t one = 1;
    bench::run_threads(crew, [&](int) { bench::check(read_locked(mutex, one, n) == n, "rwmutex_read_8g_threads"); });
  });
}
BENCH_THREADS(rwmutex_read_8g_threads);

// Two that take turns: each waits while it is not its turn, flips it, and signals. An operation is a round of two
// turns.
template <class Mutex, class Condition>
struct turns {
  Mutex mutex;
  Condition changed;
  int turn = 0;

  void take(int mine, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) {
      std::unique_lock lock(mutex);
      while (turn != mine)
        changed.wait(lock);
      turn = 1 - mine;
      changed.notify_one();
    }
  }
};

void cond_pingpong(benchmark::State& state) {
  const std::int64_t n = bench::scaled(1'000'000);
  bench::on_goroutines(state, n, [n] {
    turns<rove::mutex, rove::condition_variable> t;
    rove::wait_group wg;
    for (int mine = 0; mine < 2; ++mine)
      wg.go([&t, mine, n] { t.take(mine, n); });
    wg.wait();
  });
}
BENCH_GOROUTINES(cond_pingpong);

void cond_pingpong_threads(benchmark::State& state) {
  const std::int64_t n = bench::scaled(60'000);
  bench::on_threads(state, n, [n] {
    turns<std::mutex, std::condition_variable> t;
    bench::run_threads(2, [&](int mine) { t.take(mine, n); });
  });
}
BENCH_THREADS(cond_pingpong_threads);

}  // namespace
