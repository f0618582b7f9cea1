// Specifying the order: each waits for the one before it, whenever it was started.
#include <cstdio>
#include <variant>

#include <rove/rove.hpp>

namespace {

using signal = rove::chan<std::monostate>;

void step(const char* what, signal before, signal after) {
  before.recv();
  std::puts(what);
  after.close();
}

}  // namespace

int main() {
  rove::run([] {
    const auto begin = rove::make_chan<std::monostate>(), washed = rove::make_chan<std::monostate>(),
               cooked = rove::make_chan<std::monostate>(), eaten = rove::make_chan<std::monostate>();
    rove::go(step, "eat", cooked, eaten);
    rove::go(step, "wash", begin, washed);
    rove::go(step, "cook", washed, cooked);
    begin.close();
    eaten.recv();
  });
}
