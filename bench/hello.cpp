// The smallest program with a goroutine; the size of its stripped executable is what linking rove costs.
#include <cstdio>
#include <rove/rove.hpp>

int main() {
  return rove::run([] {
    rove::wait_group wg;
    wg.go([] { std::puts("hello"); });
    wg.wait();
  });
}
