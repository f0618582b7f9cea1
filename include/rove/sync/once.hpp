// Running a function once.
//
// Pairs. ONCE-DONE: release after f returned, acquire by later calls: they see what f did.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <rove/error.hpp>
#include <rove/go.hpp>
#include <rove/sync/mutex.hpp>

#if ROVE_EXCEPTIONS
#include <exception>
#endif

namespace rove {

// Runs a function once. If it throws it was not run, and the next call tries again, as std::call_once.
class once {
 public:
  constexpr once() = default;
  once(const once&) = delete;
  once& operator=(const once&) = delete;

  // Returns when f has returned, in this call or another one. Parks while another runs it; a goroutine that is unwound
  // by its runtime's end cannot, and returns at once.
  template <class F>
  void call(F&& f) {
    if (is_done()) [[likely]] return;
    if (detail::ending.load(std::memory_order_relaxed) && detail::end_check()) [[unlikely]] {  // relaxed: a hint
      if (!mutex_.try_lock()) return;
    } else {
      mutex_.lock();
    }
    struct guard {
      mutex& m;
      ~guard() { m.unlock(); }
    } g{mutex_};
    if (done_.load(std::memory_order_relaxed)) return;                // relaxed: mutex_
    std::forward<F>(f)();
    done_.store(true, std::memory_order_release);                     // ONCE-DONE
  }

 private:
  template <class F>
  friend class once_value;
  bool is_done() const { return done_.load(std::memory_order_acquire); }  // ONCE-DONE

  std::atomic<bool> done_{false};
  mutex mutex_;
};

namespace detail {

template <class R>
struct once_result {
  std::optional<R> value;
  template <class F>
  void fill(F& f) { value.emplace(f()); }
  const R& get() const { return *value; }
};
template <class R>
struct once_result<R&> {
  R* value = nullptr;
  template <class F>
  void fill(F& f) { value = std::addressof(f()); }
  R& get() const { return *value; }
};
template <>
struct once_result<void> {
  template <class F>
  void fill(F& f) { f(); }
  void get() const {}
};

}  // namespace detail

// A function whose result is computed at the first call and given again by each later one. What it throws is kept and
// rethrown each time. If the first call is ended (goexit, its runtime's end) the next one runs f. A handle: copies
// share it.
template <class F>
class once_value {
  using result = std::remove_const_t<std::invoke_result_t<F&>>;

 public:
  // f is not called yet. Throws std::bad_alloc.
  explicit once_value(F f) : state_(std::make_shared<state>(std::move(f))) {}

  // The result; nothing for a function that returns void. Parks while another call runs f. A goroutine that is unwound
  // by its runtime's end cannot wait for that: panic "rove: once_value call ended".
  decltype(auto) operator()() const {
    state& s = *state_;
    if (!s.once.is_done()) [[unlikely]] {
      s.once.call([&s] { s.run(); });
      if (!s.once.is_done()) detail::throw_panic("rove: once_value call ended");
    }
#if ROVE_EXCEPTIONS
    if (s.error) [[unlikely]] std::rethrow_exception(s.error);
#endif
    return s.value.get();
  }

 private:
  struct state {
    explicit state(F&& function) : f(std::move(function)) {}
    void run() {
#if ROVE_EXCEPTIONS
      try {
        value.fill(*f);
      } catch (...) {
        if (detail::current_is_ending()) throw;
        error = std::current_exception();
      }
#else
      value.fill(*f);
#endif
      f.reset();                               // what it captured is not needed any more
    }
    rove::once once;
    std::optional<F> f;
    detail::once_result<result> value;
#if ROVE_EXCEPTIONS
    std::exception_ptr error;
#endif
  };
  std::shared_ptr<state> state_;
};

}  // namespace rove
