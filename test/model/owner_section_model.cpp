// The biased section under the model checker: at most one of {owner, one thief} inside, and each sees what the one
// before did; nobody stays shut out.
#include "src/sched/owner_section.hpp"
#include "test/model/mutations.hpp"

namespace model = rove::model;

namespace {

// A thief's patience is bounded, so a pause need not wait for anything; in half of the executions it does, and the thief
// gets in where it would mostly give up.
bool patient;

struct atomics : model::atomics {
  static void pause() {
    if (patient)
      model::atomics::pause();
  }
};

using section = rove::sched::owner_section<atomics>;

constexpr model::options some{.executions = 40000, .max_idle_pauses = 2000};

struct guarded {
  section s;
  model::plain<int> inside{0};
  int owned = 0, refused = 0, stolen = 0, given_up = 0;

  guarded() { patient = model::choose(2) == 1; }

  void own() {
    if (!s.enter()) {
      ++refused;
      return;
    }
    inside = inside + 1;
    ++owned;
    s.leave();
  }
  void steal() {
    if (!s.enter_as_thief()) {
      ++given_up;
      return;
    }
    inside = inside + 1;
    ++stolen;
    s.leave_as_thief();
  }
};

void owner_and_thieves() {
  guarded g;
  {
    const auto thief = [&] { g.steal(), g.steal(); };
    model::thread first(thief), second(thief);
    for (int i = 0; i < 3; ++i)
      g.own();
    model::yield();  // the owner goes on with something else
  }
  model::check(g.inside == g.owned + g.stolen, "nothing was lost");
  model::check(g.s.enter(), "the thieves left no trace");
  g.s.leave();
  model::check(g.s.enter_as_thief(), "nor the owner");
}

// The processor changes hands: the new owner is another thread, told by an atomic.
void owner_changes() {
  guarded g;
  {
    atomics::atomic<int> turn{0};
    model::thread thief([&] { g.steal(), g.steal(); });
    model::thread next([&] {
      while (turn.load(std::memory_order_acquire) == 0)
        model::atomics::pause();
      g.own();
      model::yield();
    });
    g.own();
    turn.store(1, std::memory_order_release);
  }
  model::check(g.inside == g.owned + g.stolen, "nothing was lost");
}

// Whoever is alone gets in.
void nobody_waits_for_nobody() {
  guarded g;
  {
    model::thread thief([&] { g.steal(); });
  }
  g.own();
  model::check(g.owned == 1 && g.stolen == 1, "each was alone");
}

}  // namespace

TEST_CASE("model: owner section: one at a time") { model::holds(some, owner_and_thieves); }
TEST_CASE("model: owner section: the owner changes") { model::holds(some, owner_changes); }
TEST_CASE("model: owner section: alone") { model::holds(some, nobody_waits_for_nobody); }

TEST_CASE("model: owner section: all outcomes are reached") {
  const auto reached = [](bool (*outcome)(const guarded&)) {
    model::is_found(some, [&] {
      guarded g;
      {
        model::thread thief([&] { g.steal(), g.steal(); });
        g.own(), g.own();
      }
      model::check(!outcome(g), "reached");
    }, "reached");
  };
  reached([](const guarded& g) { return g.refused > 0 && g.owned > 0; });
  reached([](const guarded& g) { return g.given_up > 0; });
  reached([](const guarded& g) { return g.stolen == 2 && g.owned == 2; });
}

TEST_CASE("model: owner section: every order and fence is needed") {
  // The exchange's acquire is what C++ asks for; the barrier that follows it happens to do the same.
  model::every_site_counts(some, owner_and_thieves, "sched/owner_section.hpp", {"owner_section.hpp enter_as_thief update"});
}
