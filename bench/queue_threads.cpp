// The twins of the channels on plain threads: a queue under a mutex with condition variables.
//
// An unbuffered channel has no twin in the standard library; a queue of capacity one comes next to it and does less:
// its push does not wait for the pop.
#include "bench/harness.hpp"
#include "bench/thread_tools.hpp"

namespace {

using queue = bench::thread_queue<std::int64_t>;

constexpr std::size_t buffered = 128;

std::int64_t sum_below(std::int64_t n) { return n * (n - 1) / 2; }

void chan_pingpong_threads(benchmark::State& state) {
  const std::int64_t n = bench::scaled(120'000);
  bench::on_threads(state, n, [n] {
    queue there(1);
    queue back(1);
    std::thread other([&there, &back, n] {
      for (std::int64_t i = 0; i < n; ++i)
        back.push(there.pop());
    });
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      there.push(i);
      sum += back.pop();
    }
    other.join();
    bench::check(sum == sum_below(n), "chan_pingpong_threads");
  });
}
BENCH_THREADS(chan_pingpong_threads);

void stream(std::size_t capacity, int pairs, std::int64_t n, const char* name) {
  queue messages(capacity);
  const std::int64_t share = n / pairs;
  std::vector<std::int64_t> sums(static_cast<std::size_t>(pairs), 0);
  bench::run_threads(2 * pairs, [&](int i) {
    if (i % 2 == 0) {
      for (std::int64_t k = 0; k < share; ++k)
        messages.push(k);
      return;
    }
    std::int64_t sum = 0;
    for (std::int64_t k = 0; k < share; ++k)
      sum += messages.pop();
    sums[static_cast<std::size_t>(i / 2)] = sum;
  });
  std::int64_t total = 0;
  for (const std::int64_t sum : sums)
    total += sum;
  bench::check(total == pairs * sum_below(share), name);
}

void chan_unbuf_stream_threads(benchmark::State& state) {
  const std::int64_t n = bench::scaled(400'000);
  bench::on_threads(state, n, [n] { stream(1, 1, n, "chan_unbuf_stream_threads"); });
}
BENCH_THREADS(chan_unbuf_stream_threads);

void chan_unbuf_4p4c_threads(benchmark::State& state) {
  const std::int64_t n = bench::scaled(100'000) * 4;
  bench::on_threads(state, n, [n] { stream(1, 4, n, "chan_unbuf_4p4c_threads"); });
}
BENCH_THREADS(chan_unbuf_4p4c_threads);

void chan_buf_stream_threads(benchmark::State& state) {
  const std::int64_t n = bench::scaled(8'000'000);
  bench::on_threads(state, n, [n] { stream(buffered, 1, n, "chan_buf_stream_threads"); });
}
BENCH_THREADS(chan_buf_stream_threads);

void chan_buf_4p4c_threads(benchmark::State& state) {
  const std::int64_t n = bench::scaled(1'000'000) * 4;
  bench::on_threads(state, n, [n] { stream(buffered, 4, n, "chan_buf_4p4c_threads"); });
}
BENCH_THREADS(chan_buf_4p4c_threads);

// One thread pushes and pops, while a second one sleeps: a process of one thread has cheaper mutexes.
void chan_uncontended_threads(benchmark::State& state) {
  const std::int64_t n = bench::scaled(20'000'000);
  bench::on_threads(state, n, [n] {
    queue messages(1);
    queue until_the_end(1);
    std::thread sleeper([&until_the_end] { until_the_end.pop(); });
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      messages.push(i);
      sum += messages.pop();
    }
    until_the_end.push(0);
    sleeper.join();
    bench::check(sum == sum_below(n), "chan_uncontended_threads");
  });
}
BENCH_THREADS(chan_uncontended_threads);

}  // namespace
