// Hooks for a host that wants to know of the library's threads and of its memory: one of each for the whole process, to
// be set before the first runtime is made. (What belongs to one runtime alone is in rove::config: on_thread_start,
// on_work, on_fatal.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rove {

// What a thread of the library is for.
enum class thread_kind : std::uint8_t {
  worker,    // runs goroutines
  monitor,   // a runtime's system monitor: wakes up now and then, sleeps while the runtime does
  timers,    // serves the timers that plain threads set
  service,   // looks up names, hands out signals, writes a report
};

// What a thread_hook is told.
struct thread_info {
  thread_kind kind;           // what it is for
  bool starts;                // false: it is about to end
  unsigned index;             // among those of its kind and runtime, from 0, never used twice; else 0
  std::uint32_t runtime;      // runtime::number() of its runtime; 0: the whole process's
  std::string_view name;      // what the system's tools show
};

// Called on each thread of the library itself, when it starts and before it ends: for its priority, its affinity, its
// name, and a profiler's books. A host's own threads (in `run`, `poll`) are not among them. No goroutine runs there
// meanwhile; it may block, must not call rove, and must not throw. Threads of the kinds `timers` and `service` may
// still run when the process ends.
using thread_hook = void (*)(void* data, const thread_info& info);
void set_thread_hook(thread_hook hook, void* data);        // null: none

// What a mapping of the library is for.
enum class memory_kind : std::uint8_t {
  stacks,        // address space for goroutines' stacks, in slabs; what is touched of it becomes memory
  goroutines,    // address space for their records
  signal_stacks, // one for each thread that runs goroutines
};

// Told of each mapping before it is made (bytes > 0; false refuses it) and after it was given back (bytes < 0; the
// result is ignored). A refusal for stacks or goroutines makes `go` and `spawn` throw std::bad_alloc; smaller pieces
// are asked for first. Mappings for stacks and goroutines are never given back, but used again; the pages in them are
// (runtime::stats().stack_resident tells how many there are). On any thread and stack, with locks of the library held:
// it must not call rove, nor throw. Everything else the library takes from operator new, which a program may replace.
using memory_hook = bool (*)(void* data, memory_kind kind, std::ptrdiff_t bytes);
void set_memory_hook(memory_hook hook, void* data);        // null: none

}  // namespace rove
