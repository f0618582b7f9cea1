// The event under the model checker.
//
// The steps are those of include/rove/sync/event.hpp and src/sync/event.cpp, around the library's own lock for the
// bucket. All who wait are plain threads; the time of a wait with a limit may be up at any moment. What was written
// before set() is plain: who goes on too early, or without having seen it, is a race. The bucket is there all the time,
// the event goes away with its last user.
#include <optional>

#include "src/base/list.hpp"
#include "test/model/mutations.hpp"
#include "test/model/threads.hpp"

namespace model = rove::model;

namespace {

using namespace model::short_names;
using word = std::uint32_t;

constexpr auto both = std::memory_order_acq_rel;
constexpr word is_set = 1, waited_for = 2;

// What is done wrong.
enum class flaw {
  none,
  takes_unasked,    // who finds it set on the way to the queue goes on, though try_wait may have taken it
  says_late,        // who waits says so in another step than it sees that it has to
  says_unlocked,    // ... and before it has the bucket's lock
  gives_up,         // whose time is up leaves, though it was let through
  stays_set,        // set lets a waiter through and leaves the flag up, too
  shows_early,      // set shows the flag before it has done with the word
  forgets,          // whoever leaves takes waited_for away, though others wait
  takes_blindly,    // the flag is taken, or seen, without an acquire
  sets_blindly,     // ... put up without a release
};

struct waiter {
  waiter* next = nullptr;
  waiter* prev = nullptr;
  model::plain<bool> pending{true};
  A::atomic<word> woken{0};
};

struct bucket {
  model::lock lock;
  rove::base::list<waiter> queue;

  waiter* take() {
    waiter* const w = queue.pop_front();
    if (w) w->pending = false;
    return w;
  }
};

enum class mode { auto_reset, manual_reset };

template <flaw F>
class event {
 public:
  event(bucket& b, mode m) : b_(b), mode_(m) {}

  void set() {
    word s = state_.load(rlx);
    while (!(s & waited_for))
      if (state_.compare_exchange_weak(s, s | is_set, F == flaw::sets_blindly ? acq : both, rlx)) return;
    set_slow();
  }
  void reset() { state_.fetch_and(~is_set, both); }
  bool try_wait() {
    const auto order = F == flaw::takes_blindly ? rlx : acq;
    word s = state_.load(order);
    if (mode_ == mode::manual_reset) return s & is_set;
    while (s & is_set)
      if (state_.compare_exchange_weak(s, s & ~is_set, order, rlx)) return true;
    return false;
  }
  bool wait(bool timed = false) {
    if (try_wait()) return true;
    waiter w;
    bucket& b = b_;
    if (F == flaw::says_unlocked) state_.fetch_or(waited_for, both);
    b.lock.lock();
    constexpr bool apart = F == flaw::says_late || F == flaw::says_unlocked;
    const word s = apart ? state_.load(acq) : state_.fetch_or(waited_for, both);
    const bool taken = s & is_set && (mode_ == mode::manual_reset || F == flaw::takes_unasked ||
                                      state_.fetch_and(~is_set, acq) & is_set);
    if (taken) {
      if (F == flaw::takes_unasked) state_.fetch_and(~is_set, acq);
      if (F == flaw::forgets || b.queue.empty()) state_.fetch_and(~waited_for, rlx);
      b.lock.unlock();
      return true;
    }
    if (F == flaw::says_late) state_.fetch_or(waited_for, both);
    b.queue.push_back(&w);
    return sleep(w, b, timed);
  }

 private:
  bool sleep(waiter& w, bucket& b, bool timed) {
    b.lock.unlock();
    bool late = false;
    while (w.woken.load(acq) == 0) {
      if (A::futex_wait(w.woken, 0, timed && !late) == 0) continue;
      late = true;
      model::hold h(b.lock);
      if (!w.pending) continue;              // somebody lets it through, and is about to wake it
      b.queue.remove(&w);
      if (F == flaw::forgets) state_.fetch_and(~waited_for, rlx);
      return false;
    }
    return F != flaw::gives_up || !late;
  }

  void set_slow() {
    bucket& b = b_;
    rove::base::list<waiter> granted;
    b.lock.lock();
    const bool one = mode_ == mode::auto_reset && !b.queue.empty();
    do {
      if (waiter* const w = b.take()) granted.push_back(w);
    } while (!one && !b.queue.empty());
    if (F == flaw::shows_early && !one) state_.fetch_or(is_set, rel);
    if (b.queue.empty()) state_.fetch_and(~waited_for, rlx);
    if ((F != flaw::shows_early && !one) || F == flaw::stays_set) state_.fetch_or(is_set, rel);
    b.lock.unlock();
    while (waiter* const w = granted.pop_front()) {
      w->woken.store(1, rel);
      A::futex_wake(w->woken, 1);
    }
  }

