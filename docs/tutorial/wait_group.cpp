// Waiting for all of them.
#include <cstdio>
#include <vector>

#include <rove/rove.hpp>

int main() {
  rove::run([] {
    std::vector<int> lengths(5);
    rove::wait_group wg;
    for (int i = 0; i < 5; ++i) {
      wg.add(1);                           // before the goroutine, not in it
      rove::go([i, &lengths, &wg] {
        lengths[i] = 10 * i;
        wg.done();
      });
    }
    wg.wait();

    int last = 0;
    for (const int n : lengths) wg.go([n, &last] { if (n == 40) last = n; });  // add, go and done in one
    wg.wait();

    for (const int n : lengths) std::printf("%d ", n);
    std::printf("and the last one again: %d\n", last);
  });
}
