// A race: two goroutines change one number, and nothing orders them.
#include <cstdio>

#include <rove/rove.hpp>

int main() {
  rove::run([] {
    int counter = 0;
    rove::wait_group wg;
    for (int i = 0; i < 2; ++i)
      wg.go([&counter] {
        for (int n = 0; n < 1'000'000; ++n) ++counter;  // read, add, write: another may come in between
      });
    wg.wait();
    std::printf("expected 2000000, counted %d\n", counter);
  });
}
