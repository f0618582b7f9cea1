// What the conformance tests share: bodies that know their runtime, checks from anywhere.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "test/support/fixture.hpp"
#include "test/support/go_parked.hpp"

namespace rove_test {

// Runs `body(rt)` as a goroutine of `rt` with 1, 2 and 4 processors; when it returns all other goroutines have ended.
template <class Body>
void on_runtimes(Body body) {
  for (const unsigned n : {1u, 2u, 4u}) {
    INFO("processors: " << n);
    rove::runtime rt(with_procs(n));
    rt.run([&] { body(rt); });
    check_nothing_left(rt);
  }
}

// The same for bodies that leave goroutines behind: they are ended with the runtime.
template <class Body>
void on_ending_runtimes(Body body) {
  for (const unsigned n : {1u, 2u, 4u}) {
    INFO("processors: " << n);
    rove::runtime rt(with_procs(n));
    rt.run([&] { body(rt); });
    rt.stop();
    check_nothing_left(rt);
  }
}

// All others had a turn, many times: what does not wait has run by now. Only to make a mistake likely to show.
inline void let_others_run() {
  for (int i = 0; i < 20; ++i) rove::yield();
}

// What is expected by goroutines and threads other than the test's own, where assertions may not be used.
class verdict {
 public:
  void expect(bool right) {
    if (!right) wrong_.fetch_add(1, std::memory_order_relaxed);
  }
  int wrong() const { return wrong_.load(); }

 private:
  std::atomic<int> wrong_{0};
};

}  // namespace rove_test
