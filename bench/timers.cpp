// Timers made and stopped, reset, used as a time-out; and very many sleepers at once.
#include <algorithm>
#include <chrono>
#include <vector>

#include "bench/harness.hpp"

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

void timer_new_stop(benchmark::State& state) {
  const std::int64_t n = bench::scaled(5'000'000);
  bench::on_goroutines(state, n, [n] {
    std::int64_t stopped = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      rove::timer t(1h);
      stopped += t.stop();
    }
    bench::check(stopped == n, "timer_new_stop");
  });
}
BENCH_GOROUTINES(timer_new_stop);

void timer_reset(benchmark::State& state) {
  const std::int64_t n = bench::scaled(10'000'000);
  bench::on_goroutines(state, n, [n] {
    rove::timer t(1h);
    std::int64_t active = 0;
    for (std::int64_t i = 0; i < n; ++i)
      active += t.reset(1h);
    bench::check(active == n, "timer_reset");
  });
}
BENCH_GOROUTINES(timer_reset);

// A value is always there: the time-out is never reached. As a Go programmer writes it, with a timer of its own.
void select_timeout(benchmark::State& state) {
  const std::int64_t n = bench::scaled(3'000'000);
  bench::on_goroutines(state, n, [n] {
    const auto ch = rove::make_chan<std::int64_t>(1);
    std::int64_t received = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      ch.send(i);
      rove::timer t(1s);
      received += rove::select(ch.on_recv(), t.c().on_recv()) == 0;
      t.stop();
    }
    bench::check(received == n, "select_timeout");
  });
}
BENCH_GOROUTINES(select_timeout);

// The same with rove's own case for it.
void select_on_timeout(benchmark::State& state) {
  const std::int64_t n = bench::scaled(10'000'000);
  bench::on_goroutines(state, n, [n] {
    const auto ch = rove::make_chan<std::int64_t>(1);
    std::int64_t received = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      ch.send(i);
      received += rove::select(ch.on_recv(), rove::on_timeout(1s)) == 0;
    }
    bench::check(received == n, "select_on_timeout");
  });
}
BENCH_GOROUTINES(select_on_timeout);

// ---- many sleepers --------------------------------------------------------------------------------------------------

// Vigna, "splitmix64": the sleepers' spans, the same in each language.
std::uint64_t splitmix64(std::uint64_t i) {
  std::uint64_t z = (i + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// n goroutines, each of which sleeps up to a second; the time is that until all are done. How late each woke, by its
// own clock, is what counts: half of them at most `median_late`, of a hundred but one `p99_late`.
void sleepers(benchmark::State& state, std::int64_t n) {
  std::vector<std::int64_t> late(static_cast<std::size_t>(n));
  rove::wait_group wg;
  const bench::stopwatch all;
  for (std::int64_t i = 0; i < n; ++i)
    wg.go([i, &late] {
      const auto span = std::chrono::nanoseconds(splitmix64(static_cast<std::uint64_t>(i)) % 1'000'000'000);
      const auto before = steady::now();
      rove::sleep_for(span);
      late[static_cast<std::size_t>(i)] = (steady::now() - before - span).count();
    });
  wg.wait();
  bench::report(state, all, n);
  std::sort(late.begin(), late.end());
  bench::check(late.front() >= 0, "a sleep ended early");
  state.counters["median_late"] = static_cast<double>(late[late.size() / 2]);
  state.counters["p99_late"] = static_cast<double>(late[late.size() / 100 * 99]);
}

void sleep_100k(benchmark::State& state) {
  for (auto _ : state)
    bench::run_on_procs(state, [&] { sleepers(state, bench::scaled(100'000) + 99); });
}
BENCH_GOROUTINES(sleep_100k);

void sleep_1m(benchmark::State& state) {
  for (auto _ : state)
    bench::run_on_procs(state, [&] { sleepers(state, 1'000'000); });
}
BENCH_GOROUTINES(sleep_1m);

}  // namespace
