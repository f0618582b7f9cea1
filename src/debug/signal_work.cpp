// The handler sets a word and wakes a thread: both are allowed in a handler, whatever it interrupted.
//
// Pairs. SIGNAL-WORK: release by the handler and by who starts the thread, acquire by the thread.
#include "src/debug/signal_work.hpp"

#include <signal.h>

#include <atomic>
#include <cerrno>

#include "src/os/os.hpp"

namespace rove::debug {
namespace {

std::atomic<std::uint32_t> asked{0};
std::atomic<void (*)()> work_to_do{nullptr};

const std::uint32_t* word() { return reinterpret_cast<const std::uint32_t*>(&asked); }

void on_signal(int) {
  const int error = errno;
  asked.store(1, std::memory_order_release);                     // SIGNAL-WORK
  os::futex_wake(word(), 1);
  errno = error;
}

void wait_and_work(void*) {
  for (;;) {
    while (asked.load(std::memory_order_acquire) == 0) os::futex_wait(word(), 0);  // SIGNAL-WORK
    asked.store(0, std::memory_order_relaxed);                   // relaxed: a signal from here on asks again
    work_to_do.load(std::memory_order_acquire)();                // SIGNAL-WORK
  }
}

int start_once(void (*work)(), bool& started) {
  void (*none)() = nullptr;
  if (!work_to_do.compare_exchange_strong(none, work, std::memory_order_release)) return 0;  // SIGNAL-WORK
  os::thread_handle thread;  // runs as long as the process
  const int error = os::start_thread(thread, "rove-signal", wait_and_work, nullptr);
  started = error == 0;
  if (error) work_to_do.store(nullptr, std::memory_order_relaxed);  // relaxed: nothing was started
  return error;
}

}  // namespace

int work_on_signal(int signal, void (*work)(), bool& started) {
  if (const int error = start_once(work, started)) return error;
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART | SA_ONSTACK;  // goroutines' stacks are small
  sigemptyset(&action.sa_mask);
  return sigaction(signal, &action, nullptr) == 0 ? 0 : -errno;
}

}  // namespace rove::debug
