// Asymmetric fences: the rare side makes every thread of the process pass a barrier, the frequent one pays nothing.
//
// Problem. "I store mine, then load yours" on both sides needs a full barrier on both. One side runs all the time.
//
// Invariant. For each pair of a light and a heavy fence: either the light one is a real barrier, or the heavy one makes
// the light one's thread pass a real barrier, or the heavy one's stores were visible before the light one began.
//
// Steps. init_barriers: 1 register the process.  2 `registered` = true: heavy fences use the system call from here on.
//                       3 a barrier in every thread.  4 base::asymmetric_fences = true: light fences cost nothing.
//        heavy fence:   1 a real fence.  2 if `registered`, a barrier in every thread.
// Until step 4 every light fence is real, so the library works before init_barriers, and for ever where the system has
// no membarrier(2). A heavy fence that saw `registered` false has its stores out before step 2, hence before step 3; a
// light fence that saw step 4 comes after its thread passed step 3. The flags never go back: a thread that saw true may
// be between its store and its load. A child of fork() inherits the registration with the address space.
//
// Pairs. BARRIER-REGISTERED: the store of step 2 with the fence and the load of every heavy fence.
#include <errno.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "src/base/atomic.hpp"
#include "src/base/check.hpp"
#include "src/os/os.hpp"

namespace rove {
namespace {

constinit std::atomic<bool> registered{false};

bool barrier_everywhere() {
  long result;
  do {
    result = syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
  } while (result != 0 && (errno == ENOMEM || errno == EINTR));  // no memory for its CPU mask: a passing state
  std::atomic_signal_fence(std::memory_order_seq_cst);  // the call is a barrier for this CPU, this for the compiler
  return result == 0;
}

}  // namespace

namespace base {

constinit std::atomic<bool> asymmetric_fences{false};

void heavy_fence_slow() {
  real_atomics::full_fence();                      // BARRIER-REGISTERED
  if (registered.load(std::memory_order_relaxed))  // BARRIER-REGISTERED
    ROVE_CHECK(barrier_everywhere());
}

}  // namespace base

namespace os {

void init_barriers() {
  if (registered.load(std::memory_order_acquire)) return;                                      // BARRIER-REGISTERED
  if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) != 0) return;  // ENOSYS, EPERM
  if (!barrier_everywhere()) return;  // a sandbox may let the registration pass and refuse the barrier itself
  registered.store(true, std::memory_order_seq_cst);                                           // BARRIER-REGISTERED
  if (!barrier_everywhere()) return;
  base::asymmetric_fences.store(true, std::memory_order_relaxed);  // relaxed: step 3 put a barrier before it
}

}  // namespace os
}  // namespace rove
