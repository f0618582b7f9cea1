// Timers and tickers with a channel.
//
// As in Go since 1.23 the channel has no buffer. A tick is not sent at its time: it *is there* from its due time on,
// until a receiver takes it, so stopping or resetting takes it back by changing one word. A timer that nobody waits for
// is in no heap: making, resetting, stopping and dropping it costs a look at the clock and the channel's lock. When a
// receiver queues up an alarm is set, and cleared when the last one leaves.
//
// Invariant, under the channel's lock. `due` is when the next tick is there; never: none is to come. If receivers wait
// and `due` is a time, the alarm is set to it, or its ring is on its way. What a receiver gets is the tick's due time.
//
// Pairs. CHAN-LOOK: see src/chan/core.hpp; `due` is part of what makes this channel ready.
#include <rove/time.hpp>

#include "src/chan/core.hpp"
#include "src/time/alarm.hpp"

namespace rove::detail {
namespace {

class tick_source final : public chan_timer {
 public:
  tick_source(os::nanoseconds due, os::nanoseconds period)
      : core_(element_type_of<time_point>, 0, nullptr, this), alarm_(ring, this), due_(due), period_(period) {}

  chan_core* core() { return &core_; }
  static tick_source* of(chan_core* c) { return static_cast<tick_source*>(c->timer); }

  // True: a tick was to come, or there.
  bool set(os::nanoseconds due, os::nanoseconds period) {
    os::hold h(core_.lock);
    const bool was_set = next() != os::never;
    change_due(due);
    period_ = period;
    const auto changes = core_.queued.load(std::memory_order_relaxed) + 1;  // relaxed: lock
    core_.queued.store(changes, std::memory_order_release);                 // CHAN-LOOK
    if (core_.receivers.front())
      set_alarm(due);
    else if (alarm_.pending())
      alarm_.clear();
    return was_set;
  }

  bool is_due() const noexcept override {
    const os::nanoseconds due = due_.load(std::memory_order_acquire);    // CHAN-LOOK
    return due != os::never && due <= sched::now();
  }

  bool take_locked(void* to) noexcept override {
    const os::nanoseconds due = next();
    if (due == os::never) return false;
    const os::nanoseconds now = sched::now();
    if (due > now) return false;
    ::new (to) time_point(tick(due));
    advance(due, now);
    return true;
  }

  void awaited_locked() noexcept override {
    if (next() != os::never) set_alarm(next());
  }
  void deserted_locked() noexcept override { alarm_.clear(); }

  void destroy() noexcept override {
    // Whoever rings has no handle. A select that its ring found on the way to sleep was not woken, and may be here while
    // the ring still holds the lock, although nothing is pending any more.
    if (may_ring_) time::silence(core_.lock, alarm_);
    delete this;
  }

 private:
  struct own_alarm : time::alarm {
    own_alarm(void (*ring)(sched::timer*), tick_source* s) : time::alarm(ring), source(s) {}
    tick_source* const source;
  };

  static time_point tick(os::nanoseconds due) { return time_point(std::chrono::nanoseconds(due)); }
  os::nanoseconds next() const { return due_.load(std::memory_order_relaxed); }                 // relaxed: lock
  void change_due(os::nanoseconds due) { due_.store(due, std::memory_order_release); }          // CHAN-LOOK

  // By those who have a handle: their writes are seen by `destroy`.
  void set_alarm(os::nanoseconds due) {
    may_ring_ = true;
    alarm_.set(due);
  }

  // The tick of `due` was taken; those that were missed meanwhile are left out.
  void advance(os::nanoseconds due, os::nanoseconds now) {
    if (period_ == 0) return change_due(os::never);
    const os::nanoseconds missed = (now - due) / period_ * period_;
    change_due(period_ > os::never - (due + missed) ? os::never : due + missed + period_);
  }

  static void ring(sched::timer* t) { static_cast<own_alarm*>(t)->source->ring(); }
  void ring() {
    chan_locked l(&core_);
    const os::nanoseconds now = sched::now();
    if (!alarm_.arrived(now)) return alarm_.resume();
    waiter* const first = core_.receivers.front();
    if (!first || next() == os::never) return;
    const os::nanoseconds due = next();
    if (due > now) {  // somebody who did not wait took the tick
      alarm_.set(due);
      return;
    }
    advance(due, now);
    if (first->next && next() != os::never) alarm_.set(next());
    time_point value = tick(due);
    if (send_now(&core_, l, &value) == outcome::granted) return;
    change_due(due);  // none of them waits any more
    alarm_.clear();
  }

  chan_core core_;
  own_alarm alarm_;
  std::atomic<os::nanoseconds> due_;
  os::nanoseconds period_;             // 0: one tick
  bool may_ring_ = false;              // the alarm was set once
};

// What is to be at once is at this moment: the tick's value says so.
os::nanoseconds at_least_now(os::nanoseconds when) { return when > 0 ? when : sched::now(); }

}  // namespace

chan_core* make_tick_chan(std::int64_t when, std::int64_t period) {
  return (new tick_source(at_least_now(when), period))->core();
}

bool set_tick(chan_core* c, std::int64_t when, std::int64_t period) {
  return tick_source::of(c)->set(at_least_now(when), period);
}

void leave_tick(chan_core* c) noexcept {
  if (c->handles.load(std::memory_order_acquire) > 1)  // CHAN-HANDLES: else it goes away as a whole
    tick_source::of(c)->set(os::never, 0);
}

std::int64_t check_period(std::int64_t ns, const char* message) {
  if (ns <= 0) throw_panic(message);
  return ns;
}

}  // namespace rove::detail
