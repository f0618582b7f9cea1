// Goroutines that work on one thing together: the first error ends it.
//
// Pairs. GROUP-ACTIVE: release by a goroutine that has given its part of the limit back, acquire by who changes the
// limit.
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

#include <rove/context.hpp>
#include <rove/error.hpp>
#include <rove/go.hpp>
#include <rove/sync/semaphore.hpp>
#include <rove/sync/wait_group.hpp>

#if ROVE_EXCEPTIONS
#include <exception>
#endif

namespace rove {

// A function of the group returns nothing or a std::error_code; what it throws counts as an error, too. The destructor
// cancels context() and waits for those that still run.
class error_group {
 public:
  // Its context() is derived from `parent`.
  explicit error_group(rove::context parent = {}) : scope_(with_cancel_cause(parent)) {}
  error_group(const error_group&) = delete;
  error_group& operator=(const error_group&) = delete;
  ~error_group() {
    if (group_.is_zero()) return;  // active_ would not do: it is counted down before the last touch of the group
    scope_.cancel();
    group_.wait();
  }

  // Cancelled by the first error, which is its cause, and by the end of wait().
  rove::context context() const { return scope_.ctx; }

  // Starts a goroutine that calls f. Parks while as many run as the limit allows. On a plain thread a panic.
  template <class F>
    requires std::invocable<std::decay_t<F>>
  void go(F&& f) {
    if (limit_) limit_->acquire();
    start(std::forward<F>(f));
  }

  // The same if the limit allows it at once. Never parks. True: started.
  template <class F>
    requires std::invocable<std::decay_t<F>>
  bool try_go(F&& f) {
    if (limit_ && !limit_->try_acquire()) return false;
    start(std::forward<F>(f));
    return true;
  }

  // At most n goroutines run at the same time; negative: any number; 0: none. Not while some run: panic
  // "errgroup: modify limit while N goroutines in the group are still active".
  void set_limit(std::ptrdiff_t n) {
    if (const std::size_t active = active_.load(std::memory_order_acquire); active != 0)  // GROUP-ACTIVE
      detail::throw_panic(("errgroup: modify limit while " + std::to_string(active) +
                           " goroutines in the group are still active").c_str());
    if (n < 0)
      limit_.reset();
    else
      limit_.emplace(n);
  }

  // Parks until all have ended. Then the first error, none if there was none; rethrows it if it was an exception.
  std::error_code wait() {
    group_.wait();
    scope_.cancel(error_);
#if ROVE_EXCEPTIONS
    if (exception_) std::rethrow_exception(exception_);
#endif
    return error_;
  }

 private:
  // One that runs: counted, and a part of the limit.
  struct member {
    error_group* group;
    explicit member(error_group* g) : group(g) { g->active_.fetch_add(1, std::memory_order_relaxed); }  // relaxed: a number
    member(member&& other) noexcept : group(std::exchange(other.group, nullptr)) {}
    ~member() {
      if (!group) return;
      if (group->limit_) group->limit_->release();
      group->active_.fetch_sub(1, std::memory_order_release);                       // GROUP-ACTIVE
    }
  };

  template <class F>
  void start(F&& f) {
    member m(this);
    group_.go([m = std::move(m), call = std::decay_t<F>(std::forward<F>(f))]() mutable {
      m.group->run(std::move(call));
    });
  }

  template <class F>
  void run(F&& f) {
#if ROVE_EXCEPTIONS
    try {
      call(std::forward<F>(f));
    } catch (...) {
      if (detail::current_is_ending()) throw;
      if (!is_first()) return;
      exception_ = std::current_exception();
      scope_.cancel();
    }
#else
    call(std::forward<F>(f));
#endif
  }
  template <class F>
  void call(F&& f) {
    if constexpr (std::is_void_v<std::invoke_result_t<F>>) {
      std::forward<F>(f)();
    } else {
      const std::error_code e = std::forward<F>(f)();
      if (!e || !is_first()) return;
      error_ = e;
      scope_.cancel(e);
    }
  }
  bool is_first() { return !failed_.exchange(true, std::memory_order_relaxed); }  // relaxed: the wait_group orders the rest

  cancelable_cause scope_;
  wait_group group_;
  std::optional<semaphore> limit_;
  std::atomic<std::size_t> active_{0};
  std::atomic<bool> failed_{false};
  std::error_code error_;
#if ROVE_EXCEPTIONS
  std::exception_ptr exception_;
#endif
};

}  // namespace rove
