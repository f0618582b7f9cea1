// The scale, the check and the stopwatch of the benchmarks, and their main.
#include "bench/harness.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace bench {

namespace {

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

double scale_from_environment() {
  const char* const text = std::getenv("ROVE_BENCH_SCALE");
  if (text == nullptr)
    return 1;
  char* end = nullptr;
  const double scale = std::strtod(text, &end);
  if (end == text || *end != '\0' || !(scale > 0)) {
    std::fprintf(stderr, "ROVE_BENCH_SCALE: not a positive number: %s\n", text);
    std::exit(2);
  }
  return scale;
}

}  // namespace

std::int64_t scaled(std::int64_t count, std::int64_t least) {
  static const double scale = scale_from_environment();
  return std::max(least, static_cast<std::int64_t>(static_cast<double>(count) * scale));
}

void check(bool right, const char* what) {
  if (right)
    return;
  std::fprintf(stderr, "bench: wrong result: %s\n", what);
  std::abort();
}

stopwatch::stopwatch() : wall_(wall_seconds()), cpu_(cpu_seconds()) {}

double stopwatch::seconds() const { return wall_seconds() - wall_; }

double stopwatch::cpus() const { return (cpu_seconds() - cpu_) / seconds(); }

void report(benchmark::State& state, const stopwatch& watch, std::int64_t operations) {
  const double seconds = watch.seconds();
  state.counters["cpus"] = watch.cpus();
  state.counters["operations"] = static_cast<double>(operations);
  state.SetIterationTime(seconds / static_cast<double>(operations));
}

}  // namespace bench

int main(int argc, char** argv) {
#if defined(__clang__)
  benchmark::AddCustomContext("compiler", __VERSION__);
#else
  benchmark::AddCustomContext("compiler", "gcc " __VERSION__);
#endif
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv))
    return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
