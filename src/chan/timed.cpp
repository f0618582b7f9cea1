// Channel operations with a time limit. The limit is a timer that takes the waiter off its queue like any waker, under
// the channel's lock (sched/park.hpp): so a value is either handed over or still where it was.
#include <rove/chan.hpp>

#include "src/chan/core.hpp"

namespace rove::detail {
namespace {

// A nil channel has no queue: the wait has a lock of its own.
struct nil_wait : waiter {
  os::lock lock{os::rank::object};
};

bool unlink_nil(waiter* w, outcome why) {
  auto* const n = static_cast<nil_wait*>(w);
  os::hold h(n->lock);
  if (w->result != outcome::pending) return false;
  w->result = why;
  return true;
}

outcome wait_for_nobody(wait_reason reason, std::int64_t when) {
  nil_wait w;
  sched::prepare(w, nullptr, unlink_nil);
  w.lock.lock();
  if (sched::wait(w, reason, w.lock, when) == outcome::ended) sched::unwind_current();
  return outcome::timed_out;
}

bool returns_now() {
  return ending.load(std::memory_order_relaxed) && end_check();  // relaxed: end_check looks closer
}

}  // namespace

outcome chan_send_soon(chan_core* c, void* value) {
  if (returns_now()) [[unlikely]] return outcome::timed_out;
  return chan_try_send(c, value);
}

outcome chan_recv_soon(chan_core* c, void* to) {
  if (returns_now()) [[unlikely]] return outcome::timed_out;
  return chan_try_recv(c, to);
}

outcome chan_send_until(chan_core* c, void* value, std::int64_t when) {
  if (when <= sched::now()) return outcome::timed_out;
  if (!c) return wait_for_nobody(wait_reason::chan_send_nil, when);
  waiter w;
  chan_locked l(c);
  if (send_now(c, l, value) == outcome::granted) return outcome::granted;
  w.value = value;
  sched::prepare(w, c, unlink_sender);
  c->queue(c->senders, &w);
  l.keep();
  const outcome how = sched::wait(w, wait_reason::chan_send, c->lock, when);
  if (how == outcome::closed || how == outcome::ended) chan_send_failed(w);
  return how;
}

outcome chan_recv_until(chan_core* c, void* to, std::int64_t when) {
  if (when <= sched::now()) return outcome::timed_out;
  if (!c) return wait_for_nobody(wait_reason::chan_receive_nil, when);
  waiter w;
  chan_locked l(c);
  const outcome now = recv_now(c, l, to);
  if (now != outcome::pending) return now;
  w.value = to;
  sched::prepare(w, c, unlink_receiver);
  c->queue(c->receivers, &w);
  l.keep();
  const outcome how = sched::wait(w, wait_reason::chan_receive, c->lock, when);
  if (how == outcome::ended) chan_recv_failed(w);
  return how;
}

}  // namespace rove::detail
