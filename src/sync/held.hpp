// What is noted about locks beside their own words: who went on without one, and who holds one in a build with checks.
//
// `detail::ending` sends every lock and unlock here: while some runtime ends, and always in a library built with
// debug_checks.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rove::sync {

// A goroutine that its runtime's end unwinds goes on without a lock, or units of a semaphore, if it cannot have them at
// once; that is noted, so that its unlock leaves the true owner alone. The list is empty but for the last moments of a
// runtime, and for who never gives back what it went on without: that note may later cover a release too many of another
// semaphore in the same place.
void pretend(const void* lock, std::ptrdiff_t units = 1);
// How many of so many the running goroutine had gone on without; with `anybody`, another one, too.
std::ptrdiff_t end_pretence(const void* lock, std::ptrdiff_t units = 1, bool anybody = false);

// Only in a library with debug_checks: nothing otherwise. The running goroutine or thread has the lock from here on.
void note_owner(const void* lock);
// It gives it back: fatal if another one has it.
void check_owner(const void* lock);

}  // namespace rove::sync
