// Waiting for many descriptors at once: the poller's porting contract. One folder (src/os/<system>) implements it.
//
// The poller knows tokens, not who waits. It tells edges: each time a descriptor becomes readable or writable its token
// comes out once, and again only after more has happened to it. What is ready when a descriptor is added counts as an
// edge. A descriptor that is closed leaves the poller by itself, but an event of it may be under way.
#pragma once

#include <cstddef>
#include <cstdint>

#include "src/os/os.hpp"

namespace rove::os {

struct poll_event {
  std::uint64_t token;
  bool readable, writable;           // in doubt both: an error is found by trying
  bool odd;                          // besides data there is an end, an error or an urgent byte
};

class poller {
 public:
  static constexpr std::size_t most_events = 128;   // of one call

  poller() = default;
  ~poller();
  poller(const poller&) = delete;
  poller& operator=(const poller&) = delete;

  int open();                                       // 0 or -errno; once, before all else
  // Both directions with one call. -EPERM: a descriptor that is always ready, such as a file's. -EEXIST: it is there.
  int add(int descriptor, std::uint64_t token);
  int arm(int descriptor, std::uint64_t token);     // again: what is ready now is an edge
  int remove(int descriptor);

  // What is ready, at most `most_events`; how many. Never blocks. Any number of threads may look.
  std::size_t look(poll_event* events);
  // The same, but blocks until something is ready, `until` has come, or break_wait was called. One thread at a time.
  std::size_t wait(poll_event* events, nanoseconds until);
  void break_wait();                                // the wait under way ends, or the next one; any thread

 private:
  std::size_t take(poll_event* events, nanoseconds until, bool& broken);

  int queue_ = -1;
  int breaker_ = -1;
};

}  // namespace rove::os
