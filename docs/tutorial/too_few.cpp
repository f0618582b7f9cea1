// A wait_group that is told of more than will be done: its waiter waits for ever, and the runtime says so.
#include <rove/rove.hpp>

int main() {
  rove::run([] {
    rove::wait_group wg;
    wg.add(3);                             // three are announced
    for (int i = 0; i < 2; ++i)
      rove::go([&wg] { wg.done(); });      // two come
    wg.wait();
  });
}
