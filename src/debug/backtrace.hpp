// The calls that are under way on a stack: on the running one, on a parked goroutine's.
#pragma once

#include <rove/detail/switch.hpp>

#include <cstddef>

namespace rove::debug {

// A report shows so many frames of a goroutine; one more is captured, to know whether there were more.
inline constexpr std::size_t max_frames = 100;
inline constexpr std::size_t capture_limit = max_frames + 1;

// Return addresses of the running stack, innermost first; skip = 0 begins with the caller. Does not allocate; works on
// a signal handler's stack too. Returns how many.
std::size_t capture(void** pcs, std::size_t max, std::size_t skip = 0);

// The same of a stack that was left by a switch (or of a fresh one). The caller sees to it that it stays parked.
std::size_t capture_parked(const detail::context& parked, void** pcs, std::size_t max);

}  // namespace rove::debug
