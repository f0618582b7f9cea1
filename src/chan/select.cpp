// select: the protocol by which a goroutine waits on several channels at once.
//
// Problem. A select stands in many queues, each under the lock of its channel. It must be served once, by whoever comes
// first: senders, receivers, close, its time limit, the end of its runtime, or itself when it finds a case ready while
// it is still queueing up. Two selects may meet each other on two channels at the same time. Moves may throw.
//
// Invariant. A select has a lock of its own, and `main.result` under it: pending as long as nobody has served it. Who
// wants to serve it takes that lock, sees `pending`, moves the value, writes `result` and `taken`, and gives the lock
// back. So a claim and the move are one step to everybody else; if the move throws, nothing happened, and others find
// the select as it was. A waiter of a select in a channel's queue is touched under that channel's lock only; so the
// select's frame stays until it has been at each of its channels.
//
// Order of locks: one channel's, then selects'; of two selects the one at the lower address first. Never two channels'.
//
// Steps.  select:  A look at all channels without their locks; take one that is ready (by chance, if several are): as
//                    an ordinary operation, since nobody knows of this select yet.
//                  B else join the queues one after the other: under each channel's lock look again. Ready: claim
//                    oneself, and whoever waits there, and do it. Not: queue up.
//                  C take the own lock: served already? else parked = true, and park; the commit releases the lock. So
//                    who sees `parked` under the lock knows that the stack was left, and that it is the one to wake it.
//                  D leave all queues but that of the case taken. Then say what happened.
//         others:  under the channel's lock, at a waiter whose result is `selecting`: claim. Served already: drop the
//                  waiter from the queue (result = pending says so) and look at the next one.
//         limit, end of the runtime: claim `main`, without any channel (unlink_select).
// A select never serves itself: waiters of its own are passed over in B, in A it has none.
//
// Not to wait (`otherwise`) is right only if at one moment no case was ready. Step A can tell: it notes a counter of
// each channel before it looks, and looks at the counters once more after the last channel; what did not change was not
// ready at the moment when the last one was looked at (core.hpp). If they keep changing: B, and then, with the own lock
// held, withdraw instead of C. All queues have been joined then, and any case that became ready had been offered to
// this select.
//
// Rejected: Go's way, all channels' locks held at once (selects over the same channels then exclude each other, and the
// commit has to know the list); a claim word by compare-and-swap with a tentative state for moves that throw (the lock
// is that, at half the price of a compare-and-swap, and those who meet it sleep instead of spinning).
#include <rove/select.hpp>

#include <new>

#include "src/chan/claim.hpp"
#include "src/chan/core.hpp"

