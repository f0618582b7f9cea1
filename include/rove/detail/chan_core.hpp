// What chan.hpp knows of a channel's untyped core, and the handle that keeps it alive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

#include <rove/detail/config.hpp>
#include <rove/detail/deadline.hpp>
#include <rove/detail/waiter.hpp>

namespace rove::detail {

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
// With a limit, in ns of the steady clock (0: at once). First without a look at the clock: pending: go on with `until`.
outcome chan_send_soon(chan_core* c, void* value);                    // granted, pending or timed_out
outcome chan_recv_soon(chan_core* c, void* to);                       // granted, closed, pending or timed_out
outcome chan_send_until(chan_core* c, void* value, std::int64_t when);   // granted or timed_out
outcome chan_recv_until(chan_core* c, void* to, std::int64_t when);      // granted, closed or timed_out
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

// When a limit is, asked for only if there is something to wait for.
template <class Limit>
std::int64_t limit_of(const Limit& limit) {
  if constexpr (requires { typename Limit::clock; })
    return deadline_at(limit);
  else
    return deadline_after(limit);
}

template <class T, class Limit>
bool chan_send_limited(chan_core* c, T* value, const Limit& limit) {
  outcome how = chan_send_soon(c, value);
  if (how == outcome::pending) how = chan_send_until(c, value, limit_of(limit));
  return how == outcome::granted;
}

inline chan_core* core_of(chan_core* c) noexcept { return c; }
inline chan_core* core_of(const chan_handle& h) noexcept { return h.get(); }

}  // namespace rove::detail
