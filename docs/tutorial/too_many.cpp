// A wait_group that is done more often than was announced.
#include <cstdio>

#include <rove/rove.hpp>

int main() {
  rove::run([] {
    rove::wait_group wg;
    wg.add(1);
    wg.done();
    try {
      wg.done();
    } catch (const rove::panic& p) {
      std::printf("panic: %s\n", p.what());
    }
  });
}
