// Looking at a goroutine while it may be woken and resumed, under the model checker: nobody stands on a stack that is
// looked at, and nobody resumes it meanwhile.
//
// The steps are those of watch.cpp, dispatch.hpp and scheduler.cpp around the library's lock and run queue: one
// goroutine parks on an object on processor 0; a waker on processor 1 gives to it, and dispatches by the short way or
// by the loop; a third thread watches, looks twice, and stops watching. What is on the goroutine's stack is plain: two
// at once are a race.
#include "src/base/list.hpp"
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
  shuts_nothing,        // no step 3: a dispatch by the short way goes on while somebody looks
  resumes_freely,       // the machine's loop does not ask for end_lock
  asks_too_early,       // ... or asks before it wrote `running`
  waits_at_once,        // `waiting` is written before the stack was left
  runs_late,            // the short way writes `running` after its section
  readies_relaxed,      // `runnable` does not publish the stack
};

enum class state : std::uint8_t { runnable, running, waiting, leaving };

struct goroutine {
  goroutine* link = nullptr;
  A::atomic<state> where{state::running};
  model::plain<int> stack{0};
  model::plain<bool> queued{false};
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
  // The goroutine's function, on processor 0.
  void wait(goroutine& g) {
    object_.lock();
    if (permits_ > 0) {
      object_.unlock();
      return finish(g);
    }
    waiter_ = &g;
    g.where.store(F == flaw::waits_at_once ? state::waiting : state::leaving, rel);
    goroutine* const to = next_to_run(0);  // nobody; but it goes through the section
    g.stack = 1;                           // the switch
    g.where.store(state::waiting, rel);    // the commit
    object_.unlock();
    if (to != nullptr) resume(*to);
  }

  // A waker on processor 1 that parks then.
  void give() {
    object_.lock();
    goroutine* const g = waiter_;
    if (g == nullptr) permits_ = permits_ + 1;
    waiter_ = nullptr;
    object_.unlock();
    if (g != nullptr) ready(g);
    if (goroutine* const to = next_to_run(1)) resume(*to);
  }

  void watch_and_look(goroutine& g) {
    watch_.fetch_add(1, std::memory_order_acq_rel);
    for (processor& p : all_) p.attention.store(true, rlx);
    if (F != flaw::shuts_nothing)
      for (processor& p : all_) {
        while (!p.queue.section().enter_as_thief()) A::pause();
        p.queue.section().leave_as_thief();
      }
    A::heavy_fence();
    look(g);
    look(g);
    watch_.fetch_sub(1, std::memory_order_acq_rel);
    for (processor& p : all_) {
      while (!p.queue.section().enter_as_thief()) A::pause();
      p.attention.store(false, rlx);
      p.queue.section().leave_as_thief();
    }
  }

  // One turn of a machine's loop.
  void work(int p) {
    goroutine* g = nullptr;
    auto& own = all_[p].queue;
    if (own.section().enter()) {
      g = own.take();
      own.section().leave();
    }
    auto& other = all_[1 - p].queue;
    if (g == nullptr && other.section().enter_as_thief()) {
      g = other.steal().pop_front();
      other.section().leave_as_thief();
    }
    if (g == nullptr) {
      hold h(lock_);
      g = global_.pop_front();
    }
    if (g != nullptr) execute(*g);
  }

 private:
  goroutine* next_to_run(int p) {
    auto& q = all_[p].queue;
    if (!q.section().enter()) return nullptr;
    goroutine* to = nullptr;
    if (!all_[p].attention.load(rlx)) to = q.take();
    if (to != nullptr && F != flaw::runs_late) to->where.store(state::running, rlx);
    q.section().leave();
    if (to != nullptr && F == flaw::runs_late) to->where.store(state::running, rlx);
    return to;
  }

  void execute(goroutine& g) {
    bool watched = F == flaw::asks_too_early && watch_.load(acq) != 0;
    g.where.store(state::running, rlx);
    A::light_fence();  // for the compiler, which the checker does not model
    if (F != flaw::asks_too_early) watched = watch_.load(acq) != 0;
    if (watched && F != flaw::resumes_freely) {
      hold h(end_lock_);
    }
    resume(g);
  }

  void resume(goroutine& g) {
    model::check(++g.resumed == 1, "resumed once");
    g.stack = 2;  // its frame goes on
    finish(g);
  }

  static void finish(goroutine& g) {
    g.stack = 3;
    g.done.store(1, rel);
  }

  void ready(goroutine* g) {
    g->where.store(state::runnable, F == flaw::readies_relaxed ? rlx : rel);
    auto& q = all_[1].queue;
    if (!q.section().enter()) {
      hold h(lock_);
      return global_.push_back(g);
    }
    model::check(q.put_next(g).empty(), "there is room");
    q.section().leave();
  }

  void look(goroutine& g) {
    hold h(end_lock_);
    state s;
    while ((s = g.where.load(acq)) == state::leaving) A::pause();
    if (s != state::running) model::check(g.stack == 1, "its stack was left, and it has not run on");
  }

  processor all_[2];
  model::lock lock_, end_lock_, object_;
  rove::base::chain<goroutine> global_;
  model::plain<goroutine*> waiter_{nullptr};
  model::plain<int> permits_{0};
  A::atomic<std::uint32_t> watch_{0};
};

template <flaw F>
void program() {
  runtime<F> r;
  goroutine g;
  const auto go_on = [&](int p) {
    while (g.done.load(acq) == 0) {
      r.work(p);
      A::pause();
    }
  };
  model::thread waker([&] {
    r.give();
    go_on(1);
  });
  model::thread watcher([&] { r.watch_and_look(g); });
  r.wait(g);
  go_on(0);
}

constexpr model::options some{.executions = 40000, .max_idle_pauses = 2000};

}  // namespace

TEST_CASE("model: watch: a goroutine that is looked at stays where it is") { model::holds(some, program<flaw::none>); }

TEST_CASE("model: watch: each step of it is needed") {
  model::is_found(some, program<flaw::shuts_nothing>);
  model::is_found(some, program<flaw::resumes_freely>);
  model::is_found(some, program<flaw::asks_too_early>);
  model::is_found(some, program<flaw::waits_at_once>);
  model::is_found(some, program<flaw::runs_late>);
  model::is_found(some, program<flaw::readies_relaxed>);
}
