// The idle protocol under the model checker: no work is left while a processor is idle and nobody searches.
//
// The counts and the flag are the library's (idle_counts); the steps around them are those of scheduler.cpp and
// processors.cpp, reduced to a global queue, processors that differ in nothing, and machines that sleep on a note.
// One goroutine waits for the other without parking, so that it holds its processor: if the wake-up for the other is
// lost, the program stands still.
#include "src/sched/idle.hpp"
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
  sleeps_unseen,       // joins the sleepers without looking at the queue in the same critical section
  stops_early,         // stops searching before that critical section
  found_outside,       // a searcher that found something stops searching and looks outside the lock
  found_and_forgot,    // ... or does not look at all
  note_outside,        // the sleeper's note is written after the lock was released
};

struct item {
  item* link = nullptr;
  int number = 0;
};

struct machine {
  bool p = true;               // holds a processor
  bool spinning = false;
  model::plain<bool> idle{false}, granted{false};
  machine* next_idle = nullptr;
  A::atomic<std::uint32_t> note{0};
};

template <flaw F>
class scheduler {
 public:
  explicit scheduler(int processors) : processors_(processors) { size_.name("size"); }

  void inject(item* g) {
    lock_.lock();
    global_.push_back(g);
    size_.store(static_cast<std::uint32_t>(global_.count), rlx);
    const bool wake = idle_.idle() > 0 && idle_.searching() == 0;
    lock_.unlock();
    if (wake)
      wake_one();
  }

  template <class Run>
  void work(machine& m, Run run) {
    while (stop_.load(acq) == 0) {
      item* g = nullptr;
      if (m.p) {
        g = take_global();
        if (g == nullptr)
          g = hunt(m);
      }
      if (g == nullptr) {
        rest(m);
        continue;
      }
      found_work(m);
      run(g);
    }
  }

  void end() {
    stop_.store(1, rel);
    for (;;) {
      machine* m = nullptr;
      {
        hold h(lock_);
        m = pop_idle_machine_locked();
        if (m == nullptr)
          return;
        note_locked(m);
      }
      note_unlocked(m);
      A::futex_wake(m->note, 1);
    }
  }

 private:
  item* take_global() {
    if (size_.load(rlx) == 0)
      return nullptr;
    hold h(lock_);
    item* const g = global_.pop_front();
    size_.store(static_cast<std::uint32_t>(global_.count), rlx);
    return g;
  }

  item* hunt(machine& m) {
    if (!m.spinning) {
      const auto running = static_cast<std::uint32_t>(processors_) - idle_.idle();
      if (!idle_.start_searching((running + 1) / 2))
        return nullptr;
      m.spinning = true;
    }
    return take_global();
  }

  void found_work(machine& m) {
    if (!m.spinning)
      return;
    stop_searching(m);
  }

  void stop_searching(machine& m) {
    m.spinning = false;
    bool wake = false;
    if constexpr (F == flaw::found_outside) {
      wake = idle_.stop_searching() && size_.load(rlx) > 0;
    } else {
      hold h(lock_);
      wake = idle_.stop_searching() && !global_.empty() && idle_.idle() > 0 && F != flaw::found_and_forgot;
    }
    if (wake)
      wake_one();
  }

  void wake_one() {
    if (!idle_.start_searching(1))
      return;
    machine* m = nullptr;
    {
      hold h(lock_);
      if (idle_processors_ == 0) {
        idle_.stop_searching();
        return;
      }
      pop_idle_processor_locked();
      m = pop_idle_machine_locked();
      if (m == nullptr) {  // a new machine would be started; here another one that is awake will come
        push_idle_processor_locked();
        idle_.stop_searching();
        return;
      }
      m->granted = true;
      m->spinning = true;
      note_locked(m);
    }
    note_unlocked(m);
    A::futex_wake(m->note, 1);
  }

  void rest(machine& m) {
    if (F == flaw::stops_early && m.spinning) {
      m.spinning = false;
      idle_.stop_searching();
    }
    {
      hold h(lock_);
      if (stop_.load(rlx) != 0 || (F != flaw::sleeps_unseen && m.p && !global_.empty()))
        return;
      m.note.store(0, rlx);
      if (m.p) {
        m.p = false;
        push_idle_processor_locked();
      }
      if (m.spinning) {
        m.spinning = false;
        idle_.stop_searching();
      }
      m.idle = true;
      m.next_idle = idle_machines_;
      idle_machines_ = &m;
    }
    if (model::choose(2) == 1 && leave_sleep(m))
      return;
    sleep(m);
  }

