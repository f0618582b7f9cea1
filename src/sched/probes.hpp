// The scheduler's probes (src/base/usdt.hpp), in a library built with -Dusdt=true; else there are none and nothing of
// them. docs/INSPECTING.md tells their users what the arguments are.
#pragma once

#include <cstddef>
#include <cstdint>

#include "src/base/usdt.hpp"
#include "src/sched/goroutine.hpp"

namespace rove::sched {

// It was started by `go` and is about to be queued: id, the pc of the `go`, what it runs. By whoever started it.
ROVE_ALWAYS_INLINE void probe_create([[maybe_unused]] const goroutine* g) {
  ROVE_PROBE("goroutine__create", "8@%0 8@%1 8@%2", "o"(base::word_of(g->id)), "o"(base::word_of(g->started_at)),
             "o"(g->body));
}

// It runs for the first time: id, what it runs. On its own stack, as the next one.
ROVE_ALWAYS_INLINE void probe_start([[maybe_unused]] const goroutine* g) {
  ROVE_PROBE("goroutine__start", "8@%0 8@%1", "o"(base::word_of(g->id)), "o"(g->body));
}

// Its function returned, or it was ended: id.
ROVE_ALWAYS_INLINE void probe_end([[maybe_unused]] const goroutine* g) {
  ROVE_PROBE("goroutine__end", "8@%0", "o"(base::word_of(g->id)));
}

// A thread goes from one stack to another: both ids; 0: the thread's own, which looks for work.
ROVE_ALWAYS_INLINE void probe_switch([[maybe_unused]] const goroutine* from, [[maybe_unused]] const goroutine* to) {
  ROVE_PROBE("goroutine__switch", "8@%0 8@%1", "o"(base::word_of(from->id)), "o"(base::word_of(to->id)));
}

// It is about to leave its stack until it is woken: id, the number of its wait_reason.
ROVE_ALWAYS_INLINE void probe_park([[maybe_unused]] const goroutine* g) {
  static_assert(sizeof g->reason == 1);
  ROVE_PROBE("goroutine__park", "8@%0 1@%1", "o"(base::word_of(g->id)), "o"(g->reason));
}

// It was woken, before it is queued: id, who did it. Null: a plain thread, a timer, a descriptor.
ROVE_ALWAYS_INLINE void probe_ready([[maybe_unused]] const goroutine* waker, [[maybe_unused]] const goroutine* g) {
  [[maybe_unused]] const std::uint64_t by = base::probes && waker ? base::word_of(waker->id) : 0;
  ROVE_PROBE("goroutine__ready", "8@%0 8@%1", "o"(base::word_of(g->id)), "nr"(by));
}

// Goroutines were taken from another processor's queue: the numbers of thief and victim, how many.
ROVE_ALWAYS_INLINE void probe_steal([[maybe_unused]] const unsigned& thief, [[maybe_unused]] const unsigned& victim,
                                    [[maybe_unused]] std::uint64_t count) {
  static_assert(sizeof thief == 4);
  ROVE_PROBE("goroutine__steal", "4@%0 4@%1 8@%2", "o"(thief), "o"(victim), "nr"(count));
}

// It is in `blocking`, and back again with a processor: id.
ROVE_ALWAYS_INLINE void probe_enter_blocking([[maybe_unused]] const goroutine* g) {
  ROVE_PROBE("blocking__enter", "8@%0", "o"(base::word_of(g->id)));
}
ROVE_ALWAYS_INLINE void probe_leave_blocking([[maybe_unused]] const goroutine* g) {
  ROVE_PROBE("blocking__leave", "8@%0", "o"(base::word_of(g->id)));
}

}  // namespace rove::sched
