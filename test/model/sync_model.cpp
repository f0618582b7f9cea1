// The read-write mutex and the condition variable under the model checker.
//
// The steps are those of src/sync/shared_mutex.cpp, include/rove/sync/shared_mutex.hpp and
// src/sync/condition_variable.cpp, around the library's own lock for the bucket. All who wait are plain threads. What a
// mutex guards is plain: two that touch it at once are a race; the bucket is there all the time, the object goes away
// with its last user.
#include <memory>
#include <optional>

#include "src/base/list.hpp"
#include "test/model/mutations.hpp"
#include "test/model/threads.hpp"

namespace model = rove::model;

namespace {

using namespace model::short_names;
using word = std::uint32_t;

constexpr auto both = std::memory_order_acq_rel;

// What is done wrong.
enum class flaw {
  none,
  leaves_silently,      // the last reader does not look for a writer
  undoes_silently,      // a reader that came too late takes itself back and does not look
  flag_late,            // a waiter says that it waits in another step than it sees that it has to
  trusts_address,       // who leaves looks at the mutex without a waiter that proves it alive
  frees_first,          // a writer gives the mutex back before it has the bucket's lock
  notices_early,        // a condition variable's waiter gives the mutex back before it queues
  wakes_awake,          // ... and is woken though it has not parked
};

struct waiter {
  waiter* next = nullptr;
  waiter* prev = nullptr;
  bool writer = false;
  model::plain<bool> parked{false};
  model::plain<bool> granted{false};
  bool owner = false;
  A::atomic<word> woken{0};
};

struct bucket {
  model::lock lock;
  rove::base::list<waiter> queue;

  waiter* first(bool writer) {
    waiter* w = queue.front();
    while (w && w->writer != writer) w = w->next;
    return w;
  }
  waiter* take(bool writer) {
    waiter* const w = first(writer);
    if (!w) return nullptr;
    queue.remove(w);
    w->granted = true;
    return w;
  }
};

void park(waiter& w, bucket& b) {
  b.lock.unlock();
  while (w.woken.load(acq) == 0) A::futex_wait(w.woken, 0);
}
void wake(waiter* w) {
  w->woken.store(1, rel);
  A::futex_wake(w->woken, 1);
}

// ---- the read-write mutex -------------------------------------------------------------------------------------------

constexpr word writer = 1, called = 2, writers_wait = 4, readers_wait = 8, handing = 16;
constexpr word closed = writer | called | writers_wait | handing, reader = 32;

template <flaw F>
class shared_mutex {
 public:
  explicit shared_mutex(bucket& b) : b_(b) {}

  void lock() {
    word s = 0;
    if (!state_.compare_exchange_strong(s, writer, acq, rlx)) lock_slow();
  }
  void unlock() {
    word s = writer;
    if (!state_.compare_exchange_strong(s, 0, rel, rlx)) unlock_slow(s);
  }
  void lock_shared() {
    if (state_.fetch_add(reader, acq) & closed) lock_shared_slow();
  }
  void unlock_shared() {
    bucket& b = b_;
    const word s = state_.fetch_sub(reader, rel);
    if (F != flaw::leaves_silently && s < 2 * reader && (s & writers_wait)) left(this, b);
  }
  word state() { return state_.load(acq); }

 private:
  template <class Change>
  word change(Change f) {
    word s = state_.load(rlx);
    while (!state_.compare_exchange_weak(s, f(s), both, rlx)) {
    }
    return s;
  }
  static bool is_free(word s) { return !(s & (writer | handing)) && s < reader; }

  void lock_shared_slow() {
    const word before = state_.fetch_sub(reader, rel);
    if (F != flaw::undoes_silently && before < 2 * reader && (before & writers_wait)) left(this, b_);
    waiter w;
    b_.lock.lock();
    if (F == flaw::flag_late) {
      word s = state_.load(acq);
      while (!(s & closed))
        if (state_.compare_exchange_weak(s, s + reader, acq, rlx)) return b_.lock.unlock();
      state_.fetch_or(readers_wait, both);
    } else {
      const word s = change([](word x) { return x & closed ? x | readers_wait : x + reader; });
      if (!(s & closed)) return b_.lock.unlock();
    }
    b_.queue.push_back(&w);
    park(w, b_);
  }

  static void left(shared_mutex* m, bucket& b) {
    waiter* handed = nullptr;
    b.lock.lock();
    if (F == flaw::trusts_address || b.first(true)) {
      word s = m->state_.load(acq);
      while (!(s & writer) && s < reader && b.first(true)) {
        if (!m->state_.compare_exchange_weak(s, (s | writer) & ~handing, both, rlx)) continue;
        handed = b.take(true);
        handed->owner = true;
        if (!b.first(true)) m->state_.fetch_and(~writers_wait, rlx);
        break;
      }
    }
    b.lock.unlock();
    if (handed) wake(handed);
  }

