// Waiting for descriptors under the model checker: no edge is lost, nobody uses a number that was closed, no event reaches
// the connection that has the record next, and who waits is woken once.
//
// The state is the library's own (src/sched/poll_state.hpp), the steps around it are those of pollable.cpp and netpoll.cpp. The
// kernel is a lock with a few numbers behind it: what a socket has to read, and the edges that nobody has fetched yet.
#include <utility>

#include "src/sched/poll_state.hpp"
#include "test/model/mutations.hpp"
#include "test/model/threads.hpp"

namespace model = rove::model;

namespace {

using namespace model::short_names;
using rove::sched::side;

// What is done wrong.
enum class flaw {
  none,
  forgets_edge,        // an edge that finds nobody waiting is not kept
  forgets_before_wait, // `ready` is taken back after the try rather than before it
  looks_too_early,     // `ready` is looked at without the lock under which the waiter is queued
  drained_at_end,      // a short read counts as one that emptied the stream although the end was announced
  closes_at_once,      // the number is closed while it is used
  any_sequence,        // an event counts for whoever has the record
  same_sequence,       // the sequence does not change
  late_elsewhere,      // the deadline takes the waiter off without the lock
  wakes_before_result, // the waiter is woken before its result is written
};

enum class outcome { pending, granted, closed, timed_out };

struct waiter {
  waiter* next = nullptr;
  waiter* prev = nullptr;
  model::plain<outcome> result{outcome::pending};
  A::atomic<std::uint32_t> woken{0};
};

using state = rove::sched::poll_state<waiter, outcome>;

void wake(waiter* w) {
  if (w == nullptr) return;
  w->woken.store(1, rel);  // the waiter may be gone from here on
  A::futex_wake(w->woken, 1);
}

// Sockets by number, and the poller's queue.
class kernel {
 public:
  void open(int number) {
    model::hold h(lock_);
    sockets_[number] = {};
    sockets_[number].open = true;
  }
  void close(int number) {
    model::hold h(lock_);
    sockets_[number].open = false;
  }
  void arrive(int number, bool end = false) {
    lock_.lock();
    socket& s = sockets_[number];
    if (s.open) {
      (end ? s.end : s.data) += 1;
      s.edge = true;
    }
    wake_poller_locked();
  }
  // No more edges will be fetched.
  void stop() {
    lock_.lock();
    stopped_ = true;
    wake_poller_locked();
  }
  // -1: nothing now. 0: the end.
  int read(int number, int room) {
    model::hold h(lock_);
    socket& s = sockets_[number];
    model::check(s.open, "only a number that is open is used");
    if (s.data == 0) return s.end ? 0 : -1;
    const int n = s.data < room ? s.data : room;
    s.data -= n;
    return n;
  }
  // Waits for an edge of the socket. `odd`: its end was seen. False: stopped.
  bool fetch(int number, bool& odd) {
    for (;;) {
      lock_.lock();
      socket& s = sockets_[number];
      const bool edge = s.open && std::exchange(s.edge, false);
      odd = s.end > 0;
      const bool stopped = stopped_;
      const std::uint32_t seen = signals_.load(std::memory_order_relaxed);
      lock_.unlock();
      if (edge || stopped) return edge;
      A::futex_wait(signals_, seen);
    }
  }

 private:
  void wake_poller_locked() {
    signals_.store(signals_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    lock_.unlock();
    A::futex_wake(signals_, 1);
  }
  struct socket {
    bool open = false, edge = false;
    int data = 0, end = 0;
  };
  model::lock lock_;
  A::atomic<std::uint32_t> signals_{0};
  bool stopped_ = false;
  socket sockets_[2];
};

template <flaw F>
class record {
 public:
  explicit record(kernel& k) : kernel_(k) {}

  std::uint32_t open(int number) {
    model::hold h(lock_);
    number_ = number;
    kernel_.open(number);
    state_.open();
    return state_.sequence();
  }

