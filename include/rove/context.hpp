// Contexts: cancellation, deadlines and values that go along with a piece of work.
//
// A context is a counted handle; copies are the same context, and a default-built one is background(). What is derived
// from a context is cancelled with it, but not the reverse. Any thread may call anything, nothing here parks; what
// allocates may throw std::bad_alloc.
//
//   auto [ctx, cancel] = rove::with_timeout(rove::background(), 2s);
//   rove::select(ctx.done().on_recv([&] { report(ctx.err()); }), work.on_recv([](auto result) { ... }));
//
// A context lives as long as somebody refers to it: a handle, a cancel function, a context derived from it, a function
// that after_func has to call. Nobody has to call cancel for its memory's sake.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <system_error>
#include <type_traits>
#include <utility>
#include <variant>

#include <rove/chan.hpp>
#include <rove/detail/action.hpp>
#include <rove/detail/deadline.hpp>
#include <rove/error.hpp>

namespace rove {
namespace detail {

struct canceler;
struct value_node;
struct after_entry;

// What a context is made of. Each holds a count of its parent.
struct context_node {
  std::atomic<std::uint32_t> refs{1};
  context_node* parent = nullptr;          // counted
  canceler* cancels = nullptr;             // the nearest that can be cancelled: itself or one above
  const value_node* values = nullptr;      // the nearest with a value: itself or one above
  void (*destroy)(context_node*) noexcept = nullptr;
};

struct value_node : context_node {
  const void* key;
  const void* value;
};

template <class Key>
struct value_holder final : value_node {
  template <class T>
  explicit value_holder(T&& v) : held(std::forward<T>(v)) {
    key = id();
    value = std::addressof(held);
    destroy = [](context_node* n) noexcept { delete static_cast<value_holder*>(n); };
  }
  static const void* id() noexcept {
    static char unique;
    return &unique;
  }
  const Key held;
};

void retain_context(context_node* n) noexcept;     // null: background
void release_context(context_node* n) noexcept;
void adopt_parent(context_node* n, context_node* parent) noexcept;  // retains it
const void* find_value(const context_node* n, const void* key) noexcept;
chan_core* context_done(const context_node* n);    // one handle more; null: never cancelled
std::error_code context_error(const context_node* n) noexcept;
std::error_code context_cause(const context_node* n) noexcept;
std::int64_t context_deadline(const context_node* n) noexcept;
std::stop_token context_stop_token(const context_node* n);

// New ones, not cancelled by anybody yet but perhaps with their parent.
canceler* make_canceler(context_node* parent);
canceler* make_timed_canceler(context_node* parent, std::int64_t when);
canceler* make_token_canceler(context_node* parent, std::stop_token token);
context_node* make_uncanceled(context_node* parent);
context_node* node_of(canceler* c) noexcept;       // one reference more

void cancel(canceler* c, std::error_code cause);
void retain_canceler(canceler* c) noexcept;        // with the right to cancel
void release_canceler(canceler* c) noexcept;

after_entry* make_after_entry(context_node* n, std::unique_ptr<action> f);  // panics on a plain thread
bool stop_after_entry(after_entry* e);
void retain_after_entry(after_entry* e) noexcept;
void release_after_entry(after_entry* e) noexcept;

// A counted pointer: the functions that the makers below give.
template <class T, void (*retain)(T*) noexcept, void (*release)(T*) noexcept>
class counted {
 public:
  counted() noexcept = default;
  explicit counted(T* adopted) noexcept : p_(adopted) {}
  counted(const counted& other) noexcept : p_(other.p_) {
    if (p_) retain(p_);
  }
  counted(counted&& other) noexcept : p_(std::exchange(other.p_, nullptr)) {}
  counted& operator=(counted other) noexcept {
    std::swap(p_, other.p_);
    return *this;
  }
  ~counted() {
    if (p_) release(p_);
  }
  T* get() const noexcept { return p_; }
  bool operator==(const counted& other) const noexcept { return p_ == other.p_; }

 private:
  T* p_ = nullptr;
};

using counted_node = counted<context_node, retain_context, release_context>;
using counted_canceler = counted<canceler, retain_canceler, release_canceler>;
using counted_after_entry = counted<after_entry, retain_after_entry, release_after_entry>;

}  // namespace detail

// Tells those who work on one thing that they are to give up, and carries values down to them. A counted handle: copies
// are the same context. Default-built: background(). Any thread; nothing here parks.
class context {
 public:
  context() noexcept = default;                                   // background()
  explicit context(detail::context_node* adopted) noexcept : node_(adopted) {}

  // Closed when the context is cancelled, or its deadline has passed; nothing is ever sent. A nil channel if it cannot
  // be cancelled. Always the same channel; made at the first call.
  recv_chan<std::monostate> done() const { return chan<std::monostate>(detail::context_done(node_.get())); }

  // Nothing until done() is closed; then errc::canceled or errc::deadline_exceeded, for ever.
  std::error_code err() const noexcept { return detail::context_error(node_.get()); }

  // Why: what was given to the function of with_cancel_cause that cancelled it or one above it; else err().
  std::error_code cause() const noexcept { return detail::context_cause(node_.get()); }

  // When it will be cancelled at the latest, by its own deadline or one above it.
  std::optional<std::chrono::steady_clock::time_point> deadline() const noexcept {
    const std::int64_t when = detail::context_deadline(node_.get());
    if (when == detail::never_ns) return std::nullopt;
    return std::chrono::steady_clock::time_point(std::chrono::nanoseconds(when));
  }

