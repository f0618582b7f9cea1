// The untyped core of a channel, seen by the files of this folder and by src/time.
//
// Problem. Values go from senders to receivers in order, each once, through a buffer that may have no room at all;
// close wakes everybody; waiters may be taken away when their runtime or their time ends.
//
// Invariant, under the lock. Receivers wait only if the buffer is empty and no sender waits; senders wait only if the
// buffer is full (always, with capacity 0) and no receiver waits; nobody waits on a closed channel.
// (A select may wait on both sides, and its waiters may stand in a queue for a while after it was served: select.cpp. A
// sender also waits at a buffer with room if its value's move threw when the place became free.)
//
// Send: closed: panic. A receiver waits: the value moves straight into its room, and it is woken. Room in the buffer:
// the value moves there. Else the sender waits with its value on its own stack.
// Receive: buffered values first; a waiting sender's value then takes the freed place, so that order is kept. Capacity
// 0: straight from the waiting sender. Closed and empty: that. Else the receiver waits.
// A move that throws leaves the other side as it was: it happens before anybody is taken off a queue.
//
// Looking without the lock. Who does not want to wait looks first, and takes the lock only if there seems to be
// something. `sent` and `received` only grow, so if `received` was read before `sent` and they are equal, the channel
// was empty at the second read; if `sent` was read first and is ahead by the capacity, it was full at the second. (By
// then `received` may have passed what was read of `sent`: it was not full all the time, and the difference is negative.) A
// channel that was not closed when `closed` is read afterwards was not closed then either; and for a sender the other
// order is right, since a closed channel does not become full again. So "no" is the answer of one moment within the
// call. "Yes" is a hint.
//
// Pairs. CHAN-LOOK: releases under the lock of what makes a channel ready or not, with the acquires of those who look:
// who sees that one channel is not ready any more sees what was done to others before that.
//        CHAN-HANDLES: release and acquire of the handle count: who frees the core sees what all others did.
//
// The lock is held over the parking goroutine's switch and released by its commit (sched/park.hpp).
#pragma once

#include <rove/chan.hpp>

#include <cstring>
#include <utility>

#include "src/chan/users.hpp"
#include "src/os/lock.hpp"
#include "src/sched/park.hpp"

namespace rove::detail {

// Those who wait, in order. As base::list, but the front may be looked at without the lock.
class waiter_queue {
 public:
  bool seems_empty() const { return first_.load(std::memory_order_acquire) == nullptr; }   // CHAN-LOOK

  // ---- with the channel's lock held
  waiter* front() const { return first_.load(std::memory_order_relaxed); }                 // relaxed: lock

  void push_back(waiter* w) {
    w->next = nullptr;
    w->prev = last_;
    last_ ? static_cast<void>(last_->next = w) : set_first(w);
    last_ = w;
  }
  void remove(waiter* w) {
    w->prev ? static_cast<void>(w->prev->next = w->next) : set_first(w->next);
    (w->next ? w->next->prev : last_) = w->prev;
  }

 private:
  void set_first(waiter* w) { first_.store(w, std::memory_order_release); }                // CHAN-LOOK

  std::atomic<waiter*> first_{nullptr};
  waiter* last_ = nullptr;
};

// What a channel's operation does when it meets a waiter that is a case of a select. Reached through the waiter, so
// that a program without select does not carry it. `c` is locked and stays so; `woken`: whom to wake then, unchanged if
// nobody.
struct select_methods {
  bool (*give)(chan_core* c, void* value, waiter*& woken);   // to the first receiver that can be claimed, if any
  bool (*take)(chan_core* c, void* to, waiter*& woken);      // from the first sender
  waiter* (*refill)(chan_core* c) noexcept;                  // from the first sender into the ring; whom to wake
  waiter* (*close)(select_waiter* w) noexcept;               // ends the select; whom to wake, or null
};

inline const select_methods& methods_of(waiter* w) { return *static_cast<select_waiter*>(w)->state->methods; }

// What stands behind a timer's channel (src/time/tick.cpp): capacity 0, nobody sends, never closed. A tick is not in
// the channel: it is there from its due time on, until somebody takes it.
class chan_timer {
 public:
  virtual bool is_due() const noexcept = 0;       // without the lock: false is right at that moment, true a hint
  virtual bool take_locked(void* to) noexcept = 0;  // the tick that is due, if there is one
  virtual void awaited_locked() noexcept = 0;     // a receiver was queued
  virtual void deserted_locked() noexcept = 0;    // the last receiver left without a tick
  virtual void destroy() noexcept = 0;            // no handle is left: frees the core too

