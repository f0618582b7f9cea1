// A runtime as an object, for a host that owns its threads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include <rove/detail/deadline.hpp>
#include <rove/go.hpp>

namespace rove {

struct config;

namespace detail {

struct for_run {};
void check_run_allowed();         // panics inside a goroutine
void main_begins();               // the running goroutine is main
void main_ends();                 // main returns: the others end
[[noreturn]] void fatal_main_left();           // main ended without a value, and nothing ended it

template <class R>
R value_of_main(std::optional<R>&& value) {
  if (!value) fatal_main_left();
  return std::move(*value);
}

}  // namespace detail

// What runtime::stats() tells. Counts since the runtime's start; a snapshot, not one moment's truth.
struct statistics {
  std::uint64_t goroutines = 0;      // that have not ended
  std::uint64_t running = 0;         // on a processor, or in `blocking`
  std::uint64_t runnable = 0;        // wait for a processor
  std::uint64_t parked = 0;          // wait for something else
  std::uint64_t spawned = 0;         // started ever
  std::uint64_t switches = 0;        // dispatches
  std::uint64_t steals = 0;          // goroutines taken from another processor
  std::uint64_t parks = 0;           // how often one had to wait
  std::uint64_t threads = 0;         // workers that it has now
  std::uint64_t stack_reserved = 0;  // bytes, of all runtimes together
  std::uint64_t stack_resident = 0;  // bytes of them that are memory, likewise
  std::uint64_t stacks_unguarded = 0;  // stacks without a guard page of their own: the system allows no more mappings
  std::uint64_t timers = 0;          // armed
  std::uint64_t polled = 0;          // readiness events taken from the system
};

// Processors, threads and goroutines that belong together. Several can live in one process, and goroutines of two of
// them can meet on one channel. Made and destroyed on a plain thread.
class runtime {
 public:
  // Starts no thread yet: its first goroutine does. Panics "rove: max_procs out of range" (over 1024); a malformed
  // ROVE_MAXPROCS is fatal.
  runtime();
  explicit runtime(const config& c);
  ~runtime();                                    // stop()
  runtime(const runtime&) = delete;
  runtime& operator=(const runtime&) = delete;

  // Start a goroutine here; any thread may. See rove::go and rove::spawn.
  template <class F, class... Args>
    requires std::invocable<std::decay_t<F>, std::decay_t<Args>...>
  void go(F&& f, Args&&... args) {
    detail::start_goroutine(nullptr, home(), std::forward<F>(f), std::forward<Args>(args)...);
  }
  template <class F, class... Args>
    requires std::invocable<std::decay_t<F>, std::decay_t<Args>...>
  void go(const options& o, F&& f, Args&&... args) {
    detail::start_goroutine(&o, home(), std::forward<F>(f), std::forward<Args>(args)...);
  }
  template <class F, class... Args>
    requires std::invocable<std::decay_t<F>, std::decay_t<Args>...>
  [[nodiscard]] auto spawn(F&& f, Args&&... args) {
    return detail::spawn_task(nullptr, home(), std::forward<F>(f), std::forward<Args>(args)...);
  }
  template <class F, class... Args>
    requires std::invocable<std::decay_t<F>, std::decay_t<Args>...>
  [[nodiscard]] auto spawn(const options& o, F&& f, Args&&... args) {
    return detail::spawn_task(&o, home(), std::forward<F>(f), std::forward<Args>(args)...);
  }

  // Runs f in a goroutine and waits for it: gives its result, rethrows what it threw.
  template <class F>
    requires std::invocable<std::decay_t<F>>
  auto run(F&& f) {
    return spawn(std::forward<F>(f)).get();
  }

  // Lends the calling thread as a worker until `budget` is spent, or nothing is runnable; 0: one look. Says whether
  // anything ran. A goroutine is not interrupted: one that computes for longer than the budget is waited for. When all
  // processors are held by other threads it returns at once. On plain threads: panics in a goroutine ("rove: poll
  // called inside a goroutine"). A goroutine that runs here cannot lock_os_thread (a panic): this is the thread's loan,
  // not its own.
  template <class Rep, class Period>
  bool poll(const std::chrono::duration<Rep, Period>& budget) {
    return poll_until(detail::deadline_after(budget));
  }

  // Ends every goroutine as `rove::run` does when main returns, and waits until all are gone. Afterwards `go` destroys
  // what it is given. Panics in one of its own goroutines ("rove: runtime stopped from one of its goroutines").
  void stop();

  // Counts and sizes. Any thread; blocks nothing. Takes some microseconds, and a system call for each slab of stacks.
  statistics stats() const;

  // Of all runtimes of this process, made one after the other, this one's number: from 1, never used twice. Hooks tell
  // it.
  std::uint32_t number() const;

 private:
  template <class F>
    requires std::invocable<F&>
  friend auto run(const config& c, F&& f);
  friend class host;
  runtime(const config& c, detail::for_run);

  template <class F>
  void run_main(F&& f) {
    detail::start_goroutine(nullptr, main_home(), std::forward<F>(f));
    finish_main();
  }
  bool poll_until(std::int64_t when);
  sched::scheduler* home() const;                // starts the runtime at first use
  sched::scheduler* main_home();                 // the next goroutine is main
  void finish_main();                            // lends the calling thread until all goroutines are gone

  std::unique_ptr<sched::scheduler> scheduler_;
};

}  // namespace rove
