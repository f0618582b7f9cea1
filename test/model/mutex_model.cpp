// The mutex and the attentive queue of the parking table under the model checker.
//
// The steps are those of src/sync/mutex.cpp and src/sync/parking.hpp, around the library's own lock for the bucket, in
// which all mutexes of a program meet. All who wait are plain threads; the time of a wait with a limit may be up at any
// moment, and whoever queues for the second time has waited for too long. What a mutex guards is plain.

#include "src/base/list.hpp"
#include "test/model/mutations.hpp"
#include "test/model/threads.hpp"

namespace model = rove::model;

namespace {

using namespace model::short_names;
using word = std::uint32_t;

// What is done wrong.
enum class flaw {
  none,
  no_fence,         // who queues calls attention and looks without a fence in between
  trusts_others,    // ... and takes attention that was kept without a fence, for another mutex, for as good
  leaves_silently,  // who was woken and has the mutex does not keep attention for those who still wait
  drops_for_all,    // who wakes one drops attention though others wait for another mutex
  gives_up,         // who was woken, lost, and has no more time leaves without a last look
  frees_first,      // unlock looks at the mutex after it gave it back
};

struct waiter {
  waiter* next = nullptr;
  waiter* prev = nullptr;
  const void* object = nullptr;
  bool owner = false;
  model::plain<bool> pending{true};
  A::atomic<word> woken{0};
};

template <flaw F>
struct bucket {
  model::lock lock;
  rove::base::list<waiter> queue;
  A::atomic<word> attention{0};
  const void* kept_for = nullptr;

  waiter* first(const void* object) {
    waiter* w = queue.front();
    while (w && w->object != object) w = w->next;
    return w;
  }
  bool only(const void* object) {
    for (waiter* w = queue.front(); w; w = w->next)
      if (w->object != object) return false;
    return true;
  }
  void take(waiter* w) {
    queue.remove(w);
    w->pending = false;
  }
  void call_attention(const void* object) {
    if (attention.load(rlx) && (!kept_for || kept_for == object || F == flaw::trusts_others)) return;
    kept_for = nullptr;
    attention.store(1, rlx);
    if (F != flaw::no_fence) A::heavy_fence();
  }
  void keep_attention(const void* object) {
    if (attention.load(rlx)) return;
    kept_for = object;
    attention.store(1, rlx);
  }
};

void wake(waiter* w) {
  w->woken.store(1, rel);
  A::futex_wake(w->woken, 1);
}

template <flaw F>
class mutex {
 public:
  explicit mutex(bucket<F>& b) : b_(b) {}

  void lock() {
    if (state_.exchange(1, acq) != 0) lock_slow(false);
  }
  bool lock_for_a_while() { return state_.exchange(1, acq) == 0 || lock_slow(true); }
  void unlock() {
    bucket<F>& b = b_;
    if (starving_.load(rlx)) return hand_over();
    state_.store(0, rel);
    A::light_fence();
    if (F == flaw::frees_first && starving_.load(rlx)) return;
    if (b.attention.load(rlx)) wake_one(b, this);
  }

 private:
  bool lock_slow(bool timed) {
    waiter w;
    w.object = this;
    for (bool again = false, late = false;; again = true) {
      if (again && late && F == flaw::gives_up) return false;
      b_.lock.lock();
      w.pending = true;
      w.woken.store(0, rlx);
      again ? b_.queue.push_front(&w) : b_.queue.push_back(&w);
      b_.call_attention(this);
      const bool free = state_.exchange(1, acq) == 0;
      if (free || late) {
        b_.queue.remove(&w);
        b_.lock.unlock();
        return free;
      }
      if (again) starving_.store(1, rlx);
      if (!sleep(w, timed)) return false;
      if (w.owner) return true;
      if (state_.exchange(1, acq) == 0) {
        model::hold h(b_.lock);
        if (F != flaw::leaves_silently && b_.first(this)) b_.keep_attention(this);
        return true;
      }
      late = timed;                          // by now its time may be up
    }
  }
  // False: its time was up, and nobody had woken it.
  bool sleep(waiter& w, bool timed) {
    b_.lock.unlock();
    while (w.woken.load(acq) == 0) {
      if (A::futex_wait(w.woken, 0, timed) == 0) continue;
      model::hold h(b_.lock);
      timed = false;
      if (!w.pending) continue;
      b_.queue.remove(&w);
      return false;
    }
    return true;
  }
  static void wake_one(bucket<F>& b, const void* address) {
    b.lock.lock();
    waiter* const w = b.first(address);
    if (w) b.take(w);
    if (F == flaw::drops_for_all || b.only(address)) b.attention.store(0, rlx);
    b.lock.unlock();
    if (w) wake(w);
  }
  void hand_over() {
    bucket<F>& b = b_;
    b.lock.lock();
    waiter* const w = b.first(this);
    if (!w) {
      starving_.store(0, rlx);
      b.lock.unlock();
      state_.store(0, rel);
      A::light_fence();
      if (b.attention.load(rlx)) wake_one(b, this);
      return;
    }
    b.take(w);
    w->owner = true;
    if (!b.first(this)) starving_.store(0, rlx);
    b.lock.unlock();
    wake(w);
  }

