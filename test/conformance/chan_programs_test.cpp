// Go's programs of channels, as programs of ours: what comes out at the end is right only if every exchange was.
#include <algorithm>
#include <array>
#include <vector>

#include "test/conformance/support.hpp"

using namespace rove_test;

namespace {

using ints = rove::chan<int>;

std::vector<int> primes_below(int n) {
  std::vector<int> primes;
  for (int i = 2; i < n; ++i)
    if (std::none_of(primes.begin(), primes.end(), [i](int p) { return i % p == 0; })) primes.push_back(i);
  return primes;
}

// A goroutine for each prime takes its multiples out of what goes to the next.
ints sieve() {
  auto primes = rove::make_chan<int>();
  rove::go([primes] {
    auto in = rove::make_chan<int>();
    rove::go([in] {
      for (int i = 2;; ++i) in.send(i);
    });
    for (;;) {
      const int prime = *in.recv();
      primes.send(prime);
      auto out = rove::make_chan<int>();
      rove::go([in, out, prime] {
        for (int i : in)
          if (i % prime != 0) out.send(i);
      });
      in = out;
    }
  });
  return primes;
}

// Gives each number that it is asked, multiplied: what is asked and what is given are queues.
struct multiplier {
  rove::chan<long> in = rove::make_chan<long>(100), out = rove::make_chan<long>(100);
  explicit multiplier(long factor) {
    rove::go([in = in, out = out, factor] {
      for (long x : in) out.send(factor * x);
    });
  }
};

}  // namespace

TEST_CASE("program: a sieve that is a chain of filters") {
  on_ending_runtimes([](rove::runtime&) {
    auto primes = sieve();
    for (const int p : primes_below(100)) CHECK(primes.recv() == p);
  });
}

TEST_CASE("program: all products of 2, 3 and 5 in order, fed back through queues") {
  on_ending_runtimes([](rove::runtime&) {
    std::array<multiplier, 3> multipliers{multiplier(2), multiplier(3), multiplier(5)};
    std::array<long, 3> heads{1, 1, 1};
    std::vector<long> numbers;
    for (long x = 1; numbers.size() < 100;) {
      for (std::size_t i = 0; i < 3; ++i) {
        multipliers[i].in.send(x);
        if (heads[i] == x) heads[i] = *multipliers[i].out.recv();
      }
      x = *std::min_element(heads.begin(), heads.end());
      numbers.push_back(x);
    }
    std::vector<long> expected;
    for (long i = 2; expected.size() < numbers.size(); ++i) {
      long rest = i;
      for (const long p : {2, 3, 5})
        while (rest % p == 0) rest /= p;
      if (rest == 1) expected.push_back(i);
    }
    CHECK(numbers == expected);
  });
}

TEST_CASE("program: each message is marked by its sender, then by one receiver") {
  on_ending_runtimes([](rove::runtime&) {
    constexpr std::size_t n = 1000;
    constexpr int receivers = 10;
    std::vector<int> marks(n);  // plain: the channel orders them
    verdict v;
    std::atomic<std::size_t> received{0};
    auto ch = rove::make_chan<std::size_t>(2);
    for (int r = 0; r < receivers; ++r)
      rove::go([&, ch] {
        for (const std::size_t i : ch) {
          v.expect(marks[i] == 1);
          marks[i] = 2;
          ++received;
        }
      });
    for (std::size_t i = 0; i < n; ++i) {
      CHECK(marks[i] == 0);
      marks[i] = 1;
      ch.send(i);
    }
    eventually([&] { return received == n; });
    CHECK(v.wrong() == 0);
    CHECK(std::count(marks.begin(), marks.end(), 2) == static_cast<std::ptrdiff_t>(n));
  });
}
