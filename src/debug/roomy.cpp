// Which stack there is room on. A thread rather than a switch to a spare stack: unwinders, sanitizers and thread-locals
// need not be told of it, and it costs some 30 us where nobody counts them.
#include "src/debug/roomy.hpp"

#include "src/arch/stack.hpp"
#include "src/os/os.hpp"

namespace rove::debug {

void with_room(void (*work)(void*), void* argument) {
  const bool on_goroutine = arch::find_stack(__builtin_frame_address(0)) != nullptr;
  os::thread_handle thread;
  if (on_goroutine && os::start_thread(thread, "rove-report", work, argument) == 0) return os::join_thread(thread);
  work(argument);
}

}  // namespace rove::debug