  bucket<F>& b_;
  A::atomic<word> state_{0}, starving_{0};
};

template <flaw F>
struct guarded {
  explicit guarded(bucket<F>& b) : m(b) {}
  mutex<F> m;
  model::plain<int> value{0};

  void use() {
    m.lock();
    value = value + 1;
    m.unlock();
  }
  void use_in_time() {
    if (!m.lock_for_a_while()) return;
    value = value + 1;
    m.unlock();
  }
};

constexpr model::options some{.executions = 12000, .max_idle_pauses = 1000};

template <flaw F, bool hasty>
void three_users() {
  bucket<F> b;
  guarded<F> g(b);
  model::thread first([&] { g.use(); });
  model::thread second([&] { hasty ? g.use_in_time() : g.use(); });
  model::thread third([&] { g.use(); });
  g.use();
}

// Two mutexes of one bucket, each held by one when another one comes.
template <flaw F>
void two_mutexes() {
  bucket<F> b;
  guarded<F> one(b), other(b);
  model::thread first([&] {
    one.use();
    other.use();
  });
  model::thread second([&] { one.use(); });
  model::thread third([&] { one.use(); });
  other.use();
}

// Who was woken for one mutex keeps attention for another one that waits there, while the other mutex is given back.
template <flaw F>
void kept_attention() {
  bucket<F> b;
  guarded<F> one(b), other(b);
  waiter waits;
  waits.object = &one.m;
  b.queue.push_back(&waits);
  other.m.lock();
  {
    model::thread woken([&] {
      model::hold h(b.lock);
      if (b.first(&one.m)) b.keep_attention(&one.m);
    });
    model::thread comes([&] { other.use(); });
    other.m.unlock();
  }
  b.queue.remove(&waits);
}

// The last one destroys it, as the next owner.
template <flaw F>
void the_last_one_destroys() {
  bucket<F> b;
  model::last_user_destroys<guarded<F>>(b, [](guarded<F>&) {});
}

}  // namespace

TEST_CASE("model: mutex: no wake-up is lost") { model::holds(some, three_users<flaw::none, false>); }
TEST_CASE("model: mutex: with one who gives up") { model::holds(some, three_users<flaw::none, true>); }
TEST_CASE("model: mutex: two in one bucket") {
  model::holds(some, two_mutexes<flaw::none>);
  model::holds(some, kept_attention<flaw::none>);
}
TEST_CASE("model: mutex: destroyed by the last owner") { model::holds(some, the_last_one_destroys<flaw::none>); }
TEST_CASE("model: mutex: each step of it is needed") {
  model::is_found(some, three_users<flaw::no_fence, false>, "deadlock");
  model::is_found(some, kept_attention<flaw::trusts_others>, "deadlock");
  model::is_found(some, three_users<flaw::leaves_silently, false>, "deadlock");
  model::is_found(some, two_mutexes<flaw::drops_for_all>, "deadlock");
  model::is_found(some, three_users<flaw::gives_up, true>, "deadlock");
  model::is_found(some, the_last_one_destroys<flaw::frees_first>);
}
