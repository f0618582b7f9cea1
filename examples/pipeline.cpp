// pipeline: stages joined by channels, as in the Go blog's "Pipelines and cancellation".
//
// A stage takes a channel, starts a goroutine that turns what comes in into what goes out, and returns the channel it
// fills. Each closes its own channel when the one before it is closed and drained, and so the end travels down.
#include <cstdio>
#include <vector>

#include <rove/rove.hpp>

namespace {

// 1, 2, ... n
rove::recv_chan<int> numbers(int n) {
  auto out = rove::make_chan<int>();
  rove::go([=] {
    for (int i = 1; i <= n; ++i) out.send(i);
    out.close();
  });
  return out;
}

rove::recv_chan<int> squares(rove::recv_chan<int> in) {
  auto out = rove::make_chan<int>();
  rove::go([=] {
    for (int x : in) out.send(x * x);
    out.close();
  });
  return out;
}

// All that comes out of several channels, in the order in which it comes.
rove::recv_chan<int> merge(std::vector<rove::recv_chan<int>> inputs) {
  auto out = rove::make_chan<int>(8);
  rove::go([out, inputs = std::move(inputs)] {
    rove::wait_group wg;
    for (auto& in : inputs) {
      wg.go([=] {
        for (int x : in) out.send(x);
      });
    }
    wg.wait();
    out.close();
  });
  return out;
}

}  // namespace

int main() {
  rove::run([] {
    std::printf("a line of stages:");
    for (int x : squares(squares(numbers(5)))) std::printf(" %d", x);
    std::printf("\n");

    // Fan out: four goroutines share one channel's work; fan in: their results come together again.
    auto source = numbers(1000);
    long sum = 0;
    for (int x : merge({squares(source), squares(source), squares(source), squares(source)})) sum += x;
    std::printf("four squarers side by side: %ld\n", sum);
  });
}
