// The same without a deadlock: both locks are taken together.
#include <cstdio>
#include <mutex>

#include <rove/rove.hpp>

int main() {
  rove::run([] {
    rove::mutex pen, paper;
    int letters = 0;
    rove::wait_group wg;
    for (int i = 0; i < 2; ++i)
      wg.go([&] {
        const std::scoped_lock both(pen, paper);  // in any order: it backs off where it has to
        ++letters;
      });
    wg.wait();
    std::printf("%d letters\n", letters);
  });
}
