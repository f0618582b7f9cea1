// Signals of the operating system, as values of a channel.
#pragma once

#include <initializer_list>
#include <span>
#include <utility>

#include <rove/chan.hpp>
#include <rove/error.hpp>

// Signals of the operating system.
namespace rove::signals {

namespace detail {
struct record;
}

// While it lives, its channel gets the signals. Movable.
class subscription {
 public:
  subscription() noexcept = default;
  explicit subscription(detail::record* r) noexcept : record_(r) {}
  subscription(subscription&& other) noexcept : record_(std::exchange(other.record_, nullptr)) {}
  subscription& operator=(subscription&& other) noexcept {
    subscription(std::move(other)).swap(*this);
    return *this;
  }
  ~subscription() { stop(); }
  void swap(subscription& other) noexcept { std::swap(record_, other.record_); }

  // The channel gets no more; what came before is in it, if there was room. When the last subscription to a signal
  // stops, what was to happen on it before is to happen again. May be called again. Does not park; waits at most for a
  // thread's end.
  void stop() noexcept;

 private:
  detail::record* record_ = nullptr;
};

// From now on `ch` gets the number of each of these signals that comes to the process, whatever would have happened on
// it before: the default action, a handler. A channel that has no room does not get it: give it a buffer. Many of one
// kind that come at the same time may count once. Any number of channels may get the same signal; a channel may be
// named again. Any thread may call it; while somebody is notified, waiting goroutines are no deadlock.
//
// A signal reaches a thread that does not block it. A runtime's own threads block all; the one that is lent to `run`
// does not.
//
// Errors: invalid_argument for a signal that cannot be caught (SIGKILL, SIGSTOP), that is no signal, or by which an
// instruction fails (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS); a system's that has no thread left. Panics
// "os/signal: Notify using nil channel". To close a channel that is still notified is a panic when the next signal
// comes ("send on closed channel"): stop first.
[[nodiscard]] subscription notify(send_chan<int> ch, std::span<const int> signals);
[[nodiscard]] subscription notify(send_chan<int> ch, std::span<const int> signals, std::error_code& ec);

// The same for signals that are listed in the call.
[[nodiscard]] inline subscription notify(send_chan<int> ch, std::initializer_list<int> signals) {
  return notify(std::move(ch), std::span<const int>(signals.begin(), signals.size()));
}
[[nodiscard]] inline subscription notify(send_chan<int> ch, std::initializer_list<int> signals, std::error_code& ec) {
  return notify(std::move(ch), std::span<const int>(signals.begin(), signals.size()), ec);
}

}  // namespace rove::signals
