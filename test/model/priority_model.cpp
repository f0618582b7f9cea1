// Priorities under the model checker: the background never has the last worker, and nobody waits beside a processor
// that could run it. The essay is in src/sched/priority.cpp.
//
// The counts of the idle protocol are the library's (idle_counts); the steps around them are those of priority.cpp,
// scheduler.cpp, processors.cpp and wire.cpp, without the other queues and without sysmon, which would find what was
// forgotten a few milliseconds later. Goroutines wait for each other without parking, so that they hold their
// processors: if a wake-up is lost, the program stands still.
#include <algorithm>
#include <functional>
#include <memory>
#include <vector>

#include "src/base/chain.hpp"
#include "src/sched/idle.hpp"
#include "test/model/mutations.hpp"
#include "test/model/threads.hpp"

namespace model = rove::model;

namespace {

using namespace model::short_names;
using model::hold;

// What is done wrong.
enum class flaw {
  none,
  wakes_before,         // push decides whom to wake before it has pushed
  sleeps_unseen,        // a machine goes to sleep without a look at the queues in the same critical section
  finds_and_forgets,    // a searcher that found something does not look at them again
  bound_unlocked,       // whether one of the background may run is asked before the lock
  keeps_quiet,          // a machine that leaves the background, and has other goroutines first, is no searcher
  hands_over_quietly,   // nor is who gets its processor
  mark_stays,           // a wired goroutine of the background is counted for the machine that found it
  mark_at_once,         // ... or for its own, before that takes the grant
  lowers_unlocked,      // `attention` is taken back without the lock
  lowers_watched,       // ... or although somebody watches
  watch_lowers,         // who watched takes it back although the frame's wait
  made_unaware,         // a processor is made without it
};

enum class kind { normal, frame, background };

struct machine;

struct goroutine {
  kind priority = kind::background;
  int turns = 1;                             // it yields in between
  goroutine* link = nullptr;
  machine* wire = nullptr;
  A::atomic<std::uint32_t> done{0};

  void wait() const {
    while (done.load(acq) == 0) A::pause();
  }
};

struct processor {
  rove::base::chain<goroutine> own;
  goroutine* handed = nullptr;
  processor* next_idle = nullptr;
};

struct machine {
  processor* p = nullptr;
  bool spinning = false, idle = false;
  model::plain<bool> on_background{false};
  goroutine* wired = nullptr;
  processor* granted = nullptr;
  bool granted_background = false;
  machine* next_idle = nullptr;
  A::atomic<std::uint32_t> note{0};
};

template <flaw F>
class scheduler {
 public:
  using body = std::function<void(scheduler&, machine&, goroutine&)>;

  scheduler(unsigned n, body run) : all_(n), run_(std::move(run)) {
    hold h(lock_);
    for (processor& p : all_) push_idle_locked(&p);
  }
  ~scheduler() {
    {
      hold h(lock_);
      stop_.store(1, rel);
    }
    for (std::size_t i = 0; i < threads_.size(); ++i) {
      for (std::size_t k = 0; k < machines_.size(); ++k) note(*machines_[k]);
      threads_[i].join();
    }
  }

  void push(goroutine* g) {
    const bool too_early = F == flaw::wakes_before && wake_wanted();
    bool wake;
    {
      hold h(lock_);
      (g->priority == kind::frame ? frame_ : background_).push_back(g);
      size_.store(static_cast<std::uint32_t>(frame_.count + background_.count), rlx);
      wake = wake_wanted() && work_locked();
    }
    if (F == flaw::wakes_before ? too_early : wake) wake_one();
  }
  void release_processor(machine& m) {
    processor* const p = std::exchange(m.p, nullptr);
    if (m.on_background) left_background(m);
    hand_over(p);
  }
  machine* make_wired(goroutine* g) {
    g->wire = start_machine(nullptr, false, g);
    return g->wire;
  }
  A::atomic<unsigned> inside{0};             // of the background that hold a processor

 private:
  bool wake_wanted() const { return idle_.idle() > 0 && idle_.searching() == 0; }
  bool may_run_locked() const { return running_ < std::max<std::size_t>(all_.size(), 2) - 1; }
  bool work_locked() const { return !frame_.empty() || (!background_.empty() && may_run_locked()); }

