// Ten thousand goroutines, a handful of threads.
#include <unistd.h>

#include <cstdio>
#include <mutex>
#include <set>

#include <rove/rove.hpp>

int main() {
  rove::run([] {
    constexpr int count = 10'000;
    rove::mutex guard;
    std::set<pid_t> threads;
    rove::latch everybody(count);
    rove::wait_group wg;
    for (int i = 0; i < count; ++i)
      wg.go([&] {
        {
          const std::lock_guard hold(guard);
          threads.insert(gettid());
        }
        everybody.arrive_and_wait();  // nobody ends before all are here
      });
    wg.wait();
    std::printf("%d goroutines were there at the same time\n", count);
    std::printf("fewer than 100 threads ran them: %s\n", threads.size() < 100 ? "yes" : "no");
  });
}
