// Channels: typed, counted handles to a queue between goroutines, buffered or not.
//
// An element's move constructor and destructor run while the channel is locked: they must not call rove.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <rove/detail/chan_core.hpp>
#include <rove/detail/select_case.hpp>
#include <rove/error.hpp>

namespace rove {

// What a receive that may come back without a value gives: a value, or `closed` (and drained), or neither: nothing was
// there, or the time was up.
template <class T>
struct recv_result {
  std::optional<T> value;  // what was received
  bool closed = false;     // there is no value, and there will be none
};

template <class T>
class chan;
template <class T>
class recv_chan;

namespace detail {

template <class T, class Limit>
recv_result<T> chan_recv_limited(chan_core* c, const Limit& limit) {
  element_room<T> room;
  outcome how = chan_recv_soon(c, std::addressof(room.value));
  if (how == outcome::pending) how = chan_recv_until(c, std::addressof(room.value), limit_of(limit));
  if (how == outcome::granted) return {room.take(), false};
  return {std::nullopt, how == outcome::closed};
}

template <class T, class Channel, class Handler>
auto make_recv_case(Channel&& channel, Handler&& handler) {
  return recv_case<T, std::decay_t<Handler>, std::decay_t<Channel>>(std::forward<Channel>(channel),
                                                                    std::forward<Handler>(handler));
}
template <class T, class Channel, class V, class Handler>
auto make_send_case(Channel&& channel, V&& value, Handler&& handler) {
  return send_case<T, std::decay_t<Handler>, std::decay_t<Channel>>(
      std::forward<Channel>(channel), std::forward<V>(value), std::forward<Handler>(handler));
}

}  // namespace detail

// Input iteration: receives until the channel is closed and drained.
template <class T>
class chan_iterator {
 public:
  // As iterators have them.
  using value_type = T;
  using difference_type = std::ptrdiff_t;
  using iterator_concept = std::input_iterator_tag;

  chan_iterator() = default;
  explicit chan_iterator(detail::chan_core* c) : core_(c) { next(); }
  // The value that was received last. It stays the iterator's until the next step, and may be moved from.
  T& operator*() const { return *value_; }
  // Receives the next one. Parks until there is one, or the channel is closed.
  chan_iterator& operator++() {
    next();
    return *this;
  }
  void operator++(int) { ++*this; }
  // Is the channel closed and drained?
  bool operator==(std::default_sentinel_t) const { return !value_; }

 private:
  void next() {  // without assignment: not every movable type has it
    value_.reset();
    if (std::optional<T> v = detail::chan_recv<T>(core_)) value_.emplace(std::move(*v));
  }

  detail::chan_core* core_ = nullptr;
  mutable std::optional<T> value_;
};

namespace detail {

// What all three kinds of handle have.
template <class Self>
class chan_end {
 public:
  // Values in the buffer, and how many it has room for; 0 for a nil channel.
  std::size_t len() const noexcept { return chan_length(self().handle_.get()); }
  std::size_t cap() const noexcept { return chan_capacity(self().handle_.get()); }
  // Not nil?
  explicit operator bool() const noexcept { return self().handle_.get() != nullptr; }
  // The same for all handles of one channel.
  const void* identity() const noexcept { return self().handle_.get(); }

 private:
  const Self& self() const noexcept { return static_cast<const Self&>(*this); }
};

// What can be done with a handle to send.
template <class Self, class T>
class send_end {
 public:
  // Parks until the value was taken or put into the buffer. Panics "send on closed channel", also if the channel is
  // closed meanwhile. A value that was not sent is intact, also after a panic. On a nil channel: for ever.
  void send(T&& value) const { chan_send(core(), std::addressof(value)); }
  void send(const T& value) const
    requires std::copy_constructible<T>
  {
    T copy(value);
    chan_send(core(), std::addressof(copy));
  }

