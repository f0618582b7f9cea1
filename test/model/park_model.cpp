// Parking and waking under the model checker: nobody runs on a stack that was not left, nobody is woken twice or never.
//
// The steps are those of park.hpp, park.cpp and scheduler.cpp, around the library's own lock and run queue: a goroutine
// takes from an object or waits on it, another processor gives, a third may close the object, and each processor steals
// from the others. What is on a goroutine's stack, its waiter included, is plain: two that touch it at once are a race.
#include <memory>

#include "src/base/list.hpp"
#include "src/sched/run_queue.hpp"
#include "test/model/mutations.hpp"
#include "test/model/threads.hpp"

namespace model = rove::model;

namespace {

using namespace model::short_names;

// What is done wrong.
enum class flaw {
  none,
  unlocks_early,        // the object's lock is released before the stack was left
  claims_outside,       // the waker takes the waiter off the queue without the lock
  result_late,          // ... and writes the result after the wake
  gives_no_look,        // the parker queues its waiter after releasing the lock it looked under
  touches_waiter,       // a plain thread's waker looks at the waiter after the word was set
};

enum class outcome { pending, granted, closed };

struct goroutine;

struct waiter {
  waiter* next = nullptr;
  waiter* prev = nullptr;
  goroutine* g = nullptr;
  model::plain<outcome> result{outcome::pending};
  A::atomic<std::uint32_t> woken{0};
};

// Its function: take from the object. `stack` is written by whoever runs on it, and last by the switch away from it.
struct goroutine {
  goroutine* link = nullptr;
  model::plain<int> stack{0};
  waiter w;
  int resumed = 0;
  A::atomic<std::uint32_t> done{0};
};

struct processor {
  rove::sched::run_queue<goroutine, 4, model::threads> queue;
};

template <flaw F>
class object {
 public:
  explicit object(processor* all) : all_(all) {}

  // By a goroutine, which runs on `p`.
  void take(goroutine& g) {
    g.stack = 1;
    lock_.lock();
    if (permits_ > 0) {
      permits_ = permits_ - 1;
      lock_.unlock();
      return finish(g, outcome::granted);
    }
    if (closed_) {
      lock_.unlock();
      return finish(g, outcome::closed);
    }
    if (F == flaw::gives_no_look) {
      lock_.unlock();
      lock_.lock();
    }
    g.w.g = &g;
    waiters_.push_back(&g.w);
    if (F == flaw::unlocks_early)
      lock_.unlock();
    g.stack = 2;  // the switch saves what is alive
    if (F != flaw::unlocks_early)
      lock_.unlock();  // the commit, on the next stack
  }

  // By a plain thread: its waiter lives on its own stack.
  outcome take_here() {
    waiter w;
    lock_.lock();
    if (permits_ > 0) {
      permits_ = permits_ - 1;
      lock_.unlock();
      return outcome::granted;
    }
    waiters_.push_back(&w);
    lock_.unlock();
    while (w.woken.load(acq) == 0)
      A::futex_wait(w.woken, 0);
    return w.result;
  }

  // By whoever runs on processor `p`.
  void give(int p) {
    if (F == flaw::claims_outside && !waiters_.empty()) {
      waiter* const w = waiters_.front();
      A::full_fence();
      model::yield();
      if (!waiters_.empty())
        waiters_.pop_front();
      w->result = outcome::granted;
      return wake(w, p);
    }
    lock_.lock();
    waiter* const w = waiters_.pop_front();
    if (w == nullptr)
      permits_ = permits_ + 1;
    else if (F != flaw::result_late)
      w->result = outcome::granted;
    lock_.unlock();
    if (w == nullptr)
      return;
    wake(w, p);
    if (F == flaw::result_late)
      w->result = outcome::granted;
  }

  void close(int p) {
    rove::base::list<waiter> all;
    lock_.lock();
    closed_ = true;
    while (waiter* const w = waiters_.pop_front()) {
      w->result = outcome::closed;
      all.push_back(w);
    }
    lock_.unlock();
    while (waiter* const w = all.pop_front())
      wake(w, p);
  }