  // It saw soft work in its last look.
  bool leave_sleep(machine& m) {
    hold h(lock_);
    if (!m.idle)
      return take_grant_locked(m);
    if (idle_processors_ == 0)
      return false;
    remove_locked(m);
    m.spinning = idle_.start_searching(UINT32_MAX);
    return true;
  }

  void sleep(machine& m) {
    for (;;) {
      while (m.note.load(acq) == 0)
        A::futex_wait(m.note, 0);
      hold h(lock_);
      if (!m.idle) {
        take_grant_locked(m);
        return;
      }
      m.note.store(0, rlx);
      if (idle_processors_ == 0)
        continue;
      remove_locked(m);
      return;
    }
  }

  // Under the lock: a machine that left the list may be gone as soon as it is released, but for the futex's address.
  static void note_locked(machine* m) {
    if (F != flaw::note_outside)
      m->note.store(1, rel);
  }
  static void note_unlocked(machine* m) {
    if (F == flaw::note_outside)
      m->note.store(1, rel);
  }
  bool take_grant_locked(machine& m) {
    m.p = m.granted;
    m.granted = false;
    return true;
  }
  void remove_locked(machine& m) {
    for (machine** q = &idle_machines_; *q != nullptr; q = &(*q)->next_idle)
      if (*q == &m) {
        *q = m.next_idle;
        break;
      }
    m.idle = false;
    pop_idle_processor_locked();
    m.p = true;
  }
  void push_idle_processor_locked() {
    idle_processors_ = idle_processors_ + 1;
    idle_.sleeps(false);
  }
  void pop_idle_processor_locked() {
    idle_processors_ = idle_processors_ - 1;
    idle_.leaves_idle();
  }
  machine* pop_idle_machine_locked() {
    machine* const m = idle_machines_;
    if (m != nullptr) {
      idle_machines_ = m->next_idle;
      m->idle = false;
    }
    return m;
  }

  const int processors_;
  model::lock lock_;
  rove::base::chain<item> global_;
  model::plain<int> idle_processors_{0};
  machine* idle_machines_ = nullptr;
  rove::sched::idle_counts<A> idle_;
  A::atomic<std::uint32_t> size_{0}, stop_{0};
};

// Two machines; a plain thread makes two goroutines runnable, the first of which waits for the second.
template <flaw F>
void hard_work() {
  scheduler<F> s(2);
  item items[2];
  items[1].number = 1;
  A::atomic<std::uint32_t> done[2];
  const auto run = [&](item* g) {
    while (g->number == 0 && done[1].load(acq) == 0)
      A::pause();
    model::check(done[g->number].fetch_add(1, rel) == 0, "runs once");
  };
  const auto body = [&] {
    machine m;
    s.work(m, run);
  };
  model::thread first(body), second(body);
  s.inject(&items[0]);
  s.inject(&items[1]);
  while (done[0].load(acq) == 0)
    A::pause();
  s.end();
}

constexpr model::options some{.executions = 40000, .max_steps = 2000, .max_idle_pauses = 100};

// One processor's owner makes a goroutine runnable; another machine goes to sleep.
void soft_work() {
  struct goroutine {
    goroutine* link = nullptr;
  };
  rove::sched::run_queue<goroutine, 4, A> q;
  rove::sched::idle_counts<A> idle;
  goroutine g;
  bool woken = false, seen = false;
  {
    model::thread sleeper([&] {
      idle.raise_flag();
      idle.fence_after_raise();
      seen = q.length() > 0;
    });
    model::check(q.section().enter(), "no thief is about");
    model::check(q.put_next(&g).empty(), "there is room");
    q.section().leave();
    woken = idle.soft_wake_wanted() && idle.take_flag();
    model::yield();  // the owner runs something long
  }
  model::check(woken || seen, "the sleeper is woken, or saw the work");
}

}  // namespace

TEST_CASE("model: idle: no hard work is left to a processor that sleeps") { model::holds(some, hard_work<flaw::none>); }

TEST_CASE("model: idle: each step of it is needed") {
  model::is_found(some, hard_work<flaw::sleeps_unseen>);
  model::is_found(some, hard_work<flaw::stops_early>);
  model::is_found(some, hard_work<flaw::found_outside>);
  model::is_found(some, hard_work<flaw::found_and_forgot>);
  model::is_found(some, hard_work<flaw::note_outside>);
}

TEST_CASE("model: idle: soft work is seen, or its producer sees the flag") {
  model::holds(some, soft_work);
  model::every_site_counts(some, soft_work, "sched/idle.hpp");
}