  bucket& b_;
  const mode mode_;
  A::atomic<word> state_{0};
};

constexpr model::options some{.executions = 12000, .max_idle_pauses = 1000};

// One set for those who try and those who wait for a while: it lets one through, or is still there.
template <flaw F, bool resets>
void one_set() {
  bucket b;
  event<F> e(b, mode::auto_reset);
  model::plain<int> data{0};
  A::atomic<int> through{0};
  const auto passed = [&] {
    data = data + 1;
    through.fetch_add(1, rlx);
  };
  {
    model::thread tries([&] {
      if (e.try_wait()) passed();
    });
    model::thread waits([&] {
      if (e.wait(true)) passed();
    });
    model::thread waits_too([&] {
      if (resets) return e.reset();
      if (e.wait(true)) passed();
    });
    data = 1;
    e.set();
  }
  const int used = through.load(rlx) + e.try_wait();
  model::check(resets ? used <= 1 : used == 1, "one set, one that goes on");
  model::check(!e.try_wait(), "and no more");
}

// Whoever has the set gives it on: a lock made of an event. Those without a limit must get it.
template <flaw F>
void a_baton() {
  bucket b;
  event<F> e(b, mode::auto_reset);
  model::plain<int> rounds{0};
  const auto round = [&](bool has) {
    if (has) rounds = rounds + 1, e.set();
  };
  {
    model::thread first([&] { round(e.wait()); });
    model::thread second([&] { round(e.wait()); });
    model::thread hasty([&] {
      round(e.wait(true));
      round(e.try_wait());
    });
    e.set();
  }
  model::check(e.try_wait() && !e.try_wait(), "it is there once");
  model::check(rounds >= 2, "nobody was passed over");
}

// All go on, whatever is set and reset in between, and whoever gave up.
template <flaw F>
void all_go_on() {
  bucket b;
  event<F> e(b, mode::manual_reset);
  model::plain<int> data{0};
  {
    model::thread first([&] {
      e.wait();
      data.get();
    });
    model::thread second([&] {
      if (!e.wait(true)) e.wait();
      data.get();
    });
    data = 1;
    e.set();
    e.reset();
    e.set();
  }
  model::check(e.try_wait(), "it stays set");
}

// Who was let through destroys it, while set may still be under way.
template <flaw F, mode M>
void a_waiter_destroys() {
  bucket b;
  std::optional<event<F>> here(std::in_place, b, M);  // destroyed but not freed, so that a late look is seen
  event<F>* const e = &*here;
  model::plain<int> data{0};
  model::thread t([&, e] {
    data = 1;
    e->set();
  });
  if (!e->wait(true)) e->wait();
  data.get();
  here.reset();
}

}  // namespace

TEST_CASE("model: event: a set lets one through, or stays") { model::holds(some, one_set<flaw::none, false>); }
TEST_CASE("model: event: set, reset and those who wait") { model::holds(some, one_set<flaw::none, true>); }
TEST_CASE("model: event: given on from one to the next") { model::holds(some, a_baton<flaw::none>); }
TEST_CASE("model: event: manual-reset lets all through") { model::holds(some, all_go_on<flaw::none>); }
TEST_CASE("model: event: destroyed by who was let through") {
  model::holds(some, a_waiter_destroys<flaw::none, mode::auto_reset>);
  model::holds(some, a_waiter_destroys<flaw::none, mode::manual_reset>);
}
TEST_CASE("model: event: each step of it is needed") {
  model::is_found(some, one_set<flaw::takes_unasked, false>);
  model::is_found(some, a_baton<flaw::says_late>, "deadlock");
  model::is_found(some, a_baton<flaw::says_unlocked>, "deadlock");
  model::is_found(some, one_set<flaw::gives_up, false>, "one set");
  model::is_found(some, one_set<flaw::stays_set, false>);
  model::is_found(some, a_waiter_destroys<flaw::shows_early, mode::manual_reset>);
  model::is_found(some, a_baton<flaw::forgets>, "deadlock");
  model::is_found(some, one_set<flaw::takes_blindly, false>, "race");
  model::is_found(some, one_set<flaw::sets_blindly, false>, "race");
}
