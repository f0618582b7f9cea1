// Parallel: the same goroutines on one processor, and then on as many as there are.
#include <array>
#include <chrono>
#include <cstdio>
#include <numeric>

#include <rove/rove.hpp>

namespace {

bool is_prime(int n) {
  for (int d = 2; d * d <= n; ++d)
    if (n % d == 0) return false;
  return n >= 2;
}

int primes_below_a_million() {
  std::array<int, 8> found{};
  rove::wait_group wg;
  for (int part = 0; part < 8; ++part)
    wg.go([part, &found] {
      for (int n = part; n < 1'000'000; n += 8) found[part] += is_prime(n);
    });
  wg.wait();
  return std::accumulate(found.begin(), found.end(), 0);
}

void measure() {
  const auto start = std::chrono::steady_clock::now();
  const int primes = primes_below_a_million();
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  std::printf("%d primes by 8 goroutines, max_procs %u: %.1f ms\n", primes, rove::max_procs(), took.count());
}

}  // namespace

int main() {
  rove::run([] {
    const unsigned all = rove::set_max_procs(1);
    measure();
    rove::set_max_procs(all);
    measure();
  });
}
