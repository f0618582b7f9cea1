// select: in place of a receive, with a default, and over four channels on both sides.
//
// "select there and back" is chan_pingpong with a select in place of each receive;
// "among four" has two goroutines that send on whichever of four channels takes, and two that receive.
#include <array>

#include "bench/harness.hpp"

namespace {

using number_chan = rove::chan<std::int64_t>;

std::int64_t sum_below(std::int64_t n) { return n * (n - 1) / 2; }

[[gnu::noinline]] std::int64_t recv_by_select(const number_chan& from, const number_chan& never) {
  std::int64_t value = 0;
  rove::select(from.on_recv([&](std::optional<std::int64_t> v) { value = *v; }), never.on_recv());
  return value;
}

void select2(benchmark::State& state) {
  const std::int64_t n = bench::scaled(2'000'000);
  bench::on_goroutines(state, n, [n] {
    const auto there = rove::make_chan<std::int64_t>();
    const auto back = rove::make_chan<std::int64_t>();
    const auto never = rove::make_chan<std::int64_t>();
    rove::go([=] {
      for (std::int64_t i = 0; i < n; ++i)
        back.send(recv_by_select(there, never));
    });
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      there.send(i);
      sum += recv_by_select(back, never);
    }
    bench::check(sum == sum_below(n), "select2");
  });
}
BENCH_GOROUTINES(select2);

void select_default(benchmark::State& state) {
  const std::int64_t n = bench::scaled(100'000'000);
  bench::on_goroutines(state, n, [n] {
    const auto ch = rove::make_chan<std::int64_t>();
    std::int64_t taken = 0;
    for (std::int64_t i = 0; i < n; ++i)
      taken += static_cast<std::int64_t>(rove::select(ch.on_recv(), rove::otherwise()));
    bench::check(taken == n, "select_default");
  });
}
BENCH_GOROUTINES(select_default);

void select2_default(benchmark::State& state) {
  const std::int64_t n = bench::scaled(20'000'000);
  bench::on_goroutines(state, n, [n] {
    const auto a = rove::make_chan<std::int64_t>();
    const auto b = rove::make_chan<std::int64_t>();
    std::int64_t taken = 0;
    for (std::int64_t i = 0; i < n; ++i)
      taken += static_cast<std::int64_t>(rove::select(a.on_recv(), b.on_recv(), rove::otherwise()));
    bench::check(taken == 2 * n, "select2_default");
  });
}
BENCH_GOROUTINES(select2_default);

// ---- four channels --------------------------------------------------------------------------------------------------

using four = std::array<number_chan, 4>;

four make_four(std::ptrdiff_t capacity) {
  four all;
  for (number_chan& ch : all)
    ch = rove::make_chan<std::int64_t>(capacity);
  return all;
}

[[gnu::noinline]] void send_among(const four& c, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i)
    rove::select(c[0].on_send(i), c[1].on_send(i), c[2].on_send(i), c[3].on_send(i));
}

[[gnu::noinline]] std::int64_t recv_among(const four& c, std::int64_t n) {
  std::int64_t sum = 0;
  const auto add = [&sum](std::optional<std::int64_t> v) { sum += *v; };
  for (std::int64_t i = 0; i < n; ++i)
    rove::select(c[0].on_recv(add), c[1].on_recv(add), c[2].on_recv(add), c[3].on_recv(add));
  return sum;
}

void among_four(benchmark::State& state, std::ptrdiff_t capacity, const char* name) {
  const std::int64_t n = bench::scaled(1'000'000);
  bench::on_goroutines(state, 2 * n, [=] {
    const four channels = make_four(capacity);
    std::array<std::int64_t, 2> sums{};
    rove::wait_group wg;
    for (std::int64_t& sum : sums) {
      wg.go([&channels, n] { send_among(channels, n); });
      wg.go([&channels, n, &sum] { sum = recv_among(channels, n); });
    }
    wg.wait();
    bench::check(sums[0] + sums[1] == 2 * sum_below(n), name);
  });
}

void select4_unbuf(benchmark::State& state) { among_four(state, 0, "select4_unbuf"); }
BENCH_GOROUTINES(select4_unbuf);

void select4_buf16(benchmark::State& state) { among_four(state, 16, "select4_buf16"); }
BENCH_GOROUTINES(select4_buf16);

// Some case is always ready: nobody ever waits.
void select4_mixed(benchmark::State& state) {
  const std::int64_t n = bench::scaled(1'000'000);
  bench::on_goroutines(state, 4 * n, [n] {
    const auto a = rove::make_chan<std::int64_t>(128);
    const auto b = rove::make_chan<std::int64_t>(128);
    for (std::int64_t i = 0; i < 64; ++i) {
      a.send(i);
      b.send(i);
    }
    rove::wait_group wg;
    for (int g = 0; g < 4; ++g)
      wg.go([=] {
        for (std::int64_t i = 0; i < n; ++i)
          rove::select(a.on_send(i), a.on_recv(), b.on_send(i), b.on_recv());
      });
    wg.wait();
  });
}
BENCH_GOROUTINES(select4_mixed);

}  // namespace
