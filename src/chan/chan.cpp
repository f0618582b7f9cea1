// The untyped core of a channel: one lock, a ring, two queues of those who wait.
//
// Problem. Values go from senders to receivers in order, each once, through a buffer that may have no room at all; close
// wakes everybody; waiters may be taken away when their runtime ends.
//
// Invariant, under the lock. Receivers wait only if the buffer is empty and no sender waits; senders wait only if the
// buffer is full (always, with capacity 0) and no receiver waits; nobody waits on a closed channel.
//
// Send: closed: panic. A receiver waits: the value moves straight into its room, and it is woken. Room in the buffer:
// the value moves there. Else the sender waits with its value on its own stack.
// Receive: buffered values first; a waiting sender's value then takes the freed place, so that order is kept. Capacity 0:
// straight from the waiting sender. Closed and empty: that. Else the receiver waits.
// A move that throws leaves the other side as it was: it happens before anybody is taken off a queue.
//
// Pairs. CHAN-HANDLES: release and acquire of the handle count: who frees the core sees what all others did.
//
// The lock is held over the parking goroutine's switch and released by its commit (sched/park.hpp).
#include <rove/chan.hpp>

#include <cstring>
#include <new>

#include "src/base/list.hpp"
#include "src/os/lock.hpp"
#include "src/sched/park.hpp"

namespace rove::detail {

struct chan_core {
  os::lock lock{os::rank::object};
  bool closed = false;
  const element_type type;
  std::size_t count = 0;                 // values in the ring
  std::size_t first = 0;                 // index of the oldest
  const std::size_t capacity;
  char* const ring;
  base::list<waiter> receivers;
  base::list<waiter> senders;
  std::atomic<std::size_t> handles{1};

  chan_core(const element_type& t, std::size_t cap, char* r) : type(t), capacity(cap), ring(r) {}

  void* slot(std::size_t i) const {
    const std::size_t at = first + i;
    return ring + (at >= capacity ? at - capacity : at) * type.size;
  }
  void drop_first() {
    if (++first == capacity) first = 0;
    --count;
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
};

namespace {

// Gives the lock back when a move throws.
class locked {
 public:
  explicit locked(chan_core* c) : c_(c) { c->lock.lock(); }
  ~locked() {
    if (c_) c_->lock.unlock();
  }
  locked(const locked&) = delete;
  locked& operator=(const locked&) = delete;
  void unlock() { std::exchange(c_, nullptr)->lock.unlock(); }
  void keep() { c_ = nullptr; }          // the parked goroutine's commit unlocks

