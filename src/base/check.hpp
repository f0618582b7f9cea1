// What happens when something is wrong: misuse, a fault of the world that leaves no way on, a fault of ours.
#pragma once

#include <string_view>

namespace rove::base {

// A fatal error as in Go: the report on stderr (after config.on_fatal saw it), status 2, no destructor runs.
// `message` without the "fatal error: ". May be called from any thread, with any lock held. src/debug/fatal.cpp
[[noreturn]] void fatal(std::string_view message);

// The same on a plain thread, about an object: a last line tells `object` ("channel made by ") and where that was, by
// the return address of what made it. Only in a build with debug_checks. src/debug/object_report.cpp
[[noreturn]] void fatal(std::string_view message, std::string_view object, const void* made_at);

// Like fatal, from a signal handler: no allocation, no lock, no backtrace of others.
[[noreturn]] void fatal_in_signal(std::string_view message);

// Our own bug: cheap enough to stay in a release build.
#define ROVE_CHECK(condition)                                        \
  do {                                                               \
    if (!(condition)) [[unlikely]]                                   \
      ::rove::base::fatal("rove: internal check failed: " #condition); \
  } while (false)

}  // namespace rove::base
