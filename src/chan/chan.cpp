// Channels: the operations of the untyped core, whose essay is in core.hpp.
#include "src/chan/core.hpp"

#include <algorithm>
#include <new>

#include "src/base/list.hpp"

namespace rove::detail {

bool unlink_receiver(waiter* w, outcome why) {
  auto* const c = static_cast<chan_core*>(w->object);
  os::hold h(c->lock);
  if (w->result != outcome::pending) return false;
  c->unqueue(c->receivers, w);
  w->result = why;
  return true;
}

bool unlink_sender(waiter* w, outcome why) {
  auto* const c = static_cast<chan_core*>(w->object);
  os::hold h(c->lock);
  if (w->result != outcome::pending) return false;
  c->unqueue(c->senders, w);
  w->result = why;
  return true;
}

// ---- the life of a core ---------------------------------------------------------------------------------------------

namespace {

chan_core* new_core(const element_type& type, std::size_t capacity, const void* made_at) {
  const std::size_t align = std::max<std::size_t>(alignof(chan_core), type.align);
  const std::size_t header = (sizeof(chan_core) + align - 1) / align * align;
  void* const memory = ::operator new(header + capacity * type.size, std::align_val_t{align});
  return new (memory) chan_core(type, capacity, static_cast<char*>(memory) + header, nullptr, made_at);
}

}  // namespace

chan_core* make_chan_core(const element_type& type, std::ptrdiff_t capacity) {
  constexpr std::size_t most = std::size_t{1} << 46;
  const auto cap = static_cast<std::size_t>(capacity);
  if (capacity < 0 || (type.size > 0 && cap > most / type.size)) throw_panic("makechan: size out of range");
  return new_core(type, cap, os::debug_checks ? __builtin_return_address(0) : nullptr);
}

void retain_chan(chan_core* c) noexcept {
  c->handles.fetch_add(1, std::memory_order_relaxed);  // CHAN-HANDLES: relaxed, since the giver holds one
}

void release_chan(chan_core* c) noexcept {
  // Who has the only handle need not count: nobody else can copy it.
  if (c->handles.load(std::memory_order_acquire) != 1 &&                // CHAN-HANDLES
      c->handles.fetch_sub(1, std::memory_order_acq_rel) != 1)          // CHAN-HANDLES: the last sees what all did
    return;
  if (c->timer) [[unlikely]] return c->timer->destroy();
  for (; c->count() > 0; c->note_received()) c->destroy(c->oldest);
  const std::size_t align = std::max<std::size_t>(alignof(chan_core), c->type.align);
  c->~chan_core();
  ::operator delete(c, std::align_val_t{align});
}

// ---- operations -----------------------------------------------------------------------------------------------------

departure chan_send_begin(chan_core* c, waiter& w, void* value) {
  if (ending.load(std::memory_order_relaxed) && end_check()) [[unlikely]] {  // relaxed: end_check looks closer
    w.result = outcome::timed_out;
    return {};
  }
  if (!c) [[unlikely]] return sched::park_for_ever(w, wait_reason::chan_send_nil);
  note_user(c);
  chan_locked l(c);
  if (send_now(c, l, value) == outcome::granted) {
    w.result = outcome::granted;
    return {};
  }
  w.value = value;
  if constexpr (os::debug_checks) check_partners(c);
  sched::prepare(w, c, unlink_sender);
  c->queue(c->senders, &w);
  l.keep();
  return sched::park(w, wait_reason::chan_send, c->lock);
}

departure chan_recv_begin(chan_core* c, waiter& w, void* to) {
  if (ending.load(std::memory_order_relaxed) && end_check()) [[unlikely]] {  // relaxed: end_check looks closer
    w.result = outcome::timed_out;
    return {};
  }
  if (!c) [[unlikely]] return sched::park_for_ever(w, wait_reason::chan_receive_nil);
  note_user(c);
  chan_locked l(c);
  const outcome now = recv_now(c, l, to);
  if (now != outcome::pending) {
    w.result = now;
    return {};
  }
  w.value = to;
  if constexpr (os::debug_checks) check_partners(c);
  sched::prepare(w, c, unlink_receiver);
  c->queue(c->receivers, &w);
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
  note_user(c);
  if (!c || !c->may_send()) return outcome::pending;
  chan_locked l(c);
  return send_now(c, l, value);
}

outcome chan_try_recv(chan_core* c, void* to) {
  note_user(c);
  if (!c || !c->may_receive()) return outcome::pending;
  chan_locked l(c);
  return recv_now(c, l, to);
}

void chan_close(chan_core* c) {
  if (!c) throw_panic("close of nil channel");
  note_user(c);
  base::list<waiter> woken;
  {
    chan_locked l(c);
    if (c->is_closed()) {
      l.unlock();
      throw_panic("close of closed channel");
    }
    c->closed.store(true, std::memory_order_release);  // CHAN-LOOK
    for (waiter_queue* const q : {&c->receivers, &c->senders}) {
      while (waiter* const w = q->front()) {
        q->remove(w);
        if (w->result == outcome::pending) [[likely]] {
          w->result = outcome::closed;
          woken.push_back(w);
        } else if (waiter* const main = methods_of(w).close(static_cast<select_waiter*>(w))) {
          woken.push_back(main);
        }
      }
    }
  }
  while (waiter* const w = woken.pop_front()) sched::wake(w);
}

std::size_t chan_length(const chan_core* c) noexcept {
  if (!c) return 0;
  note_user(c);
  auto* const m = const_cast<chan_core*>(c);
  os::hold h(m->lock);
  return m->count();
}

std::size_t chan_capacity(const chan_core* c) noexcept { return c ? c->capacity : 0; }

}  // namespace rove::detail
