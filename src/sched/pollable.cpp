// Descriptors that are waited for: turns, waiting, closing.
//
// Whoever gives a record back is found under its lock: the last of its owner and its users. The number is closed by the
// one who called `close`, so that the number and the port are free when that returns; only if it may not wait (a
// destructor, a goroutine that is being ended) does the last user do it.
#include <rove/run.hpp>

#include <algorithm>
#include <utility>

#include "src/os/socket.hpp"
#include "src/sched/breaker.hpp"
#include "src/sched/deadlock.hpp"
#include "src/sched/netpoller.hpp"
#include "src/sched/park.hpp"
#include "src/sched/pollable_pool.hpp"
#include "src/sched/scheduler.hpp"

namespace rove::sched {

// ---- the record's life -----------------------------------------------------------------------------------------------

pollable* pollable::adopt(int descriptor, bool streams) {
  pollable* const p = pollable_pool::take();
  if (!p) return nullptr;
  os::hold h(p->lock_);
  p->descriptor_ = descriptor;
  p->streams_ = streams;
  p->owned_ = true;
  p->closer_closes_ = false;
  p->state_.open();
  return p;
}

namespace {

void wake_all(base::list<detail::waiter>& woken) {
  while (detail::waiter* const w = woken.pop_front()) wake(w);
}

}  // namespace

// The number is nobody's any more; it is to be closed.
int pollable::take_descriptor_locked() {
  if (netpoller* const poller = std::exchange(registered_, nullptr)) poller->forget();
  return std::exchange(descriptor_, -1);
}

// With the lock held, after a user or the owner has gone. Unlocks, and does what is left to do.
void pollable::unlock_after_leaving(detail::waiter* next) {
  const bool last = state_.closed() && !state_.used();
  detail::waiter* const closer = last ? std::exchange(closer_, nullptr) : nullptr;
  if (closer) closer->result = detail::outcome::granted;
  const int to_close = last && !closer_closes_ ? take_descriptor_locked() : -1;
  const bool over = last && !owned_ && descriptor_ < 0;
  if (over) state_.retire();
  lock_.unlock();
  if (to_close >= 0) os::close_descriptor(to_close);
  if (over) pollable_pool::give_back(this);
  if (closer) wake(closer);
  if (next) wake(next);
}

void pollable::release() {
  base::list<detail::waiter> woken;
  lock_.lock();
  owned_ = false;
  if (!state_.closed()) {
    state_.close(woken, detail::outcome::closed);
    poke_thread_locked(side::read);
    poke_thread_locked(side::write);
  }
  unlock_after_leaving(nullptr);
  wake_all(woken);
}

int pollable::close() {
  base::list<detail::waiter> woken;
  lock_.lock();
  if (state_.closed()) {
    lock_.unlock();
    return io_closed;
  }
  closer_closes_ = true;
  state_.close(woken, detail::outcome::closed);
  poke_thread_locked(side::read);
  poke_thread_locked(side::write);
  lock_.unlock();
  wake_all(woken);
  lock_.lock();
  if (state_.used() && !wait_for_users_locked()) return 0;
  const int descriptor = take_descriptor_locked();
  unlock_after_leaving(nullptr);
  return os::close_descriptor(descriptor);
}

bool pollable::unlink_closer(detail::waiter* w, detail::outcome why) {
  auto* const p = static_cast<pollable*>(w->object);
  os::hold h(p->lock_);
  if (p->closer_ != w) return false;
  p->closer_ = nullptr;
  p->closer_closes_ = false;
  w->result = why;
  return true;
}

// The lock is held before and after it. False: it may not wait; the last user closes the number, the lock was released.
bool pollable::wait_for_users_locked() {
  if (is_unwinding()) {
    closer_closes_ = false;
    lock_.unlock();
    return false;
  }
  detail::waiter w;
  prepare(w, this, unlink_closer);
  closer_ = &w;
  if (sched::wait(w, wait_reason::semacquire, lock_) == detail::outcome::ended) unwind_current();
  lock_.lock();
  return true;
}

bool pollable::closed() {
  os::hold h(lock_);
  return state_.closed();
}

// ---- turns -----------------------------------------------------------------------------------------------------------

bool pollable::enter_shared() {
  os::hold h(lock_);
  return state_.share();
}

void pollable::leave_shared() {
  lock_.lock();
  state_.unshare();
  unlock_after_leaving(nullptr);
}

bool pollable::late_locked(side s) {
  const os::nanoseconds deadline = state_.at(s).deadline;
  return deadline != os::never && deadline <= now();
}

io_turn::io_turn(pollable* p, side s) : p_(p), side_(s), error_(p->take_turn(s, wait_first_)) {}

int io_turn::wait(os::nanoseconds when) {
  wait_first_ = false;
  return current() ? p_->wait_parked(side_, when) : p_->wait_on_thread(side_, when, true);
}

int io_turn::pause(os::nanoseconds time) {
  const os::nanoseconds until = now() + time;
  return current() ? p_->wait_parked(side_, until) : p_->wait_on_thread(side_, until, false);
}

// 0: the turn is the caller's.
int pollable::take_turn(side s, bool& wait_first) {
  if (detail::ending.load(std::memory_order_relaxed) && detail::end_check()) return io_timed_out;  // relaxed: end_check looks closer
  lock_.lock();
  state::verdict v = state_.enter(s);
  if (v == state::verdict::closed) {
    lock_.unlock();
    return io_closed;
  }
  if (v == state::verdict::no_turn) {
    if (const int error = queue_for_turn_locked(s)) return error;
    v = state_.before_try(s);
  }
  wait_first = v == state::verdict::wait_first;
  const int error = state_.closed() ? io_closed : late_locked(s) ? io_timed_out : 0;
  if (error)
    unlock_after_leaving(state_.leave(s, detail::outcome::granted));
  else
    lock_.unlock();
  return error;
}

bool pollable::unlink_turn(detail::waiter* w, detail::outcome why) {
  auto* const p = static_cast<pollable*>(w->object);
  const auto s = static_cast<side>(reinterpret_cast<std::uintptr_t>(w->value));
  os::hold h(p->lock_);
  return p->state_.leave_turn_queue(s, w, detail::outcome::pending, why);
}

// Called with the lock held. 0: the turn came, and the lock is held again.
int pollable::queue_for_turn_locked(side s) {
  detail::waiter w;
  prepare(w, this, unlink_turn);
  w.value = reinterpret_cast<void*>(static_cast<std::uintptr_t>(s));
  state_.queue_for_turn(s, &w);
  const detail::outcome how = sched::wait(w, wait_reason::io_wait, lock_);
  if (how == detail::outcome::ended) unwind_current();
  if (how == detail::outcome::closed) return io_closed;
  lock_.lock();
  return 0;
}

void pollable::leave(side s, bool was_short) {
  lock_.lock();
  if (was_short && streams_ && registered_) state_.took_all(s);
  unlock_after_leaving(state_.leave(s, detail::outcome::granted));
}

// ---- waiting ---------------------------------------------------------------------------------------------------------

void pollable::edge(std::uint32_t sequence, const os::poll_event& e, detail::waiter* (&woken)[2]) {
  os::hold h(lock_);
  if (state_.sequence() != sequence) return;
  if (e.readable) woken[0] = state_.edge(side::read, e.odd, detail::outcome::granted);
  if (e.writable) woken[1] = state_.edge(side::write, e.odd, detail::outcome::granted);
}

void pollable::forget_poller(const netpoller* poller) {
  detail::waiter* woken[2] = {};
  {
    os::hold h(lock_);
    if (registered_ != poller) return;
    registered_ = nullptr;
    woken[0] = state_.forget_edges(side::read, detail::outcome::granted);
    woken[1] = state_.forget_edges(side::write, detail::outcome::granted);
  }
  for (detail::waiter* const w : woken)
    if (w) wake(w);
}

int pollable::register_locked(netpoller* poller) {
  if (registered_) return 0;
  const int error = poller->add(descriptor_, token_locked());
  if (error == 0) registered_ = poller;
  return error;
}

// The time of whoever waits is up, or its runtime ends. If its stack is given up without being unwound, it leaves here.
template <side S>
bool pollable::unlink(detail::waiter* w, detail::outcome why) {
  auto* const p = static_cast<pollable*>(w->object);
  const bool abandoned = why == detail::outcome::ended && w->g->home()->abandons();
  p->lock_.lock();
  const bool mine = p->state_.unlink(S, w, why);
  if (mine && abandoned) w->g->home()->count_io_wait_elsewhere(-1);
  if (mine && abandoned)
    p->unlock_after_leaving(p->state_.leave(S, detail::outcome::granted));
  else
    p->lock_.unlock();
  return mine;
}

// As detail::end_check, by who has a turn. If its stack is given up without being unwound, the turn is given back first.
bool pollable::end_check(side s) {
  const goroutine* const g = current();
  const bool abandoned = g->home()->is_ending() && !is_unwinding() && g->home()->abandons();
  if (abandoned) leave(s, false);
  return detail::end_check();
}

// `limit`: then it returns 0, as if something had come.
int pollable::wait_parked(side s, os::nanoseconds limit) {
  if (detail::ending.load(std::memory_order_relaxed) && end_check(s)) return io_timed_out;  // relaxed: end_check looks closer
  int error = 0;
  netpoller* const poller = netpoller::here(error);
  if (!poller) return error;
  detail::waiter w;
  prepare(w, this, s == side::read ? unlink<side::read> : unlink<side::write>);
  lock_.lock();
  error = state_.closed() ? io_closed : late_locked(s) ? io_timed_out : register_locked(poller);
  auto verdict = state::wait_verdict::ready;
  if (error == 0) verdict = state_.wait(s, &w);
  if (verdict != state::wait_verdict::queued) {
    lock_.unlock();
    return error;
  }
  deadline alarm(w, std::min(state_.at(s).armed, limit));
  w.g->home()->count_io_wait(1);
  detail::depart(park(w, wait_reason::io_wait, lock_, alarm));
  alarm.settle();
  w.g->home()->count_io_wait(-1);
  switch (w.result) {
    case detail::outcome::ended: unwind_current();
    case detail::outcome::closed: return io_closed;
    case detail::outcome::timed_out: break;
    default: return 0;
  }
  os::hold h(lock_);
  return late_locked(s) ? io_timed_out : 0;  // it may have been moved meanwhile
}

// A plain thread waits by itself, for this one descriptor: to be `ready`, or just for the time to pass.
int pollable::wait_on_thread(side s, os::nanoseconds limit, bool ready) {
  breaker b;
  if (b.number() < 0) return b.number();
  const int i = static_cast<int>(s);
  os::nanoseconds until;
  {
    os::hold h(lock_);
    if (state_.closed()) return io_closed;
    if (late_locked(s)) return io_timed_out;
    until = std::min(state_.at(s).deadline, limit);
    breakers_[i] = b.number();
  }
  int error;
  {
    plain_thread_in_call in_call(true);
    error = os::wait_for_descriptor(descriptor_, ready && s == side::read, ready && s == side::write, b.number(), until);
  }
  os::hold h(lock_);
  if (breakers_[i] != b.number()) os::reset_breaker(b.number());
  breakers_[i] = -1;
  return state_.closed() ? io_closed : error;
}

// Each looks again.
void pollable::poke_thread_locked(side s) {
  const int breaker = std::exchange(breakers_[static_cast<int>(s)], -1);
  if (breaker >= 0) os::set_breaker(breaker);
}

void pollable::set_deadline(bool for_reads, bool for_writes, os::nanoseconds when) {
  detail::waiter* woken[2] = {};
  {
    os::hold h(lock_);
    if (for_reads) woken[0] = state_.set_deadline(side::read, when, detail::outcome::granted);
    if (for_writes) woken[1] = state_.set_deadline(side::write, when, detail::outcome::granted);
    if (for_reads) poke_thread_locked(side::read);
    if (for_writes) poke_thread_locked(side::write);
  }
  for (detail::waiter* const w : woken)
    if (w) wake(w);
}

void let_others_run() {
  machine* const m = this_machine();
  if (!m || !m->p || m->g == &m->g0) return;
  processor& p = *m->p;
  const std::uint32_t tick = p.tick.load(std::memory_order_relaxed);  // relaxed: the holder's own
  if (std::exchange(p.io_tick, tick) != tick) p.io_streak = 0;
  if (++p.io_streak < processor::slice) return;
  p.io_streak = 0;
  yield();
}

void let_others_run_inside() {
  goroutine* const g = current();
  const bool spared = g && g->home()->abandons() && !is_unwinding();
  if (spared) g->flags |= goroutine::flag_unwinding;
  yield();
  if (spared) g->flags &= ~goroutine::flag_unwinding;
}

}  // namespace rove::sched
