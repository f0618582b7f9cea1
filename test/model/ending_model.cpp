// The end of a runtime under the model checker: a goroutine that waits is ended or woken, never both, never neither, and
// nobody looks at its frame once it may run again.
//
// The steps are those of ending.cpp, dispatch.hpp and scheduler.cpp around the library's lock and run queue: one
// goroutine parks on an object on processor 0; a waker on processor 1 may give to it, and dispatches by the short way;
// a third thread ends the runtime. What the goroutine has on its stack, its waiter included, is plain.
#include "src/base/list.hpp"
#include "src/sched/counter.hpp"
#include "src/sched/run_queue.hpp"
#include "test/model/mutations.hpp"
#include "test/model/threads.hpp"

namespace model = rove::model;

namespace {

using namespace model::short_names;
using model::hold;

// What is done wrong.
enum class flaw {
  none,
  shuts_nothing,        // no step 2: a dispatch by the short way goes on during the sweep
  resumes_freely,       // the machine's loop resumes without end_lock
  never_looks_again,    // who parks after the sweep is not looked at
  looks_too_early,      // ... or already before all queues were shut
  waits_relaxed,        // the state `waiting` does not publish what it waits on
};

enum class state : std::uint8_t { runnable, running, waiting };
enum class outcome { pending, granted, ended };

struct goroutine;

struct waiter {
  waiter* next = nullptr;
  waiter* prev = nullptr;
  goroutine* g = nullptr;
  model::plain<outcome> result{outcome::pending};
};

struct goroutine {
  goroutine* link = nullptr;
  A::atomic<state> where{state::running};
  model::plain<waiter*> waiting_on{nullptr};
  model::plain<int> stack{0};
  waiter w;
  int resumed = 0;
  A::atomic<std::uint32_t> done{0};
};

struct processor {
  rove::sched::run_queue<goroutine, 4, A> queue;
  A::atomic<bool> attention{false};
};

template <flaw F>
class runtime {
 public:
  // The goroutine's function, on processor 0: waits for the object; and then the machine's loop.
  void wait(goroutine& g) {
    object_.lock();
    if (permits_ > 0) {
      object_.unlock();
      return finish(g, outcome::granted);
    }
    g.w.g = &g;
    waiters_.push_back(&g.w);
    g.waiting_on = &g.w;
    g.stack = 1;
    g.where.store(state::waiting, F == flaw::waits_relaxed ? rlx : rel);
    goroutine* const to = next_to_run(0);  // nobody; but it goes through the section
    object_.unlock();                      // the commit
    if (to != nullptr)
      return resume(*to);
    if (ending_.load(acq))
      after_switch(g);
  }

  // A waker on processor 1 that parks then.
  void give() {
    object_.lock();
    waiter* const w = waiters_.pop_front();
    if (w != nullptr)
      w->result = outcome::granted;
    else
      permits_ = permits_ + 1;
    object_.unlock();
    if (w != nullptr)
      ready(w->g);
    if (goroutine* const to = next_to_run(1))
      resume(*to);
  }

  void end() {
    ending_.exchange(true, std::memory_order_acq_rel);
    {
      hold h(lock_);
      for (processor& p : all_)
        p.attention.store(true, rlx);
    }
    if (F != flaw::shuts_nothing)
      for (processor& p : all_) {
        while (!p.queue.section().enter_as_thief())
          A::pause();
        p.queue.section().leave_as_thief();
      }
    sweep();
  }

  // One turn of a machine's loop.
  void work(int p) {
    goroutine* g = nullptr;
    auto& own = all_[p].queue;
    if (own.section().enter()) {
      g = own.take();
      own.section().leave();
    }
    if (g == nullptr) {
      hold h(lock_);
      g = global_.pop_front();
    }
    auto& other = all_[1 - p].queue;
    if (g == nullptr && other.section().enter_as_thief()) {
      g = other.steal().pop_front();
      other.section().leave_as_thief();
    }
    if (g != nullptr)
      execute(*g);
  }

  void know(goroutine& g) { all_goroutines_ = &g; }

 private:
  goroutine* next_to_run(int p) {
    auto& q = all_[p].queue;
    if (!q.section().enter())
      return nullptr;
    goroutine* to = nullptr;
    if (!all_[p].attention.load(rlx))
      to = q.take();
    q.section().leave();
    if (to != nullptr)
      to->where.store(state::running, rlx);
    return to;
  }