  // ---- a machine
  void work(machine& m) {
    while (stop_.load(acq) == 0) {
      goroutine* const g = find_work(m);
      if (!g) continue;
      execute(m, g);
      if (m.on_background) left_background(m);
    }
  }
  goroutine* find_work(machine& m) {
    if (m.wired) return rest_wired(m);
    goroutine* g = m.p ? take_local(m) : nullptr;
    if (m.p && !g) g = take(m);
    if (m.p && !g && (m.spinning = m.spinning || may_search())) g = take(m);
    if (!g) return rest(m), nullptr;
    stop_searching(m);
    return g;
  }
  bool may_search() {
    const auto running = static_cast<std::uint32_t>(all_.size()) - idle_.idle();
    return idle_.start_searching((running + 1) / 2);
  }
  goroutine* take_local(machine& m) {
    if (goroutine* const g = std::exchange(m.p->handed, nullptr)) return g;
    if (size_.load(rlx) > 0) {
      hold h(lock_);
      if (goroutine* const g = frame_.pop_front()) return g;
    }
    return m.p->own.pop_front();
  }
  goroutine* take(machine& m) {
    if (size_.load(rlx) == 0) return nullptr;
    bool may = false;
    if (F == flaw::bound_unlocked) {
      hold h(lock_);
      may = may_run_locked();
    }
    hold h(lock_);
    if (F != flaw::bound_unlocked) may = may_run_locked();
    goroutine* g = frame_.pop_front();
    if (!g && may && (g = background_.pop_front())) {
      m.on_background = true;
      ++running_;
    }
    size_.store(static_cast<std::uint32_t>(frame_.count + background_.count), rlx);
    return g;
  }
  void execute(machine& m, goroutine* g) {
    if (g->wire && g->wire != &m) return hand_to_wired(m, g);
    const bool counts = g->priority == kind::background;
    if (counts) model::check(inside.fetch_add(1, rlx) + 1 < all_.size(), "a worker is left");
    run_(*this, m, *g);
    if (counts && m.p) inside.fetch_sub(1, rlx);
    if (--g->turns > 0) return push(g);
    m.wired = nullptr;
    g->done.store(1, rel);
  }
  void left_background(machine& m) {
    m.on_background = false;
    bool wake = false;
    {
      hold h(lock_);
      --running_;
      if (F != flaw::keeps_quiet && m.p && !m.wired && work_locked() && idle_.idle() > 0)
        m.spinning = idle_.start_searching(1);
      wake = F == flaw::mark_stays && !m.p && work_locked() && wake_wanted();
    }
    if (wake) wake_one();
  }
  void stop_searching(machine& m) {
    if (!m.spinning) return;
    m.spinning = false;
    bool wake;
    {
      hold h(lock_);
      wake = idle_.stop_searching() && work_locked() && idle_.idle() > 0;
    }
    if (wake && F != flaw::finds_and_forgets) wake_one();
  }
  void rest(machine& m) {
    {
      hold h(lock_);
      if (stop_.load(rlx) != 0 || (F != flaw::sleeps_unseen && m.p && work_locked())) return;
      m.note.store(0, rlx);
      if (processor* const p = std::exchange(m.p, nullptr)) push_idle_locked(p);
      if (std::exchange(m.spinning, false)) idle_.stop_searching();
      m.idle = true;
      m.next_idle = std::exchange(idle_machines_, &m);
    }
    sleep(m);
  }
  void sleep(machine& m) {
    while (m.note.load(acq) == 0) A::futex_wait(m.note, 0);
    hold h(lock_);
    m.p = std::exchange(m.granted, nullptr);
    if (m.p && F != flaw::mark_at_once) m.on_background = std::exchange(m.granted_background, false);
  }

  // ---- wired ones
  goroutine* rest_wired(machine& m) {
    if (processor* const p = std::exchange(m.p, nullptr)) hand_over(p);
    {
      hold h(lock_);
      if (stop_.load(rlx) != 0) return nullptr;
      if (!m.granted) m.note.store(0, rlx);
    }
    sleep(m);
    return m.p ? std::exchange(m.p->handed, nullptr) : nullptr;
  }
  void hand_to_wired(machine& m, goroutine* g) {
    processor* const p = std::exchange(m.p, nullptr);
    {
      hold h(lock_);
      p->handed = g;
      g->wire->granted = p;
      if (F == flaw::mark_at_once) g->wire->on_background = m.on_background;
      if (F != flaw::mark_stays && F != flaw::mark_at_once) g->wire->granted_background = m.on_background;
      if (F != flaw::mark_stays) m.on_background = false;
    }
    note(*g->wire);
  }

