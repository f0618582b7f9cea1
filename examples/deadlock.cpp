// deadlock: two goroutines wait for each other, main waits for both, and the runtime says so.
//
// Nothing in this process can ever wake anyone, so the program ends with a report like Go's on stderr: each goroutine,
// what it waits for, and where. The exit status is 2.
#include <cstdio>

#include <rove/rove.hpp>

namespace {

// Waits to be greeted before greeting. With two of these nobody begins. Not inlined, so that the report can name it.
[[gnu::noinline]] void polite(rove::recv_chan<int> mine, rove::send_chan<int> other) {
  const auto greeting = mine.recv();
  other.send(*greeting);
}

}  // namespace

int main() {
  rove::run([] {
    auto to_alice = rove::make_chan<int>();
    auto to_bob = rove::make_chan<int>();
    rove::wait_group wg;
    wg.add(2);
    rove::go({.name = "alice"}, [=, &wg] {
      polite(to_alice, to_bob);
      wg.done();
    });
    rove::go({.name = "bob"}, [=, &wg] {
      polite(to_bob, to_alice);
      wg.done();
    });
    wg.wait();
    std::puts("never printed");
  });
}
