// Claims of selects: who may serve one that waits. The protocol is told in select.cpp.
#pragma once

#include <rove/select.hpp>

#include <new>
#include <utility>

#include "src/chan/core.hpp"

namespace rove::detail {

inline os::lock& lock_of(select_state* s) { return *std::launder(reinterpret_cast<os::lock*>(&s->lock)); }
static_assert(sizeof(os::lock) <= 8);

// Who serves: nobody that is known (an ordinary operation), or a select by this case.
struct server {
  select_state* state;
  const select_waiter* by;
};
inline constexpr server ordinary{nullptr, nullptr};

// Holds the locks of a select that serves itself and of one that is served; either may be missing.
class claim {
 public:
  claim(server own, select_state* other) : own_(own), other_(other) {
    select_state *first = own.state, *second = other;
    if (second && (!first || second < first)) std::swap(first, second);
    if (first) lock_of(first).lock();
    if (second) lock_of(second).lock();
  }
  claim(const claim&) = delete;
  claim& operator=(const claim&) = delete;
  // A move that threw leaves a select that served itself with nothing: it must not be served any more.
  ~claim() {
    if (moving_ && own_.state) own_.state->main.result = outcome::canceled;
    if (own_.state) lock_of(own_.state).unlock();
    if (other_) lock_of(other_).unlock();
  }

  bool own_open() const { return !own_.state || own_.state->main.result == outcome::pending; }
  bool other_open() const { return other_->main.result == outcome::pending; }

  // Between these two the value is moved.
  void moves() { moving_ = true; }
  void take_own(outcome how) {
    moving_ = false;
    if (own_.state) finish(own_.state, own_.by, how);
  }
  // Whom to wake, or null: it has not parked yet.
  waiter* take_other(const select_waiter* w, outcome how) {
    finish(other_, w, how);
    return other_->parked ? &other_->main : nullptr;
  }

 private:
  static void finish(select_state* s, const select_waiter* taken, outcome how) {
    s->taken = taken;
    s->main.result = how;
  }

  server own_;
  select_state* other_;
  bool moving_ = false;
};

}  // namespace rove::detail
