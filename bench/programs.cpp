// Whole little programs that are known from other runtimes: the ring, skynet and the prime sieve.
#include "bench/harness.hpp"
#include "bench/thread_tools.hpp"

namespace {

constexpr int ring_size = 503;

// Hands on the token, less one, until it is nought; then says who had it.
void ring_member(rove::recv_chan<std::int64_t> in, rove::send_chan<std::int64_t> out, rove::send_chan<int> winner,
                 int id) {
  while (const std::optional<std::int64_t> token = in.recv()) {
    if (*token == 0) {
      winner.send(id);
      return;
    }
    out.send(*token - 1);
  }
}

// 503 goroutines in a circle pass a token; an operation is one hop.
void ring(benchmark::State& state) {
  const std::int64_t hops = bench::scaled(5'000'000);
  bench::on_goroutines(state, hops, [hops] {
    std::vector<rove::chan<std::int64_t>> links;
    for (int i = 0; i < ring_size; ++i)
      links.push_back(rove::make_chan<std::int64_t>());
    const auto winner = rove::make_chan<int>();
    for (std::size_t i = 0; i < ring_size; ++i) {
      rove::go(ring_member, links[i], links[(i + 1) % ring_size], winner, static_cast<int>(i) + 1);
    }
    links[0].send(hops);
    bench::check(*winner.recv() == hops % ring_size + 1, "ring");
  });
}
BENCH_GOROUTINES(ring);

void ring_threads(benchmark::State& state) {
  const std::int64_t hops = bench::scaled(200'000);
  bench::on_threads(state, hops, [hops] {
    std::vector<std::unique_ptr<bench::thread_queue<std::int64_t>>> links;
    for (int i = 0; i < ring_size; ++i)
      links.push_back(std::make_unique<bench::thread_queue<std::int64_t>>(1));
    bench::thread_queue<int> winner(1);
    links[0]->push(hops);
    bench::run_threads(ring_size, [&](int i) {
      auto& in = *links[static_cast<std::size_t>(i)];
      auto& out = *links[static_cast<std::size_t>(i + 1) % ring_size];
      std::int64_t token = 0;
      do {  // below nought the token only tells the others to leave
        token = in.pop();
        if (token == 0)
          winner.push(i + 1);
        out.push(token - 1);
      } while (token > 0);
    });
    bench::check(winner.pop() == hops % ring_size + 1, "ring_threads");
  });
}
BENCH_THREADS(ring_threads);

void skynet_node(rove::send_chan<std::int64_t> result, std::int64_t number, std::int64_t size) {
  if (size == 1) {
    result.send(number);
    return;
  }
  const auto children = rove::make_chan<std::int64_t>();
  for (std::int64_t i = 0; i < 10; ++i)
    rove::go(skynet_node, children, number + i * (size / 10), size / 10);
  std::int64_t sum = 0;
  for (int i = 0; i < 10; ++i)
    sum += *children.recv();
  result.send(sum);
}

// A tree of goroutines, ten children each, with a million leaves whose numbers are summed up on the way back.
// An operation is one goroutine of the 1,111,111.
void skynet(benchmark::State& state) {
  bench::on_goroutines(state, 1'111'111, [] {
    const auto result = rove::make_chan<std::int64_t>();
    rove::go(skynet_node, result, 0, 1'000'000);
    bench::check(*result.recv() == 499'999'500'000, "skynet");
  });
}
BENCH_GOROUTINES(skynet);

void sieve_numbers(rove::send_chan<int> out) {
  for (int i = 2;; ++i)
    out.send(i);
}

void sieve_filter(rove::recv_chan<int> in, rove::send_chan<int> out, int prime) {
  for (const int i : in) {
    if (i % prime != 0)
      out.send(i);
  }
}

// The concurrent prime sieve up to the 2500th prime; the one operation is the whole.
void sieve(benchmark::State& state) {
  bench::on_goroutines(state, 1, [] {
    auto in = rove::make_chan<int>();
    rove::go(sieve_numbers, in);
    int prime = 0;
    for (int i = 0; i < 2500; ++i) {
      prime = *in.recv();
      const auto out = rove::make_chan<int>();
      rove::go(sieve_filter, in, out, prime);
      in = out;
    }
    bench::check(prime == 22307, "sieve");
  });
}
BENCH_GOROUTINES(sieve);

}  // namespace
