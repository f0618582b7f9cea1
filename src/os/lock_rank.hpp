// The order of the library's locks, and its check in a build with debug_checks. docs/HACKING.md has the table that the
// ranks come from and says which nestings exist.
//
// Each thread notes how many locks of each rank it holds; an owner section counts as one. The thread rather than the
// goroutine: a lock that is held over a switch was taken by the thread that runs the commit. Without debug_checks
// nothing calls what is declared here, and a lock is its word alone.
#pragma once

#include <cstdint>

namespace rove::os {

#if defined(ROVE_DEBUG_CHECKS)
inline constexpr bool debug_checks = true;
#else
inline constexpr bool debug_checks = false;
#endif

// A lock is taken only while those held are of earlier ranks. `object` is 0, since a task's lock begins as zeros in a
// public header (include/rove/detail/task_state.hpp).
enum class rank : std::int8_t {
  runtimes = -2, ending, object, select, timers, scheduler, owner_section, descriptors, stacks, slabs, pretended,
  trace,
};

// Notes that the calling thread takes such a lock. Out of order: fatal, before the thread waits for the lock.
void taking_rank(rank r);
void gave_back_rank(rank r);

// Fatal if the calling thread holds anything but `objects` locks of objects, selects or timer heaps: those that its
// parking gives back.
void check_ranks_at_park(std::uint32_t objects);

// A lock that keeps its rank behind its word.
template <class Lock>
class checked_lock {
 public:
  constexpr explicit checked_lock(rank r) : rank_(r) {}

  void lock() {
    taking_rank(rank_);
    lock_.lock();
  }
  bool try_lock() {
    if (!lock_.try_lock()) return false;
    taking_rank(rank_);
    return true;
  }
  void unlock() {
    gave_back_rank(rank_);  // first: the lock may be gone after the unlock
    lock_.unlock();
  }

 private:
  Lock lock_;
  rank rank_;
};

}  // namespace rove::os