  void lock_slow() {
    waiter w;
    w.writer = true;
    word done = 0;
    for (;;) {
      b_.lock.lock();
      const word waits = writers_wait | (done ? handing : 0);  // the second time it has waited for too long
      const word s = change([&](word x) { return (x | (is_free(x) ? writer : waits)) & ~done; });
      if (is_free(s)) return b_.lock.unlock();
      w.woken.store(0, rlx);
      done ? b_.queue.push_front(&w) : b_.queue.push_back(&w);
      park(w, b_);
      if (w.owner) return;
      done = called;
      word x = state_.load(rlx);
      while (is_free(x))
        if (state_.compare_exchange_weak(x, (x | writer) & ~called, acq, rlx)) return;
    }
  }

  void unlock_slow(word s) {
    for (;;) {
      if ((s & (readers_wait | handing)) || (s & (writers_wait | called)) == writers_wait) break;
      if (state_.compare_exchange_weak(s, s & ~writer, rel, rlx)) return;
    }
    bucket& b = b_;
    if (F == flaw::frees_first) state_.fetch_and(~writer, rel);
    b.lock.lock();
    rove::base::list<waiter> granted;
    word readers = 0;
    for (; waiter* const w = b.take(false); readers += reader) granted.push_back(w);
    s = state_.load(rlx);
    const bool hand_over = readers == 0 && (s & handing);
    waiter* next = nullptr;
    if (hand_over || (readers == 0 && !(s & called))) next = b.take(true);
    if (next) next->owner = hand_over;
    const word gone = readers_wait | (next ? handing : 0) | (hand_over && next ? 0 : writer) |
                      (b.first(true) ? 0 : writers_wait | handing);
    const word come = next && !hand_over ? called : 0;
    change([&](word x) { return ((x & ~gone) | come) + readers; });
    b.lock.unlock();
    while (waiter* const w = granted.pop_front()) wake(w);
    if (next) wake(next);
  }

  bucket& b_;
  A::atomic<word> state_{0};
};

template <flaw F>
struct guarded {
  explicit guarded(bucket& b) : m(b) {}
  shared_mutex<F> m;
  model::plain<int> value{0};

  void read() {
    m.lock_shared();
    value.get();
    m.unlock_shared();
  }
  void write() {
    m.lock();
    value = value + 1;
    m.unlock();
  }
};

constexpr model::options some{.executions = 20000, .max_idle_pauses = 1000};

template <flaw F>
void readers_and_a_writer() {
  bucket b;
  guarded<F> g(b);
  {
    model::thread first([&] { g.read(); });
    model::thread second([&] {
      g.read();
      g.read();
    });
    g.write();
  }
  model::check(g.value == 1 && g.m.state() == 0, "all were in, and nothing is left");
}

template <flaw F>
void writers_and_a_reader() {
  bucket b;
  guarded<F> g(b);
  {
    model::thread first([&] {
      g.write();
      g.write();
    });
    model::thread second([&] { g.write(); });
    g.read();
    g.write();
  }
  model::check(g.value == 4 && (g.m.state() & ~(writers_wait | readers_wait)) == 0, "all were in, and nothing is left");
}

// Readers leave, then count themselves out as writers: the last one destroys it.
template <flaw F>
void the_last_one_destroys() {
  bucket b;
  model::last_user_destroys<guarded<F>>(b, [](guarded<F>& g) { g.read(); });
}

// One reads and is done; the other one writes and destroys it. Who reads has left, as far as the writer can tell.
template <flaw F>
void a_writer_destroys_after_a_reader() {
  bucket b;
  auto shared = std::make_unique<guarded<F>>(b);
  A::atomic<word> inside{0};
  model::thread t([&] {
    guarded<F>* const g = shared.get();
    g->m.lock_shared();
    inside.store(1, rel);
    g->m.unlock_shared();
  });
  while (inside.load(acq) == 0) A::pause();
  shared->write();
  shared.reset();
}

// Three of which each says inside the lock that it will not use it again: the last one destroys it, once
// it has been in there alone.
template <flaw F, int writers>
void three_users() {
  bucket b;
  std::optional<shared_mutex<F>> here(std::in_place, b);  // destroyed but not freed, so that a late look is seen
  shared_mutex<F>* const m = &*here;
  A::atomic<int> users{3};
  const auto use = [&](bool writes) {
    writes ? m->lock() : m->lock_shared();
    const bool last = users.fetch_sub(1, both) == 1;
    writes ? m->unlock() : m->unlock_shared();
    if (!last) return;
    if (!writes) {  // another reader may still be inside
      m->lock();
      m->unlock();
    }
    here.reset();
  };
  model::thread first([&] { use(false); });
  model::thread second([&] { use(true); });
  use(writers > 1);
}

// ---- the condition variable -----------------------------------------------------------------------------------------

template <flaw F>
class condition {
 public:
  explicit condition(bucket& b) : b_(b) {}

