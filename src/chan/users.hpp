// Who uses a channel: noted, and asked for, only in a library built with debug_checks.
//
// Problem. A channel belongs to no runtime. When a runtime ends, its goroutines are taken off every queue and are gone;
// a plain thread that then sends to them or receives from them waits for ever, and no report says so: a deadlock is
// one of goroutines.
//
// What is a mistake. A plain thread is about to wait, without a limit, on a channel that, but for this very thread,
// only goroutines have used (made, sent, received, closed, asked for its length), and no runtime has a goroutine left
// that could come. None of these is one: what can be done at once (taking what is buffered, seeing that the channel is
// closed, closing it); a wait while any runtime goes on, since its goroutines may have the channel and not have used
// it yet; a wait while a timer may run out, a signal is waited for, or another plain thread sleeps in a call, as in
// src/sched/deadlock.cpp.
//
// A plain thread that has the channel, and has neither used it yet nor sleeps in a call, is not known here: who waits
// for it alone is reported in error. Any use tells of it, that of `len()` too.
//
// Channels that the library uses by itself are passed over (`add_unseen`): a context's, which is closed by whoever
// cancels.
//
// The notes are words of their own: who looks at a channel and finds nothing does not take its lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <type_traits>

#include "src/os/lock_rank.hpp"

namespace rove::detail {

struct chan_core;
struct select_waiter;

class noted_users {
 public:
  explicit noted_users(const void* made_at) : made_at_(made_at) { add(); }

  void add();         // whoever runs here
  void add_unseen() { threads_.store(several, std::memory_order_relaxed); }  // relaxed: a note
  // Asked by a plain thread that was noted: were all others goroutines, and are they gone?
  bool left_to_caller() const;
  const void* made_at() const { return made_at_; }

 private:
  static constexpr std::uint64_t several = ~std::uint64_t{0};

  const void* const made_at_;                // return address of the call that made the channel
  std::atomic<bool> goroutines_{false};
  std::atomic<std::uint64_t> threads_{0};    // plain ones. 0: none; the number of the only one; several
};

struct unnoted_users {
  explicit constexpr unnoted_users(const void*) {}
  constexpr void add_unseen() {}
};

using chan_users = std::conditional_t<os::debug_checks, noted_users, unnoted_users>;

// Whoever runs here uses the channel, which may be nil.
template <class Core>
constexpr void note_user(Core* c) {
  if constexpr (os::debug_checks)
    if (c) const_cast<std::remove_const_t<Core>*>(c)->users.add();
}

// Before a wait without a limit that only this channel, or one of these cases, can end: fatal if a plain thread would
// wait for goroutines that are gone. Only in a library with debug_checks.
void check_partners(const chan_core* c);
void check_partners(const select_waiter* cases, std::size_t n);

}  // namespace rove::detail
