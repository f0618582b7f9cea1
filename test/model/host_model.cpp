// Hosts under the model checker: whoever is on a host is run, the program is told, a host, its runtime and those who
// push end in any order, and nobody is taken for stuck by whom he is about to wake. The essay is in src/sched/host.cpp.
//
// The gate, the runtime's list of hosts and the count of residents are the library's (host_gate.hpp); the steps around
// them are those of host.cpp, scheduler.cpp, lifetime.cpp and deadlock.cpp. Hosts and runtimes are destroyed where they
// lie, so whoever touches them afterwards finds atomics that are no more.
#include <optional>

#include "src/sched/host_gate.hpp"
#include "test/model/mutations.hpp"
#include "test/model/threads.hpp"

namespace model = rove::model;

namespace {

using namespace model::short_names;
using model::hold;

// What is done wrong.
enum class flaw {
  none,
  ends_silently,        // a drive whose time is over does not say that there is more
  tells_uncounted,      // who tells the program is no user of the host meanwhile
  closes_at_once,       // the host's destructor neither waits for its users nor holds its runtime
  leaves_at_once,       // ... or does not wait for the runtime's end, which has it in hand
  forgets_at_once,      // the runtime's end does not wait for the host's users
  visits_unseen,        // who looks at all hosts does not say at which one it is
  counts_early,         // a goroutine is taken off the count before what came of it is queued
  counts_relaxed,       // ... or after it, but what was done is not seen with it
};

struct goroutine {
  goroutine* link = nullptr;
  model::plain<int> stack{0};
  A::atomic<std::uint32_t> ran{0};
};

void pause() { A::pause(); }

template <flaw F>
struct host;

// What a host needs of its runtime.
template <flaw F>
struct runtime {
  model::lock lock;
  rove::sched::host_list<host<F>> hosts;
  A::atomic<std::int64_t> blocking{0};

  void count_blocked() { blocking.fetch_add(1, rlx); }
  void uncount_blocked() { blocking.fetch_sub(1, F == flaw::counts_relaxed ? rlx : rel); }

  host<F>* visit(host<F>* before) {
    hold h(lock);
    if (F == flaw::visits_unseen && before) before->visitors = 1;
    host<F>* const next = hosts.visit(before);
    if (F == flaw::visits_unseen && next) next->visitors = 0;
    return next;
  }
  // Its destructor, when no goroutine is left.
  void end() {
    for (;;) {
      host<F>* next;
      {
        hold h(lock);
        next = hosts.take();
      }
      if (!next) return;
      model::yield();
      if (F == flaw::forgets_at_once)
        next->gate.home();
      else
        next->gate.forget_home(pause);
    }
  }
};

// The program's side: a word that the host's thread looks at. It outlives the host.
struct program {
  A::atomic<std::uint32_t> told{0};
  model::plain<int> callback{0};        // goes with the host
};

template <flaw F>
struct host {
  host* next = nullptr;
  unsigned visitors = 0;
  rove::sched::host_residents<A> residents;
  rove::sched::host_gate<goroutine, runtime<F>, model::lock, A> gate;
  program& whose;

  host(runtime<F>& home, program& p) : gate(&home, true), whose(p) {
    hold h(home.lock);
    home.hosts.add(this);
  }
  ~host() {
    using removed = typename rove::sched::host_list<host>::removed;
    const auto remove = [this](runtime<F>* home) {
      hold h(home->lock);
      const removed r = home->hosts.remove(this);
      return F == flaw::leaves_at_once && r == removed::never_there ? removed::yes : r;
    };
    if (F != flaw::closes_at_once)
      gate.close(remove, pause);
    else if (runtime<F>* const home = gate.home())
      remove(home);
    whose.callback = 0;
  }

