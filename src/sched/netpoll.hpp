// Waiting for descriptors: a door of the scheduler.
//
// A `pollable` is a descriptor that goroutines and threads read, write and wait for. Each call takes its direction's
// *turn*, so that one reads and one writes at a time; it tries the system call first, and waits only when there was
// nothing: the poller costs no system call as long as the descriptor is ready. A goroutine parks, and the poller of its
// runtime wakes it; a plain thread sleeps in the system's own call for one descriptor. poll_state.hpp has the protocol.
//
//   io_turn turn(p, side::read);
//   if (turn.error()) return turn.error();
//   for (;;) {
//     if (!turn.must_wait()) { n = receive(turn.descriptor(), ...); if (n != -EAGAIN) break; }
//     if (const int error = turn.wait()) return error;
//   }
//
// Errors are negative: -errno, or one of the two below. A record is never unmapped; the last who uses it, its owner
// included, gives it back.
#pragma once

#include <cstddef>
#include <cstdint>

#include <rove/detail/waiter.hpp>

#include "src/os/lock.hpp"
#include "src/os/os.hpp"
#include "src/os/poller.hpp"
#include "src/sched/poll_state.hpp"

namespace rove::sched {

class netpoller;

inline constexpr int io_closed = -100'001;      // errc::closed
inline constexpr int io_timed_out = -100'002;   // errc::deadline_exceeded

class pollable {
 public:
  // The non-blocking descriptor belongs to it from now on. `streams`: a short read of it means that it was empty, or that
  // an end, an error or an urgent byte comes next (TCP). Null: no memory; the descriptor is the caller's as before.
  static pollable* adopt(int descriptor, bool streams);
  // By the owner, once: closes it if need be. Never waits.
  void release();

  // Wakes all who wait for it, waits for the last user to leave, and closes the number: parks (blocks a plain thread) for a
  // moment if there are users. 0, -errno of the system's close, or io_closed if it was closed before.
  int close();
  // A point of the steady clock; os::never: none. Who waits by a later one looks again.
  void set_deadline(bool for_reads, bool for_writes, os::nanoseconds when);

  bool closed();

  // For calls that only need the number, such as one that sets an option: f(descriptor) while nobody can close it.
  // What f calls may end the goroutine: then it is left by unwinding.
  template <class F>
  int with_descriptor(F f) {
    if (!enter_shared()) return io_closed;
    const struct guard {
      pollable* shared;
      ~guard() { shared->leave_shared(); }
    } leaves{this};
    return f(descriptor_);
  }

  // Room for whoever made it; as the record, it keeps its content until release.
  static constexpr std::size_t label_size = 128;
  void* label() { return label_; }

 private:
  friend class io_turn;
  friend class netpoller;
  friend class pollable_pool;
  using state = poll_state<detail::waiter, detail::outcome>;

  int take_turn(side s, bool& wait_first);
  int queue_for_turn_locked(side s);
  void leave(side s, bool was_short);
  bool end_check(side s);
  int wait_parked(side s, os::nanoseconds limit);
  int wait_on_thread(side s, os::nanoseconds limit, bool ready);
  bool enter_shared();
  void leave_shared();
  void unlock_after_leaving(detail::waiter* next);
  int take_descriptor_locked();
  bool late_locked(side s);
  int register_locked(netpoller* poller);
  void poke_thread_locked(side s);
  bool wait_for_users_locked();
  void edge(std::uint32_t sequence, const os::poll_event& e, detail::waiter* (&woken)[2]);
  void forget_poller(const netpoller* poller);
  std::uint64_t token_locked() const { return std::uint64_t{index_} << 32 | state_.sequence(); }
  template <side S>
  static bool unlink(detail::waiter* w, detail::outcome why);
  static bool unlink_turn(detail::waiter* w, detail::outcome why);
  static bool unlink_closer(detail::waiter* w, detail::outcome why);

  os::lock lock_{os::rank::object};
  int descriptor_ = -1;
  bool streams_ = false;
  bool owned_ = false;                   // its owner has not released it
  bool closer_closes_ = false;           // whoever called close() closes the number, not the last user
  detail::waiter* closer_ = nullptr;     // waits for the last user
  netpoller* registered_ = nullptr;      // whose poller tells of its edges
  int breakers_[2] = {-1, -1};           // of the plain threads that wait
  std::uint32_t index_ = 0;              // in the pool, where it stays
  pollable* next_free_ = nullptr;
  state state_;
  alignas(8) unsigned char label_[label_size];
};

// The right to read, or to write, while it lives. Waits for those who came before.
class io_turn {
 public:
  io_turn(pollable* p, side s);
  ~io_turn() {
    if (error_ == 0) p_->leave(side_, short_);
  }
  io_turn(const io_turn&) = delete;
  io_turn& operator=(const io_turn&) = delete;

  int error() const { return error_; }         // not 0: it has no turn
  int descriptor() const { return p_->descriptor_; }
  // A try would find nothing. Asked before the first try; false after a wait.
  bool must_wait() const { return wait_first_; }
  // Parks (blocks a plain thread) until a try may succeed, or until `when`: 0. Else io_closed, io_timed_out, or what the
  // system's poller said.
  int wait(os::nanoseconds when = os::never);
  // For what is no matter of being ready, such as a lack of descriptors: 0 when `time` has passed, or before.
  int pause(os::nanoseconds time);
  // The last read got less than it asked for: of a stream, the next one waits before it tries.
  void was_short() { short_ = true; }

 private:
  pollable* const p_;
  const side side_;
  bool wait_first_ = false;
  bool short_ = false;
  int error_ = 0;
};

// After a call: a goroutine whose descriptors are always ready would never park, and now and then yields here instead.
void let_others_run();
// In the middle of a call, by who has a turn or uses the number: it is not ended here if its stack would not be unwound,
// since it would keep what it has.
void let_others_run_inside();

}  // namespace rove::sched