  // ---- processors
  void hand_over(processor* p) {
    bool needed, searches = false;
    {
      hold h(lock_);
      needed = !p->own.empty() || p->handed || work_locked();
      if (!needed)
        push_idle_locked(p);
      else if (F != flaw::hands_over_quietly && work_locked() && idle_.idle() > 0)
        searches = idle_.start_searching(1);
    }
    if (needed) give(p, searches);
  }
  void wake_one() {
    if (!idle_.start_searching(1)) return;
    processor* p;
    {
      hold h(lock_);
      p = idle_processors_;
      if (p) {
        idle_processors_ = p->next_idle;
        idle_.leaves_idle();
      } else {
        idle_.stop_searching();
      }
    }
    if (p) give(p, true);
  }
  void give(processor* p, bool spinning) {
    machine* m;
    {
      hold h(lock_);
      m = idle_machines_;
      if (m) {
        idle_machines_ = m->next_idle;
        m->idle = false;
        m->granted = p;
        m->spinning = spinning;
      }
    }
    if (m)
      note(*m);
    else
      start_machine(p, spinning, nullptr);
  }
  machine* start_machine(processor* p, bool spinning, goroutine* wired) {
    machines_.push_back(std::make_unique<machine>());
    machine* const m = machines_.back().get();
    m->p = p;
    m->spinning = spinning;
    m->wired = wired;
    model::thread runs([this, m] { work(*m); });
    threads_.push_back(std::move(runs));
    return m;
  }
  static void note(machine& m) {
    m.note.store(1, rel);
    A::futex_wake(m.note, 1);
  }
  void push_idle_locked(processor* p) {
    p->next_idle = std::exchange(idle_processors_, p);
    idle_.sleeps(false);
  }

  std::vector<processor> all_;
  const body run_;
  std::vector<std::unique_ptr<machine>> machines_;
  std::vector<model::thread> threads_;
  A::atomic<std::uint32_t> stop_{0}, size_{0};
  rove::sched::idle_counts<A> idle_;
  model::lock lock_;
  // ---- under lock_
  processor* idle_processors_ = nullptr;
  machine* idle_machines_ = nullptr;
  rove::base::chain<goroutine> frame_, background_;
  std::size_t running_ = 0;
};

constexpr model::options some{.executions = 8000, .max_steps = 4000, .max_idle_pauses = 100};

// One of the frame, and when that is done two more, one of which waits for the other.
template <flaw F>
void frames() {
  goroutine before, first, second;
  before.priority = first.priority = second.priority = kind::frame;
  scheduler<F> s(2, [&](scheduler<F>&, machine&, goroutine& g) {
    if (&g == &first) second.wait();
  });
  s.push(&before);
  before.wait();
  s.push(&first);
  s.push(&second);
  first.wait();
}

// Of two processors the background may have one. The first of it leaves a normal goroutine behind, which waits for the
// second: so that has to be woken for when the first has ended, or (`blocks`) is inside `blocking`.
template <flaw F, bool blocks>
void held_back() {
  goroutine first, second, normal;
  normal.priority = kind::normal;
  scheduler<F> s(2, [&](scheduler<F>& own, machine& m, goroutine& g) {
    if (&g == &normal) second.wait();
    if (&g != &first) return;
    m.p->own.push_back(&normal);
    if (!blocks) return;
    own.inside.fetch_sub(1, rlx);
    own.release_processor(m);
    second.wait();
  });
  s.push(&first);
  s.push(&second);
  normal.wait();
  first.wait();
}

// One of the frame has woken machines, which then find two of the background.
template <flaw F>
void mixed() {
  goroutine frame, first, second;
  frame.priority = kind::frame;
  scheduler<F> s(2, [](scheduler<F>&, machine&, goroutine&) { model::yield(); });
  for (goroutine* const g : {&frame, &first, &second}) s.push(g);
  for (goroutine* const g : {&frame, &first, &second}) g->wait();
}

// One of the background is wired to a thread, and runs twice. With two processors the background may have one; with
// three, another machine may find the goroutine before its own has taken the first time off the count.
template <flaw F, unsigned processors>
void wired() {
  goroutine first, second;
  first.turns = 2;
  scheduler<F> s(processors, [](scheduler<F>&, machine&, goroutine&) { model::yield(); });
  s.make_wired(&first);
  s.push(&first);
  s.push(&second);
  first.wait();
  second.wait();
}

// ---- attention -----------------------------------------------------------------------------------------------------

// One goroutine of the frame is pushed while two processors dispatch others by the short way for ever, the second one
// from the moment when it is made; somebody watches for a while.
template <flaw F>
class attention {
 public:
  void run() {
    model::thread pushes([this] {
      hold h(lock_);
      waiting_ = 1;
      frames_.store(1, rlx);
      for (int i = 0; i < made_; ++i) p_[i].store(true, rlx);
    });
    model::thread watches([this] { watch(); });
    model::thread second([this] {
      {
        hold h(lock_);
        p_[1].store(watch_.load(acq) != 0 || (waiting_ > 0 && F != flaw::made_unaware), rlx);
        made_ = 2;
      }
      dispatch(1);
    });
    dispatch(0);
  }