  // One read of up to `room`: what came, 0 at the end, -1 closed, -2 too late.
  int read(int room) {
    lock_.lock();
    state::verdict v = state_.enter(side::read);
    if (v == state::verdict::closed) return unlock_with(-1);
    bool first = v == state::verdict::wait_first;
    lock_.unlock();
    int n = -1;
    for (;;) {
      if (!first) n = kernel_.read(number_, room);
      if (n >= 0) break;
      first = false;
      n = wait();
      if (n < 0) break;
      n = -1;
    }
    if (n > 0 && n < room) {
      model::hold h(lock_);
      state_.took_all(side::read);
      if (F == flaw::drained_at_end) state_.at(side::read).drained = true;
    }
    leave();
    return n;
  }

  void set_deadline(std::int64_t when) {
    waiter* w;
    {
      model::hold h(lock_);
      w = state_.set_deadline(side::read, when, outcome::granted);
    }
    wake(w);
  }

  // The poller's thread: an event with its token.
  void edge(std::uint32_t sequence, bool odd, int meant_for) {
    waiter* w;
    {
      model::hold h(lock_);
      if (F != flaw::any_sequence && state_.sequence() != sequence) return;
      model::check(state_.closed() || meant_for == number_, "an event reaches the connection that it is meant for");
      w = state_.edge(side::read, odd, outcome::granted);
      if (F == flaw::forgets_edge && w == nullptr) state_.at(side::read).ready = false;
      if (F == flaw::wakes_before_result && w != nullptr) w->result = outcome::pending;
    }
    if (F == flaw::wakes_before_result && w != nullptr) {
      w->woken.store(1, rel);
      w->result = outcome::granted;
      A::futex_wake(w->woken, 1);
      return;
    }
    wake(w);
  }

  // The timer of whoever waits: the clock has come to 1.
  void expire() {
    {
      model::hold h(lock_);
      now_ = 1;
    }
    if (F == flaw::late_elsewhere) {
      waiter* const w = state_.at(side::read).waits;
      if (w == nullptr) return;
      model::yield();
      state_.at(side::read).waits = nullptr;
      w->result = outcome::timed_out;
      return wake(w);
    }
    waiter* w;
    {
      model::hold h(lock_);
      w = state_.at(side::read).waits;
      if (w != nullptr && !state_.unlink(side::read, w, outcome::timed_out)) w = nullptr;
    }
    wake(w);
  }

  void close() {
    rove::base::list<waiter> woken;
    lock_.lock();
    state_.close(woken, outcome::closed);
    lock_.unlock();
    while (waiter* const w = woken.pop_front()) wake(w);
    lock_.lock();
    if (F != flaw::closes_at_once && state_.used()) {
      waiter w;
      closer_ = &w;
      lock_.unlock();
      sleep(w);
      lock_.lock();
    }
    kernel_.close(number_);
    if (F != flaw::same_sequence) state_.retire();
    lock_.unlock();
  }

 private:
  int unlock_with(int n) {
    lock_.unlock();
    return n;
  }
  static void sleep(waiter& w) {
    while (w.woken.load(acq) == 0) A::futex_wait(w.woken, 0);
  }
  int wait() {
    waiter w;
    if (F == flaw::looks_too_early) {
      lock_.lock();
      const bool ready = state_.at(side::read).ready;
      lock_.unlock();
      if (ready) return 0;
      lock_.lock();
      state_.at(side::read).ready = false;
    } else {
      lock_.lock();
    }
    if (F == flaw::forgets_before_wait) state_.at(side::read).ready = false;
    const bool late = state_.at(side::read).deadline <= now_;
    const auto v = late ? state::wait_verdict::ready : state_.wait(side::read, &w);
    lock_.unlock();  // the commit of whoever parks
    if (late) return -2;
    if (v == state::wait_verdict::closed) return -1;
    if (v == state::wait_verdict::ready) return 0;
    sleep(w);
    const outcome how = w.result;
    model::check(how != outcome::pending, "woken with a result");
    return how == outcome::closed ? -1 : how == outcome::timed_out ? -2 : 0;
  }
  void leave() {
    lock_.lock();
    waiter* const next = state_.leave(side::read, outcome::granted);
    waiter* const closer = state_.closed() && !state_.used() ? std::exchange(closer_, nullptr) : nullptr;
    if (closer != nullptr) closer->result = outcome::granted;
    lock_.unlock();
    wake(next);
    wake(closer);
  }

