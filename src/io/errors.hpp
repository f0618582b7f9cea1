// The library's own numbers for errors, as the codes that callers see.
#pragma once

#include <rove/error.hpp>

#include <cstdint>

#include "src/sched/netpoll.hpp"

namespace rove::io {

// 0, -errno, or what a `pollable` says.
inline std::error_code error_of(std::int64_t result) {
  if (result >= 0) return {};
  if (result == sched::io_closed) return errc::closed;
  if (result == sched::io_timed_out) return errc::deadline_exceeded;
  return {static_cast<int>(-result), std::system_category()};
}

}  // namespace rove::io