  // Sends if that needs no waiting; else false, and the value is untouched. Never parks. Panics as send does.
  bool try_send(T&& value) const { return chan_try_send(core(), std::addressof(value)) == outcome::granted; }
  bool try_send(const T& value) const
    requires std::copy_constructible<T>
  {
    T copy(value);
    return chan_try_send(core(), std::addressof(copy)) == outcome::granted;
  }

  // Sends, but waits no longer than for `d` or until `t`; false then, and the value is untouched. A limit that is past
  // behaves as try_send, one too far to count as send. Panics as send does.
  template <class Rep, class Period>
  bool send_for(T&& value, const std::chrono::duration<Rep, Period>& d) const {
    return chan_send_limited(core(), std::addressof(value), d);
  }
  template <class Rep, class Period>
  bool send_for(const T& value, const std::chrono::duration<Rep, Period>& d) const
    requires std::copy_constructible<T>
  {
    T copy(value);
    return chan_send_limited(core(), std::addressof(copy), d);
  }
  template <class Clock, class Duration>
  bool send_until(T&& value, const std::chrono::time_point<Clock, Duration>& t) const {
    return chan_send_limited(core(), std::addressof(value), t);
  }
  template <class Clock, class Duration>
  bool send_until(const T& value, const std::chrono::time_point<Clock, Duration>& t) const
    requires std::copy_constructible<T>
  {
    T copy(value);
    return chan_send_limited(core(), std::addressof(copy), t);
  }

  // No more values will come. Who receives gets what is left, then nullopt. Panics "close of closed channel", "close of
  // nil channel". Whoever is parked sending panics. Never parks.
  void close() const { chan_close(core()); }

  // A case for select and selector: sends `value`, which the case owns, and then calls handler(), if there is one. The
  // case of an lvalue handle borrows it: the handle must outlive the case. That of an rvalue keeps the channel.
  template <class Handler = no_handler>
  auto on_send(T&& value, Handler&& handler = {}) const& {
    return make_send_case<T>(core(), std::move(value), std::forward<Handler>(handler));
  }
  template <class Handler = no_handler>
  auto on_send(const T& value, Handler&& handler = {}) const&
    requires std::copy_constructible<T>
  {
    return make_send_case<T>(core(), value, std::forward<Handler>(handler));
  }
  template <class Handler = no_handler>
  auto on_send(T&& value, Handler&& handler = {}) && {
    return make_send_case<T>(std::move(static_cast<Self&>(*this).handle_), std::move(value),
                             std::forward<Handler>(handler));
  }
  template <class Handler = no_handler>
  auto on_send(const T& value, Handler&& handler = {}) &&
    requires std::copy_constructible<T>
  {
    return make_send_case<T>(std::move(static_cast<Self&>(*this).handle_), value, std::forward<Handler>(handler));
  }

 private:
  chan_core* core() const noexcept { return static_cast<const Self&>(*this).handle_.get(); }
};

// What can be done with a handle to receive. An input range: `for (T x : ch)` until the channel is closed and drained.
template <class Self, class T>
class recv_end {
 public:
  // Parks until there is a value; nullopt when the channel is closed and drained. On a nil channel: for ever.
  std::optional<T> recv() const { return chan_recv<T>(core()); }

  // Never parks.
  recv_result<T> try_recv() const {
    element_room<T> room;
    switch (chan_try_recv(core(), std::addressof(room.value))) {
      case outcome::granted: return {room.take(), false};
      case outcome::closed: return {std::nullopt, true};
      default: return {};
    }
  }

  // Receives, but waits no longer than for `d` or until `t`. A limit that is past behaves as try_recv, one too far to
  // count as recv.
  template <class Rep, class Period>
  recv_result<T> recv_for(const std::chrono::duration<Rep, Period>& d) const {
    return chan_recv_limited<T>(core(), d);
  }
  template <class Clock, class Duration>
  recv_result<T> recv_until(const std::chrono::time_point<Clock, Duration>& t) const {
    return chan_recv_limited<T>(core(), t);
  }