  void go(goroutine& g) {
    residents.come();
    g.stack = 1;
    program& p = whose;
    if (!gate.push(&g)) return;
    if (F == flaw::tells_uncounted) gate.leave();
    p.callback.get();
    p.told.store(1, rel);
    if (F != flaw::tells_uncounted) gate.leave();
  }
  // For the time that `budget` goroutines take.
  bool drive(int budget) {
    runtime<F>* const home = gate.begin_drive();
    if (!home) return false;
    while (goroutine* const g = gate.pop()) {
      model::check(g->stack == 1, "it comes with its stack");
      g->stack = 2;
      residents.leave();
      g->ran.store(1, rel);  // whoever waits for it may destroy the host, or the runtime
      home->uncount_blocked();
      if (--budget == 0) break;
    }
    if (gate.end_drive() && F != flaw::ends_silently) whose.told.store(1, rel);
    gate.leave();
    return true;
  }
};

constexpr model::options some{.executions = 20000, .max_steps = 3000, .max_idle_pauses = 200};

// Two threads start goroutines on the host, which polls if it was told, and for the time of one goroutine.
template <flaw F>
void told_and_run() {
  runtime<F> home;
  program p;
  host<F> h(home, p);
  goroutine a, b, c;
  model::thread first([&] { h.go(a); });
  model::thread second([&] { h.go(b), h.go(c); });
  while (a.ran.load(acq) == 0 || b.ran.load(acq) == 0 || c.ran.load(acq) == 0)
    if (p.told.exchange(0, acq) == 0)
      A::pause();
    else
      h.drive(1);
}

// The goroutine runs, and its host and runtime end, while the one who started it has yet to tell the program.
template <flaw F>
void overtaken() {
  program p;
  std::optional<runtime<F>> home(std::in_place);
  std::optional<host<F>> h(std::in_place, *home, p);
  goroutine g;
  model::thread starts([&, on = &*h] { on->go(g); });
  while (g.ran.load(acq) == 0)
    if (!h->drive(2)) A::pause();
  if (model::choose(2) == 0) h.reset();
  home->end();
  home.reset();
}

// A closure cannot be made, so nobody comes to the host after all; another thread destroys it as soon as nobody is
// there.
void given_up() {
  program p;
  runtime<flaw::none> home;
  std::optional<host<flaw::none>> h(std::in_place, home, p);
  model::plain<int> closure{0};
  h->residents.come();
  model::thread gives_up([&, on = &*h] {
    closure = 1;
    on->residents.leave();
  });
  while (!h->residents.none()) A::pause();
  h.reset();
  model::check(closure == 1, "what the goroutine had is gone");
}

// Two hosts end on threads of their own, while a third thread stops the runtime, runs what is left on its hosts, and
// destroys it.
template <flaw F>
void all_end() {
  program p, q;
  std::optional<runtime<F>> home(std::in_place);
  std::optional<host<F>> first(std::in_place, *home, p), second(std::in_place, *home, q);
  goroutine g;
  second->go(g);
  model::thread first_ends([&] { first.reset(); });
  model::thread second_ends([&] {
    second->drive(1);
    while (g.ran.load(acq) == 0) A::pause();
    second.reset();
  });
  do {
    for (host<F>* h = home->visit(nullptr); h; h = home->visit(h)) h->drive(1);
    A::pause();
  } while (g.ran.load(acq) == 0);
  home->end();
  home.reset();
}

// A goroutine on the host ends, which another one waits for, or waits for a descriptor; the runtime's one worker rests
// meanwhile and looks for a deadlock.
template <flaw F>
class deadlock {
 public:
  void run() {
    const bool polled = model::choose(2) == 1;
    home_.count_blocked();                    // pushed before
    model::thread drives([&] {
      if (F == flaw::counts_early) home_.uncount_blocked();
      if (polled) {
        io_waits_.fetch_add(1, rlx);          // it parks
      } else {
        hold h(home_.lock);                   // it ended: its task's joiner becomes runnable
        global_ = global_ + 1;
      }
      if (F != flaw::counts_early) home_.uncount_blocked();
      hold h(home_.lock);                     // look_for_deadlock
      if (idle_ == 1) look();
    });
    {
      hold h(home_.lock);                     // rest
      if (global_ > 0) return;
      idle_ = 1;
    }
    hold h(home_.lock);                       // check_deadlock
    look();
  }

 private:
  void look() {
    const bool stuck = global_ == 0 && home_.blocking.load(acq) == 0 && io_waits_.load(rlx) == 0;
    model::check(!stuck, "somebody goes on");
  }

  runtime<F> home_;
  model::plain<int> idle_{0}, global_{0};
  A::atomic<std::int64_t> io_waits_{0};
};

template <flaw F>
void looked_for_deadlock() {
  deadlock<F>().run();
}

}  // namespace

TEST_CASE("model: host: the program is told, and all are run") { model::holds(some, told_and_run<flaw::none>); }
TEST_CASE("model: host: overtaken by its end") { model::holds(some, overtaken<flaw::none>); }
TEST_CASE("model: host: it ends when nobody is there") { model::holds(some, given_up); }
TEST_CASE("model: host: hosts and their runtime end at once") { model::holds(some, all_end<flaw::none>); }
TEST_CASE("model: host: no false deadlock") { model::holds(some, looked_for_deadlock<flaw::none>); }

TEST_CASE("model: host: each step of it is needed") {
  model::is_found(some, told_and_run<flaw::ends_silently>, "livelock");
  model::is_found(some, overtaken<flaw::tells_uncounted>);
  model::is_found(some, overtaken<flaw::closes_at_once>);
  model::is_found(some, overtaken<flaw::forgets_at_once>);
  model::is_found(some, all_end<flaw::closes_at_once>);
  model::is_found(some, all_end<flaw::leaves_at_once>);
  model::is_found(some, all_end<flaw::visits_unseen>);
  model::is_found(some, looked_for_deadlock<flaw::counts_early>, "somebody goes on");
  model::is_found(some, looked_for_deadlock<flaw::counts_relaxed>, "somebody goes on");
  model::every_site_counts(some, given_up, "sched/host_gate.hpp");
  model::every_site_counts(some, looked_for_deadlock<flaw::none>, "model/host_model.cpp");
}
