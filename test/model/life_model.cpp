// The lives of a goroutine's descriptor, seen by the sweep of a runtime that ends, under the model checker.
//
// The steps are those of `end_wait` in src/sched/ending.cpp, and of birth, park and death in src/sched. The goroutine
// runs here, ends, waits in another runtime, ends there and begins here again: it never waits here, and the sweep, which
// holds up this runtime alone, must not take it for one that does.
#include "test/model/mutations.hpp"

namespace model = rove::model;

namespace {

using namespace model::short_names;

enum class flaw {
  none,
  looks_once,     // who was seen waiting is not looked at again
  home_unordered  // who sees the home of a new life need not see the end of the one before
};
enum class state : std::uint32_t { dead, runnable, running, waiting };
enum class home : std::uint32_t { here, elsewhere };

template <flaw F>
struct goroutine {
  A::atomic<home> home_word{home::here};
  A::atomic<state> at{state::running};

  bool waits_here() {
    return home_word.load(F == flaw::home_unordered ? rlx : acq) == home::here && at.load(acq) == state::waiting;
  }
  void is_born(home where) {
    home_word.store(where, F == flaw::home_unordered ? rlx : rel);
    at.store(state::runnable, rel);
    at.store(state::running, rlx);
  }
};

template <flaw F>
void never_waits_here() {
  goroutine<F> g;
  model::thread lives([&] {
    g.at.store(state::dead, rlx);
    g.is_born(home::elsewhere);
    g.at.store(state::waiting, rel);
    g.at.store(state::running, rlx);
    g.at.store(state::dead, rlx);
    g.is_born(home::here);
  });
  const bool swept = g.waits_here() && (F == flaw::looks_once || g.waits_here());
  model::check(!swept, "it never waited here");
}

constexpr model::options some{.executions = 20000};

}  // namespace

TEST_CASE("model: ending: one that waits elsewhere in a later life is left alone") {
  model::holds(some, never_waits_here<flaw::none>);
}
TEST_CASE("model: ending: both looks at one that waits are needed") {
  model::is_found(some, never_waits_here<flaw::looks_once>);
  model::is_found(some, never_waits_here<flaw::home_unordered>);
}