 private:
  // Until this processor has seen that the frame's go first: so that no other one makes up for it.
  void dispatch(int p) {
    for (;; A::pause()) {
      if (!p_[p].load(rlx)) continue;
      if (frames_.load(rlx) > 0) {
        hold h(lock_);
        if (waiting_ > 0) return;
      } else {
        lower(p);
      }
    }
  }
  void lower(int p) {
    if (F == flaw::lowers_unlocked) return p_[p].store(false, rlx);
    hold h(lock_);
    if (waiting_ == 0 && (watch_.load(acq) == 0 || F == flaw::lowers_watched)) p_[p].store(false, rlx);
  }
  void watch() {
    watch_.fetch_add(1, std::memory_order_acq_rel);
    {
      hold h(lock_);
      for (int i = 0; i < made_; ++i) p_[i].store(true, rlx);
    }
    model::yield();
    hold h(lock_);
    for (int i = 0; i < made_; ++i) model::check(p_[i].load(rlx), "every dispatch goes through the loop");
    watch_.fetch_sub(1, std::memory_order_acq_rel);
    for (int i = 0; i < made_; ++i) p_[i].store(frames_.load(rlx) > 0 && F != flaw::watch_lowers, rlx);
  }

  model::lock lock_;
  model::plain<int> waiting_{0}, made_{1};
  A::atomic<bool> p_[2];
  A::atomic<std::uint32_t> frames_{0}, watch_{0};
};

template <flaw F>
void noticed() {
  attention<F>().run();
}

constexpr model::options more{.executions = 20000, .max_steps = 2000, .max_idle_pauses = 100};

}  // namespace

TEST_CASE("model: priority: the frame's wake a machine") { model::holds(some, frames<flaw::none>); }
TEST_CASE("model: priority: what was held back is run") { model::holds(some, held_back<flaw::none, false>); }
TEST_CASE("model: priority: what was held back by one in blocking") { model::holds(some, held_back<flaw::none, true>); }
TEST_CASE("model: priority: one worker is left") { model::holds(some, mixed<flaw::none>); }
TEST_CASE("model: priority: a wired one counts where it runs") {
  model::holds(some, wired<flaw::none, 2>);
  model::holds(some, wired<flaw::none, 3>);
}
TEST_CASE("model: priority: all processors notice the frame's") { model::holds(more, noticed<flaw::none>); }

TEST_CASE("model: priority: each step of it is needed") {
  model::is_found(some, frames<flaw::wakes_before>, "livelock");
  model::is_found(some, frames<flaw::sleeps_unseen>, "livelock");
  model::is_found(some, frames<flaw::finds_and_forgets>, "livelock");
  model::is_found(some, mixed<flaw::bound_unlocked>, "a worker is left");
  model::is_found(some, held_back<flaw::keeps_quiet, false>, "livelock");
  model::is_found(some, held_back<flaw::hands_over_quietly, true>, "livelock");
  model::is_found(some, wired<flaw::mark_stays, 2>, "a worker is left");
  model::is_found(some, wired<flaw::mark_at_once, 3>, "data race");
  model::is_found(more, noticed<flaw::lowers_unlocked>, "livelock");
  model::is_found(more, noticed<flaw::lowers_watched>, "every dispatch");
  model::is_found(more, noticed<flaw::watch_lowers>, "livelock");
  model::is_found(more, noticed<flaw::made_unaware>, "livelock");
}
