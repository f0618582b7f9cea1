// A lock that costs its owner no locked instruction: biased to one thread, taken from it by a barrier on every CPU.
//
// Problem. A processor's run queue is used by its owner at every dispatch and by thieves now and then. Ready and run on
// one processor should not pay for the thieves: a compare-and-swap ring costs two locked instructions a dispatch.
//
// Invariant. At most one of {owner, one thief} is inside. The owner is inside while inside_ is 1 and it saw thief_ 0
// after that; a thief is inside while thief_ is 1 and it saw inside_ 0 after a heavy fence.
//
// Steps.  owner enter: 1 inside_ = 1.  2 light fence.  3 thief_ is 0: in.  4 else inside_ = 0, refused: the owner does
//                      something else (goes the slow way) or waits until thief_ is 0.
//         owner leave: inside_ = 0.
//         thief enter: 1 exchange thief_ to 1; it was 1: another thief, give up.  2 heavy fence.  3 wait a bounded time
//                      for inside_ to be 0; else thief_ = 0, give up.
//         thief leave: thief_ = 0.
// Either the owner's step 1 comes before the thief's fence, then the thief sees inside_ 1 and waits; or the owner's
// step 3 comes after it and sees thief_ 1. The owner may stay inside over a switch of stacks, even to another goroutine
// (yield does), since it is the thread that owns. An owner may become another thread when the processor changes hands:
// that hand-over synchronizes by itself.
//
// Pairs. OWNER-BIAS: store inside_ + light fence + load thief_ against exchange thief_ + heavy fence + load inside_.
//        OWNER-OUT: release of inside_ = 0 with the thief's acquire load: the thief sees what the owner did.
//        THIEF-OUT: release of thief_ = 0 with the acquire loads and exchanges of thief_: they see what the thief did.
#pragma once

#include <cstdint>
#include <type_traits>

#include "src/base/atomic.hpp"
#include "src/os/lock_rank.hpp"

namespace rove::sched {

template <class A = base::real_atomics>
class owner_section {
 public:
  [[nodiscard]] bool enter() {
    inside_.store(1, std::memory_order_relaxed);                 // OWNER-BIAS
    A::light_fence();                                            // OWNER-BIAS
    if (thief_.load(std::memory_order_acquire) == 0) [[likely]] {  // OWNER-BIAS, THIEF-OUT
      note_inside();
      return true;
    }
    inside_.store(0, std::memory_order_release);                 // OWNER-OUT
    return false;
  }

  void leave() {
    note_outside();
    inside_.store(0, std::memory_order_release);                 // OWNER-OUT
  }

  [[nodiscard]] bool enter_as_thief() {
    if (thief_.load(std::memory_order_relaxed) != 0) return false;         // relaxed: the exchange decides
    if (thief_.exchange(1, std::memory_order_acquire) != 0) return false;  // OWNER-BIAS, THIEF-OUT
    note_inside();
    A::heavy_fence();                                                      // OWNER-BIAS
    for (int i = 0; i < patience; ++i) {
      if (inside_.load(std::memory_order_acquire) == 0) return true;       // OWNER-BIAS, OWNER-OUT
      A::pause();
    }
    leave_as_thief();  // the owner was preempted inside, or is slow: nobody waits for it
    return false;
  }

  void leave_as_thief() {
    note_outside();
    thief_.store(0, std::memory_order_release);                            // THIEF-OUT
  }

 private:
  // For the order of locks; the model checker's threads are not the system's.
  static constexpr bool checked = os::debug_checks && std::is_same_v<A, base::real_atomics>;
  static void note_inside() {
    if constexpr (checked) os::taking_rank(os::rank::owner_section);
  }
  static void note_outside() {
    if constexpr (checked) os::gave_back_rank(os::rank::owner_section);
  }

  static constexpr int patience = 200;
  typename A::template atomic<std::uint32_t> inside_{0};
  alignas(64) typename A::template atomic<std::uint32_t> thief_{0};
};

}  // namespace rove::sched
