// Descriptors of goroutines: dense, never unmapped, so that all can be listed at any time.
//
// A goroutine has a descriptor from its birth and a stack only from its first dispatch: a batch of ten thousand short
// goroutines then runs on one hot stack, and starting one touches four cache lines that lie in a row.
#pragma once

#include <cstddef>

#include "src/base/chain.hpp"
#include "src/sched/goroutine.hpp"

namespace rove::sched {

// Takes up to `count` dead ones, the most recently given back first. Empty: the system refuses memory. Any thread.
base::chain<goroutine> take_descriptors(std::size_t count);
void give_descriptors(base::chain<goroutine> chain);

// Calls visit(argument, g) for every descriptor ever made, dead ones too. Takes no lock.
void for_each_goroutine(void (*visit)(void* argument, goroutine* g), void* argument);

}  // namespace rove::sched
