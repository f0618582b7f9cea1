// Concurrent, not parallel: two goroutines take turns on one processor.
#include <cstdio>

#include <rove/rove.hpp>

namespace {

void count(const char* name) {
  for (int i = 1; i <= 3; ++i) {
    std::printf("%s %d\n", name, i);
    rove::yield();                         // the other one's turn
  }
}

}  // namespace

int main() {
  rove::run({.max_procs = 1}, [] {
    rove::wait_group wg;
    wg.go([] { count("ping"); });
    wg.go([] { count("pong"); });
    wg.wait();
  });
}
