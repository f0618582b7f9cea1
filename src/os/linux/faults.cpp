// Memory faults: one handler for the process that asks the library first and then whoever was there before.
//
// The handler runs on an alternate stack, since the fault it is for is that of a stack that is full. It is installed
// once and never taken away: a host may have put its own on top and remember ours as the one to call.
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

#include "src/os/os.hpp"

namespace rove::os {
namespace {

constexpr int fault_signals[] = {SIGSEGV, SIGBUS};

// Written before the handler of their signal exists.
struct sigaction former[std::size(fault_signals)];
void (*inspect_fault)(const void* address);
constinit std::atomic_flag installed;

// The default action of a fault is the process's end, which has to happen at the faulting instruction, so that the core
// file shows it: put the default back and return, the instruction faults again. What somebody sent (kill, raise) would
// not come again by itself.
void default_action(int signal, const siginfo_t* info) {
  struct sigaction standard = {};
  standard.sa_handler = SIG_DFL;
  sigaction(signal, &standard, nullptr);
  if (info->si_code <= 0) syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), signal);  // pending until we return
}

void call_former(int signal, siginfo_t* info, void* context, const struct sigaction& old) {
  // As the kernel would have called it: under its own mask, with the signal let through if it wanted so. The mask of
  // the interrupted code comes back when we return.
  pthread_sigmask(SIG_BLOCK, &old.sa_mask, nullptr);
  if ((old.sa_flags & SA_NODEFER) != 0) {
    sigset_t through;
    sigemptyset(&through);
    sigaddset(&through, signal);
    pthread_sigmask(SIG_UNBLOCK, &through, nullptr);
  }
  if ((old.sa_flags & SA_SIGINFO) != 0)
    old.sa_sigaction(signal, info, context);
  else
    old.sa_handler(signal);
}

void on_fault(int signal, siginfo_t* info, void* context) {
  int error = errno;
  bool real = info->si_code > 0;  // by the kernel, for an instruction: only then the address means something
  if (real) inspect_fault(info->si_addr);

  const struct sigaction& old = former[signal == SIGSEGV ? 0 : 1];
  bool plain = (old.sa_flags & SA_SIGINFO) == 0;
  if (plain && old.sa_handler == SIG_DFL) {
    default_action(signal, info);
  } else if (plain && old.sa_handler == SIG_IGN) {
    if (real) default_action(signal, info);  // as the kernel does: a fault cannot be ignored
  } else {
    call_former(signal, info, context, old);
  }
  errno = error;
}

}  // namespace

int catch_faults(void (*inspect)(const void* address)) {
  if (installed.test_and_set(std::memory_order_relaxed)) return 0;  // relaxed: only one thread goes on
  inspect_fault = inspect;
  for (std::size_t i = 0; i < std::size(fault_signals); ++i) {
    if (sigaction(fault_signals[i], nullptr, &former[i]) != 0) return -errno;
    struct sigaction ours = {};
    ours.sa_sigaction = on_fault;
    // Without SA_NODEFER: a fault inside the handler ends the process at once instead of going round for ever.
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    sigemptyset(&ours.sa_mask);
    if (sigaction(fault_signals[i], &ours, nullptr) != 0) return -errno;
  }
  return 0;
}

alternate_stack::alternate_stack() {
  stack_t present;
  if (sigaltstack(nullptr, &present) != 0 || (present.ss_flags & SS_DISABLE) == 0) return;  // the host's own serves
  // Room for a report with a backtrace above what the kernel saves there, which grows with the CPU's registers.
  std::size_t frame = static_cast<std::size_t>(std::max(sysconf(_SC_MINSIGSTKSZ), 2048L));
  std::size_t bytes = (frame + 64 * 1024 + page_size() - 1) / page_size() * page_size();
  void* start = reserve_memory(bytes, memory_kind::signal_stacks);
  if (start == nullptr) return;  // then an overflow is an ordinary crash
  stack_t mine = {};
  mine.ss_sp = start;
  mine.ss_size = bytes;
  if (sigaltstack(&mine, nullptr) != 0) {
    release_memory(start, bytes, memory_kind::signal_stacks);
    return;
  }
  start_ = start;
  bytes_ = bytes;
}

alternate_stack::~alternate_stack() {
  if (start_ == nullptr) return;
  stack_t present;
  bool still_mine = sigaltstack(nullptr, &present) == 0 && present.ss_sp == start_;
  if (still_mine) {
    stack_t off = {};
    off.ss_flags = SS_DISABLE;
    sigaltstack(&off, nullptr);
  }
  release_memory(start_, bytes_, memory_kind::signal_stacks);
}

}  // namespace rove::os
