// Slabs: large pieces of reserved address space that hold stacks of one size and their descriptors.
//
//   slab:  | header, descriptor 0, 1, 2 ... | slot 0 | slot 1 | ...        slot:  | guard page | stack ...  <- top |
//
// A slot is as large as its size class and one page more. The page more is the guard, so that the stack has the size
// that was asked for; and it makes the distance of two stacks an odd number of pages: at a distance of a power of two
// their pages would compete for a few sets of the TLB (a chase through the tops of 100 stacks took twice as long).
// The stack's end is coloured: shifted down by (slot mod 16) x 192 bytes, for the same reason in the L1 cache.
//
// Problem. A signal handler and the dump of all goroutines walk the slabs while other threads add some.
// Invariant. What table[i] points to for i < count, and each slot below its slab's `carved`, is complete and stays so
// for ever: slabs are never unmapped.
// Steps. Grow: fill in the header; table[count] = slab; count + 1 (SLAB-PUBLISH), under a lock.
//        Carve: fill in the descriptor and the guard; carved + n (SLOT-PUBLISH), under the lock of the slab's pool.
//        Walk: load count, for each slab load carved; no lock.
// Pairs. SLAB-PUBLISH: release store of count, acquire load by walkers: they see the header.
//        SLOT-PUBLISH: release store of carved, acquire load by walkers: they see the descriptors.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "src/arch/stack.hpp"

namespace rove::arch {

struct alignas(64) slab {
  char* slots;               // the first slot's guard page
  std::size_t slot_bytes;
  std::size_t bytes;         // of the whole mapping
  std::uint32_t slot_count;
  std::uint8_t size_class;
  std::uint32_t stack_offset;  // of the stack part in a descriptor; set with the first slot
  slab* next_to_carve = nullptr;  // under the lock of the slab's pool
  std::atomic<std::uint32_t> carved{0};  // slots made so far, the first ones

  char* slot(std::uint32_t i) const { return slots + i * slot_bytes; }
  stack* descriptor(std::uint32_t i) const;
  std::uint32_t uncarved() const;  // for the pool that carves
};

inline constexpr std::size_t colours = 16;
inline constexpr std::size_t colour_step = 192;

bool init_slabs(descriptor_type type);  // false: was done before

// A new slab with `slots` slots, or fewer if the system refuses so many; null if it refuses one. Any thread.
slab* make_slab(std::uint8_t size_class, std::uint32_t slots);

// Makes the next `count` stacks of the slab, which has as many left; links them in order, the last one to null.
// Under the lock of the slab's pool.
stack* carve_slab(slab* s, std::uint32_t count);

// The slabs made so far, for walkers. Any thread, signal handlers too.
std::uint32_t slab_count();
slab* slab_at(std::uint32_t i);

}  // namespace rove::arch