  kernel& kernel_;
  model::lock lock_;
  int number_ = -1;
  std::int64_t now_ = 0;
  waiter* closer_ = nullptr;
  state state_;
};

constexpr model::options some{.executions = 30000, .max_idle_pauses = 1000};

// The poller: fetches the edges of socket 0, and delivers each some time later.
template <flaw F>
void poll(kernel& k, record<F>& r, std::uint32_t sequence) {
  for (bool odd = false; k.fetch(0, odd);) r.edge(sequence, odd, 0);
}

// Two messages and, perhaps, the end arrive while somebody reads them.
template <flaw F, bool ends>
void reads() {
  kernel k;
  record<F> r(k);
  const std::uint32_t sequence = r.open(0);
  model::thread poller([&] { poll(k, r, sequence); });
  model::thread peer([&] {
    k.arrive(0);
    k.arrive(0);
    if (ends) k.arrive(0, true);
  });
  int got = 0;
  while (got < 2) {
    const int n = r.read(2);
    model::check(n > 0, "what has arrived is read");
    got += n;
  }
  if (ends) model::check(r.read(2) == 0, "the end is read");
  k.stop();
}

// A message, and a deadline that passes, or moves to an earlier time, at once.
template <flaw F, bool moves>
void is_late() {
  kernel k;
  record<F> r(k);
  const std::uint32_t sequence = r.open(0);
  model::thread poller([&] { poll(k, r, sequence); });
  if (!moves) r.set_deadline(1);
  model::thread timer([&] {
    if (moves)
      r.set_deadline(0);
    else
      r.expire();
  });
  model::thread peer([&] { k.arrive(0); });
  const int n = r.read(2);
  model::check(n == 1 || n == -2, "read, or too late");
  k.stop();
}

// Somebody reads, somebody closes; then another connection has the record, and its own events.
template <flaw F>
void closes() {
  kernel k;
  record<F> r(k);
  const std::uint32_t sequence = r.open(0);
  model::thread poller([&] { poll(k, r, sequence); });
  model::thread peer([&] { k.arrive(0); });
  model::thread reader([&] {
    const int n = r.read(2);
    model::check(n == 1 || n == -1, "read, or closed");
    k.stop();
  });
  r.close();
  reader.join();
  r.open(1);
  k.arrive(1);
  r.edge(sequence + (F == flaw::same_sequence ? 0 : 1), false, 1);
  model::check(r.read(2) == 1, "the next connection reads");
}

}  // namespace

TEST_CASE("model: netpoll: what arrives is read") { model::holds(some, reads<flaw::none, false>); }
TEST_CASE("model: netpoll: the end after short reads") { model::holds(some, reads<flaw::none, true>); }
TEST_CASE("model: netpoll: a deadline beside a message") {
  model::holds(some, is_late<flaw::none, false>);
  model::holds(some, is_late<flaw::none, true>);
}
TEST_CASE("model: netpoll: closed and used again") { model::holds(some, closes<flaw::none>); }

TEST_CASE("model: netpoll: each step of it is needed") {
  model::is_found(some, reads<flaw::forgets_edge, false>);
  model::is_found(some, reads<flaw::forgets_before_wait, false>);
  model::is_found(some, reads<flaw::looks_too_early, false>);
  model::is_found(some, reads<flaw::drained_at_end, true>);
  model::is_found(some, is_late<flaw::late_elsewhere, false>);
  model::is_found(some, reads<flaw::wakes_before_result, false>);
  model::is_found(some, closes<flaw::closes_at_once>, "a number that is open");
  model::is_found(some, closes<flaw::any_sequence>, "meant for");
  model::is_found(some, closes<flaw::same_sequence>, "meant for");
  model::every_site_counts(some, is_late<flaw::none, true>, "model/netpoll_model.cpp");
}
