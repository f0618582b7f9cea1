// What is known of a descriptor that goroutines wait for: the slots of its two directions, who uses it, its end.
//
// Problem. A goroutine tries, finds nothing, and waits; the system says just once that something came (an edge), perhaps
// between the two. Meanwhile others may close the descriptor, move its deadline, or be using its other direction; and once it
// is closed its number, and this record, soon belong to another connection, while events of the old one are still
// under way.
//
// Invariants, all under the record's lock:
//   edge      If an edge came after the last try began, then `ready` is set or the waiter was taken off. So whoever
//             queues itself under the lock, having seen `ready` unset, is woken by the next edge.
//   drained   Set only after a try took less than it asked for, of a stream that says so only when it is empty. Whatever
//             comes later is an edge: the next try may wait first. Not if an end, an error or an urgent byte was
//             announced: those come without an edge of their own, or make a try short.
//   users     The descriptor's number is closed when `closed` is set and nobody uses it. Who has a turn is a user; who
//             waits for a turn is not, since `close` takes it off the queue.
//   reuse     `sequence` changes before the record may be used again. An edge names the sequence that it is meant for.
//
// Steps.  try:    1 lock; closed or too late: return; no turn: queue for it; `ready` = false (and `drained`, if it was
//                   set); unlock.  2 the system call.  3 nothing: lock; closed, too late, `ready`: return; queue; park (the
//                   commit unlocks).  4 when done: lock; pass the turn on; unlock.
//         edge:   lock; another sequence: nothing. Somebody waits: take it off, else `ready` = true. Unlock; wake.
//         close:  1 lock; `closed`; take off all who wait, for data or for a turn; unlock; wake.
//                 2 lock; while there are users: wait; unlock; close the number.
//         late:   a deadline is a timer of the waiter's; it takes the waiter off under the lock, as an edge does. A deadline that
//                 moves to an earlier time takes the waiter off too, so that it looks again.
// Taking a waiter off the slot is the claim; edge, close, deadline and the end of a runtime all do it under the lock.
//
// Rejected: slots that are atomic words, as in Go (the turn needs a locked instruction anyhow, and with the lock there is
// just one); a timer that belongs to the record (each change of a deadline would go to a heap, and a connection may
// outlive the runtime whose heap it is).
#pragma once

#include <cstdint>
#include <utility>

#include "src/base/list.hpp"

namespace rove::sched {

enum class side : std::uint8_t { read, write };

// `Waiter` has next, prev and result, whose values are `Outcome`s.
template <class Waiter, class Outcome>
class poll_state {
 public:
  enum class verdict : std::uint8_t { closed, no_turn, go, wait_first };
  enum class wait_verdict : std::uint8_t { closed, ready, queued };
  using nanoseconds = std::int64_t;
  static constexpr nanoseconds never = INT64_MAX;

  struct slot {
    Waiter* waits = nullptr;          // parked until the next edge
    bool ready = false;
    bool drained = false;
    bool busy = false;                // somebody has the turn
    nanoseconds deadline = never;
    nanoseconds armed = never;        // what the waiter knows of it
    base::list<Waiter> turns;         // who waits for the turn
  };

  // ---- a record begins and ends
  void open() {
    closed_ = false;
    odd_ = false;
    users_ = 0;
    for (slot& s : slots_) s = {};
  }
  void retire() { ++sequence_; }
  std::uint32_t sequence() const { return sequence_; }
  bool closed() const { return closed_; }
  bool used() const { return users_ > 0; }
  slot& at(side s) { return slots_[static_cast<int>(s)]; }

  // ---- a call
  verdict enter(side s) {
    slot& d = at(s);
    if (closed_) return verdict::closed;
    if (d.busy) return verdict::no_turn;
    d.busy = true;
    ++users_;
    return before_try(s);
  }
  verdict before_try(side s) {
    slot& d = at(s);
    if (d.ready) d.ready = d.drained = false;
    return d.drained ? verdict::wait_first : verdict::go;
  }
  // A user without a turn: the number stays, nothing else.
  bool share() {
    if (closed_) return false;
    ++users_;
    return true;
  }
  void unshare() { --users_; }
  void queue_for_turn(side s, Waiter* w) { at(s).turns.push_back(w); }
  bool leave_turn_queue(side s, Waiter* w, Outcome pending, Outcome why) {
    if (w->result != pending) return false;
    at(s).turns.remove(w);
    w->result = why;
    return true;
  }
  wait_verdict wait(side s, Waiter* w) {
    slot& d = at(s);
    if (closed_) return wait_verdict::closed;
    if (d.ready) {
      d.ready = d.drained = false;
      return wait_verdict::ready;
    }
    d.waits = w;
    d.armed = d.deadline;
    return wait_verdict::queued;
  }
  // After a short try; only for streams of which the essay's rule is true.
  void took_all(side s) { at(s).drained = !odd_; }
  // The turn goes to the next, who is returned, to be woken.
  Waiter* leave(side s, Outcome granted) {
    slot& d = at(s);
    if (Waiter* const next = d.turns.pop_front()) {
      next->result = granted;
      return next;
    }
    d.busy = false;
    --users_;
    return nullptr;
  }

  // ---- events
  Waiter* edge(side s, bool odd, Outcome granted) {
    slot& d = at(s);
    odd_ = odd_ || odd;
    d.drained = false;
    if (Waiter* const w = take_off(d, granted)) return w;
    d.ready = true;
    return nullptr;
  }
  // Nobody tells of edges any more: whoever waits tries again.
  Waiter* forget_edges(side s, Outcome granted) {
    at(s).drained = false;
    return take_off(at(s), granted);
  }
  // Who waits by an earlier deadline than it should looks again.
  Waiter* set_deadline(side s, nanoseconds when, Outcome granted) {
    slot& d = at(s);
    d.deadline = when;
    return d.waits && when < d.armed ? take_off(d, granted) : nullptr;
  }
  void close(base::list<Waiter>& woken, Outcome closed) {
    closed_ = true;
    for (slot& d : slots_) {
      if (Waiter* const w = take_off(d, closed)) woken.push_back(w);
      while (Waiter* const w = d.turns.pop_front()) {
        w->result = closed;
        woken.push_back(w);
      }
    }
  }
  // A waiter's time is up, or its runtime ends.
  bool unlink(side s, Waiter* w, Outcome why) {
    slot& d = at(s);
    if (d.waits != w) return false;
    take_off(d, why);
    return true;
  }

 private:
  static Waiter* take_off(slot& d, Outcome why) {
    Waiter* const w = std::exchange(d.waits, nullptr);
    if (w) w->result = why;
    return w;
  }

  std::uint32_t sequence_ = 1;
  std::uint32_t users_ = 0;
  bool closed_ = true;
  bool odd_ = false;
  slot slots_[2];
};

}  // namespace rove::sched
