// Tries an order between two sides many times: plain data that ThreadSanitizer looks at, goroutines, threads, delays.
#pragma once

#include <atomic>
#include <thread>

#include "test/conformance/support.hpp"

namespace rove_test {

inline constexpr int rounds = ROVE_TSAN ? 100 : 30;  // elsewhere only wrong values could show

// Runs `here` while `there` runs in a goroutine, and, less often, in a plain thread. `State` is made anew each time: it
// holds the plain data and what orders it.
template <class State, class Here, class There>
void both_ways(Here here, There there) {
  on_processors([&] {
    for (int i = 0; i < rounds; ++i) {
      State s;
      dice mine(static_cast<std::uint64_t>(2 * i)), theirs(static_cast<std::uint64_t>(2 * i + 1));
      auto other = rove::spawn([&] {
        theirs.delay();
        there(s);
      });
      mine.delay();
      here(s);
      other.get();
    }
    for (int i = 0; i < rounds / 10; ++i) {
      State s;
      std::thread other([&] { there(s); });
      if (i % 2) std::this_thread::yield();
      here(s);
      rove::blocking([&] { other.join(); });
    }
  });
}

// `State` has a plain int x. It is written before `order`, read and written again after `await`, on the other side;
// each side is once the goroutine or thread that was started.
template <class State, class Order, class Await>
void ordered(Order order, Await await) {
  std::atomic<int> wrong{0};
  const auto first = [&](State& s) {
    s.x = 1;
    order(s);
  };
  const auto second = [&](State& s) {
    await(s);
    wrong.fetch_add(s.x++ != 1, std::memory_order_relaxed);  // orders nothing
  };
  both_ways<State>(first, second);
  both_ways<State>(second, first);
  CHECK(wrong == 0);
}

}  // namespace rove_test
