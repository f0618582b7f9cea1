// Channels on which nothing is sent: a close tells everybody at once.
#include <cstdio>
#include <variant>

#include <rove/rove.hpp>

int main() {
  rove::run([] {
    auto start = rove::make_chan<std::monostate>();
    auto ready = rove::make_chan<int>();
    for (int i = 1; i <= 3; ++i)
      rove::go([=] {
        start.recv();                      // all three wait here
        ready.send(i);
      });
    start.close();                         // all three go on
    int sum = 0;
    for (int i = 0; i < 3; ++i) sum += *ready.recv();
    std::printf("all runners started: %d\n", sum);
  });
}
