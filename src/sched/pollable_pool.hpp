// The records of descriptors: made in chunks, used again, never unmapped, so that a token that comes late finds a record.
#pragma once

#include <cstdint>

#include "src/sched/netpoll.hpp"

namespace rove::sched {

class pollable_pool {
 public:
  static pollable* take();                      // null: no memory
  static void give_back(pollable* p);           // nobody uses it any more
  static pollable* at(std::uint32_t index);     // of a token that the pool's records have made
  // The poller is gone: whoever waits by it looks again.
  static void forget_poller(const netpoller* poller);

 private:
  static bool grow_locked();
};

}  // namespace rove::sched
