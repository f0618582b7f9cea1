// A semaphore: at most three at the same time.
#include <atomic>
#include <chrono>
#include <cstdio>

#include <rove/rove.hpp>

using namespace std::chrono_literals;

int main() {
  rove::run([] {
    rove::semaphore places(3);
    std::atomic<int> inside = 0, most = 0;
    rove::wait_group wg;
    for (int i = 0; i < 12; ++i)
      wg.go([&] {
        places.acquire();
        const int now = ++inside;
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
        }
        rove::sleep_for(2ms);
        --inside;
        places.release();
      });
    wg.wait();
    std::printf("12 guests, never more than 3 inside: %s\n", most <= 3 ? "true" : "false");
  });
}