 protected:
  ~chan_timer() = default;
};

struct chan_core {
  os::lock lock{os::rank::object};
  std::atomic<bool> closed{false};
  chan_timer* const timer;               // null: an ordinary channel
  const element_type type;
  const std::size_t capacity;
  char* const ring;
  char* const ring_end;
  char* oldest;                          // in the ring
  char* free;                            // where the next value goes
  std::atomic<std::size_t> sent{0};      // values that ever came into the ring, and left it
  std::atomic<std::size_t> received{0};
  waiter_queue receivers;
  waiter_queue senders;
  std::atomic<std::uint32_t> queued{0};  // counts those who ever waited
  std::atomic<std::size_t> handles{1};
  [[no_unique_address]] chan_users users;

  chan_core(const element_type& t, std::size_t cap, char* r, chan_timer* behind = nullptr, const void* made_at = nullptr)
      : timer(behind), type(t), capacity(cap), ring(r), ring_end(r + cap * t.size), oldest(r), free(r), users(made_at) {}

  // ---- with the lock held
  std::size_t count() const {
    return sent.load(std::memory_order_relaxed) - received.load(std::memory_order_relaxed);   // relaxed: lock
  }
  bool is_closed() const { return closed.load(std::memory_order_relaxed); }                   // relaxed: lock
  char* after(char* place) const {
    place += type.size;
    return place == ring_end ? ring : place;
  }
  // The value at `free` is there.
  void note_sent() {
    free = after(free);
    sent.store(sent.load(std::memory_order_relaxed) + 1, std::memory_order_release);          // relaxed: lock; CHAN-LOOK
  }
  // The value at `oldest` is gone.
  void note_received() {
    oldest = after(oldest);
    received.store(received.load(std::memory_order_relaxed) + 1, std::memory_order_release);  // relaxed: lock; CHAN-LOOK
  }
  void queue(waiter_queue& q, waiter* w) {
    queued.store(queued.load(std::memory_order_relaxed) + 1, std::memory_order_release);      // relaxed: lock; CHAN-LOOK
    q.push_back(w);
    if (timer) [[unlikely]] timer->awaited_locked();
  }
  // A waiter leaves that got nothing.
  void unqueue(waiter_queue& q, waiter* w) {
    q.remove(w);
    if (timer && !q.front()) [[unlikely]] timer->deserted_locked();
  }
  void move(void* to, void* from) const {
    if (type.move) return type.move(to, from);
    if (type.size == 8) [[likely]] {
      std::memcpy(to, from, 8);
    } else if (type.size == 4) {
      std::memcpy(to, from, 4);
    } else {
      std::memcpy(to, from, type.size);
    }
  }
  void destroy(void* what) const {
    if (type.destroy) type.destroy(what);
  }

