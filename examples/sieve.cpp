// sieve: the concurrent prime sieve, a chain of goroutines that grows by one filter a prime.
//
//   naturals -> not divisible by 2 -> not by 3 -> not by 5 -> ...
//
// What comes out of the last filter is the next prime. `sieve 100` prints the first hundred; without a number, ten.
#include <cstdio>
#include <cstdlib>

#include <rove/rove.hpp>

namespace {

// 2, 3, 4, ... without end
rove::recv_chan<int> naturals() {
  auto out = rove::make_chan<int>();
  rove::go([=] {
    for (int i = 2;; ++i) out.send(i);
  });
  return out;
}

// What comes in but the multiples of `prime`.
rove::recv_chan<int> filter(rove::recv_chan<int> in, int prime) {
  auto out = rove::make_chan<int>();
  rove::go([=] {
    for (int x : in) {
      if (x % prime != 0) out.send(x);
    }
  });
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 10;
  rove::run([count] {
    auto chain = naturals();
    for (int i = 0; i < count; ++i) {
      const int prime = chain.recv().value();
      std::printf("%d\n", prime);
      chain = filter(chain, prime);
    }
  });  // main's goroutine returns, and with it all the others end
}