namespace rove::detail {
namespace {

chan_core* core_of(const select_waiter& w) { return static_cast<chan_core*>(w.object); }
waiter_queue& queue_of(const select_waiter& w) { return w.sends ? core_of(w)->senders : core_of(w)->receivers; }

// ---- meeting those who wait on a channel, with its lock held --------------------------------------------------------

enum class meeting { done, nobody, served };   // served: the own select was, by somebody else

void drop(waiter_queue& q, waiter* w) {
  q.remove(w);
  w->result = outcome::pending;
}

// Serves the first of a queue that is still to be served, by transfer(its value). `woken`: whom to wake.
template <class Transfer>
meeting meet(waiter_queue& q, server own, waiter*& woken, Transfer transfer) {
  for (waiter *w = q.front(), *next; w; w = next) {
    next = w->next;
    if (w->result == outcome::pending) {
      claim mine(own, nullptr);
      if (!mine.own_open()) return meeting::served;
      mine.moves();
      transfer(w->value);
      mine.take_own(outcome::granted);
      q.remove(w);
      w->result = outcome::granted;
      woken = w;
      return meeting::done;
    }
    auto* const s = static_cast<select_waiter*>(w);
    if (s->state == own.state) continue;
    claim both(own, s->state);
    if (!both.own_open()) return meeting::served;
    if (!both.other_open()) {
      drop(q, w);
      continue;
    }
    both.moves();
    transfer(w->value);
    both.take_own(outcome::granted);
    drop(q, w);
    woken = both.take_other(s, outcome::granted);
    return meeting::done;
  }
  return meeting::nobody;
}

meeting give_to_waiter(chan_core* c, void* value, server own, waiter*& woken) {
  return meet(c->receivers, own, woken, [&](void* room) { c->move(room, value); });
}

meeting take_from_waiter(chan_core* c, void* to, server own, waiter*& woken) {
  return meet(c->senders, own, woken, [&](void* value) { c->move(to, value); });
}

waiter* refill(chan_core* c) noexcept {
  waiter* woken = nullptr;
#if ROVE_EXCEPTIONS
  try {
#endif
    meet(c->senders, ordinary, woken, [&](void* value) {
      c->move(c->free, value);
      c->note_sent();
    });
#if ROVE_EXCEPTIONS
  } catch (...) {
    // The value stays with its sender, which goes on waiting.
  }
#endif
  return woken;
}

constexpr select_methods methods = {
    [](chan_core* c, void* from, waiter*& woken) { return give_to_waiter(c, from, ordinary, woken) == meeting::done; },
    [](chan_core* c, void* to, waiter*& woken) { return take_from_waiter(c, to, ordinary, woken) == meeting::done; },
    refill,
    [](select_waiter* w) noexcept -> waiter* {
      claim other(ordinary, w->state);
      w->result = outcome::pending;
      return other.other_open() ? other.take_other(w, outcome::closed) : nullptr;
    },
};

// ---- A: looking -----------------------------------------------------------------------------------------------------

// A number below n. One state for a few stacks; two threads that hit one at the same time may draw the same number.
std::uint32_t random_below(std::uint32_t n) {
  std::uint32_t by_seed;
  if (ending.load(std::memory_order_relaxed) && sched::seeded_choice(n, by_seed)) [[unlikely]]  // relaxed: its own run
    return by_seed;
  struct alignas(64) sequence {
    std::atomic<std::uint64_t> next{0};
  };
  static constinit sequence sequences[16];
  auto& next = sequences[reinterpret_cast<std::uintptr_t>(&n) >> 18 & 15].next;
  std::uint64_t z = next.load(std::memory_order_relaxed) + 0x9e3779b97f4a7c15u;  // relaxed: any number will do
  next.store(z, std::memory_order_relaxed);                                      // relaxed: as above
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;                                        // splitmix64 (Steele, Lea, Flood)
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return static_cast<std::uint32_t>(((z >> 32) * n) >> 32);
}

// One of the cases that seem ready, each as likely as another; no_case: none does.
template <bool to_be_sure>
ROVE_ALWAYS_INLINE std::size_t choose(select_waiter* cases, std::size_t n) {
  std::uint32_t ready = 0;
  for (std::size_t i = 0; i < n; ++i) {
    chan_core* const c = core_of(cases[i]);
    if (!c) continue;
    note_user(c);
    if (to_be_sure) cases[i].seen = c->changes(cases[i].sends);
    cases[ready].listed = static_cast<std::uint32_t>(i);
    ready += cases[i].sends ? c->may_send() : c->may_receive();
  }
  if (ready == 0) return no_case;
  return cases[ready == 1 ? 0 : random_below(ready)].listed;
}

// No case was ready when the last was looked at.
ROVE_ALWAYS_INLINE bool unchanged(const select_waiter* cases, std::size_t n) {
  for (std::size_t i = 0; i + 1 < n; ++i) {
    const chan_core* const c = core_of(cases[i]);
    if (!c) continue;
    if (c->changes(cases[i].sends) != cases[i].seen) [[unlikely]] return false;
    if (c->closed.load(std::memory_order_acquire)) [[unlikely]] return false;  // CHAN-LOOK
    if (c->timer && c->timer->is_due()) [[unlikely]] return false;
  }
  return true;
}

// As an ordinary operation. False: it was not ready.
bool take_case(select_state& s, select_waiter& w) {
  chan_core* const c = core_of(w);
  chan_locked l(c);
  const outcome how = w.sends ? send_now(c, l, w.value) : recv_now(c, l, w.value);
  if (how == outcome::pending) return false;
  s.main.result = how;
  s.taken = &w;
  return true;
}

bool unlink_select(waiter* w, outcome why) {
  auto* const s = static_cast<select_state*>(w->object);
  os::hold h(lock_of(s));
  if (w->result != outcome::pending) return false;
  w->result = why;
  return true;
}

// ---- B: joining -----------------------------------------------------------------------------------------------------

// The select serves itself: by `act`, which may throw.
template <class Act>
void serve_itself(server own, outcome how, Act act) {
  claim mine(own, nullptr);
  if (!mine.own_open()) return;
  mine.moves();
  act();
  mine.take_own(how);
}

// With the channel's lock held. True: the select is over; `woken`: whom to wake, if anybody. Else nothing could be
// done.
bool send_joining(chan_core* c, server own, waiter*& woken) {
  void* const value = own.by->value;
  if (c->is_closed()) {
    serve_itself(own, outcome::closed, [] {});
    return true;
  }
  if (give_to_waiter(c, value, own, woken) != meeting::nobody) return true;
  if (c->count() == c->capacity) return false;
  serve_itself(own, outcome::granted, [&] {
    c->move(c->free, value);
    c->note_sent();
  });
  return true;
}

bool recv_joining(chan_core* c, server own, waiter*& woken) {
  void* const to = own.by->value;
  if (c->count() > 0) {
    serve_itself(own, outcome::granted, [&] {
      c->move(to, c->oldest);
      c->destroy(c->oldest);
      c->note_received();
    });
    if (c->count() < c->capacity) woken = refill(c);
    return true;
  }
  if (take_from_waiter(c, to, own, woken) != meeting::nobody) return true;
  if (c->timer && c->timer->is_due()) {
    serve_itself(own, outcome::granted, [&] { c->timer->take_locked(to); });
    return true;
  }
  if (!c->is_closed()) return false;
  serve_itself(own, outcome::closed, [] {});
  return true;
}

// Cases of one select on one channel stand together in its queue, and only the first of them can be served. So by
// chance the newest, just queued, steps before the others: any of k is the first with probability 1/k. `listed` of the
// last one of them is k. The others are passed with that probability only, so one case costs no more than another.
void mix(const select_state& s, waiter_queue& q, select_waiter& w) {
  const auto own = [&](waiter* other) {
    auto* const c = static_cast<select_waiter*>(other);
    return other && other->result == outcome::selecting && c->state == &s ? c : nullptr;
  };
  select_waiter* first = own(w.prev);
  w.listed = first ? first->listed + 1 : 1;
  if (!first || random_below(w.listed) != 0) [[likely]] return;
  select_waiter* const last = first;
  while (select_waiter* const before = own(first->prev)) first = before;
  for (waiter* next; first != &w; first = static_cast<select_waiter*>(next)) {
    next = first->next;
    q.remove(first);
    q.push_back(first);
  }
  last->listed = w.listed;
}

// Joins the queues, one after the other, until the select is over.
void join(select_state& s, select_waiter* cases, std::size_t n) {
  for (; s.queued < n; ++s.queued) {
    select_waiter& w = cases[s.queued];
    chan_core* const c = core_of(w);
    if (!c) continue;
    chan_locked l(c);
    const server own{&s, &w};
    waiter* woken = nullptr;
    if (w.sends ? send_joining(c, own, woken) : recv_joining(c, own, woken)) {
      l.unlock();
      if (woken) sched::wake(woken);
      return;
    }
    w.state = &s;
    w.result = outcome::selecting;
    c->queue(queue_of(w), &w);
    mix(s, queue_of(w), w);
  }
}

// ---- D: leaving -----------------------------------------------------------------------------------------------------

void leave(select_state& s, select_waiter* cases) {
  for (std::size_t i = 0; i < s.queued; ++i) {
    select_waiter& w = cases[i];
    if (!w.object || &w == s.taken) continue;
    os::hold h(core_of(w)->lock);
    if (w.result != outcome::selecting) continue;
    core_of(w)->unqueue(queue_of(w), &w);
    w.result = outcome::pending;
  }
  s.queued = 0;
}

// Joins; if a move throws it leaves again.
void join_safely(select_state& s, select_waiter* cases, std::size_t n) {
  new (reinterpret_cast<char*>(&s) + offsetof(select_state, lock)) os::lock(os::rank::select);  // lock_rank too
  s.methods = &methods;
  sched::prepare(s.main, &s, unlink_select);
  struct guard {
    select_state& s;
    select_waiter* cases;
    bool joined = false;
    ~guard() {
      if (!joined) leave(s, cases);
    }
  } g{s, cases};
  join(s, cases, n);
  g.joined = true;
}

// With the own lock held: was it served?
bool is_served(const select_state& s) { return s.main.result != outcome::pending; }

departure join_and_park(select_state& s, select_waiter* cases, std::size_t n, sched::deadline* limit) {
  join_safely(s, cases, n);
  os::lock& lock = lock_of(&s);
  lock.lock();
  if (is_served(s)) {
    lock.unlock();
    return {};
  }
  s.parked = true;
  if (limit) return sched::park(s.main, wait_reason::select, lock, *limit);
  return sched::park(s.main, wait_reason::select, lock);
}

std::size_t join_and_withdraw(select_state& s, select_waiter* cases, std::size_t n) {
  join_safely(s, cases, n);
  {
    os::hold h(lock_of(&s));
    if (!is_served(s)) s.main.result = outcome::timed_out;
  }
  return select_end(s, cases);
}

}  // namespace

// ---- what the headers call ------------------------------------------------------------------------------------------

std::size_t select_ready(select_state& s, select_waiter* cases, std::size_t n) {
  if (ending.load(std::memory_order_relaxed) && end_check()) [[unlikely]] {  // relaxed: end_check looks closer
    s.main.result = outcome::ended;
    return no_case;
  }
  for (int attempts = 0; attempts < 2; ++attempts) {
    const std::size_t i = choose<false>(cases, n);
    if (i == no_case) break;
    if (take_case(s, cases[i])) return i;
  }
  return no_case;
}

std::size_t select_now(select_state& s, select_waiter* cases, std::size_t n) {
  if (ending.load(std::memory_order_relaxed)) [[unlikely]] end_check();      // relaxed: end_check looks closer
  for (int attempts = 0; attempts < 4; ++attempts) {
    const std::size_t i = choose<true>(cases, n);
    if (i != no_case) {
      if (take_case(s, cases[i])) return i;
    } else if (unchanged(cases, n)) [[likely]] {
      return no_case;
    }
  }
  return join_and_withdraw(s, cases, n);
}

departure select_begin(select_state& s, select_waiter* cases, std::size_t n) {
  if (select_ready(s, cases, n) != no_case || s.main.result == outcome::ended) return {};
  if constexpr (os::debug_checks) check_partners(cases, n);
  return join_and_park(s, cases, n, nullptr);
}

std::size_t select_end(select_state& s, select_waiter* cases) {
  if (s.queued > 0) leave(s, cases);
  if (s.main.result == outcome::granted) [[likely]] return static_cast<std::size_t>(s.taken - cases);
  if (s.main.result == outcome::closed) {
    if (s.taken->sends) throw_panic("send on closed channel");
    return static_cast<std::size_t>(s.taken - cases);
  }
  if (s.main.result == outcome::ended && s.parked) sched::unwind_current();
  return no_case;
}

std::size_t select_until(select_state& s, select_waiter* cases, std::size_t n, std::int64_t when) {
  if (when <= sched::now()) return select_now(s, cases, n);
  sched::deadline limit(s.main, when);
  const departure d = join_and_park(s, cases, n, &limit);
  if (d.to) depart(d);
  limit.settle();
  return select_end(s, cases);
}

departure select_nothing_begin(waiter& w) {
  if (ending.load(std::memory_order_relaxed) && end_check()) [[unlikely]] {  // relaxed: end_check looks closer
    w.result = outcome::timed_out;
    return {};
  }
  return sched::park_for_ever(w, wait_reason::select_no_cases);
}

void select_nothing_end(waiter& w) {
  if (w.result == outcome::ended) sched::unwind_current();
}

}  // namespace rove::detail
