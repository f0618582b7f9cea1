// hello under locks: mutex, shared_mutex, condition_variable, semaphore; what they cost.
#include <cstdio>
#include <mutex>
#include <rove/rove.hpp>

int main() {
  return rove::run([] {
    rove::mutex mutex;
    rove::condition_variable said;
    rove::shared_mutex shared;
    rove::semaphore one(1);
    bool done = false;
    rove::go([&] {
      one.acquire();
      shared.lock();
      std::puts("hello");
      shared.unlock();
      one.release();
      std::lock_guard lock(mutex);
      done = true;
      said.notify_one();
    });
    std::unique_lock lock(mutex);
    said.wait(lock, [&] { return done; });
  });
}
