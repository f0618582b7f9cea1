// What a trace keeps in memory, and how it is made a file.
#pragma once

#include <cstdint>
#include <cstdio>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "src/os/lock.hpp"
#include "src/os/os.hpp"
#include "src/sched/trace.hpp"

namespace rove::sched {

struct trace_event {
  os::nanoseconds begin = 0, end = 0;    // the same, except for a slice
  std::uint64_t id = 0;                  // the goroutine; what an instant counts
  std::uint64_t flow = 0;                // the arrow that ends at a slice's begin, or starts here; 0: none
  const void* function = nullptr;        // what the goroutine started with
  std::uint32_t name = 0;                // number of its name; 0: it has none
  trace_kind kind{};
  goroutine_state left_as{};             // how a slice ended: leaving and why; syscall; dead; running: a yield
  wait_reason reason{};
  bool in_slice = false;                 // a wake-up came from a goroutine, not from the machine's loop
};

// Where the holder of a processor, or a plain thread, takes its notes.
struct trace_track : trace_track_base {
  os::lock lock{os::rank::trace};
  unsigned runtime = 0;                  // 0: plain threads
  std::uint64_t number = 0;              // the processor's, the thread's
  bool on = false;                       // under the lock, as all that follows
  std::deque<trace_event> events;
  trace_event open;                      // the slice under way; id 0: none
  std::uint64_t lost = 0;
};

// A copy of a track's events, and the names of goroutines by their numbers.
struct trace_copy {
  struct part {
    unsigned runtime;
    std::uint64_t number;
    std::vector<trace_event> events;
  };
  std::vector<part> parts;
  std::vector<std::string> names;
  os::nanoseconds start = 0;
  std::uint64_t lost = 0;
};

// Writes it all; 0 or a negative errno. Wants a roomy stack.
int write_trace(const trace_copy& all, std::FILE* file);

}  // namespace rove::sched
