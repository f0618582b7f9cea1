// select under the model checker: served once, by one of all who come; woken once, and only after its stack was left;
// its frame is not touched after it went on; two that meet on two channels agree.
//
// The steps are those of src/chan/select.cpp, around the library's own lock. A select over two channels without buffers
// joins their queues and parks; who wakes it goes on with it right there, as another machine would. Its frame is
// destroyed when it is over, so whoever touches it later is found.
#include <memory>
#include <utility>

#include "src/base/list.hpp"
#include "test/model/mutations.hpp"
#include "test/model/threads.hpp"

namespace model = rove::model;

namespace {

using namespace model::short_names;

// What is done wrong.
enum class flaw {
  none,
  claims_outside,      // the claim is looked at without the select's lock
  wakes_always,        // who serves a select that has not parked wakes it all the same
  parks_served,        // the select parks without looking whether it was served meanwhile
  unlocks_early,       // ... gives its lock back before the stack was left
  stays_in_queues,     // ... goes on without leaving the queues
  serves_unclaimed,    // ... takes a case while it joins without claiming itself
  locks_as_it_comes,   // two selects are claimed in the order self, other
  move_ends_it,        // a move that throws leaves the select served
  drops_open,          // ... drops it from the queue
  settles_not,         // the select goes on without looking after its limit
};

enum outcome { pending, granted, closed, timed_out };

struct selection;

struct waiter {
  waiter* next = nullptr;
  waiter* prev = nullptr;
  selection* owner = nullptr;
  int index = 0;
  bool queued = false;             // under the channel's lock
};

struct channel {
  model::lock lock;
  rove::base::list<waiter> queues[2];   // who receives, who sends
  model::plain<int> touched{0};         // every access to the queues writes it
};

struct answer {
  A::atomic<std::uint32_t> done{0};
  model::plain<int> result{pending}, taken{-1}, value{0};
};

// A heap of timers with room for one.
struct timers {
  model::lock lock;
  model::plain<selection*> armed{nullptr};
};

struct selection {
  model::lock lock;
  model::plain<int> result{pending}, taken{-1}, room{0};
  model::plain<bool> parked{false};
  model::plain<int> stack{0};           // written by whoever runs on it, and last by the switch away
  channel* channels[2];
  bool sends[2];
  waiter waiters[2];
  int joined = 0;
  timers* limit = nullptr;
  A::atomic<std::uint32_t> limit_done{0};
  answer* out;
};

template <flaw F>
struct steps {
  static int value_of(int index) { return 10 + index; }   // what a select sends

  // Holds the locks of the select that serves itself and of the one that is served.
  class claim {
   public:
    claim(selection* own, selection* other) : first_(own), second_(other) {
      if (F == flaw::claims_outside) return;
      if (F != flaw::locks_as_it_comes && second_ && (!first_ || second_ < first_)) std::swap(first_, second_);
      if (first_) first_->lock.lock();
      if (second_) second_->lock.lock();
    }
    ~claim() {
      if (F == flaw::claims_outside) return;
      if (first_) first_->lock.unlock();
      if (second_) second_->lock.unlock();
    }

   private:
    selection *first_, *second_;
  };

  static bool open(const selection* s) { return !s || s->result == pending; }

  static selection* serve(selection* s, int index, outcome how) {
    s->taken = index;
    s->result = how;
    return F == flaw::wakes_always || s->parked ? s : nullptr;
  }

  static void drop(channel& c, int queue, waiter* w) {
    c.touched = 1;
    c.queues[queue].remove(w);
    w->queued = false;
  }

  // With the channel's lock held: 1 done, 0 nobody, -1 `own` was served. `throws`: how many moves will fail.
  static int meet(channel& c, int queue, selection* own, int own_index, int value, int& throws, selection*& woken) {
    c.touched = 1;
    for (waiter *w = c.queues[queue].front(), *next; w; w = next) {
      next = w->next;
      selection* const other = w->owner;
      if (other == own) continue;
      claim both(own, other);
      if (F != flaw::serves_unclaimed && !open(own)) return -1;
      if (!open(other)) {
        drop(c, queue, w);
        continue;
      }
      if (throws > 0) {
        --throws;
        if (F == flaw::move_ends_it) serve(other, w->index, granted);
        if (F == flaw::drops_open) drop(c, queue, w);
        return 0;
      }
      if (queue == 0)
        other->room = value;
      else
        own->room = value_of(w->index);
      if (own) serve(own, own_index, granted);
      drop(c, queue, w);
      woken = serve(other, w->index, granted);
      return 1;
    }
    return 0;
  }