  // ---- without it: false is the answer of one moment in the call, true a hint
  bool may_send() const {
    if (closed.load(std::memory_order_acquire)) return true;                                  // CHAN-LOOK
    if (capacity == 0) return !receivers.seems_empty();
    const std::size_t before = sent.load(std::memory_order_acquire);                          // CHAN-LOOK
    const std::size_t ahead = before - received.load(std::memory_order_acquire);              // CHAN-LOOK
    return static_cast<std::ptrdiff_t>(ahead) < static_cast<std::ptrdiff_t>(capacity);
  }
  bool may_receive() const {
    if (capacity != 0) {
      const std::size_t before = received.load(std::memory_order_acquire);                    // CHAN-LOOK
      if (sent.load(std::memory_order_acquire) != before) return true;                        // CHAN-LOOK
    }
    if (!senders.seems_empty() || (timer && timer->is_due())) return true;
    return closed.load(std::memory_order_acquire);                                            // CHAN-LOOK
  }
  // Changes before the channel becomes ready for a send or a receive; but not when it is closed.
  std::uint64_t changes(bool sends) const {
    if (capacity == 0) return queued.load(std::memory_order_acquire);                         // CHAN-LOOK
    return (sends ? received : sent).load(std::memory_order_acquire);                         // CHAN-LOOK
  }
};

// Gives the lock back when a move throws.
class chan_locked {
 public:
  explicit chan_locked(chan_core* c) : c_(c) { c->lock.lock(); }
  ~chan_locked() {
    if (c_) c_->lock.unlock();
  }
  chan_locked(const chan_locked&) = delete;
  chan_locked& operator=(const chan_locked&) = delete;
  void unlock() { std::exchange(c_, nullptr)->lock.unlock(); }
  void keep() { c_ = nullptr; }          // the parked goroutine's commit unlocks

 private:
  chan_core* c_;
};

// waiter::unlink of those who wait in one channel's queue.
bool unlink_sender(waiter* w, outcome why);
bool unlink_receiver(waiter* w, outcome why);

// Sends without waiting, if that can be: granted, or pending and still locked.
ROVE_ALWAYS_INLINE outcome send_now(chan_core* c, chan_locked& l, void* value) {
  if (c->is_closed()) [[unlikely]] {
    l.unlock();
    throw_panic("send on closed channel");
  }
  if (waiter* const r = c->receivers.front()) {
    if (r->result == outcome::pending) [[likely]] {
      __builtin_prefetch(r->g);
      c->move(r->value, value);
      c->receivers.remove(r);
      r->result = outcome::granted;
      l.unlock();
      sched::wake(r);
      return outcome::granted;
    }
    waiter* woken = nullptr;
    if (methods_of(r).give(c, value, woken)) {
      l.unlock();
      if (woken) sched::wake(woken);
      return outcome::granted;
    }
  }
  if (c->count() < c->capacity) {
    c->move(c->free, value);
    c->note_sent();
    l.unlock();
    return outcome::granted;
  }
  return outcome::pending;
}

// The sender's value takes the place that was freed; returns whom to wake. If its move throws it stays with the sender,
// which goes on waiting for the next receive: what was received is in hand.
ROVE_ALWAYS_INLINE waiter* refill_from(chan_core* c, waiter* s) {
#if ROVE_EXCEPTIONS
  try {
    c->move(c->free, s->value);
  } catch (...) {
    return nullptr;
  }
#else
  c->move(c->free, s->value);
#endif
  c->note_sent();
  c->senders.remove(s);
  s->result = outcome::granted;
  return s;
}

// Receives without waiting, if that can be: granted, closed, or pending and still locked.
ROVE_ALWAYS_INLINE outcome recv_now(chan_core* c, chan_locked& l, void* to) {
  if (c->count() > 0) {
    c->move(to, c->oldest);
    c->destroy(c->oldest);
    c->note_received();
    waiter* const s = c->senders.front();
    if (!s) {
      l.unlock();
      return outcome::granted;
    }
    waiter* const woken = s->result == outcome::pending ? refill_from(c, s) : methods_of(s).refill(c);
    l.unlock();
    if (woken) sched::wake(woken);
    return outcome::granted;
  }
  if (waiter* const s = c->senders.front()) {
    if (s->result == outcome::pending) [[likely]] {
      __builtin_prefetch(s->g);
      c->move(to, s->value);
      c->senders.remove(s);
      s->result = outcome::granted;
      l.unlock();
      sched::wake(s);
      return outcome::granted;
    }
    waiter* woken = nullptr;
    if (methods_of(s).take(c, to, woken)) {
      l.unlock();
      if (woken) sched::wake(woken);
      return outcome::granted;
    }
  }
  if (c->is_closed()) {
    l.unlock();
    return outcome::closed;
  }
  if (c->timer && c->timer->take_locked(to)) [[unlikely]] {
    l.unlock();
    return outcome::granted;
  }
  return outcome::pending;
}

}  // namespace rove::detail
