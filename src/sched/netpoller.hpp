// One runtime's poller: turns what the system tells of descriptors into goroutines that can run.
#pragma once

#include "src/os/poller.hpp"
#include "src/sched/poll_source.hpp"

namespace rove::sched {

class scheduler;
class pollable;

class netpoller final : public poll_source {
 public:
  // The poller of the running goroutine's runtime, made at first use; null and an -errno if the system refuses one.
  static netpoller* here(int& error);

  void look(base::chain<goroutine>& ready) override;
  void wait(base::chain<goroutine>& ready, os::nanoseconds until) override;
  void break_wait() override { poller_.break_wait(); }
  void retire() override;

  // With the lock of the descriptor's record held. add: 0 or -errno.
  int add(int descriptor, std::uint64_t token);
  void remove(int descriptor);
  // The descriptor was closed, and so has left the poller.
  void forget() { registered_.fetch_sub(1, std::memory_order_relaxed); }  // relaxed: a count

 private:
  explicit netpoller(scheduler& home) : home_(home) {}
  ~netpoller() = default;
  void deliver(const os::poll_event* events, std::size_t count, base::chain<goroutine>& ready);

  scheduler& home_;
  os::poller poller_;
};

}  // namespace rove::sched
