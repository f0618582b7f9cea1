// What of a host is protocol alone: its residents, its gate, its runtime's list of hosts. The essay is in host.cpp; the
// model test runs these very classes.
#pragma once

#include <atomic>
#include <cstddef>

#include "src/base/atomic.hpp"
#include "src/base/chain.hpp"
#include "src/os/lock.hpp"

namespace rove::sched {

// How many goroutines are on a host.
template <class A = base::real_atomics>
class host_residents {
 public:
  void come() { count_.fetch_add(1, std::memory_order_relaxed); }   // relaxed: a count; HOST-LEFT is the other way
  void leave() { count_.fetch_sub(1, std::memory_order_release); }  // HOST-LEFT; the host may be gone from here on
  bool none() const { return count_.load(std::memory_order_acquire) == 0; }  // HOST-LEFT

 private:
  typename A::template atomic<std::size_t> count_{0};
};

// A runtime's hosts. All of it under the scheduler's lock.
template <class Host>
class host_list {
 public:
  enum class removed { yes, in_use, never_there };

  bool empty() const { return !first_; }
  void add(Host* h) {
    h->next = first_;
    first_ = h;
  }
  // To look at all of them without the lock: the one behind `before`, or the first. It stays until the next one is
  // asked for.
  Host* visit(Host* before) {
    Host* const h = before ? before->next : first_;
    if (before) --before->visitors;
    if (h) ++h->visitors;
    return h;
  }
  Host* take() {
    Host* const h = first_;
    if (h) first_ = h->next;
    return h;
  }
  removed remove(Host* h) {
    for (Host** at = &first_; *at; at = &(*at)->next)
      if (*at == h) {
        if (h->visitors > 0) return removed::in_use;
        *at = h->next;
        return removed::yes;
      }
    return removed::never_there;
  }

 private:
  Host* first_ = nullptr;
};

// The queue of what is runnable, who drives or is about to call the program, and the runtime, all under one lock.
template <class G, class Home, class Lock, class A = base::real_atomics>
class host_gate {
 public:
  host_gate(Home* home, bool tells) : home_(home), tells_(tells) {}

  // True: the program is to be told, and then `leave`. Else the host may be gone when this returns.
  bool push(G* g) {
    os::hold h(lock_);
    home_->count_blocked();
    const bool tell = tells_ && runnable_.empty() && drivers_ == 0;
    if (tell) ++users_;
    runnable_.push_back(g);
    size_.store(runnable_.count, std::memory_order_relaxed);    // relaxed: a hint
    return tell;
  }
  G* pop() {
    os::hold h(lock_);
    G* const g = runnable_.pop_front();
    size_.store(runnable_.count, std::memory_order_relaxed);    // relaxed: a hint
    return g;
  }
  std::size_t size() const { return size_.load(std::memory_order_relaxed); }  // relaxed: a hint

  // Null: there is nothing to drive.
  Home* begin_drive() {
    if (size() == 0) return nullptr;                            // what comes now is for the next one
    os::hold h(lock_);
    if (!home_ || runnable_.empty()) return nullptr;
    ++users_;
    ++drivers_;
    return home_;
  }
  // True: the program is to be told. Then `leave`, in any case.
  bool end_drive() {
    os::hold h(lock_);
    return --drivers_ == 0 && !runnable_.empty() && tells_;
  }
  void leave() {
    os::hold h(lock_);
    --users_;
  }

  Home* home() {
    os::hold h(lock_);
    return home_;
  }

  // The runtime's end. The host may be gone when this returns.
  template <class Pause>
  void forget_home(Pause pause) {
    for (;; pause()) {
      os::hold h(lock_);
      if (users_ > 0) continue;
      home_ = nullptr;
      return;
    }
  }
  // The host's end: when this returns nobody uses the host, and its runtime does not know it any more. `remove` takes
  // it out of a runtime's list.
  template <class Remove, class Pause>
  void close(Remove remove, Pause pause) {
    Home* const home = become_last_user(pause);
    if (!home) return;
    for (;; pause()) {
      const auto removed = remove(home);
      if (removed == decltype(removed)::yes) return;            // the runtime may be gone
      if (removed == decltype(removed)::never_there) break;
    }
    leave();                                                    // the runtime goes away, too, and waits for this
    while (this->home()) pause();
  }

 private:
  template <class Pause>
  Home* become_last_user(Pause pause) {
    for (;; pause()) {
      os::hold h(lock_);
      if (users_ > 0) continue;
      if (home_) ++users_;                                      // so it stays
      return home_;
    }
  }

  Lock lock_{os::rank::object};
  // ---- under lock_
  base::chain<G> runnable_;
  Home* home_;
  unsigned users_ = 0;                         // threads that drive, or are about to call the program
  unsigned drivers_ = 0;

  typename A::template atomic<std::size_t> size_{0};  // of runnable_
  const bool tells_;                           // the program wants to be told
};

}  // namespace rove::sched