  // One turn of processor `p`: its own queue, then another's.
  void dispatch(int p, int victim) {
    rove::base::chain<goroutine> some;
    auto& own = all_[p].queue;
    if (own.section().enter()) {
      if (goroutine* const g = own.take())
        some.push_back(g);
      own.section().leave();
    }
    auto& other = all_[victim].queue;
    if (some.empty() && other.section().enter_as_thief()) {
      some = other.steal();
      other.section().leave_as_thief();
    }
    while (goroutine* const g = some.pop_front())
      resume(*g);
  }

 private:
  void wake(waiter* w, int p) {
    if (w->g != nullptr)
      return ready(w->g, p);
    w->woken.store(1, rel);
    if (F == flaw::touches_waiter)
      w->result.get();
    A::futex_wake(w->woken, 1);
  }
  void ready(goroutine* g, int p) {
    auto& q = all_[p].queue;
    if (!q.section().enter())
      return resume(*g);  // the global queue, and from there this same processor
    const auto spilled = q.put_next(g);
    q.section().leave();
    model::check(spilled.empty(), "there is room");
  }
  void resume(goroutine& g) {
    ++g.resumed;
    g.stack = g.stack + 1;
    finish(g, g.w.result);
  }
  static void finish(goroutine& g, outcome how) {
    g.stack = g.stack + 1;
    model::check(how != outcome::pending, "woken with a result");
    model::check(g.resumed <= 1, "woken once");
    model::check(g.done.exchange(1, rel) == 0, "ends once");
  }

  processor* const all_;
  model::lock lock_;
  model::plain<int> permits_{0};
  model::plain<bool> closed_{false};
  rove::base::list<waiter> waiters_;
};

constexpr model::options some{.executions = 30000, .max_idle_pauses = 1000};

// A goroutine on processor 0 takes; processor 1 gives; a third thread without a goroutine closes.
template <flaw F, bool closes>
void one_waits() {
  processor all[3];
  object<F> o(all);
  goroutine g;
  model::thread giver([&] {
    o.give(1);
    for (int i = 0; i < 2; ++i)
      o.dispatch(1, 0);
    while (g.done.load(acq) == 0) {
      A::pause();
      o.dispatch(1, 2);
    }
  });
  model::thread closer([&] {
    if (!closes)
      return;
    o.close(2);
    while (g.done.load(acq) == 0) {
      A::pause();
      o.dispatch(2, 0);
    }
  });
  o.take(g);
  while (g.done.load(acq) == 0) {
    A::pause();
    o.dispatch(0, 1);
  }
}

// Two goroutines on two processors take, a third gives twice: each gets one.
void two_wait() {
  processor all[3];
  object<flaw::none> o(all);
  goroutine first, second;
  const auto go_on = [&](int p) {
    while (first.done.load(acq) == 0 || second.done.load(acq) == 0) {
      A::pause();
      o.dispatch(p, (p + 1) % 3);
      o.dispatch(p, (p + 2) % 3);
    }
  };
  model::thread a([&] {
    o.take(first);
    go_on(0);
  });
  model::thread b([&] {
    o.take(second);
    go_on(1);
  });
  o.give(2);
  o.give(2);
  go_on(2);
}

template <flaw F>
void thread_waits() {
  processor all[1];
  object<F> o(all);
  model::thread waits([&] { model::check(o.take_here() == outcome::granted, "granted"); });
  o.give(0);
}

}  // namespace

TEST_CASE("model: park: one waits, one gives") { model::holds(some, one_waits<flaw::none, false>); }
TEST_CASE("model: park: one waits, one gives, one closes") { model::holds(some, one_waits<flaw::none, true>); }
TEST_CASE("model: park: two wait") { model::holds(some, two_wait); }
TEST_CASE("model: park: a plain thread waits") { model::holds(some, thread_waits<flaw::none>); }

TEST_CASE("model: park: each step of it is needed") {
  model::is_found(some, one_waits<flaw::unlocks_early, false>, "data race");
  model::is_found(some, one_waits<flaw::claims_outside, true>);
  model::is_found(some, one_waits<flaw::result_late, false>);
  model::is_found(some, one_waits<flaw::gives_no_look, false>, "livelock");
  model::is_found(some, thread_waits<flaw::touches_waiter>, "data race");
  model::every_site_counts(some, thread_waits<flaw::none>, "model/park_model.cpp");
}
