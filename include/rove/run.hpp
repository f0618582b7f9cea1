// Running: run, config, yield, blocking, goexit, the number of processors, threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include <rove/detail/config.hpp>
#include <rove/detail/waiter.hpp>
#include <rove/error.hpp>

// What rove has for C++. Where nothing else is said any thread may call anything: in a goroutine a call that has to
// wait parks the goroutine, on a plain thread it blocks the thread.
namespace rove {

// What becomes of the goroutines that are left when a runtime ends.
enum class at_end : std::uint8_t {
  unwind,    // each is resumed and unwound: its destructors run
  abandon,   // its stack is freed as it is: what it owned is leaked, as in Go. Always so without exceptions.
};

// How a runtime is to be.
struct config {
  unsigned max_procs = 0;                  // 0: the CPUs this process may use. ROVE_MAXPROCS overrides it
  std::size_t stack_size = 0;              // bytes of address space a goroutine; 0: as built (256 KiB)
  std::optional<bool> detect_deadlock{};   // unset: by `run` only, while no thread but the library's own exists
  unsigned max_threads = 10'000;           // more is a fatal error
  bool own_threads = true;                 // false: goroutines run in runtime::poll only
  rove::at_end at_end = rove::at_end::unwind;  // what becomes of goroutines that are left
  std::function<void()> on_thread_start{}; // on each thread that the runtime starts
  std::function<void()> on_thread_stop{};  // on each of them, before it ends
  // without own threads: goroutines were started or woken, poll. Not for timers and descriptors, which a poll looks at.
  // On any thread; must not call rove
  std::function<void()> on_work{};
  std::function<void(std::string_view)> on_fatal{};  // sees a fatal report or a panic's first; must not call rove
};

namespace detail {
departure yield_begin();
void enter_blocking();
void exit_blocking() noexcept;
}  // namespace detail

// Lets others run: this goroutine steps behind those that are runnable here. On a plain thread: sched_yield.
ROVE_ALWAYS_INLINE void yield() {
  const detail::departure d = detail::yield_begin();
  if (d.to) detail::depart(d);
}

// Runs f, a call that blocks its thread (a system call, foreign code), while the processor goes on with other
// goroutines. Everything may be called inside; nests. On a plain thread it just calls f. Gives what f gives.
template <class F>
decltype(auto) blocking(F&& f) {
  struct section {
    section() { detail::enter_blocking(); }
    ~section() { detail::exit_blocking(); }
  } s;
  return std::invoke(std::forward<F>(f));
}

// Ends this goroutine: destructors run, and may park. In the main goroutine the others go on. Panics on a plain thread.
[[noreturn]] void goexit();

// How many goroutines of this runtime run at the same time. On a plain thread: what a new runtime would get.
unsigned max_procs();
// Sets it (1 to 1024, else a panic) and gives the old value. Panics on a plain thread ("rove: no runtime on this
// thread").
unsigned set_max_procs(unsigned n);
// Goroutines of this runtime that have not ended; 0 on a plain thread.
std::size_t num_goroutines();

// From here on this goroutine runs on the thread it is on, and nothing else does. Nests; may end locked. Panics on a
// thread that is only lent by runtime::poll ("rove: lock_os_thread on a thread that polls").
void lock_os_thread();
void unlock_os_thread();

}  // namespace rove

#include <rove/go.hpp>
#include <rove/runtime.hpp>

namespace rove {

// Starts a runtime, runs f as its main goroutine, and when f returns ends all others: each parked one is unwound, each
// running one at its next call that can park or yield. Returns f's value (0 for void) when all are gone. The calling
// thread works for the runtime meanwhile. May be called again; inside a goroutine it panics ("rove: run called inside a
// goroutine"). An exception that leaves f is a panic of the program.
template <class F>
  requires std::invocable<F&>
auto run(const config& c, F&& f) {
  using result = std::invoke_result_t<F&>;
  detail::check_run_allowed();
  runtime rt(c, detail::for_run{});
  if constexpr (std::is_void_v<result>) {
    rt.run_main([&f] {
      detail::main_begins();
      f();
      detail::main_ends();
    });
    return 0;
  } else {
    std::optional<result> value;
    rt.run_main([&f, &value] {
      detail::main_begins();
      value.emplace(f());
      detail::main_ends();
    });
    return detail::value_of_main(std::move(value));
  }
}

// The same in a runtime as it is by default.
template <class F>
  requires std::invocable<F&>
auto run(F&& f) {
  return run(config{}, std::forward<F>(f));
}

}  // namespace rove
