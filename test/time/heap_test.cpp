// The heap of timers: order, taking from the middle, firing all.
#include <algorithm>
#include <vector>

#include "src/sched/timers.hpp"
#include "test/support/fixture.hpp"

using namespace rove_test;
namespace sched = rove::sched;

namespace {

struct noted : sched::timer {
  std::vector<sched::timer*>* fired = nullptr;
};

void note(sched::timer* t) { static_cast<noted*>(t)->fired->push_back(t); }

}  // namespace

TEST_CASE("timer heap: fires in the order of times what was not taken out") {
  dice d(1);
  for (int round = 0; round < 20; ++round) {
    sched::timer_heap heap;
    std::vector<sched::timer*> fired;
    std::vector<noted> timers(1 + d.below(300));
    std::size_t armed = timers.size();
    for (noted& t : timers) {
      t.when = d.below(100);
      t.fire = note;
      t.fired = &fired;
      rove::os::hold h(heap.lock());
      heap.arm_locked(&t);
    }
    for (unsigned i = d.below(400); i > 0; --i) {
      noted& t = timers[d.below(static_cast<unsigned>(timers.size()))];
      armed -= heap.disarm(&t);
      CHECK_FALSE(heap.disarm(&t));
    }
    CHECK(heap.size_hint() == armed);
    const std::size_t few = heap.run_due(50, 3);
    CHECK(few <= 3);
    CHECK((few == 3 || heap.next_due() > 50));
    const std::size_t early = few + heap.run_due(50);
    CHECK(fired.size() == early);
    CHECK(std::all_of(fired.begin(), fired.end(), [](auto* t) { return t->when <= 50; }));
    CHECK(heap.next_due() > 50);
    CHECK(heap.run_due(99) + early == armed);
    CHECK(std::is_sorted(fired.begin(), fired.end(), [](auto* a, auto* b) { return a->when < b->when; }));
    CHECK(heap.next_due() == rove::os::never);
  }
}

TEST_CASE("timer heap: one that is taken down fires all, due or not") {
  sched::timer_heap heap;
  std::vector<sched::timer*> fired;
  std::vector<noted> timers(50);
  for (noted& t : timers) {
    t.when = rove::os::never - 1;
    t.fire = note;
    t.fired = &fired;
    rove::os::hold h(heap.lock());
    heap.arm_locked(&t);
  }
  heap.run_all();
  CHECK(fired.size() == 50);
  CHECK(heap.size_hint() == 0);
  CHECK_FALSE(heap.disarm(&timers[0]));
}

TEST_CASE("timer heap: one at a time serves it") {
  sched::timer_heap heap;
  struct nested : sched::timer {
    std::size_t fired_within = 99;
  };
  std::vector<nested> timers(3);
  for (nested& t : timers) {
    t.fire = [](sched::timer* timer) { static_cast<nested*>(timer)->fired_within = timer->heap->run_due(1); };
    rove::os::hold h(heap.lock());
    heap.arm_locked(&t);
  }
  CHECK(heap.run_due(1) == 3);
  for (const nested& t : timers) CHECK(t.fired_within == 0);
  CHECK(heap.run_due(1) == 0);
}
