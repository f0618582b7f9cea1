// Signals that are caught and told to a thread: a porting contract like os.hpp. Results: 0, or -errno.
#pragma once

#include <cstdint>

#include "src/os/os.hpp"

namespace rove::os {

inline constexpr int most_signals = 64;                 // their numbers are 1 to this
constexpr std::uint64_t signal_bit(int signal) { return std::uint64_t{1} << (signal - 1); }

// From now on the signal is noted, whatever was to happen before; nothing is called and nothing interrupted for long.
// Not for signals that cannot be caught, nor for those by which an instruction fails: -EINVAL. The caller serializes
// the two.
int catch_signal(int signal);
// What was to happen before is to happen again, unless somebody else has changed it meanwhile.
void release_signal(int signal);

// What was noted since the last call, a bit each; many of one kind count once. Waits for handlers that are about to
// note something.
std::uint64_t take_signals();
// Sleeps until there may be something to take, or break_signal_wait was called since `ticket`, which signal_ticket
// gave.
std::uint32_t signal_ticket();
void wait_for_signals(std::uint32_t ticket);
void break_signal_wait();

}  // namespace rove::os