  // The value of this type from with_value, the nearest one; null if there is none. Valid as long as this handle.
  template <class Key>
  const Key* value() const noexcept {
    return static_cast<const Key*>(detail::find_value(node_.get(), detail::value_holder<Key>::id()));
  }

  // Asked to stop when the context is cancelled: by whoever cancels it, which runs the token's callbacks; at a deadline
  // that is a goroutine of the runtime where the context was made, else the library's timer thread. The token does not
  // keep the context alive; without it nobody asks any more.
  std::stop_token stop_token() const { return detail::context_stop_token(node_.get()); }

  // The same context?
  bool operator==(const context&) const noexcept = default;

  detail::context_node* node() const noexcept { return node_.get(); }

 private:
  detail::counted_node node_;
};

// Cancels a context and all derived from it; when it returns all of them are cancelled. May be copied, called again
// (then it does nothing), by several at once, and after all else is gone. A default-built one does nothing.
class cancel_function {
 public:
  cancel_function() noexcept = default;
  explicit cancel_function(detail::canceler* adopted) noexcept : canceler_(adopted) {}
  // Any thread. Runs the callbacks of stop tokens; functions of after_func run in goroutines of their own.
  void operator()() const {
    if (canceler_.get()) detail::cancel(canceler_.get(), {});
  }

 private:
  detail::counted_canceler canceler_;
};

// The same with a reason, which cause() then gives; none: errc::canceled.
class cancel_cause_function {
 public:
  cancel_cause_function() noexcept = default;
  explicit cancel_cause_function(detail::canceler* adopted) noexcept : canceler_(adopted) {}
  // Likewise. The first reason counts.
  void operator()(std::error_code cause = {}) const {
    if (canceler_.get()) detail::cancel(canceler_.get(), cause);
  }

 private:
  detail::counted_canceler canceler_;
};

// A context, and the function that cancels it.
struct cancelable {
  context ctx;               // derived from the parent
  cancel_function cancel;    // to be called in the end, so that its timer is stopped at once
};
// The same, with a function that takes a reason.
struct cancelable_cause {
  context ctx;                     // derived from the parent
  cancel_cause_function cancel;    // with the reason
};

// Never cancelled, no deadline, no values.
inline context background() noexcept { return {}; }

namespace detail {

template <class Result = cancelable>
Result cancelable_of(canceler* c) {
  rove::context ctx(node_of(c));
  return {std::move(ctx), decltype(Result::cancel)(c)};
}

}  // namespace detail

// A context that is cancelled by its function, or with its parent.
[[nodiscard]] inline cancelable with_cancel(const context& parent) {
  return detail::cancelable_of(detail::make_canceler(parent.node()));
}
[[nodiscard]] inline cancelable_cause with_cancel_cause(const context& parent) {
  return detail::cancelable_of<cancelable_cause>(detail::make_canceler(parent.node()));
}

// The same, and cancelled at `t` with errc::deadline_exceeded. If that has passed already, it is made so.
template <class Clock, class Duration>
[[nodiscard]] cancelable with_deadline(const context& parent, const std::chrono::time_point<Clock, Duration>& t) {
  return detail::cancelable_of(detail::make_timed_canceler(parent.node(), detail::deadline_at(t)));
}
template <class Rep, class Period>
[[nodiscard]] cancelable with_timeout(const context& parent, const std::chrono::duration<Rep, Period>& d) {
  return detail::cancelable_of(detail::make_timed_canceler(parent.node(), detail::deadline_after(d)));
}

// A context with a value, found by its type. It hides one of the same type above it.
template <class Key>
[[nodiscard]] context with_value(const context& parent, Key value) {
  auto* const n = new detail::value_holder<Key>(std::move(value));
  detail::adopt_parent(n, parent.node());
  n->values = n;
  return context(n);
}

// The parent's values, but neither its cancellation nor its deadline.
[[nodiscard]] inline context without_cancel(const context& parent) {
  return context(detail::make_uncanceled(parent.node()));
}

// A context that is also cancelled when `token` is asked to stop, by whoever asks. Nobody tells when a token's last
// source goes away unasked, so a function that after_func has for such a context, or for one below it, then stays for
// ever unless somebody else cancels it.
[[nodiscard]] inline cancelable with_stop_token(const context& parent, std::stop_token token) {
  return detail::cancelable_of(detail::make_token_canceler(parent.node(), std::move(token)));
}

// Says that f is not wanted any more: see after_func. Copies are the same; one that is gone changes nothing.
class stop_function {
 public:
  stop_function() noexcept = default;
  explicit stop_function(detail::after_entry* adopted) noexcept : entry_(adopted) {}
  // True: f will not be called. False: its goroutine was started, or it was stopped before.
  bool operator()() const { return entry_.get() && detail::stop_after_entry(entry_.get()); }

 private:
  detail::counted_after_entry entry_;
};

// Calls f() in a goroutine of its own, in this runtime, when ctx is cancelled; at once if it is. f is destroyed
// uncalled when it is stopped, or when nobody is left who could cancel ctx. On a plain thread a panic ("rove: no
// runtime on this thread"). An exception that leaves f is a panic of the program.
template <class F>
  requires std::invocable<std::decay_t<F>&>
ROVE_ALWAYS_INLINE stop_function after_func(const context& ctx, F&& f) {
  return stop_function(detail::make_after_entry(ctx.node(), detail::make_action(std::forward<F>(f))));
}

}  // namespace rove
