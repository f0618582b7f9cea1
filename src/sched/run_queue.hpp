// What one processor will run: the next slot, a lane of woken goroutines, a lane of new ones.
//
// Problem. Who was woken last runs best next (its data are warm, its waker is about to park); who was woken earlier
// must not wait for ever behind it; a tree of goroutines that spawn goroutines should be walked depth first, or all its
// levels are alive at once; a thief should get what is oldest: the largest part of a tree, the longest wait.
//
// Invariant. Everything here is touched inside the owner section only, except that thieves sample the lengths (relaxed)
// to see whether a theft pays. Each goroutine put in comes out once.
//
// Order for the owner: next, the oldest of the woken, the newest of the new. That alone would starve some, so at the end
// of each slice of 64 dispatches the woken come before the next slot; every 4th slice the newest of the new comes
// first, so that a pair that keeps waking each other does not shut them out; and once a millisecond the oldest of
// the new, so that a goroutine that keeps spawning does not bury the first ones. (More often than that opens the upper
// branches of a tree that is walked depth first, until all of it is alive.)
// A lane holds N; what does not fit goes to the global queue, half a lane at a time, so that the price is shared.
#pragma once

#include <cstdint>

#include "src/base/chain.hpp"
#include "src/sched/owner_section.hpp"

namespace rove::sched {

template <class T, std::uint32_t N = 256, class A = base::real_atomics>
class run_queue {
  static_assert((N & (N - 1)) == 0, "the ring's index wraps by masking");

 public:
  using chain = base::chain<T>;

  owner_section<A>& section() { return section_; }

  // ---- inside the section, by the owner ----

  T* take() {
    if (T* const g = exchange_next(nullptr)) return g;
    if (T* const g = woken_.pop_oldest()) return g;
    return fresh_.pop_newest();
  }

  enum class turn : std::uint8_t { woken, newest, oldest };

  // At a slice's end.
  T* take_in_turn(turn whose) {
    T* g = nullptr;
    if (whose == turn::woken) g = woken_.pop_oldest();
    if (whose == turn::newest) g = fresh_.pop_newest();
    if (whose == turn::oldest) g = fresh_.pop_oldest();
    return g ? g : take();
  }

  // Into the next slot; who was there goes to the woken lane. What did not fit comes back, for the global queue.
  [[nodiscard]] chain put_next(T* g) {
    T* const displaced = exchange_next(g);
    if (!displaced) [[likely]] return {};
    return put_woken(displaced);
  }

  [[nodiscard]] chain put_woken(T* g) { return put(woken_, g); }
  [[nodiscard]] chain put_fresh(T* g) { return put(fresh_, g); }

  // The running goroutine steps behind the others; false if the lane is full.
  bool put_last(T* g) { return woken_.push_newest(g); }

  chain take_all() {
    chain all;
    while (T* const g = take()) all.push_back(g);
    return all;
  }

  // ---- inside the section, by a thief ----

  // The older half of each lane; the next slot only if nothing else is there.
  chain steal() {
    chain loot;
    take_half(woken_, loot);
    take_half(fresh_, loot);
    if (!loot.empty()) return loot;
    if (T* const g = exchange_next(nullptr)) loot.push_back(g);
    return loot;
  }

  // ---- by anybody, outside: hints ----

  std::uint32_t room_for_woken() const { return N - woken_.length(); }
  bool has_new() const { return fresh_.length() > 0; }

  std::uint32_t length() const {
    const bool next = next_.load(std::memory_order_relaxed) != nullptr;  // relaxed: a hint
    return woken_.length() + fresh_.length() + (next ? 1 : 0);
  }

 private:
  class lane {
   public:
    std::uint32_t length() const {
      // relaxed: a thief's hint; the owner's own values are exact
      return tail_.load(std::memory_order_relaxed) - head_.load(std::memory_order_relaxed);
    }
    bool push_newest(T* g) {
      const std::uint32_t tail = tail_.load(std::memory_order_relaxed);               // relaxed: section
      if (tail - head_.load(std::memory_order_relaxed) == N) [[unlikely]] return false;  // relaxed: section
      slots_[tail % N] = g;
      tail_.store(tail + 1, std::memory_order_relaxed);                               // relaxed: section
      return true;
    }
    T* pop_oldest() {
      const std::uint32_t head = head_.load(std::memory_order_relaxed);               // relaxed: section
      if (head == tail_.load(std::memory_order_relaxed)) return nullptr;              // relaxed: section
      head_.store(head + 1, std::memory_order_relaxed);                               // relaxed: section
      return slots_[head % N];
    }
    T* pop_newest() {
      const std::uint32_t tail = tail_.load(std::memory_order_relaxed);               // relaxed: section
      if (tail == head_.load(std::memory_order_relaxed)) return nullptr;              // relaxed: section
      tail_.store(tail - 1, std::memory_order_relaxed);                               // relaxed: section
      return slots_[(tail - 1) % N];
    }

   private:
    typename A::template atomic<std::uint32_t> head_{0};
    typename A::template atomic<std::uint32_t> tail_{0};
    T* slots_[N];
  };

  T* exchange_next(T* g) {
    T* const before = next_.load(std::memory_order_relaxed);  // relaxed: section
    next_.store(g, std::memory_order_relaxed);                // relaxed: section
    return before;
  }

  chain put(lane& to, T* g) {
    if (to.push_newest(g)) [[likely]] return {};
    chain spilled;
    for (std::uint32_t i = 0; i < N / 2; ++i) spilled.push_back(to.pop_oldest());
    spilled.push_back(g);
    return spilled;
  }

  static void take_half(lane& from, chain& loot) {
    for (std::uint32_t n = (from.length() + 1) / 2; n > 0; --n) loot.push_back(from.pop_oldest());
  }

  owner_section<A> section_;
  alignas(64) typename A::template atomic<T*> next_{nullptr};
  lane woken_;
  lane fresh_;
};

}  // namespace rove::sched
