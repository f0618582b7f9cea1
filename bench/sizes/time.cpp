// hello after a timer; what timers cost.
#include <cstdio>
#include <rove/rove.hpp>

int main() {
  return rove::run([] {
    rove::timer soon(std::chrono::milliseconds(1));
    soon.c().recv();
    std::puts("hello");
  });
}