  // An ordinary sender that does not wait.
  static bool give(channel& c, int value, int throws = 0) {
    selection* woken = nullptr;
    c.lock.lock();
    const int m = meet(c, 0, nullptr, 0, value, throws, woken);
    c.lock.unlock();
    if (woken) resume(*woken);
    return m == 1;
  }

  static void close(channel& c) {
    selection* woken = nullptr;
    c.lock.lock();
    c.touched = 1;
    while (waiter* const w = c.queues[0].front()) {
      claim other(nullptr, w->owner);
      drop(c, 0, w);
      if (open(w->owner)) woken = serve(w->owner, w->index, closed);
    }
    c.lock.unlock();
    if (woken) resume(*woken);
  }

  // A machine that serves timers. False: there was none.
  static bool expire(timers& heap) {
    heap.lock.lock();
    selection* const s = heap.armed;
    heap.armed = nullptr;
    heap.lock.unlock();
    if (!s) return false;
    s->lock.lock();
    const bool claimed = s->result == pending;
    if (claimed) s->result = timed_out;
    s->lock.unlock();
    s->limit_done.store(1, rel);
    if (claimed) resume(*s);
    return true;
  }

  static std::unique_ptr<selection> make(channel& a, bool send_a, channel& b, bool send_b, answer& out) {
    auto s = std::make_unique<selection>();
    s->channels[0] = &a, s->channels[1] = &b;
    s->sends[0] = send_a, s->sends[1] = send_b;
    s->out = &out;
    return s;
  }

  static void run(std::unique_ptr<selection> all) {
    selection& s = *all.release();
    s.stack = 1;
    for (; s.joined < 2; ++s.joined)
      if (join(s, s.joined)) break;
    s.lock.lock();
    if (F != flaw::parks_served && s.result != pending) {
      s.lock.unlock();
      return finish(s);
    }
    s.parked = true;
    if (s.limit) {
      s.limit->lock.lock();
      s.limit->armed = &s;
      s.limit->lock.unlock();
    }
    if (F == flaw::unlocks_early) s.lock.unlock();
    s.stack = 2;                                      // the switch saves what is alive
    if (F != flaw::unlocks_early) s.lock.unlock();    // the commit, on the next stack
  }

 private:
  static bool join(selection& s, int i) {
    channel& c = *s.channels[i];
    selection* woken = nullptr;
    int throws = 0;
    c.lock.lock();
    const int m = meet(c, s.sends[i] ? 0 : 1, &s, i, value_of(i), throws, woken);
    if (m == 0) {
      waiter& w = s.waiters[i];
      w.owner = &s;
      w.index = i;
      w.queued = true;
      c.touched = 1;
      c.queues[s.sends[i]].push_back(&w);
    }
    c.lock.unlock();
    if (woken) resume(*woken);
    return m != 0;
  }

  static void resume(selection& s) {
    s.stack = s.stack + 1;
    model::check(s.parked, "it had parked");
    if (s.limit && F != flaw::settles_not) settle(s);
    finish(s);
  }

  static void settle(selection& s) {
    s.limit->lock.lock();
    const bool disarmed = s.limit->armed == &s;
    if (disarmed) s.limit->armed = nullptr;
    s.limit->lock.unlock();
    while (!disarmed && s.limit_done.load(acq) == 0) A::pause();
  }

