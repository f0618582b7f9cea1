// The machine: an OS thread that can run goroutines, and the one accessor of the thread-local that names it.
#pragma once

#include <atomic>
#include <cstdint>

#include "src/base/random.hpp"
#include "src/os/os.hpp"
#include "src/sched/goroutine.hpp"
#include "src/sched/probes.hpp"
#include "src/sched/processor.hpp"

namespace rove::sched {

// The two words that the C++ runtime keeps for a thread and that belong to the goroutine (Itanium ABI, 2.2.2).
struct exception_words {
  void* caught;
  unsigned uncaught;
};

struct trace_track_base;                 // trace.hpp

struct machine {
  // ---- its own thread's
  goroutine* g = nullptr;                // what it runs; &g0 on its own stack
  processor* p = nullptr;                // null inside `blocking` and while idle
  exception_words* exceptions = nullptr; // __cxa_get_globals() of this thread
  int* error_number = nullptr;           // &errno of this thread
  scheduler* home = nullptr;
  std::atomic<std::uint32_t> quick{0};   // see quick_number
  processor* previous = nullptr;         // held before `blocking`, to be had back if free
  bool spinning = false;
  bool on_background = false;            // runs a goroutine of the background, and is counted for it
  trace_track_base* slice = nullptr;          // where what it runs is noted, while the runtime is traced
  goroutine g0;                          // the thread's own stack
  goroutine* last_left = nullptr;        // who ran before the loop came back
  os::nanoseconds theft_at = 0;          // when it last took work of others, and how much; judged when it is done
  std::size_t theft_items = 0;
  bool saw_busy = false;                 // others have work that is not worth taking
  base::random random{reinterpret_cast<std::uintptr_t>(this)};
  const std::atomic<std::uint32_t>* until = nullptr;  // a lent thread goes home when this is not 0
  os::nanoseconds poll_until = 0;        // one that polls goes home then, or when there is nothing to do; 0: does not poll

  // ---- under the scheduler's lock
  machine* next = nullptr;               // in the list of all
  machine* next_idle = nullptr;
  bool idle = false;
  bool polling = false;                  // it sleeps in the poller, not on its note
  processor* granted = nullptr;          // what it wakes up with
  bool granted_background = false;       // ... and then runs one of the background, which is counted already
  goroutine* wired = nullptr;            // the goroutine that runs only here
  os::thread_handle thread;
  bool lent = false;                     // a host's thread, in `run`

  alignas(64) std::atomic<std::uint32_t> note{0};  // 1: woken. NOTE pairs: release by the waker, acquire by the sleeper

  // The number of `home`, whose goroutines it starts and wakes by the short way; 0 while that runtime is traced: then by
  // the long way, which takes notes. So a trace costs nothing where there is none.
  std::uint32_t quick_number() const { return quick.load(std::memory_order_relaxed); }  // relaxed: either way is right

  static constexpr unsigned max_victims = 64;              // looked at in one hunt
  static constexpr os::nanoseconds patience = 20'000;      // a hunt's length, some four wake-ups of a thread

  // The books of a switch, on the thread that makes it: what belongs to a goroutine rather than to its thread changes
  // hands. Between this and the switch nothing may throw or look at errno.
  detail::departure leave(goroutine* from, goroutine* to) {
    from->caught = exceptions->caught;
    from->uncaught = exceptions->uncaught;
    from->saved_errno = *error_number;
    exceptions->caught = to->caught;
    exceptions->uncaught = to->uncaught;
    *error_number = to->saved_errno;
    to->m = this;
    g = to;
    probe_switch(from, to);
    return {from, to};
  }
};

}  // namespace rove::sched

extern "C" {
#if defined(__clang__)
extern constinit thread_local rove::sched::machine* rove_this_machine __attribute__((tls_model("initial-exec"), visibility("hidden")));
#else
extern __thread rove::sched::machine* rove_this_machine __attribute__((tls_model("initial-exec"), visibility("hidden")));
#endif
}

namespace rove::sched {

// Null on a thread that runs no goroutines. The value is right until the next switch; a compiler would keep the
// variable's address over a switch and read another thread's afterwards, hence the volatile load (docs/HACKING.md).
[[gnu::always_inline]] inline machine* this_machine() {
  machine* m;
#if defined(__x86_64__)
  asm volatile("movq rove_this_machine@gottpoff(%%rip), %0\n\tmovq %%fs:(%0), %0" : "=r"(m));
#elif defined(__aarch64__)
  std::uintptr_t offset;
  asm volatile(
      "mrs %0, tpidr_el0\n\t"
      "adrp %1, :gottprel:rove_this_machine\n\t"
      "ldr %1, [%1, :gottprel_lo12:rove_this_machine]\n\t"
      "ldr %0, [%0, %1]"
      : "=&r"(m), "=&r"(offset));
#endif
  return m;
}

// The goroutine that runs here; null on a plain thread and on a machine's own stack.
inline goroutine* current() {
  machine* const m = this_machine();
  return m && m->g != &m->g0 ? m->g : nullptr;
}

}  // namespace rove::sched
