// Creating and joining: one at a time, in batches, and a million at once.
#include <atomic>

#include "bench/harness.hpp"
#include "bench/thread_tools.hpp"

namespace {

// One goroutine is started and waited for, then the next; an operation is both.
void spawn_join(benchmark::State& state) {
  const std::int64_t n = bench::scaled(1'000'000);
  bench::on_goroutines(state, n, [n] {
    std::int64_t ran = 0;
    rove::wait_group wg;
    for (std::int64_t i = 0; i < n; ++i) {
      wg.add(1);
      rove::go([&wg, &ran] {
        ++ran;
        wg.done();
      });
      wg.wait();
    }
    bench::check(ran == n, "spawn_join");
  });
}
BENCH_GOROUTINES(spawn_join);

void start_batch(std::int64_t size) {
  rove::wait_group wg;
  for (std::int64_t i = 0; i < size; ++i) {
    wg.add(1);
    rove::go([&wg] { wg.done(); });
  }
  wg.wait();
}

// Batches of 10,000 goroutines, all started before the first is waited for; an operation is one goroutine.
void spawn_batch(benchmark::State& state) {
  constexpr std::int64_t size = 10'000;
  const std::int64_t batches = bench::scaled(100);
  bench::on_goroutines(state, batches * size, [batches] {
    for (std::int64_t i = 0; i < batches; ++i)
      start_batch(size);
  });
}
BENCH_GOROUTINES(spawn_batch);

// One batch of a million.
void spawn_all_1m(benchmark::State& state) {
  constexpr std::int64_t size = 1'000'000;
  bench::on_goroutines(state, size, [] { start_batch(size); });
}
BENCH_GOROUTINES(spawn_all_1m);

void spawn_join_threads(benchmark::State& state) {
  const std::int64_t n = bench::scaled(20'000);
  bench::on_threads(state, n, [n] {
    std::int64_t ran = 0;
    for (std::int64_t i = 0; i < n; ++i)
      std::thread([&ran] { ++ran; }).join();
    bench::check(ran == n, "spawn_join_threads");
  });
}
BENCH_THREADS(spawn_join_threads);

void spawn_batch_threads(benchmark::State& state) {
  constexpr int size = 1000;
  const std::int64_t batches = bench::scaled(20);
  bench::on_threads(state, batches * size, [batches] {
    std::atomic<std::int64_t> ran{0};
    for (std::int64_t i = 0; i < batches; ++i) {
      bench::run_threads(size, [&ran](int) { ran.fetch_add(1, std::memory_order_relaxed); });  // relaxed: join orders
    }
    bench::check(ran.load() == batches * size, "spawn_batch_threads");
  });
}
BENCH_THREADS(spawn_batch_threads);

}  // namespace
