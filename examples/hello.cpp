// hello: three goroutines print while main waits for them.
//
//   go func() { defer wg.Done(); fmt.Println("hello from goroutine", i) }()   // in Go
//
// They may print in any order. Without the wait, main would return first and take the three with it.
#include <cstdio>

#include <rove/rove.hpp>

int main() {
  rove::run([] {
    rove::wait_group wg;
    for (int i = 1; i <= 3; ++i) {
      wg.go([i] { std::printf("hello from goroutine %d\n", i); });
    }
    wg.wait();
    std::puts("all three are done");
  });
}