  void wait(model::lock& user) {
    waiter w;
    bucket& b = b_;
    if (F == flaw::notices_early) user.unlock();
    {
      model::hold h(b.lock);
      b.queue.push_back(&w);
      waited_for_.store(1, rlx);
    }
    if (F != flaw::notices_early) user.unlock();
    b.lock.lock();
    if (w.granted) {
      b.lock.unlock();
    } else {
      w.parked = true;
      park(w, b);
    }
    user.lock();
  }

  void notify(bool all) {
    if (waited_for_.load(rlx) == 0) return;
    bucket& b = b_;
    rove::base::list<waiter> granted;
    b.lock.lock();
    do {
      waiter* const w = b.take(false);
      if (!w) break;
      if (F == flaw::wakes_awake || w->parked) granted.push_back(w);
    } while (all);
    if (!b.first(false)) waited_for_.store(0, rlx);
    b.lock.unlock();
    while (waiter* const w = granted.pop_front()) wake(w);
  }

 private:
  bucket& b_;
  A::atomic<word> waited_for_{0};
};

// What is waited for changes under the mutex, the notification comes after it was given back.
template <flaw F, int waiters>
void one_notifies() {
  bucket b;
  condition<F> cv(b);
  model::lock user;
  model::plain<bool> ready{false};
  const auto wait = [&] {
    user.lock();
    while (!ready) cv.wait(user);
    user.unlock();
  };
  model::thread first(wait);
  model::thread second([&] {
    if (waiters > 1) wait();
  });
  user.lock();
  ready = true;
  user.unlock();
  cv.notify(waiters > 1);
}

// Tokens are put one at a time, each with a notification for one: nobody waits for ever.
template <flaw F>
void two_tokens() {
  bucket b;
  condition<F> cv(b);
  model::lock user;
  model::plain<int> tokens{0};
  const auto take = [&] {
    user.lock();
    while (tokens == 0) cv.wait(user);
    tokens = tokens - 1;
    user.unlock();
  };
  model::thread first(take), second(take);
  for (int i = 0; i < 2; ++i) {
    user.lock();
    tokens = tokens + 1;
    user.unlock();
    cv.notify(false);
  }
}

// Whoever was notified may destroy it, while notify may still be under way. It is not woken without a reason, so it
// need not look at what it waits for.
template <flaw F>
void a_waiter_destroys() {
  bucket b;
  auto cv = std::make_unique<condition<F>>(b);
  condition<F>* const same = cv.get();
  model::lock user;
  model::plain<bool> waits{false};
  model::thread t([&] {
    for (bool now = false; !now;) {
      {
        model::hold h(user);
        now = waits;
      }
      if (!now) A::pause();
    }
    same->notify(true);
  });
  user.lock();
  waits = true;
  cv->wait(user);
  user.unlock();
  cv.reset();
}

}  // namespace

TEST_CASE("model: shared_mutex: readers and a writer") { model::holds(some, readers_and_a_writer<flaw::none>); }
TEST_CASE("model: shared_mutex: writers and a reader") { model::holds(some, writers_and_a_reader<flaw::none>); }
TEST_CASE("model: shared_mutex: the last one destroys it") { model::holds(some, the_last_one_destroys<flaw::none>); }
TEST_CASE("model: shared_mutex: a writer destroys it after a reader has left") {
  model::holds(some, a_writer_destroys_after_a_reader<flaw::none>);
}
TEST_CASE("model: shared_mutex: the last of three destroys it") {
  model::holds(some, three_users<flaw::none, 1>);
  model::holds(some, three_users<flaw::none, 2>);
}
TEST_CASE("model: shared_mutex: each step of it is needed") {
  model::is_found(some, readers_and_a_writer<flaw::leaves_silently>, "deadlock");
  model::is_found(some, readers_and_a_writer<flaw::undoes_silently>, "deadlock");
  model::is_found(some, readers_and_a_writer<flaw::flag_late>, "deadlock");
  model::is_found(some, three_users<flaw::trusts_address, 1>);
  model::is_found(some, three_users<flaw::frees_first, 2>);
}

TEST_CASE("model: condition: one waits") { model::holds(some, one_notifies<flaw::none, 1>); }
TEST_CASE("model: condition: two wait, all are notified") { model::holds(some, one_notifies<flaw::none, 2>); }
TEST_CASE("model: condition: a notification for each token") { model::holds(some, two_tokens<flaw::none>); }
TEST_CASE("model: condition: destroyed by who was notified") { model::holds(some, a_waiter_destroys<flaw::none>); }
TEST_CASE("model: condition: each step of it is needed") {
  model::is_found(some, one_notifies<flaw::notices_early, 1>, "deadlock");
  model::is_found(some, one_notifies<flaw::wakes_awake, 1>);
}
