// The run queue under the model checker, with lanes of 4: what is put in comes out once, with what its goroutine did
// before, and nobody runs on a stack that another one has not left.
#include <vector>

#include "src/sched/run_queue.hpp"
#include "test/model/mutations.hpp"

namespace model = rove::model;

namespace {

// As in owner_section_model: thieves wait in half of the executions, give up soon in the others.
bool patient;

struct atomics : model::atomics {
  static void pause() {
    if (patient)
      model::atomics::pause();
  }
};

// A goroutine: its link, and what only who runs it may touch.
struct item {
  item* link = nullptr;
  model::plain<int> stack{0};
  int runs = 0;
};

using queue = rove::sched::run_queue<item, 4, atomics>;
using chain = queue::chain;

constexpr model::options some{.executions = 20000, .max_idle_pauses = 2000};

// The queue of one processor, its owner and its thieves. What spills over is kept where it spilled.
struct world {
  queue q;
  std::vector<item> items;

  explicit world(std::size_t n) : items(n) { patient = model::choose(2) == 1; }

  static void run(item* g) {
    g->stack = g->stack + 1;
    ++g->runs;
  }
  static void run_all(chain some) {
    while (item* const g = some.pop_front())
      run(g);
  }

  // Into one of the lanes, by the owner.
  template <class Put>
  void put(item& g, Put how) {
    g.stack = 1;  // its waker, or who made it, wrote there
    if (!q.section().enter())
      return run(&g);  // the slow way: the global queue
    const chain spilled = how(&g);
    q.section().leave();
    run_all(spilled);
  }
  void put_next(item& g) { put(g, [&](item* i) { return q.put_next(i); }); }
  void put_woken(item& g) { put(g, [&](item* i) { return q.put_woken(i); }); }
  void put_fresh(item& g) { put(g, [&](item* i) { return q.put_fresh(i); }); }

  // The usual order, or one of the turns at a slice's end.
  void dispatch() {
    const unsigned how = model::choose(4);
    if (!q.section().enter())
      return;
    item* const g = how == 3 ? q.take() : q.take_in_turn(static_cast<queue::turn>(how));
    q.section().leave();
    if (g != nullptr)
      run(g);
  }

  // Returns what was stolen: it runs after the section was left, as a thief's machine does.
  void steal() {
    q.length();
    if (!q.section().enter_as_thief())
      return;
    const chain loot = q.steal();
    q.section().leave_as_thief();
    run_all(loot);
  }

  void drain() {
    model::check(q.section().enter(), "the section is free");
    const chain rest = q.take_all();
    q.section().leave();
    run_all(rest);
    model::check(q.length() == 0, "empty");
    for (const item& i : items)
      model::check(i.runs == 1, i.runs == 0 ? "lost" : "came out twice");
  }
};

void put_and_take_and_steal() {
  world w(4);
  {
    model::thread first([&] { w.steal(); }), second([&] { w.steal(); });
    w.put_next(w.items[0]);
    w.put_fresh(w.items[1]);
    w.put_next(w.items[2]);
    w.dispatch();
    w.put_woken(w.items[3]);
    w.dispatch();
    model::yield();  // the owner is busy
  }
  w.drain();
}

void overflow() {
  world w(7);
  {
    model::thread thief([&] { w.steal(), w.steal(); });
    const bool fresh = model::choose(2) == 1;
    for (item& i : w.items)
      fresh ? w.put_fresh(i) : w.put_next(i);
    w.dispatch();
    model::yield();
  }
  w.drain();
}

// Yield: the running goroutine puts itself behind the others and leaves its stack, all inside the section.
template <bool early>
void yield_steps_behind() {
  world w(2);
  w.items[1].runs = -1;  // runs once more than the other
  {
    model::thread thief([&] { w.steal(), w.steal(); });
    w.put_woken(w.items[0]);
    item& self = w.items[1];
    world::run(&self);
    if (w.q.section().enter()) {
      item* const next = w.q.take();
      model::check(w.q.put_last(&self), "there was room");
      if (early)
        w.q.section().leave();
      self.stack = self.stack + 1;  // it is still on its stack: the switch itself
      if (!early)
        w.q.section().leave();
      if (next != nullptr)
        world::run(next);
    } else {
      world::run(&self);
    }
    model::yield();
  }
  w.drain();
}

}  // namespace

TEST_CASE("model: run queue: everything comes out once") { model::holds(some, put_and_take_and_steal); }
TEST_CASE("model: run queue: overflow") { model::holds(some, overflow); }
TEST_CASE("model: run queue: yield leaves the stack inside the section") {
  model::holds(some, yield_steps_behind<false>);
  model::is_found(some, yield_steps_behind<true>, "data race");
}

TEST_CASE("model: run queue: theft happens, and so does giving it up") {
  const auto reached = [](bool stolen) {
    model::is_found(some, [=] {
      world w(2);
      {
        model::thread thief([&] { w.steal(); });
        w.put_fresh(w.items[0]);
        w.put_next(w.items[1]);
      }
      const int runs = w.items[0].runs + w.items[1].runs;
      model::check(stolen ? runs == 0 : runs > 0, "reached");
    }, "reached");
  };
  reached(true);
  reached(false);
}

TEST_CASE("model: run queue: the section's orders and fences are what makes it right") {
  model::every_site_counts(some, put_and_take_and_steal, "sched/owner_section.hpp",
                           {"owner_section.hpp enter_as_thief update"});  // the barrier behind it does the same
}
