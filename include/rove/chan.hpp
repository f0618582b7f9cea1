// Channels: typed, counted handles to a queue between goroutines, buffered or not.
//
// An element's move constructor and destructor run while the channel is locked: they must not call rove.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

#include <rove/detail/waiter.hpp>
#include <rove/error.hpp>

namespace rove {
namespace detail {

// What the untyped core knows of an element.
struct element_type {
  std::uint32_t size;
  std::uint32_t align;
  void (*move)(void* to, void* from);   // move-constructs; null: a copy of the bytes will do
  void (*destroy)(void* what);          // null: nothing to do
};

struct chan_core;

chan_core* make_chan_core(const element_type& type, std::ptrdiff_t capacity);  // panics "makechan: size out of range"
void retain_chan(chan_core* c) noexcept;
void release_chan(chan_core* c) noexcept;

// The operations up to the switch. Without a target the operation is over and w.result says how; else the caller
// departs and then looks at w.result.
departure chan_send_begin(chan_core* c, waiter& w, void* value);      // panics "send on closed channel"
departure chan_recv_begin(chan_core* c, waiter& w, void* to);
[[noreturn]] void chan_send_failed(waiter& w);                        // the channel was closed, or the goroutine ended
void chan_recv_failed(waiter& w);                                     // returns if the channel was closed
outcome chan_try_send(chan_core* c, void* value);                     // granted or pending
outcome chan_try_recv(chan_core* c, void* to);                        // granted, closed or pending
void chan_close(chan_core* c);
std::size_t chan_length(const chan_core* c) noexcept;
std::size_t chan_capacity(const chan_core* c) noexcept;

template <class T>
inline constexpr element_type element_type_of = {
    std::is_empty_v<T> && std::is_trivially_copyable_v<T> ? 0 : static_cast<std::uint32_t>(sizeof(T)),
    static_cast<std::uint32_t>(alignof(T)),
    std::is_trivially_copyable_v<T>
        ? nullptr
        : +[](void* to, void* from) { ::new (to) T(std::move(*static_cast<T*>(from))); },
    std::is_trivially_destructible_v<T> ? nullptr : +[](void* what) { static_cast<T*>(what)->~T(); },
};

// Room for an element that is being received.
template <class T>
union element_room {
  element_room() {}
  ~element_room() {}
  T value;

  std::optional<T> take() {
    struct guard {
      T& v;
      ~guard() { v.~T(); }
    } g{value};
    return std::optional<T>(std::move(value));
  }
};

// A counted reference to a core.
class chan_handle {
 public:
  chan_handle() noexcept = default;
  explicit chan_handle(chan_core* adopted) noexcept : core_(adopted) {}
  chan_handle(const chan_handle& other) noexcept : core_(other.core_) {
    if (core_) retain_chan(core_);
  }
  chan_handle(chan_handle&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
  chan_handle& operator=(chan_handle other) noexcept {
    std::swap(core_, other.core_);
    return *this;
  }
  ~chan_handle() {
    if (core_) release_chan(core_);
  }
  chan_core* get() const noexcept { return core_; }

 private:
  chan_core* core_ = nullptr;
};

template <class T>
ROVE_ALWAYS_INLINE void chan_send(chan_core* c, T* value) {
  waiter w;
  const departure d = chan_send_begin(c, w, value);
  if (d.to) depart(d);
  if (w.result != outcome::granted) [[unlikely]] {
    if (w.result == outcome::timed_out) return;
    chan_send_failed(w);
  }
}

template <class T>
ROVE_ALWAYS_INLINE std::optional<T> chan_recv(chan_core* c) {
  waiter w;
  element_room<T> room;
  const departure d = chan_recv_begin(c, w, std::addressof(room.value));
  if (d.to) depart(d);
  if (w.result == outcome::granted) [[likely]] return room.take();
  chan_recv_failed(w);
  return std::nullopt;
}

}  // namespace detail

// What a receive that may come back without a value gives: a value, or `closed` (and drained), or neither: nothing was
// there, or the time was up.
template <class T>
struct recv_result {
  std::optional<T> value;
  bool closed = false;
};

template <class T>
class chan;
template <class T>
class recv_chan;

// Input iteration: receives until the channel is closed and drained.
template <class T>
class chan_iterator {
 public:
  using value_type = T;
  using difference_type = std::ptrdiff_t;
  using iterator_concept = std::input_iterator_tag;

  chan_iterator() = default;
  explicit chan_iterator(detail::chan_core* c) : core_(c) { next(); }
  T& operator*() const { return *value_; }
  chan_iterator& operator++() {
    next();
    return *this;
  }
  void operator++(int) { ++*this; }
  bool operator==(std::default_sentinel_t) const { return !value_; }

 private:
  void next() {  // without assignment: not every movable type has it
    value_.reset();
    if (std::optional<T> v = detail::chan_recv<T>(core_)) value_.emplace(std::move(*v));
  }

