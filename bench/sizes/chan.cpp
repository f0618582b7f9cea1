// hello through a channel; the size of its stripped executable, less that of hello, is what channels cost.
#include <cstdio>
#include <rove/chan.hpp>
#include <rove/run.hpp>

int main() {
  return rove::run([] {
    const auto words = rove::make_chan<const char*>();
    rove::go([words] { words.send("hello"); });
    std::puts(*words.recv());
  });
}
