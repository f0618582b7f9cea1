// Where the scheduler tells a trace what happens. Nothing is linked but one pointer unless the program uses
// rove/trace.hpp.
#pragma once

#include <atomic>
#include <cstdint>

#include "src/sched/goroutine.hpp"

namespace rove::sched {

struct machine;

enum class trace_kind : std::uint8_t { slice, wake, start, steal, syscall, poll };

// Where a processor's holder takes its notes, or a host's thread; the rest of it is known to the trace alone. Never
// freed.
struct trace_track_base {
  std::atomic<bool> retired{false};                 // TRACK-RETIRED: the processor or the host is gone
};

// Does its switch away from its stack end it? For who sees it between the switch and the commit. birth.cpp
bool dies(const goroutine* g);

// What a trace does with it. Called in the middle of the scheduler: locks nothing but its own, allocates, never parks.
struct trace_sink {
  void (*enter)(machine* m, goroutine* g);          // g goes on, on m's processor or on its host
  void (*leave)(machine* m, const goroutine* g);    // ... was left, its commit is still to come; null: keeps its thread
  void (*wake)(machine* m, goroutine* g, trace_kind kind);  // before g is queued; m null: a plain thread
  void (*instant)(machine* m, trace_kind kind, std::uint64_t number);
};

#if defined(ROVE_TRACE)
// TRACE-SINK pairs: release when a trace begins (trace.cpp), acquire by who tells it something.
extern std::atomic<const trace_sink*> tracing;
inline const trace_sink* traces() { return tracing.load(std::memory_order_acquire); }  // TRACE-SINK
#else
inline constexpr const trace_sink* traces() { return nullptr; }
#endif

// All on the machine's own thread, on paths that are not taken all the time.
inline void trace_enter(machine* m, goroutine* g) {
  if (const trace_sink* const t = traces()) [[unlikely]] t->enter(m, g);
}
void trace_leave(machine* m, const goroutine* g);
inline void trace_wake(machine* m, goroutine* g, trace_kind kind = trace_kind::wake) {
  if (const trace_sink* const t = traces()) [[unlikely]] t->wake(m, g, kind);
}
inline void trace_instant(machine* m, trace_kind kind, std::uint64_t number) {
  if (const trace_sink* const t = traces()) [[unlikely]] t->instant(m, kind, number);
}

}  // namespace rove::sched
