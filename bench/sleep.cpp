// How long a short sleep really lasts, on a goroutine and on a thread.
#include <chrono>
#include <thread>

#include "bench/harness.hpp"

namespace {

using namespace std::chrono_literals;

// Main sleeps alone, again and again; an operation is one sleep. None may be shorter than it was asked for.
template <class Sleep>
void sleep_times(std::int64_t n, std::chrono::nanoseconds span, Sleep sleep) {
  for (std::int64_t i = 0; i < n; ++i) {
    const auto before = std::chrono::steady_clock::now();
    sleep(span);
    bench::check(std::chrono::steady_clock::now() - before >= span, "a sleep ended early");
  }
}

void on_goroutine(benchmark::State& state, std::int64_t count, std::chrono::nanoseconds span) {
  const std::int64_t n = bench::scaled(count);
  bench::on_goroutines(state, n, [n, span] { sleep_times(n, span, [](auto d) { rove::sleep_for(d); }); });
}

void on_thread(benchmark::State& state, std::int64_t count, std::chrono::nanoseconds span) {
  const std::int64_t n = bench::scaled(count);
  bench::on_threads(state, n, [n, span] { sleep_times(n, span, [](auto d) { std::this_thread::sleep_for(d); }); });
}

void sleep_50us(benchmark::State& state) { on_goroutine(state, 1000, 50us); }
BENCH_GOROUTINES(sleep_50us);

void sleep_1ms(benchmark::State& state) { on_goroutine(state, 500, 1ms); }
BENCH_GOROUTINES(sleep_1ms);

void sleep_50us_threads(benchmark::State& state) { on_thread(state, 1000, 50us); }
BENCH_THREADS(sleep_50us_threads);

void sleep_1ms_threads(benchmark::State& state) { on_thread(state, 500, 1ms); }
BENCH_THREADS(sleep_1ms_threads);

}  // namespace
