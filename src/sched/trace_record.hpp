// What a trace keeps in memory, and how it is made a file.
#pragma once

#include <cstdint>
#include <cstdio>
#include <deque>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "src/os/lock.hpp"
#include "src/os/os.hpp"
#include "src/sched/trace.hpp"

namespace rove::sched {

// What a goroutine did at the end of its slice; `open`: it still ran when the trace was copied.
enum class slice_end : std::uint8_t { open, yield, park, blocking, move, death };

struct trace_event {
  os::nanoseconds begin = 0, end = 0;    // the same, except for a slice
  std::uint64_t id = 0;                  // the goroutine; what an instant counts
  std::uint64_t flow = 0;                // the arrow that ends at a slice's begin, or starts here; 0: none
  const void* function = nullptr;        // what the goroutine started with
  std::uint32_t name = 0;                // number of its name; 0: it has none
  trace_kind kind{};
  slice_end left_to{};
  wait_reason reason{};                  // of a park
  bool in_slice = false;                 // a wake-up came from a goroutine, not from the machine's loop
};

// Whose track it is.
struct trace_place {
  static constexpr std::uint64_t first_host = 5000;  // more than processors have numbers

  unsigned runtime = 0;                  // 0: plain threads
  std::uint64_t number = 0;              // the processor's; the thread's; a host's, from first_host on
  std::string name;                      // "P0", "host main", "thread 4711"
};

// Where the holder of a processor takes its notes, the thread of a host, or a plain one.
struct trace_track : trace_track_base {
  os::lock lock{os::rank::trace};
  trace_place place;
  std::thread::id host_thread;           // a host's: who is meant by its name
  bool on = false;                       // under the lock, as all that follows
  std::deque<trace_event> events;
  trace_event open;                      // the slice under way; id 0: none
  std::uint64_t lost = 0;
};

// A copy of a track's events, and the names of goroutines by their numbers.
struct trace_copy {
  struct part {
    trace_place place;
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
