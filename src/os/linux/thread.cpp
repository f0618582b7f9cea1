// Threads of the operating system.
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "src/base/check.hpp"
#include "src/os/hooks.hpp"
#include "src/os/os.hpp"

namespace rove::os {

constinit hook<thread_hook> on_thread;

namespace {

struct start_record {
  void (*body)(void*);
  void* argument;
  char name[16];  // what the kernel keeps, the final zero included
  thread_info info;
};

void tell(const start_record& record, bool starts) {
  void* data;
  const thread_hook told = on_thread.get(data);
  if (!told) return;
  thread_info info = record.info;
  info.starts = starts;
  info.name = record.name;
  told(data, info);
}

void* thread_main(void* opaque) {
  start_record record = *static_cast<start_record*>(opaque);
  delete static_cast<start_record*>(opaque);
  if (record.name[0] != 0) prctl(PR_SET_NAME, record.name, 0, 0, 0);
  tell(record, true);
  record.body(record.argument);
  tell(record, false);
  return nullptr;
}

// A signal sent to the process belongs to the host's threads, not to ours, whose owner may be any goroutine. What a
// thread's own instruction raises must get through (a blocked one kills the process without asking its handler), and so
// must a profiler's clock.
void block_signals(sigset_t& before) {
  sigset_t block;
  sigfillset(&block);
  for (int through : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT, SIGPROF}) sigdelset(&block, through);
  pthread_sigmask(SIG_SETMASK, &block, &before);
}

}  // namespace

int start_thread(thread_handle& handle, const thread_label& label, void (*body)(void*), void* argument) {
  auto* record = new (std::nothrow) start_record{body, argument, {}, {label.kind, true, label.index, label.runtime, {}}};
  if (record == nullptr) return -ENOMEM;
  std::size_t length = std::min(label.name.size(), sizeof record->name - 1);
  if (length != 0) std::memcpy(record->name, label.name.data(), length);

  sigset_t before;
  block_signals(before);  // here, so that the new thread is never without its mask
  pthread_t thread;
  int error = pthread_create(&thread, nullptr, thread_main, record);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error != 0) {
    delete record;
    return -error;
  }
  static_assert(sizeof thread <= sizeof handle.value);
  handle.value = 0;
  std::memcpy(&handle.value, &thread, sizeof thread);
  return 0;
}

void join_thread(thread_handle handle) {
  pthread_t thread;
  std::memcpy(&thread, &handle.value, sizeof thread);
  ROVE_CHECK(pthread_join(thread, nullptr) == 0);
}

void detach_thread(thread_handle handle) {
  pthread_t thread;
  std::memcpy(&thread, &handle.value, sizeof thread);
  ROVE_CHECK(pthread_detach(thread) == 0);
}

void yield_thread() { sched_yield(); }

std::uint64_t thread_id() { return static_cast<std::uint64_t>(syscall(SYS_gettid)); }

std::string_view thread_name(char (&buffer)[16]) {
  if (thread_id() == static_cast<std::uint64_t>(getpid())) return "main";  // that one bears the program's name
  return prctl(PR_GET_NAME, buffer) == 0 ? std::string_view(buffer) : std::string_view();
}

int count_threads() {
  // A folder has a link from itself, one from its parent, and one from each folder in it.
  struct stat task;
  if (stat("/proc/self/task", &task) != 0) return -errno;
  return task.st_nlink > 2 ? static_cast<int>(task.st_nlink) - 2 : -ENOSYS;
}

void precise_timers(bool on) {
  // The kernel adds up to 50 us of slack to a sleep, so as to wake for several at once; 0 asks for its default back.
  prctl(PR_SET_TIMERSLACK, on ? 1ul : 0ul, 0, 0, 0);
}

}  // namespace rove::os
