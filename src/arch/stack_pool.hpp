// The free stacks of one size: three lists, from the hottest to those whose pages went back to the system.
//
//   hot:      given back since the last trim, the latest first
//   cold:     unused since the last trim; as many as the pool's low-water mark of that time
//   trimmed:  without pages
//
// Taking goes through them in this order, and carves a new stack only when all are empty. A trim looks at `cold` alone:
// those were not needed for a whole period, so half of them lose their pages; then `hot` goes to the front of `cold`
// and the next period begins. Every step under the lock is short: the pages are given back outside of it, some hundred
// stacks at a time, so that whoever starts goroutines meanwhile misses only those.
//
// Rejected: one list and a count of its low-water mark (the coldest lie at its end: a walk over all, under the lock).
#pragma once

#include <cstddef>
#include <cstdint>

#include "src/arch/slab.hpp"
#include "src/arch/stack.hpp"
#include "src/os/lock.hpp"

namespace rove::arch {

// Stacks linked by next_free.
class stack_list {
 public:
  std::size_t size() const { return size_; }
  void push_front(stack* first, stack* last, std::size_t count);
  void push_front(stack_list& other);                    // empties it
  // The first `count` (at least one, at most all), or fewer if there are not as many; the last one links to null.
  stack* pop_front(std::size_t count, stack** last);
  stack_list split_after(std::size_t count);             // keeps the first `count`, returns the rest

 private:
  stack* first_ = nullptr;
  stack* last_ = nullptr;
  std::size_t size_ = 0;
};

class alignas(64) stack_pool {
 public:
  std::size_t take(std::uint8_t size_class, stack** list, std::size_t count);
  void give(stack* first, stack* last, std::size_t count);
  bool promise(std::uint8_t size_class, std::size_t count);
  void return_promises(std::size_t count);
  std::size_t trim(std::size_t most);
  std::size_t trim_to(std::size_t keep, std::size_t most);

 private:
  stack* take_free_locked(std::size_t count, std::size_t* taken);
  stack* carve_locked(std::uint8_t size_class, std::size_t count, std::size_t* taken);
  std::size_t trim_cold(std::size_t count);

  os::lock lock_{os::rank::stacks};
  stack_list hot_;
  stack_list cold_;
  stack_list trimmed_;
  bool grow_locked(std::uint8_t size_class);

  slab* slab_ = nullptr;            // the one that is being carved; behind it those that were not begun
  slab* last_slab_ = nullptr;
  std::size_t capacity_ = 0;        // slots of all slabs
  std::size_t promised_ = 0;
  std::uint32_t next_slots_ = 0;    // of the next slab; 0: there was none yet
};

}  // namespace rove::arch
