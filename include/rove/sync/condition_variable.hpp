// Condition variables.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

#include <rove/detail/deadline.hpp>
#include <rove/detail/parking.hpp>
#include <rove/detail/waiter.hpp>
#include <rove/sync/mutex.hpp>

namespace rove {
namespace detail {

// Part of a lock that a stop token may end the wait for.
struct stop_registration {
  // What the token calls.
  struct canceler {
    early_waiter& w;                         // whose wait ends
    void operator()() const noexcept;        // ends it
  };
  std::optional<std::stop_callback<canceler>> on_stop{};  // while the lock is given back
};

// What both kinds of condition variable are. The protocol is in src/sync/condition_variable.cpp.
class alignas(8) condition {
 public:
  constexpr condition() = default;
  condition(const condition&) = delete;
  condition& operator=(const condition&) = delete;

  // Wakes who waits longest, or all. What was waited for is changed with the lock held; it need not be held any more
  // here. Never park.
  void notify_one() noexcept {
    if (waited_for_.load(std::memory_order_relaxed)) notify(false);  // relaxed: who queued held the lock
  }
  void notify_all() noexcept {
    if (waited_for_.load(std::memory_order_relaxed)) notify(true);   // relaxed: as above
  }

 protected:
  // Gives `lock` back, waits until notified, cancelled or `limit` has passed, and takes the lock again. Ended: the
  // goroutine is being unwound by its runtime's end already, so nothing was waited for and the lock was kept.
  template <class Lock>
  outcome wait_on(Lock& lock, std::int64_t limit, early_waiter& w) {
    if (ending.load(std::memory_order_relaxed) && end_check()) return outcome::ended;  // relaxed: a hint
    queue(w);
    struct leaver {
      early_waiter* w;
      ~leaver() {
        if (w) cancel(*w);
      }
    } unlocking{&w};                             // if unlock throws
    lock.unlock();
    unlocking.w = nullptr;
    struct relocker {
      Lock& lock;
      bool done = false;
      ~relocker() {
        if (!done) lock.lock();                  // while the stack is unwound: as if nothing had happened to it
      }
    } relock{lock};
    if (park(w, limit) == outcome::ended) {
      if constexpr (std::is_base_of_v<stop_registration, Lock>) lock.on_stop.reset();  // the frame may be abandoned
      end();
    }
    lock.lock();                                 // it too may end the goroutine
    relock.done = true;
    return w.result;
  }
  template <class Lock>
  outcome wait_on(Lock& lock, std::int64_t limit = never_ns) {
    early_waiter w;
    return wait_on(lock, limit, w);
  }
  template <class Lock, class Predicate>
  bool wait_until(Lock& lock, std::int64_t limit, Predicate& p) {
    while (!p())
      if (wait_on(lock, limit) != outcome::granted) return p();
    return true;
  }
  static void cancel(early_waiter& w);       // ends its wait, if it waits

 private:
  friend struct stop_registration::canceler;
  void notify(bool all) noexcept;
  void queue(early_waiter& w);
  static outcome park(early_waiter& w, std::int64_t limit);
  [[noreturn]] static void end();

  std::atomic<std::uint32_t> waited_for_{0};     // 1: perhaps somebody waits
};

inline void stop_registration::canceler::operator()() const noexcept { condition::cancel(w); }

// What a wait with a time limit gives.
inline std::cv_status status_of(outcome o) {
  return o == outcome::granted ? std::cv_status::no_timeout : std::cv_status::timeout;
}

}  // namespace detail

// As std::condition_variable, for rove::mutex; but who waits longest is woken first, and nobody without a reason.
class condition_variable : public detail::condition {
 public:
  using lock_type = std::unique_lock<mutex>;     // what is waited with

  // Gives the lock back and parks until notified; takes the lock again. The lock must be held.
  void wait(lock_type& lock) { static_cast<void>(wait_on(lock)); }
  template <class Predicate>
  void wait(lock_type& lock, Predicate p) {
    static_cast<void>(detail::condition::wait_until(lock, detail::never_ns, p));
  }

