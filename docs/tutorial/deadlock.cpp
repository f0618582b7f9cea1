// A deadlock: each has what the other wants.
#include <mutex>

#include <rove/rove.hpp>

int main() {
  rove::run([] {
    rove::mutex pen, paper;
    rove::latch each_has_one(2);
    rove::wait_group wg;
    wg.go([&] {
      const std::lock_guard first(pen);
      each_has_one.arrive_and_wait();
      const std::lock_guard second(paper);
    });
    wg.go([&] {
      const std::lock_guard first(paper);
      each_has_one.arrive_and_wait();
      const std::lock_guard second(pen);
    });
    wg.wait();
  });
}
