// Work that needs more stack than a goroutine may have.
#pragma once

namespace rove::debug {

// Calls work(argument) where there is room for demanglers and streams, and returns when it is done: in place on a
// thread's own stack; from a goroutine's stack on a thread made for it, or in place if there can be none. Holds up the
// calling thread.
void with_room(void (*work)(void*), void* argument);

}  // namespace rove::debug