  static void finish(selection& s) {
    s.stack = s.stack + 1;
    for (int i = 0; F != flaw::stays_in_queues && i < s.joined; ++i) {
      if (s.taken == i) continue;
      channel& c = *s.channels[i];
      c.lock.lock();
      if (s.waiters[i].queued) drop(c, s.sends[i], &s.waiters[i]);
      c.lock.unlock();
    }
    answer& out = *s.out;
    out.result = s.result.get();
    out.taken = s.taken.get();
    out.value = s.room.get();
    model::check(s.result != pending, "it was served");
    delete &s;
    model::check(out.done.exchange(1, rel) == 0, "it ends once");
  }
};

constexpr model::options some{.executions = 30000, .max_idle_pauses = 1000};

void await(const answer& a) {
  while (a.done.load(acq) == 0) A::pause();
}

// Two send on one channel each, until one was taken: only one is.
template <flaw F>
void two_send() {
  channel a, b;
  answer out;
  int given[2] = {0, 0};
  const auto send = [&](channel& c, int i) {
    while (out.done.load(acq) == 0 && given[i] == 0) {
      given[i] += steps<F>::give(c, i + 1);
      A::pause();
    }
  };
  {
    model::thread first([&] { send(a, 0); });
    model::thread second([&] { send(b, 1); });
    steps<F>::run(steps<F>::make(a, false, b, false, out));
    await(out);
  }
  model::check(given[0] + given[1] == 1, "one value was taken");
  model::check(out.result == granted && given[out.taken] == 1 && out.value == out.taken + 1, "that of its case");
}

// Two selects that offer each other a pair on both channels.
template <flaw F>
void two_selects() {
  channel a, b;
  answer one, two;
  {
    model::thread other([&] {
      steps<F>::run(steps<F>::make(b, true, a, false, two));
      await(two);
    });
    steps<F>::run(steps<F>::make(a, true, b, false, one));
    await(one);
  }
  model::check(one.result == granted && two.result == granted, "they met");
  model::check(one.taken == 1 - two.taken, "on the same channel");
  model::check(one.taken == 0 ? two.value == 10 : one.value == 10, "the value came along");
}

// A sender on the one channel, a select that sends on the other: while it joins, the select may be served by the first
// and find the second.
template <flaw F>
void one_sends_one_selects() {
  channel a, b, other;
  timers heap;
  answer out, theirs;
  bool given = false;
  {
    model::thread sender([&] {
      while (out.done.load(acq) == 0 && !given) {
        given = steps<F>::give(a, 1);
        A::pause();
      }
    });
    model::thread selects([&] {
      auto s = steps<F>::make(b, true, other, true, theirs);
      s->limit = &heap;
      steps<F>::run(std::move(s));
    });
    steps<F>::run(steps<F>::make(a, false, b, false, out));
    await(out);
    while (theirs.done.load(acq) == 0) {
      steps<F>::expire(heap);
      A::pause();
    }
  }
  model::check(given != (theirs.result == granted), "one value was taken");
  model::check(out.taken == (given ? 0 : 1) && out.value == (given ? 1 : 10), "that of its case");
}

// A sender and a close, which comes last if nobody else does.
template <flaw F>
void one_sends_one_closes() {
  channel a, b;
  answer out;
  bool given = false;
  {
    model::thread sender([&] { given = steps<F>::give(a, 1); });
    model::thread closer([&] {
      while (out.done.load(acq) == 0) {
        steps<F>::close(b);
        A::pause();
      }
    });
    steps<F>::run(steps<F>::make(a, false, b, false, out));
    await(out);
  }
  model::check(given ? out.result == granted && out.value == 1 : out.result == closed && out.taken == 1, "as it says");
}

// A sender against the limit.
template <flaw F>
void limited() {
  channel a, b;
  timers heap;
  answer out;
  bool given = false;
  {
    model::thread sender([&] { given = steps<F>::give(b, 2); });
    model::thread timer([&] {
      while (out.done.load(acq) == 0 && !steps<F>::expire(heap)) A::pause();
      await(out);
    });
    auto s = steps<F>::make(a, false, b, false, out);
    s->limit = &heap;
    steps<F>::run(std::move(s));
    await(out);
  }
  model::check(given ? out.result == granted && out.value == 2 : out.result == timed_out, "granted if taken");
}

// A move that throws: the next sender finds the select as it was.
template <flaw F>
void one_move_throws() {
  channel a, b;
  answer out;
  int given = 0;
  {
    model::thread sender([&] {
      model::check(!steps<F>::give(a, 1, 1), "it threw, or nobody was there");
      while (given == 0) {
        given += steps<F>::give(a, 2);
        A::pause();
      }
    });
    steps<F>::run(steps<F>::make(a, false, b, false, out));
    await(out);
  }
  model::check(out.result == granted && out.taken == 0 && out.value == 2, "the second value came");
}

}  // namespace

TEST_CASE("model: select: two senders") { model::holds(some, two_send<flaw::none>); }
TEST_CASE("model: select: two selects meet on two channels") { model::holds(some, two_selects<flaw::none>); }
TEST_CASE("model: select: a sender and a select") { model::holds(some, one_sends_one_selects<flaw::none>); }
TEST_CASE("model: select: a sender and a close") { model::holds(some, one_sends_one_closes<flaw::none>); }
TEST_CASE("model: select: a sender and a limit") { model::holds(some, limited<flaw::none>); }
TEST_CASE("model: select: a move that throws") { model::holds(some, one_move_throws<flaw::none>); }

TEST_CASE("model: select: each step of it is needed") {
  model::is_found(some, two_send<flaw::claims_outside>);
  model::is_found(some, two_send<flaw::wakes_always>);
  model::is_found(some, two_send<flaw::parks_served>, "livelock");
  model::is_found(some, two_send<flaw::unlocks_early>);
  model::is_found(some, two_send<flaw::stays_in_queues>);
  model::is_found(some, one_sends_one_selects<flaw::serves_unclaimed>);
  model::is_found(some, two_selects<flaw::locks_as_it_comes>, "deadlock");
  model::is_found(some, one_move_throws<flaw::move_ends_it>);
  model::is_found(some, one_move_throws<flaw::drops_open>, "livelock");
  model::is_found(some, limited<flaw::settles_not>);
}
