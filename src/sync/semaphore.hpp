// Who waits for a semaphore.
#pragma once

#include <cstddef>

#include "src/sync/parking.hpp"

namespace rove::sync {

struct semaphore_waiter : detail::early_waiter {
  std::ptrdiff_t wanted = 0;
};

}  // namespace rove::sync
