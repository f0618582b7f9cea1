// Signals that are caught: a handler that does no more than set a bit and wake who waits.
//
// Problem. A handler may interrupt any code, malloc with its lock held for one, so it can hand over nothing but a word;
// and who stops catching must not lose a signal whose handler was about to hand it over.
//
// Invariant. A bit that was set is taken by exactly one take_signals. A handler that began before a take is seen by it.
//
// Steps.  handler:  1 delivering + 1.  2 set the bit.  3 changes + 1, futex wake.  4 delivering - 1.
//         take:     1 delivering is 0, or wait for it: nobody stands between 1 and 4.  2 exchange the bits with 0.
//         waiter:   1 the count of changes.  2 take; something: go on with it.  3 futex wait while that count stands.
// What remains: a handler that the system has begun and that has not come to step 1. Its signal is noted, and goes to
// whoever wants it by then.
// The word is a futex rather than a pipe or an eventfd: no descriptor is needed, whose number a late handler might
// write to after it was closed and given to somebody else.
//
// Pairs. SIGNAL-DELIVERING: the increment before the bit, with the look at 0: what began before is waited for; the
//        decrement with that look: its bit is there.
//        SIGNAL-NEWS: the bit and the count's increment, with the load of the count before the take: either the taker
//        sees the bit, or the count has changed and it does not sleep.
#include "src/os/signals.hpp"

#include <errno.h>
#include <limits.h>
#include <signal.h>

#include <atomic>

namespace rove::os {
namespace {

constinit std::atomic<std::uint64_t> noted{0};
constinit std::atomic<std::uint32_t> delivering{0};
constinit std::atomic<std::uint32_t> changes{0};
struct sigaction former[most_signals + 1];

void wake_waiters() {
  changes.fetch_add(1, std::memory_order_release);      // SIGNAL-NEWS
  futex_wake(reinterpret_cast<const std::uint32_t*>(&changes), INT_MAX);
}

void on_signal(int signal) {
  const int error = errno;
  delivering.fetch_add(1, std::memory_order_seq_cst);   // SIGNAL-DELIVERING
  noted.fetch_or(signal_bit(signal), std::memory_order_release);  // SIGNAL-NEWS
  wake_waiters();
  delivering.fetch_sub(1, std::memory_order_release);   // SIGNAL-DELIVERING
  errno = error;
}

bool fails_an_instruction(int signal) {
  for (const int s : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS})
    if (s == signal) return true;
  return false;
}

}  // namespace

int catch_signal(int signal) {
  if (signal < 1 || signal > most_signals || fails_an_instruction(signal)) return -EINVAL;
  struct sigaction ours = {};
  ours.sa_handler = on_signal;
  ours.sa_flags = SA_ONSTACK | SA_RESTART;
  sigfillset(&ours.sa_mask);                            // one at a time on a thread: the stack may be a small one
  return sigaction(signal, &ours, &former[signal]) == 0 ? 0 : -errno;
}

void release_signal(int signal) {
  struct sigaction present;
  if (sigaction(signal, nullptr, &present) != 0 || (present.sa_flags & SA_SIGINFO) != 0) return;
  if (present.sa_handler == on_signal) sigaction(signal, &former[signal], nullptr);
}

std::uint64_t take_signals() {
  while (delivering.load(std::memory_order_seq_cst) != 0) yield_thread();  // SIGNAL-DELIVERING
  return noted.exchange(0, std::memory_order_acquire);  // SIGNAL-NEWS
}

std::uint32_t signal_ticket() { return changes.load(std::memory_order_acquire); }  // SIGNAL-NEWS

void wait_for_signals(std::uint32_t ticket) { futex_wait(reinterpret_cast<const std::uint32_t*>(&changes), ticket); }

void break_signal_wait() { wake_waiters(); }

}  // namespace rove::os