  // For `for`: receives until the channel is closed and drained. begin() receives the first value, so it parks; what
  // another goroutine receives does not come here.
  chan_iterator<T> begin() const { return chan_iterator<T>(core()); }
  std::default_sentinel_t end() const noexcept { return {}; }

  // A case for select and selector: receives, and then calls handler(std::optional<T>), nullopt if the channel is
  // closed and drained, or handler(), if there is one. The case of an lvalue handle borrows it: the handle must outlive
  // the case. That of an rvalue keeps the channel.
  template <class Handler = no_handler>
  auto on_recv(Handler&& handler = {}) const& {
    return make_recv_case<T>(core(), std::forward<Handler>(handler));
  }
  template <class Handler = no_handler>
  auto on_recv(Handler&& handler = {}) && {
    return make_recv_case<T>(std::move(static_cast<Self&>(*this).handle_), std::forward<Handler>(handler));
  }

 private:
  chan_core* core() const noexcept { return static_cast<const Self&>(*this).handle_.get(); }
};

}  // namespace detail

// The sending end. Operations are const: a handle is like a pointer. Any thread may call anything; in a goroutine a
// call that has to wait parks it, on a plain thread it blocks the thread. A default-built handle is nil: sending
// on it waits for ever.
template <class T>
class send_chan : public detail::chan_end<send_chan<T>>, public detail::send_end<send_chan<T>, T> {
 public:
  send_chan() = default;

 private:
  friend class chan<T>;
  friend class detail::chan_end<send_chan>;
  friend class detail::send_end<send_chan, T>;
  explicit send_chan(detail::chan_handle h) : handle_(std::move(h)) {}
  detail::chan_handle handle_;
};

// The receiving end.
template <class T>
class recv_chan : public detail::chan_end<recv_chan<T>>, public detail::recv_end<recv_chan<T>, T> {
 public:
  recv_chan() = default;

 private:
  friend class chan<T>;
  friend class detail::chan_end<recv_chan>;
  friend class detail::recv_end<recv_chan, T>;
  explicit recv_chan(detail::chan_handle h) : handle_(std::move(h)) {}
  detail::chan_handle handle_;
};

// Both ends. Copies are the same channel; it lives as long as a handle does. Converts to either end.
template <class T>
class chan : public detail::chan_end<chan<T>>,
             public detail::send_end<chan<T>, T>,
             public detail::recv_end<chan<T>, T> {
 public:
  using value_type = T;                          // an element

  chan() = default;
  explicit chan(detail::chan_core* adopted) : handle_(adopted) {}

  // One of its ends.
  operator send_chan<T>() const& { return send_chan<T>(handle_); }
  operator recv_chan<T>() const& { return recv_chan<T>(handle_); }
  operator send_chan<T>() && { return send_chan<T>(std::move(handle_)); }
  operator recv_chan<T>() && { return recv_chan<T>(std::move(handle_)); }

 private:
  friend class detail::chan_end<chan>;
  friend class detail::send_end<chan, T>;
  friend class detail::recv_end<chan, T>;
  detail::chan_handle handle_;
};

// The same channel? Across all three kinds of handle.
template <class A, class B>
  requires requires(const A& a, const B& b) { a.identity(); b.identity(); a.cap(); b.cap(); }
bool operator==(const A& a, const B& b) noexcept {
  return a.identity() == b.identity();
}

// A channel with room for `capacity` values; 0: unbuffered, a send meets its receive. Panics "makechan: size out of
// range" if that is negative or too large; throws std::bad_alloc.
template <class T>
ROVE_ALWAYS_INLINE chan<T> make_chan(std::ptrdiff_t capacity = 0) {
  static_assert(std::is_object_v<T> && std::move_constructible<T>, "a channel's elements are movable objects");
  return chan<T>(detail::make_chan_core(detail::element_type_of<T>, capacity));  // which notes who calls: hence inlined
}

}  // namespace rove
