// An alarm under the model checker: setting, clearing and ringing at the same time; it rings when it was to, is in the
// heap once, and nobody touches it after its owner went away.
//
// The alarm is the library's own (src/time/alarm.hpp), the heap a lock with room for what is armed. Time is a number
// that the thread which serves the heap counts up.
#include <memory>

#include "src/time/alarm.hpp"
#include "test/model/mutations.hpp"
#include "test/model/threads.hpp"

namespace model = rove::model;

namespace {

using model::hold;

// What is done wrong.
enum class flaw {
  none,
  frees_at_once,      // the owner goes away although a ring may be on its way
  never_resumes,      // a ring that comes too early does not arm again
  believes_the_ring,  // ... or counts as if it were in time
  rings_unlocked,     // without the owner's lock
};

class timer_heap;

struct timer {
  model::plain<std::int64_t> when{0};
  void (*fire)(timer*) = nullptr;
  timer_heap* heap = nullptr;
  model::plain<bool> armed{false};
};

class timer_heap {
 public:
  void arm(timer* t) {
    hold h(lock_);
    model::check(!t->armed && in_it_ == nullptr, "armed once");
    t->armed = true;
    t->heap = this;
    in_it_ = t;
  }
  bool disarm(timer* t) {
    hold h(lock_);
    if (!t->armed)
      return false;
    take_out(t);
    return true;
  }
  void serve(std::int64_t now) {
    timer* due = nullptr;
    {
      hold h(lock_);
      if (in_it_ != nullptr && in_it_->when <= now)
        take_out(due = in_it_);
    }
    if (due != nullptr)
      due->fire(due);
  }

 private:
  void take_out(timer* t) {
    t->armed = false;
    in_it_ = nullptr;
  }
  model::lock lock_;
  timer* in_it_ = nullptr;
};

timer_heap* the_heap = nullptr;

struct model_timers {
  using timer = ::timer;
  template <class T>
  using plain = model::plain<T>;
  static void arm(timer* t) { the_heap->arm(t); }
};

using alarm_type = rove::time::basic_alarm<model_timers>;

template <flaw F>
struct owner {
  struct own_alarm : alarm_type {
    explicit own_alarm(owner* o) : alarm_type(ring), of(o) {}
    owner* of;
  };

  static void ring(timer* t) {
    owner* const o = static_cast<own_alarm*>(t)->of;
    if (F != flaw::rings_unlocked)
      o->lock.lock();
    const std::int64_t wanted = o->wanted;
    const std::int64_t now = o->now->load(std::memory_order_relaxed);
    if (o->alarm.arrived(now) || F == flaw::believes_the_ring) {
      model::check(wanted <= now, "not before it is wanted");
      o->wanted = rove::os::never;
      o->rang = true;
    } else if (F != flaw::never_resumes) {
      o->alarm.resume();
    }
    if (F != flaw::rings_unlocked)
      o->lock.unlock();
  }

  void set(std::int64_t at) {
    hold h(lock);
    wanted = at;
    rang = false;
    alarm.set(at);
  }
  bool has_rung() {
    hold h(lock);
    return rang;
  }
  bool may_go() {
    hold h(lock);
    wanted = rove::os::never;
    return alarm.clear() || F == flaw::frees_at_once;
  }

  explicit owner(model::atomics::atomic<std::int64_t>* clock) : now(clock) {}
  model::lock lock;
  own_alarm alarm{this};
  model::plain<std::int64_t> wanted{rove::os::never};
  model::plain<bool> rang{false};
  model::atomics::atomic<std::int64_t>* now;
};

// One sets it this way and that, and at last to a time that comes; then it is cleared or rings, and goes away.
template <flaw F>
void program() {
  timer_heap timers;
  the_heap = &timers;
  model::atomics::atomic<std::int64_t> now{0};
  model::atomics::atomic<bool> over{false};
  auto o = std::make_unique<owner<F>>(&now);
  const std::int64_t first = 1 + model::choose(3);
  const std::int64_t second = model::choose(2) == 0 ? rove::os::never : 1 + model::choose(3);
  const bool wait = model::choose(2) == 1;
  model::thread server([&] {
    while (!over.load(std::memory_order_acquire)) {
      if (now.load(std::memory_order_relaxed) < 3)
        now.store(now.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
      timers.serve(now.load(std::memory_order_relaxed));
      model::atomics::pause();
    }
  });
  o->set(first);
  o->set(second);
  if (wait) {
    o->set(3);
    while (!o->has_rung())
      model::atomics::pause();
  }
  while (!o->may_go())
    model::atomics::pause();
  o.reset();
  over.store(true, std::memory_order_release);
}

constexpr model::options some{.executions = 20000, .max_idle_pauses = 2000};

}  // namespace

TEST_CASE("model: alarm: rings when it is to, and lets its owner go") { model::holds(some, program<flaw::none>); }

TEST_CASE("model: alarm: each step of it is needed") {
  model::is_found(some, program<flaw::frees_at_once>);
  model::is_found(some, program<flaw::never_resumes>, "livelock");
  model::is_found(some, program<flaw::believes_the_ring>);
  model::is_found(some, program<flaw::rings_unlocked>);
}
