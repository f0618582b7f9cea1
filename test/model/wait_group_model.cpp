// The wait_group under the model checker.
//
// The steps are those of include/rove/sync/wait_group.hpp and src/sync/wait_group.cpp, around the library's own lock for
// the bucket. All who wait are plain threads. What the counted ones wrote is plain: a waiter that goes on too early, or
// without having seen all of them, is a race.
#include <optional>

#include "src/base/list.hpp"
#include "test/model/mutations.hpp"
#include "test/model/threads.hpp"

namespace model = rove::model;

namespace {

using namespace model::short_names;
using word = std::uint64_t;

constexpr word waited_for = 1, one = word{1} << 32;

// What is done wrong.
enum class flaw {
  none,
  bit_late,        // the waiter does not look at the counter with the operation that sets the bit
  looks_unlocked,  // ... looks before it has the bucket's lock
  trusts_queue,    // who brings the counter to zero wakes whom it finds, without another look
  sees_little,     // ... that look does not acquire
  clears_bit,      // ... and clears the bit if it finds nobody
};

struct waiter {
  waiter* next = nullptr;
  waiter* prev = nullptr;
  const void* object = nullptr;
  A::atomic<std::uint32_t> woken{0};
};

struct bucket {
  model::lock lock;
  rove::base::list<waiter> queue;

  waiter* first(const void* object) {
    waiter* w = queue.front();
    while (w && w->object != object) w = w->next;
    return w;
  }
};

template <flaw F>
class wait_group {
 public:
  explicit wait_group(bucket& b) : b_(b) {}

  void add(int n) {
    bucket& b = b_;
    const word before = state_.fetch_add(n * static_cast<std::int64_t>(one), std::memory_order_acq_rel);
    const auto count = static_cast<std::int32_t>(before >> 32) + n;
    if (count == 0 && (before & waited_for)) none_left(b);
  }
  void done() { add(-1); }

  void wait() {
    if (state_.load(acq) >> 32 == 0) return;
    waiter w;
    w.object = this;
    word state = 0;
    if (F == flaw::looks_unlocked) state = state_.load(acq);
    b_.lock.lock();
    if (F != flaw::looks_unlocked) state = state_.load(acq);
    if (!(state & waited_for)) {
      const word seen = state_.fetch_or(waited_for, acq);
      if (F != flaw::bit_late) state = seen;
    }
    if (state >> 32 == 0) return b_.lock.unlock();
    b_.queue.push_back(&w);
    b_.lock.unlock();
    while (w.woken.load(acq) == 0) A::futex_wait(w.woken, 0);
  }

 private:
  void none_left(bucket& b) {
    rove::base::list<waiter> woken;
    b.lock.lock();
    const bool found = b.first(this);
    if (found && (F == flaw::trusts_queue || state_.load(F == flaw::sees_little ? rlx : acq) >> 32 == 0))
      while (waiter* const w = b.first(this)) {
        b.queue.remove(w);
        woken.push_back(w);
      }
    if (!found && F == flaw::clears_bit) state_.fetch_and(~waited_for, rlx);
    b.lock.unlock();
    while (waiter* const w = woken.pop_front()) {
      w->woken.store(1, rel);
      A::futex_wake(w->woken, 1);
    }
  }

  bucket& b_;
  A::atomic<word> state_{0};
};

constexpr model::options some{.executions = 20000, .max_idle_pauses = 1000};

// Two are counted, two wait.
template <flaw F>
void two_and_two() {
  bucket b;
  wait_group<F> wg(b);
  model::plain<int> mine{0}, other{0};
  wg.add(2);
  model::thread first([&] {
    mine = 1;
    wg.done();
  });
  model::thread second([&] {
    other = 1;
    wg.done();
  });
  model::thread waits([&] {
    wg.wait();
    model::check(mine + other == 2, "both are done");
  });
  wg.wait();
  model::check(mine + other == 2, "both are done");
}

// One round after the other. The bit stays from the first; whoever ends the second may be looking for a waiter while
// the third one waits, by then perhaps for another wait_group in the same place.
template <flaw F, bool anew>
void rounds() {
  bucket b;
  std::optional<wait_group<F>> here(std::in_place, b);  // destroyed but not freed, so that a late look is seen
  model::plain<int> value{0};
  const auto count = [&, wg = &*here] {
    value = value + 1;
    wg->done();
  };
  const auto start = [&] {
    here->add(1);
    return model::thread(count);
  };
  const model::thread first = start();
  here->wait();
  const model::thread second = start();
  here->wait();
  model::check(value == 2, "two are done");
  if (anew) here.emplace(b);
  const model::thread third = start();
  here->wait();
  model::check(value == 3, "the third is done");
  if (anew) here.reset();
}

}  // namespace

TEST_CASE("model: wait_group: two are counted, two wait") { model::holds(some, two_and_two<flaw::none>); }
TEST_CASE("model: wait_group: used again") { model::holds(some, rounds<flaw::none, false>); }
TEST_CASE("model: wait_group: another one in its place") { model::holds(some, rounds<flaw::none, true>); }
TEST_CASE("model: wait_group: each step of it is needed") {
  model::is_found(some, rounds<flaw::bit_late, false>, "deadlock");
  model::is_found(some, rounds<flaw::looks_unlocked, false>, "deadlock");
  model::is_found(some, rounds<flaw::trusts_queue, false>);
  model::is_found(some, rounds<flaw::trusts_queue, true>);
  model::is_found(some, rounds<flaw::sees_little, true>);
  model::is_found(some, rounds<flaw::clears_bit, true>);
}
