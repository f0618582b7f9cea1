// Child processes by posix_spawn, which neither copies the address space nor runs what was registered for forks.
#include "src/os/children.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>

#include "src/os/linux/calls.hpp"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

extern "C" char** environ;

namespace rove::os {
namespace {

struct spawn_actions {
  posix_spawn_file_actions_t value;
  spawn_actions() { posix_spawn_file_actions_init(&value); }
  ~spawn_actions() { posix_spawn_file_actions_destroy(&value); }
};

// Our threads block signals, which a child would inherit.
struct spawn_attributes {
  posix_spawnattr_t value;
  spawn_attributes() {
    sigset_t none, pipe;
    sigemptyset(&none);
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    posix_spawnattr_init(&value);
    posix_spawnattr_setsigmask(&value, &none);
    posix_spawnattr_setsigdefault(&value, &pipe);
    posix_spawnattr_setflags(&value, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~spawn_attributes() { posix_spawnattr_destroy(&value); }
};

}  // namespace

int start_child(const child_plan& plan) {
  spawn_actions actions;
  const spawn_attributes attributes;
  int error = 0;
  for (int i = 0; i < 3 && error == 0; ++i)
    if (plan.streams[i] >= 0) error = posix_spawn_file_actions_adddup2(&actions.value, plan.streams[i], i);
  if (error == 0 && plan.folder) error = posix_spawn_file_actions_addchdir_np(&actions.value, plan.folder);
  pid_t child = 0;
  char* const* const environment = plan.environment ? const_cast<char* const*>(plan.environment) : environ;
  if (error == 0)
    error = posix_spawnp(&child, plan.arguments[0], &actions.value, &attributes.value,
                         const_cast<char* const*>(plan.arguments), environment);
  return error == 0 ? child : -error;
}

int open_child_watch(int child) {
  static std::atomic<bool> there{true};
  if (!there.load(std::memory_order_relaxed)) return -ENOSYS;  // relaxed: a fact about the system
  const long d = syscall(SYS_pidfd_open, child, 0);            // closed by exec
  if (d >= 0) return static_cast<int>(d);
  const int error = last_error();
  if (error == ENOSYS || error == EPERM) there.store(false, std::memory_order_relaxed);  // relaxed: as above
  return -error;
}

int wait_for_child(int child) {
  siginfo_t info;
  return repeated([&] { return waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT); });
}

int reap_child(int child, child_end& end) {
  int status = 0;
  const pid_t n = repeated([&] { return waitpid(child, &status, WNOHANG); });
  if (n <= 0) return n;
  end = {WIFEXITED(status) ? WEXITSTATUS(status) : -1, WIFSIGNALED(status) ? WTERMSIG(status) : 0,
         WIFSIGNALED(status) && WCOREDUMP(status)};
  return 1;
}

int send_signal(int child, int signal) { return once([&] { return kill(child, signal); }); }

int open_null(bool to_read) {
  return once([&] { return open("/dev/null", (to_read ? O_RDONLY : O_WRONLY) | O_CLOEXEC); });
}

int open_memory_file(const char* name) {
  const int d = once([&] { return memfd_create(name, MFD_CLOEXEC); });
  return d != -ENOSYS ? d : once([] { return open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600); });
}

int move_up(int d) {
  if (d < 0 || d >= 3) return d;
  const int higher = once([&] { return fcntl(d, F_DUPFD_CLOEXEC, 3); });
  close(d);
  return higher;
}

}  // namespace rove::os