 private:
  chan_core* c_;
};

bool unlink_receiver(waiter* w, outcome why) {
  auto* const c = static_cast<chan_core*>(w->object);
  os::hold h(c->lock);
  if (w->result != outcome::pending) return false;
  c->receivers.remove(w);
  w->result = why;
  return true;
}

bool unlink_sender(waiter* w, outcome why) {
  auto* const c = static_cast<chan_core*>(w->object);
  os::hold h(c->lock);
  if (w->result != outcome::pending) return false;
  c->senders.remove(w);
  w->result = why;
  return true;
}

// Sends without waiting, if that can be: granted, or pending and still locked.
ROVE_ALWAYS_INLINE outcome send_now(chan_core* c, locked& l, void* value) {
  if (c->closed) [[unlikely]] {
    l.unlock();
    throw_panic("send on closed channel");
  }
  if (waiter* const r = c->receivers.front()) {
    __builtin_prefetch(r->g);
    c->move(r->value, value);
    c->receivers.remove(r);
    r->result = outcome::granted;
    l.unlock();
    sched::wake(r);
    return outcome::granted;
  }
  if (c->count < c->capacity) {
    c->move(c->slot(c->count), value);
    ++c->count;
    l.unlock();
    return outcome::granted;
  }
  return outcome::pending;
}

// Receives without waiting, if that can be: granted, closed, or pending and still locked.
ROVE_ALWAYS_INLINE outcome recv_now(chan_core* c, locked& l, void* to) {
  if (c->count > 0) {
    void* const oldest = c->slot(0);
    c->move(to, oldest);
    c->destroy(oldest);
    c->drop_first();
    waiter* const s = c->senders.front();
    if (!s) {
      l.unlock();
      return outcome::granted;
    }
#if ROVE_EXCEPTIONS
    try {
      c->move(c->slot(c->count), s->value);
    } catch (...) {
      // The value in hand was received; the sender's stays with the sender, which goes on waiting for the next receive.
      l.unlock();
      return outcome::granted;
    }
#else
    c->move(c->slot(c->count), s->value);
#endif
    ++c->count;
    c->senders.remove(s);
    s->result = outcome::granted;
    l.unlock();
    sched::wake(s);
    return outcome::granted;
  }
  if (waiter* const s = c->senders.front()) {
    __builtin_prefetch(s->g);
    c->move(to, s->value);
    c->senders.remove(s);
    s->result = outcome::granted;
    l.unlock();
    sched::wake(s);
    return outcome::granted;
  }
  if (c->closed) {
    l.unlock();
    return outcome::closed;
  }
  return outcome::pending;
}

}  // namespace

// ---- the life of a core ------------------------------------------------------------------------------------------------

chan_core* make_chan_core(const element_type& type, std::ptrdiff_t capacity) {
  constexpr std::size_t most = std::size_t{1} << 46;
  const auto cap = static_cast<std::size_t>(capacity);
  if (capacity < 0 || (type.size > 0 && cap > most / type.size)) throw_panic("makechan: size out of range");
  const std::size_t align = std::max<std::size_t>(alignof(chan_core), type.align);
  const std::size_t header = (sizeof(chan_core) + align - 1) / align * align;
  void* const memory = ::operator new(header + cap * type.size, std::align_val_t{align});
  return new (memory) chan_core(type, cap, static_cast<char*>(memory) + header);
}

void retain_chan(chan_core* c) noexcept {
  c->handles.fetch_add(1, std::memory_order_relaxed);  // CHAN-HANDLES: relaxed, since the giver holds one
}

void release_chan(chan_core* c) noexcept {
  if (c->handles.fetch_sub(1, std::memory_order_acq_rel) != 1) return;  // CHAN-HANDLES: the last sees what all did
  for (; c->count > 0; c->drop_first()) c->destroy(c->slot(0));
  const std::size_t align = std::max<std::size_t>(alignof(chan_core), c->type.align);
  c->~chan_core();
  ::operator delete(c, std::align_val_t{align});
}

// ---- operations ----------------------------------------------------------------------------------------------------------

departure chan_send_begin(chan_core* c, waiter& w, void* value) {
  if (ending.load(std::memory_order_relaxed) && end_check()) [[unlikely]] {  // relaxed: end_check looks closer
    w.result = outcome::timed_out;
    return {};
  }
  if (!c) [[unlikely]] return sched::park_for_ever(w, wait_reason::chan_send_nil);
  locked l(c);
  if (send_now(c, l, value) == outcome::granted) {
    w.result = outcome::granted;
    return {};
  }
  w.value = value;
  sched::prepare(w, c, unlink_sender);
  c->senders.push_back(&w);
  l.keep();
  return sched::park(w, wait_reason::chan_send, c->lock);
}

departure chan_recv_begin(chan_core* c, waiter& w, void* to) {
  if (ending.load(std::memory_order_relaxed) && end_check()) [[unlikely]] {  // relaxed: end_check looks closer
    w.result = outcome::timed_out;
    return {};
  }
  if (!c) [[unlikely]] return sched::park_for_ever(w, wait_reason::chan_receive_nil);
  locked l(c);
  const outcome now = recv_now(c, l, to);
  if (now != outcome::pending) {
    w.result = now;
    return {};
  }
  w.value = to;
  sched::prepare(w, c, unlink_receiver);
  c->receivers.push_back(&w);
  l.keep();
  return sched::park(w, wait_reason::chan_receive, c->lock);
}

void chan_send_failed(waiter& w) {
  if (w.result == outcome::ended) sched::unwind_current();
  throw_panic("send on closed channel");
}

void chan_recv_failed(waiter& w) {
  if (w.result == outcome::ended) sched::unwind_current();
}

outcome chan_try_send(chan_core* c, void* value) {
  if (!c) return outcome::pending;
  locked l(c);
  return send_now(c, l, value);
}

outcome chan_try_recv(chan_core* c, void* to) {
  if (!c) return outcome::pending;
  locked l(c);
  return recv_now(c, l, to);
}

void chan_close(chan_core* c) {
  if (!c) throw_panic("close of nil channel");
  base::list<waiter> woken;
  {
    locked l(c);
    if (c->closed) {
      l.unlock();
      throw_panic("close of closed channel");
    }
    c->closed = true;
    while (waiter* const r = c->receivers.pop_front()) {
      r->result = outcome::closed;
      woken.push_back(r);
    }
    while (waiter* const s = c->senders.pop_front()) {
      s->result = outcome::closed;
      woken.push_back(s);
    }
  }
  while (waiter* const w = woken.pop_front()) sched::wake(w);
}

std::size_t chan_length(const chan_core* c) noexcept {
  if (!c) return 0;
  auto* const m = const_cast<chan_core*>(c);
  os::hold h(m->lock);
  return m->count;
}

std::size_t chan_capacity(const chan_core* c) noexcept { return c ? c->capacity : 0; }

}  // namespace rove::detail