  // The same, but not for longer. With a predicate: what it says in the end.
  template <class Rep, class Period>
  std::cv_status wait_for(lock_type& lock, const std::chrono::duration<Rep, Period>& d) {
    return detail::status_of(wait_on(lock, detail::deadline_after(d)));
  }
  template <class Rep, class Period, class Predicate>
  bool wait_for(lock_type& lock, const std::chrono::duration<Rep, Period>& d, Predicate p) {
    return detail::condition::wait_until(lock, detail::deadline_after(d), p);
  }
  template <class Clock, class Duration>
  std::cv_status wait_until(lock_type& lock, const std::chrono::time_point<Clock, Duration>& t) {
    return detail::status_of(wait_on(lock, detail::deadline_at(t)));
  }
  template <class Clock, class Duration, class Predicate>
  bool wait_until(lock_type& lock, const std::chrono::time_point<Clock, Duration>& t, Predicate p) {
    return detail::condition::wait_until(lock, detail::deadline_at(t), p);
  }
};

// The same for anything with lock() and unlock(). The forms with a token also end when it is asked to stop.
class condition_variable_any : public detail::condition {
 public:
  // Gives the lock back and parks until notified (with a predicate: until it is true), or until the time is up; takes
  // the lock again. The lock must be held. With a predicate: what it says in the end.
  template <class Lock>
  void wait(Lock& lock) {
    static_cast<void>(wait_on(lock));
  }
  template <class Lock, class Predicate>
  void wait(Lock& lock, Predicate p) {
    static_cast<void>(detail::condition::wait_until(lock, detail::never_ns, p));
  }
  template <class Lock, class Rep, class Period>
  std::cv_status wait_for(Lock& lock, const std::chrono::duration<Rep, Period>& d) {
    return detail::status_of(wait_on(lock, detail::deadline_after(d)));
  }
  template <class Lock, class Rep, class Period, class Predicate>
  bool wait_for(Lock& lock, const std::chrono::duration<Rep, Period>& d, Predicate p) {
    return detail::condition::wait_until(lock, detail::deadline_after(d), p);
  }
  template <class Lock, class Clock, class Duration>
  std::cv_status wait_until(Lock& lock, const std::chrono::time_point<Clock, Duration>& t) {
    return detail::status_of(wait_on(lock, detail::deadline_at(t)));
  }
  template <class Lock, class Clock, class Duration, class Predicate>
  bool wait_until(Lock& lock, const std::chrono::time_point<Clock, Duration>& t, Predicate p) {
    return detail::condition::wait_until(lock, detail::deadline_at(t), p);
  }

  // The same, but also until `token` is asked to stop, at once if it was. What the predicate says in the end.
  template <class Lock, class Predicate>
  bool wait(Lock& lock, std::stop_token token, Predicate p) {
    return wait_stoppable(lock, token, detail::never_ns, p);
  }
  template <class Lock, class Rep, class Period, class Predicate>
  bool wait_for(Lock& lock, std::stop_token token, const std::chrono::duration<Rep, Period>& d, Predicate p) {
    return wait_stoppable(lock, token, detail::deadline_after(d), p);
  }
  template <class Lock, class Clock, class Duration, class Predicate>
  bool wait_until(Lock& lock, std::stop_token token, const std::chrono::time_point<Clock, Duration>& t, Predicate p) {
    return wait_stoppable(lock, token, detail::deadline_at(t), p);
  }

 private:
  // The lock as it is given back: only then may the token end the wait, which is queued by now.
  template <class Lock>
  struct stoppable : detail::stop_registration {
    Lock& lock_;
    const std::stop_token& token;
    detail::early_waiter& w;

    stoppable(Lock& l, const std::stop_token& t, detail::early_waiter& waiter) : lock_(l), token(t), w(waiter) {}
    void unlock() {
      lock_.unlock();
      this->on_stop.emplace(token, detail::stop_registration::canceler{w});
    }
    void lock() {
      this->on_stop.reset();
      lock_.lock();
    }
  };
  template <class Lock, class Predicate>
  bool wait_stoppable(Lock& lock, const std::stop_token& token, std::int64_t limit, Predicate& p) {
    while (!p()) {
      if (token.stop_requested()) return p();
      detail::early_waiter w;
      stoppable<Lock> s(lock, token, w);
      if (wait_on(s, limit, w) != detail::outcome::granted) return p();
    }
    return true;
  }
};

}  // namespace rove
