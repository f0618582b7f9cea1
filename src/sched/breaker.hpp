// What breaks the sleep of a plain thread that waits for one descriptor. A few are kept for the next who sleeps.
#pragma once

#include "src/os/lock.hpp"
#include "src/os/socket.hpp"

namespace rove::sched {

class breaker {
 public:
  breaker() {
    {
      os::hold h(lock_);
      if (kept_count_ > 0) number_ = kept_[--kept_count_];
    }
    if (number_ < 0) number_ = os::open_breaker();
  }
  // It is not set any more.
  ~breaker() {
    if (number_ < 0) return;
    {
      os::hold h(lock_);
      if (kept_count_ < most_kept) {
        kept_[kept_count_++] = number_;
        return;
      }
    }
    os::close_descriptor(number_);
  }
  breaker(const breaker&) = delete;
  breaker& operator=(const breaker&) = delete;

  int number() const { return number_; }         // or -errno

 private:
  static constexpr unsigned most_kept = 8;
  static inline os::lock lock_{os::rank::object};
  static inline int kept_[most_kept];            // under lock_
  static inline unsigned kept_count_ = 0;        // under lock_

  int number_ = -1;
};

}  // namespace rove::sched
