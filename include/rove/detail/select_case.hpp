// The cases of a select: what chan::on_recv and chan::on_send make. And how the untyped core sees them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <rove/detail/chan_core.hpp>
#include <rove/detail/waiter.hpp>

namespace rove::detail {

struct select_state;
class select_access;

// A case as the core sees it: where it waits. Only `sends`, `value` and `object` (the channel's core; null: nil) are
// filled in by whoever calls; `result` is `selecting` while it is in its channel's queue.
struct select_waiter : waiter {
  select_state* state;
  std::uint64_t seen;          // what the channel's counter was when it was not ready
  bool sends;
  std::uint32_t listed;        // the first few cases hold the indexes of those that seem ready
};

struct select_methods;

// One call of select, in the frame of the caller. What `main` waits on is the whole select.
struct select_state {
  waiter main;                             // its result is the claim: how the select ended
  std::uint32_t lock = 0;                  // an os::lock, as in task_state: guards main.result, taken and parked
  std::uint8_t lock_rank = 0;              // the rest of it, in a library that checks the order of locks
  bool parked = false;                     // whoever claims it has to wake it
  std::size_t queued = 0;                  // how many cases are in their channels' queues, the first ones
  const select_waiter* taken = nullptr;    // null: none of the cases
  const select_methods* methods;
};

// Room for what is received: the cases of one select share it, since one is taken.
template <std::size_t Size, std::size_t Align>
struct select_room {
  alignas(Align) std::byte bytes[Size];
};

// A handler that does nothing.
struct no_handler {};

// Destroys what was received, when the scope ends.
template <class T>
class received {
 public:
  explicit received(void* room) : value_(static_cast<T*>(room)) {}
  ~received() { value_->~T(); }
  received(const received&) = delete;
  received& operator=(const received&) = delete;
  T&& get() { return std::move(*value_); }

 private:
  T* value_;
};

// Out of line, or gcc warns of handlers that expect a value always.
template <class T>
[[gnu::noinline]] std::optional<T> take_received(void* room, bool closed) {
  if (closed) return std::nullopt;
  received<T> r(room);
  return std::optional<T>(r.get());
}

template <class Handler, class T>
inline constexpr bool takes_optional = std::is_invocable_v<Handler&, std::optional<T>>;

// Receives from a channel. `Channel` is chan_core* if it was made of a handle that lives on (it must outlive the case),
// or a handle of its own.
template <class T, class Handler, class Channel>
class recv_case {
  static_assert(std::is_same_v<Handler, no_handler> || takes_optional<Handler, T> || std::is_invocable_v<Handler&>,
                "a receiving case's handler takes a std::optional<T>, or nothing");

 public:
  static constexpr bool is_channel_case = true;
  static constexpr bool receives = true;
  using value_type = T;

  recv_case(Channel c, Handler h) : channel_(std::move(c)), handler_(std::move(h)) {}

 private:
  friend select_access;
  chan_core* core() const noexcept { return core_of(channel_); }

  // The room is free again when the handler is called.
  void run(void* room, bool closed) const {
    if constexpr (takes_optional<Handler, T>) {
      static_cast<void>(handler_(take_received<T>(room, closed)));
    } else {
      if (!closed) static_cast<void>(received<T>(room));
      if constexpr (!std::is_same_v<Handler, no_handler>) static_cast<void>(handler_());
    }
  }

  Channel channel_;
  [[no_unique_address]] mutable Handler handler_;
};

// Sends a value that it owns; when the case was taken the value was moved from.
template <class T, class Handler, class Channel>
class send_case {
  static_assert(std::is_same_v<Handler, no_handler> || std::is_invocable_v<Handler&>,
                "a sending case's handler takes nothing");

 public:
  static constexpr bool is_channel_case = true;
  static constexpr bool receives = false;
  using value_type = T;

  template <class V>
  send_case(Channel c, V&& v, Handler h) : channel_(std::move(c)), value_(std::forward<V>(v)), handler_(std::move(h)) {}

  // What will be sent.
  T& value() noexcept { return value_; }
  const T& value() const noexcept { return value_; }

 private:
  friend select_access;
  chan_core* core() const noexcept { return core_of(channel_); }

  void run() const {
    if constexpr (!std::is_same_v<Handler, no_handler>) static_cast<void>(handler_());
  }

  Channel channel_;
  T value_;
  [[no_unique_address]] mutable Handler handler_;
};

}  // namespace rove::detail