  void execute(goroutine& g) {
    if (ending_.load(acq) && F != flaw::resumes_freely) {
      hold h(end_lock_);
      g.where.store(state::running, rlx);
    } else {
      g.where.store(state::running, rlx);
    }
    resume(g);
  }

  void resume(goroutine& g) {
    model::check(++g.resumed == 1, "resumed once");
    g.stack = 2;  // its frame goes on; the waiter in it is no more
    finish(g, g.w.result);
  }

  static void finish(goroutine& g, outcome how) {
    model::check(how != outcome::pending, "resumed with a result");
    g.waiting_on = nullptr;
    g.stack = 3;
    g.done.store(1, rel);
  }

  void ready(goroutine* g) {
    g->where.store(state::runnable, rlx);
    auto& q = all_[1].queue;
    if (!q.section().enter())
      return inject(g);
    model::check(q.put_next(g).empty(), "there is room");
    q.section().leave();
  }

  void inject(goroutine* g) {
    hold h(lock_);
    global_.push_back(g);
  }

  // Under end_lock. What it reads is on the goroutine's stack.
  bool end_wait(goroutine& g) {
    if (g.where.load(acq) != state::waiting)
      return false;
    waiter* const w = g.waiting_on;
    model::check(w != nullptr, "it waits on something");
    model::check(g.stack == 1, "it has not run on");
    {
      hold h(object_);
      if (waiters_.front() != w)
        return false;
      waiters_.remove(w);
      w->result = outcome::ended;
    }
    g.where.store(state::runnable, rlx);
    return true;
  }

  void sweep() {
    bool ended = false;
    {
      hold h(end_lock_);
      shut_ = true;
      ended = end_wait(*all_goroutines_);
    }
    if (ended)
      inject(all_goroutines_);
  }

  void after_switch(goroutine& g) {
    if (F == flaw::never_looks_again)
      return;
    bool ended = false;
    {
      hold h(end_lock_);
      ended = (shut_ || F == flaw::looks_too_early) && end_wait(g);
    }
    if (ended)
      inject(&g);
  }

  processor all_[2];
  goroutine* all_goroutines_ = nullptr;
  model::lock lock_, end_lock_, object_;
  rove::base::chain<goroutine> global_;
  rove::base::list<waiter> waiters_;
  model::plain<int> permits_{0};
  model::plain<bool> shut_{false};
  A::atomic<bool> ending_{false};
};

template <flaw F>
void program() {
  runtime<F> r;
  goroutine g;
  r.know(g);
  const bool gives = model::choose(2) == 1;
  const auto go_on = [&](int p) {
    while (g.done.load(acq) == 0) {
      r.work(p);
      A::pause();
    }
  };
  model::thread waker([&] {
    if (gives)
      r.give();
    go_on(1);
  });
  model::thread ender([&] { r.end(); });
  r.wait(g);
  go_on(0);
}

constexpr model::options some{.executions = 40000, .max_idle_pauses = 2000};

}  // namespace

TEST_CASE("model: ending: a goroutine that waits is ended or woken") { model::holds(some, program<flaw::none>); }

TEST_CASE("model: ending: each step of it is needed") {
  model::is_found(some, program<flaw::shuts_nothing>);
  model::is_found(some, program<flaw::resumes_freely>);
  model::is_found(some, program<flaw::never_looks_again>, "livelock");
  model::is_found(some, program<flaw::looks_too_early>);
  model::is_found(some, program<flaw::waits_relaxed>);
}

// ---- who is alive ----------------------------------------------------------------------------------------------------

namespace {

// A goroutine starts another on processor 0 and runs on; the other is taken by processor 1 and ends there. Whoever adds
// them up meanwhile finds one at least.
template <bool deaths_first>
void counts() {
  rove::sched::basic_counter<A> born;
  rove::sched::basic_death_counter<A> died;
  A::atomic<int> queued{0};
  born.add();
  model::thread parent([&] {
    born.add();
    queued.store(1, rel);
  });
  model::thread thief([&] {
    while (queued.load(acq) == 0)
      A::pause();
    died.add();
  });
  std::uint64_t births = deaths_first ? 0 : born.get();
  const std::uint64_t deaths = died.get_first();
  if (deaths_first)
    births = born.get();
  model::check(births > deaths, "one is alive");
}

}  // namespace

TEST_CASE("model: ending: a runtime in which a goroutine runs does not pass for empty") {
  model::holds(some, counts<true>);
  model::is_found(some, counts<false>);
  model::every_site_counts(some, counts<true>, "counter.hpp");
}
