// The loop of a deterministic run: choices, the clock, what is done when nobody is runnable.
#include "src/sched/simulator.hpp"

#include <utility>

#include "src/arch/fault.hpp"
#include "src/sched/deadlock.hpp"
#include "src/sched/dispatch.hpp"
#include "src/sched/park.hpp"
#include "src/sched/poll_source.hpp"

namespace rove::sched {
namespace {

// Midnight of 2000-01-01 as seconds since 1970. No machine has been up for that long: a point of the real steady clock
// is always past.
constexpr os::nanoseconds beginning = 946'684'800'000'000'000;
constexpr os::nanoseconds glance = 1'000'000;     // how long one look outside may take
constexpr std::uint64_t look_every = 64;          // dispatches between two looks at descriptors
constexpr std::size_t longest_schedule = 100'000;
constexpr std::uint32_t stays[] = {0, 4, 7};      // of eight

std::uint64_t mixed(std::uint64_t z) {
  z += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;        // splitmix64 (Steele, Lea, Flood)
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

}  // namespace

struct simulator::quiet_waiter : detail::waiter {
  simulator* run;

  static bool leave(detail::waiter* w, detail::outcome why) {
    auto* const self = static_cast<quiet_waiter*>(w);
    os::hold h(self->run->lock_);
    if (self->run->quiet_ != self) return false;
    self->run->quiet_ = nullptr;
    self->result = why;
    return true;
  }
};

// Some seeds choose at each point; others let a goroutine run on for a while, which finds what needs one far ahead of
// the rest.
simulator::simulator(const rove::config& c, std::uint64_t seed)
    : home_(c, 1, false), seed_(seed), random_(mixed(seed)), staying_(stays[random_.below(std::size(stays))]) {
  set_time(beginning);
  home_.simulation_ = this;
  detail::ending.fetch_add(1, std::memory_order_relaxed);  // relaxed: a hint; this thread is the one that has to see it
}

simulator::~simulator() {
  detail::ending.fetch_sub(1, std::memory_order_relaxed);  // relaxed: a hint
}

std::uint32_t simulator::below(std::uint32_t n) { return random_.below(n); }

// ---- choices --------------------------------------------------------------------------------------------------------

void simulator::gather(machine& m) {
  os::hold h(home_.lock_);
  home_.drain_locked(m.p);
  while (goroutine* const g = home_.global_.pop_front()) ready_.push_back(g);
  while (goroutine* const g = home_.global_new_.pop_front()) ready_.push_back(g);
  home_.publish_global_locked();
}

goroutine* simulator::take(std::size_t i) {
  goroutine* const g = std::exchange(ready_[i], ready_.back());
  ready_.pop_back();
  return g;
}

void simulator::record(const goroutine* g) {
  const std::uint64_t id = g->id.load(std::memory_order_relaxed);  // relaxed: this thread's
  record(numbers_.try_emplace(id, static_cast<std::uint32_t>(numbers_.size())).first->second);
}

void simulator::record(std::uint32_t number) {
  ++decisions_;
  fingerprint_ = mixed(fingerprint_ ^ number);
  if (schedule_.size() < longest_schedule) schedule_.push_back(number);
}

void simulator::commit_point(detail::context* c) {
  goroutine* const g = as_goroutine(c);
  g->state.store(goroutine_state::runnable, std::memory_order_release);  // STACK-LEFT
  static_cast<simulator*>(g->commit_argument)->ready_.push_back(g);
}

void simulator::point() {
  machine* const m = this_machine();
  if (m != machine_ || m->g == &m->g0 || !m->p) return;
  if constexpr (os::debug_checks) os::check_ranks_at_park(0);
  gather(*m);
  const auto others = static_cast<std::uint32_t>(ready_.size());
  const std::uint32_t timers = timer_is_due();
  if (others + timers == 0 || below(8) < staying_) return;
  const std::uint32_t i = below(others + timers + 1);
  if (i == others + timers) return record(m->g);
  if (i < others) record(chosen_ = take(i));
  detail::depart(depart_to(m, m->g, &m->g0, commit_point, this));
}

void simulator::give_way() {
  machine* const m = this_machine();
  if (m != machine_ || m->g == &m->g0) return;
  if constexpr (os::debug_checks) os::check_ranks_at_park(0);
  detail::depart(depart_to(m, m->g, &m->g0, commit_point, this));
}

goroutine* simulator::next(machine& m) {
  if (chosen_) return std::exchange(chosen_, nullptr);
  for (;;) {
    gather(m);
    const auto runnable = static_cast<std::uint32_t>(ready_.size());
    const std::uint32_t timers = timer_is_due();
    if (runnable + timers == 0) return nullptr;
    if (const std::uint32_t i = below(runnable + timers); i < runnable) {
      goroutine* const g = take(i);
      record(g);
      return g;
    }
    record(test::a_timer);
    fire_one();
  }
}

// ---- the loop -------------------------------------------------------------------------------------------------------

bool simulator::run(const task<void>& main) {
  machine m;
  home_.attach_thread(&m);
  m.lent = true;
  arch::thread_alternate_stack signal_stack;
  home_.join_to_poll(m);
  machine_ = &m;
  const bool over = loop(m, main);
  machine_ = nullptr;
  home_.leave_from_poll(m);
  os::precise_timers(false);
  rove_this_machine = nullptr;
  return over;
}

bool simulator::loop(machine& m, const task<void>& main) {
  for (;;) {
    if (goroutine* const g = next(m))
      dispatch(m, g);
    else if (main.done())
      return true;
    else if (somebody_outside())
      walk_with_the_clock(m);
    else if (!wake_who_waits_for_others() && !jump())
      return false;
  }
}

void simulator::dispatch(machine& m, goroutine* g) {
  m.quick.store(0, std::memory_order_relaxed);      // relaxed: this thread's; a trace that ended may have set it
  m.p->attention.store(true, std::memory_order_relaxed);  // relaxed: this thread's; a dump that ended lowers it
  home_.execute(&m, g);
  if (++dispatches_ % look_every == 0 && m.p) home_.look_at_poller(&m);
  if (m.p) return;
  os::hold h(home_.lock_);                                // what ran was inside `blocking`
  m.p = home_.pop_idle_processor_locked(m.previous);
}

bool simulator::somebody_outside() const {
  return home_.io_waits() || plain_threads_in_call.load(std::memory_order_relaxed) != 0;  // relaxed: looked at again
}

void simulator::walk_with_the_clock(machine& m) {
  const os::nanoseconds begin = os::now(), due = home_.next_due();
  const os::nanoseconds until = begin + std::min(glance, due - now_);
  base::chain<goroutine> ready;
  if (poll_source* const s = home_.source(); s && s->in_use()) {
    s->wait(ready, until);
  } else {
    const std::uint32_t nobody_wakes = 0;
    os::futex_wait(&nobody_wakes, 0, until);
  }
  home_.take_ready(&m, ready);
  set_time(std::min(due, now_ + (os::now() - begin)));
}

bool simulator::wake_who_waits_for_others() {
  quiet_waiter* w;
  {
    os::hold h(lock_);
    w = std::exchange(quiet_, nullptr);
    if (w) w->result = detail::outcome::granted;
  }
  if (w) wake(w);
  return w != nullptr;
}

void simulator::wait_for_others() {
  quiet_waiter w;
  w.run = this;
  prepare(w, this, quiet_waiter::leave);
  lock_.lock();
  if (quiet_) {
    lock_.unlock();
    detail::throw_panic("rove: test::wait called by two goroutines at once");
  }
  quiet_ = &w;
  if (wait(w, detail::wait_reason::none, lock_) == detail::outcome::ended) unwind_current();
}

// ---- the clock ------------------------------------------------------------------------------------------------------

void simulator::set_time(os::nanoseconds now) {
  now_ = now;
  // relaxed: a clock for reports
  home_.for_each_processor([&](processor& p) { p.coarse_now.store(now, std::memory_order_relaxed); });
}

bool simulator::jump() {
  const os::nanoseconds due = home_.next_due();
  if (due == os::never) return false;
  set_time(std::max(now_, due));
  return true;
}

bool simulator::fire_one() {
  bool fired = false;
  home_.for_each_processor([&](processor& p) { fired = fired || p.timers.fire_one_of(now_, *this); });
  return fired;
}

bool timer_heap::fire_one_of(os::nanoseconds now, simulation& s) {
  constexpr std::size_t looked_at = 64;   // the root is due first of all, those beside it stand near it
  timer* t = nullptr;
  {
    os::hold h(lock_);
    std::uint32_t due = 0;
    for (std::size_t i = 0; i < std::min(looked_at, heap_.size()); ++i)
      if (heap_[i].when <= now && s.below(++due) == 0) t = heap_[i].t;
    if (!t || !disarm_locked(t)) return false;
  }
  t->fire(t);
  return true;
}

// ---- the end --------------------------------------------------------------------------------------------------------

// Timers that outlive the goroutines (a context that somebody keeps) go by a clock that stops: their time comes now.
void simulator::end() {
  home_.end_and_wait();
  machine m;
  home_.attach_thread(&m);
  now_ = os::never - 1;
  while (fire_one()) {
  }
  os::precise_timers(false);
  rove_this_machine = nullptr;
}

test::result simulator::result() const {
  test::result r;
  r.seed = seed_;
  r.decisions = decisions_;
  r.fingerprint = fingerprint_;
  r.schedule = schedule_;
  r.elapsed = std::chrono::nanoseconds(now_ - beginning);
  return r;
}

}  // namespace rove::sched
