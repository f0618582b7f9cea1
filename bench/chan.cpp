// Channels: a hand-off there and back, streams with one and with four on each side, and nobody to wait for.
#include "bench/harness.hpp"

namespace {

constexpr std::size_t buffered = 128;

// The sum 0 + 1 + ... + (n - 1), which a stream of these numbers has to arrive with.
std::int64_t sum_below(std::int64_t n) { return n * (n - 1) / 2; }

[[gnu::noinline]] void echo(rove::recv_chan<std::int64_t> from, rove::send_chan<std::int64_t> to, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i)
    to.send(*from.recv());
}

// A number goes to another goroutine and comes back: a round trip is two messages over two unbuffered channels.
void chan_pingpong(benchmark::State& state) {
  const std::int64_t n = bench::scaled(2'000'000);
  bench::on_goroutines(state, n, [n] {
    const auto there = rove::make_chan<std::int64_t>();
    const auto back = rove::make_chan<std::int64_t>();
    rove::go(echo, there, back, n);
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      there.send(i);
      sum += *back.recv();
    }
    bench::check(sum == sum_below(n), "chan_pingpong");
  });
}
BENCH_GOROUTINES(chan_pingpong);

[[gnu::noinline]] void produce(rove::send_chan<std::int64_t> to, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i)
    to.send(i);
}

[[gnu::noinline]] std::int64_t consume(rove::recv_chan<std::int64_t> from, std::int64_t n) {
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < n; ++i)
    sum += *from.recv();
  return sum;
}

// `pairs` producers and as many consumers share `n` messages through one channel; main waits.
void stream(std::size_t capacity, int pairs, std::int64_t n, const char* name) {
  const auto ch = rove::make_chan<std::int64_t>(capacity);
  const std::int64_t share = n / pairs;
  std::vector<std::int64_t> sums(static_cast<std::size_t>(pairs), 0);
  rove::wait_group wg;
  for (std::int64_t& sum : sums) {
    wg.go([ch, share] { produce(ch, share); });
    wg.go([ch, share, &sum] { sum = consume(ch, share); });
  }
  wg.wait();
  std::int64_t total = 0;
  for (const std::int64_t sum : sums)
    total += sum;
  bench::check(total == pairs * sum_below(share), name);
}

void chan_unbuf_stream(benchmark::State& state) {
  const std::int64_t n = bench::scaled(5'000'000);
  bench::on_goroutines(state, n, [n] { stream(0, 1, n, "chan_unbuf_stream"); });
}
BENCH_GOROUTINES(chan_unbuf_stream);

void chan_unbuf_4p4c(benchmark::State& state) {
  const std::int64_t n = bench::scaled(1'000'000) * 4;
  bench::on_goroutines(state, n, [n] { stream(0, 4, n, "chan_unbuf_4p4c"); });
}
BENCH_GOROUTINES(chan_unbuf_4p4c);

void chan_buf_stream(benchmark::State& state) {
  const std::int64_t n = bench::scaled(20'000'000);
  bench::on_goroutines(state, n, [n] { stream(buffered, 1, n, "chan_buf_stream"); });
}
BENCH_GOROUTINES(chan_buf_stream);

void chan_buf_4p4c(benchmark::State& state) {
  const std::int64_t n = bench::scaled(2'000'000) * 4;
  bench::on_goroutines(state, n, [n] { stream(buffered, 4, n, "chan_buf_4p4c"); });
}
BENCH_GOROUTINES(chan_buf_4p4c);

// Main sends and receives over a channel of capacity one; an operation is both.
void chan_uncontended(benchmark::State& state) {
  const std::int64_t n = bench::scaled(30'000'000);
  bench::on_goroutines(state, n, [n] {
    const auto ch = rove::make_chan<std::int64_t>(1);
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      ch.send(i);
      sum += *ch.recv();
    }
    bench::check(sum == sum_below(n), "chan_uncontended");
  });
}
BENCH_GOROUTINES(chan_uncontended);

}  // namespace
