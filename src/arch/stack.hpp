// Stacks for goroutines: reserved address space, guard pages, coloured tops, reuse of the hottest.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rove::arch {

// Where a stack is. These records stand in dense arrays at the front of their slab, away from the stacks, so that a
// stack's pages can be given back while its record stays, and a stack is found by an address without a search.
struct stack {
  stack* next_free = nullptr;      // in the pool's or a processor's list of free ones
  char* low = nullptr;             // lowest usable byte; the guard lies below it
  char* top = nullptr;             // one past the highest usable byte: aligned to 64, coloured
  std::uint8_t size_class = 0;
  bool trimmed = true;             // when it was taken, its pages were untouched or given back; false once it is given
};

inline constexpr std::size_t smallest_stack = 16 * 1024;
inline constexpr std::size_t largest_stack = std::size_t{1} << 30;

// How the owner of descriptors has them made: `construct` is called once for each slot, with memory of
// `descriptor_size` bytes (a multiple of alignof(stack), and so aligned), and returns the stack part inside. It is
// never destroyed.
struct descriptor_type {
  std::size_t descriptor_size;
  stack* (*construct)(void* memory);
};
// Before the first take, by one thread at a time; again, with the same type: nothing happens.
void init_stacks(descriptor_type type);

// Rounds up to a power of two from smallest_stack to largest_stack (the guard page comes on top of it); 0 means the
// build's default (ROVE_STACK_SIZE).
std::uint8_t size_class_for(std::size_t bytes);
std::size_t size_of_class(std::uint8_t size_class);

// Promises that `count` more stacks of the class can be taken, reserving address space for them now; false: the system
// refuses it. Who starts a goroutine learns that early, and not when the goroutine runs for the first time. Promises
// cover stacks that are taken and those that a taker keeps free for itself. Any thread.
bool promise_stacks(std::uint8_t size_class, std::size_t count);
void return_promises(std::uint8_t size_class, std::size_t count);

// Takes up to `count` stacks, the most recently given back first; links them by next_free, the last one to null.
// Returns how many: fewer if fewer are free; new ones are made only if none is (0: the system refuses memory). Any
// thread.
std::size_t take_stacks(std::uint8_t size_class, stack** list, std::size_t count);
// Gives a list (linked by next_free, `last` is its end) of `count` stacks of one class back. Any thread.
void give_stacks(stack* first, stack* last, std::size_t count);

// Gives pages of stacks back to the system that lay unused since the last call: half of them, but of each size at most
// `most`. Returns how many stacks it trimmed. A trimmed stack is the last to be taken again. Not on any hot path; any
// thread, but it slows down all of them: each call to the system interrupts the other processors.
std::size_t trim_stacks(std::size_t most = SIZE_MAX);
// Gives back the pages of all free ones but the hottest `keep` of each size; of each size at most `most`.
std::size_t trim_stacks_to(std::size_t keep, std::size_t most = SIZE_MAX);

// Calls visit(argument, s) for every descriptor ever made, in use or not. Lock-free; slabs are never unmapped.
void for_each_stack(void (*visit)(void* argument, stack* s), void* argument);
// The stack whose slot (guard included) holds this address, or null. Safe in a signal handler.
stack* find_stack(const void* address);
bool in_guard(const stack* s, const void* address);

struct stack_statistics {
  std::size_t reserved;     // bytes of address space in slabs
  std::size_t resident;     // bytes of it in memory, descriptors included (slow)
  std::size_t slots;        // carved so far
  std::size_t unguarded;    // of them without a guard of their own (see docs/HACKING.md: guards)
};
stack_statistics stack_stats();

}  // namespace rove::arch
