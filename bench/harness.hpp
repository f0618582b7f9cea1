// What every benchmark shares: the scale of the counts, the check of a result, and the stopwatch around a work.
//
// A work has a count of its own (so many messages, so many yields), so Google Benchmark runs it once for each
// repetition and is told the time of one operation: its `real_time` is nanoseconds for each yield, message, hop.
// What a row means is written above the work; the same work in Go is in go/, under the same name.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>
#include <rove/rove.hpp>

namespace bench {

// `count` times the environment variable ROVE_BENCH_SCALE (default 1), at least `least`.
std::int64_t scaled(std::int64_t count, std::int64_t least = 1);

// A work whose answer is wrong has no time: says which one and aborts.
void check(bool right, const char* what);

// One stretch of time on the wall and on all the CPUs of the process.
class stopwatch {
 public:
  stopwatch();
  double seconds() const;  // since it was made
  double cpus() const;     // how many CPUs were kept busy meanwhile: 1 where "two threads" never left one

 private:
  double wall_;
  double cpu_;
};

// Reports the time of one of `operations`, which all together took as long as `watch` shows.
void report(benchmark::State& state, const stopwatch& watch, std::int64_t operations);

// Runs `f` as the main goroutine of a runtime with as many processors as the benchmark's argument says.
template <class F>
void run_on_procs(const benchmark::State& state, F f) {
  rove::config config;
  config.max_procs = static_cast<decltype(config.max_procs)>(state.range(0));
  rove::run(config, [&] {
    check(static_cast<std::int64_t>(rove::max_procs()) == state.range(0), "max_procs: is ROVE_MAXPROCS set?");
    f();
  });
}

// Times `work` on goroutines. Starting and ending the runtime, and with it the goroutines that the work left parked, is
// not in the time.
template <class F>
void on_goroutines(benchmark::State& state, std::int64_t operations, F work) {
  for (auto _ : state) {
    run_on_procs(state, [&] {
      const stopwatch watch;
      work();
      report(state, watch, operations);
    });
  }
}

// Times `work` on plain threads: what a program without rove would do.
template <class F>
void on_threads(benchmark::State& state, std::int64_t operations, F work) {
  for (auto _ : state) {
    const stopwatch watch;
    work();
    report(state, watch, operations);
  }
}

}  // namespace bench

// A work on goroutines is run with one processor and with two, a work on threads as it is.
#define BENCH_GOROUTINES(name) BENCHMARK(name)->ArgName("procs")->Arg(1)->Arg(2)->Iterations(1)->UseManualTime()
#define BENCH_THREADS(name) BENCHMARK(name)->Iterations(1)->UseManualTime()