  detail::chan_core* core_ = nullptr;
  mutable std::optional<T> value_;
};

// The sending end. Operations are const: a handle is like a pointer. Any thread may call anything; in a goroutine a
// call that has to wait parks it, on a plain thread it blocks the thread. A default-built handle is nil: sending
// on it waits for ever.
template <class T>
class send_chan {
 public:
  send_chan() = default;

  // Parks until the value was taken or put into the buffer. Panics "send on closed channel", also if the channel is
  // closed meanwhile. A value that was not sent is intact, also after a panic.
  void send(T&& value) const { detail::chan_send(handle_.get(), std::addressof(value)); }
  void send(const T& value) const
    requires std::copy_constructible<T>
  {
    T copy(value);
    detail::chan_send(handle_.get(), std::addressof(copy));
  }

  // Sends if that needs no waiting; else false, and the value is untouched. Never parks. Panics as send does.
  bool try_send(T&& value) const {
    return detail::chan_try_send(handle_.get(), std::addressof(value)) == detail::outcome::granted;
  }
  bool try_send(const T& value) const
    requires std::copy_constructible<T>
  {
    T copy(value);
    return detail::chan_try_send(handle_.get(), std::addressof(copy)) == detail::outcome::granted;
  }

  // No more values will come. Who receives gets what is left, then nullopt. Panics "close of closed channel", "close of
  // nil channel". Whoever is parked sending panics.
  void close() const { detail::chan_close(handle_.get()); }

  std::size_t len() const noexcept { return detail::chan_length(handle_.get()); }    // values in the buffer
  std::size_t cap() const noexcept { return detail::chan_capacity(handle_.get()); }
  explicit operator bool() const noexcept { return handle_.get() != nullptr; }
  const void* identity() const noexcept { return handle_.get(); }

 private:
  friend class chan<T>;
  explicit send_chan(detail::chan_handle h) : handle_(std::move(h)) {}
  detail::chan_handle handle_;
};

// The receiving end. An input range: `for (T x : ch)` until the channel is closed and drained.
template <class T>
class recv_chan {
 public:
  recv_chan() = default;

  // Parks until there is a value; nullopt when the channel is closed and drained. On a nil channel: for ever.
  std::optional<T> recv() const { return detail::chan_recv<T>(handle_.get()); }

  // Never parks.
  recv_result<T> try_recv() const {
    detail::element_room<T> room;
    switch (detail::chan_try_recv(handle_.get(), std::addressof(room.value))) {
      case detail::outcome::granted: return {room.take(), false};
      case detail::outcome::closed: return {std::nullopt, true};
      default: return {};
    }
  }

  chan_iterator<T> begin() const { return chan_iterator<T>(handle_.get()); }
  std::default_sentinel_t end() const noexcept { return {}; }

  std::size_t len() const noexcept { return detail::chan_length(handle_.get()); }
  std::size_t cap() const noexcept { return detail::chan_capacity(handle_.get()); }
  explicit operator bool() const noexcept { return handle_.get() != nullptr; }
  const void* identity() const noexcept { return handle_.get(); }

 private:
  friend class chan<T>;
  explicit recv_chan(detail::chan_handle h) : handle_(std::move(h)) {}
  detail::chan_handle handle_;
};

// Both ends. Copies are the same channel; it lives as long as a handle does. Converts to either end.
template <class T>
class chan {
  static_assert(std::is_object_v<T> && std::move_constructible<T>, "a channel's elements are movable objects");

 public:
  using value_type = T;

  chan() = default;
  explicit chan(detail::chan_core* adopted) : handle_(adopted) {}

  operator send_chan<T>() const { return send_chan<T>(handle_); }
  operator recv_chan<T>() const { return recv_chan<T>(handle_); }

  void send(T&& value) const { detail::chan_send(handle_.get(), std::addressof(value)); }
  void send(const T& value) const
    requires std::copy_constructible<T>
  {
    T copy(value);
    detail::chan_send(handle_.get(), std::addressof(copy));
  }
  bool try_send(T&& value) const {
    return detail::chan_try_send(handle_.get(), std::addressof(value)) == detail::outcome::granted;
  }
  bool try_send(const T& value) const
    requires std::copy_constructible<T>
  {
    T copy(value);
    return detail::chan_try_send(handle_.get(), std::addressof(copy)) == detail::outcome::granted;
  }
  void close() const { detail::chan_close(handle_.get()); }

  std::optional<T> recv() const { return detail::chan_recv<T>(handle_.get()); }
  recv_result<T> try_recv() const { return recv_chan<T>(handle_).try_recv(); }
  chan_iterator<T> begin() const { return chan_iterator<T>(handle_.get()); }
  std::default_sentinel_t end() const noexcept { return {}; }

  std::size_t len() const noexcept { return detail::chan_length(handle_.get()); }
  std::size_t cap() const noexcept { return detail::chan_capacity(handle_.get()); }
  explicit operator bool() const noexcept { return handle_.get() != nullptr; }
  const void* identity() const noexcept { return handle_.get(); }

 private:
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
chan<T> make_chan(std::ptrdiff_t capacity = 0) {
  return chan<T>(detail::make_chan_core(detail::element_type_of<T>, capacity));
}

}  // namespace rove
