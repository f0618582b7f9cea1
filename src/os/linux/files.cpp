// Files, pipes and terminals by Linux's system calls.
#include "src/os/files.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

#include "src/os/linux/calls.hpp"

namespace rove::os {
namespace {

constexpr std::size_t most_bytes = 1u << 30;  // of one call; Linux takes 2 GiB at most

bool can_be_polled(int d) {
  const int queue = epoll_create1(EPOLL_CLOEXEC);
  if (queue < 0) return true;
  epoll_event e{};
  const bool refused = epoll_ctl(queue, EPOLL_CTL_ADD, d, &e) < 0 && last_error() == EPERM;
  close(queue);
  return !refused;
}

// ---- no SIGPIPE ----------------------------------------------------------------------------------------------------

#ifndef RWF_NOSIGNAL
#define RWF_NOSIGNAL 0x00000100  // Linux 6.18
#endif

// While it lives, the signal is blocked on this thread; one that came meanwhile is taken back.
class no_broken_pipes {
 public:
  no_broken_pipes() {
    sigset_t pending;
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;  // blocked by its owner, who sees to it
    if (!was_pending_) pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~no_broken_pipes() {
    if (was_pending_) return;
    const timespec no_time{};
    while (raised_ && sigtimedwait(&pipe_, nullptr, &no_time) < 0 && last_error() == EINTR) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  void note(std::int64_t result) { raised_ = result == -EPIPE; }

 private:
  sigset_t pipe_, before_;
  bool was_pending_;
  bool raised_ = false;
};

}  // namespace

// ---- files ---------------------------------------------------------------------------------------------------------

int open_file(const char* path, int flags, unsigned mode) {
  return repeated([&] { return open(path, flags | O_CLOEXEC, static_cast<mode_t>(mode)); });
}

int kind_of_file(int d, file_kind& kind) {
  struct stat facts;
  if (const int error = once([&] { return fstat(d, &facts); }); error < 0) return error;
  kind = file_kind::stored;
  if (S_ISFIFO(facts.st_mode) || S_ISSOCK(facts.st_mode)) {
    kind = file_kind::polled;
  } else if (!S_ISREG(facts.st_mode) && !S_ISDIR(facts.st_mode) && !S_ISBLK(facts.st_mode)) {
    if (can_be_polled(d)) kind = file_kind::polled;  // a device, an anonymous file such as an eventfd
  } else if (struct statfs system; fstatfs(d, &system) == 0) {
    if (system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC) kind = file_kind::in_memory;
  }
  return 0;
}

bool is_non_blocking(int d) {
  const int flags = fcntl(d, F_GETFL);
  return flags >= 0 && (flags & O_NONBLOCK) != 0;
}

std::int64_t read_bytes(int d, void* to, std::size_t size) {
  return repeated([&] { return read(d, to, std::min(size, most_bytes)); });
}

std::int64_t write_bytes(int d, const void* from, std::size_t size) {
  return repeated([&] { return write(d, from, std::min(size, most_bytes)); });
}

std::int64_t write_bytes_quietly(int d, const void* from, std::size_t size) {
  static std::atomic<bool> by_flag{true};
  size = std::min(size, most_bytes);
  if (by_flag.load(std::memory_order_relaxed)) {  // relaxed: a fact about the system
    const iovec part{const_cast<void*>(from), size};
    const auto n = repeated([&] { return pwritev2(d, &part, 1, -1, RWF_NOSIGNAL); });
    if (n != -EOPNOTSUPP && n != -ENOSYS && n != -EINVAL) return n;
    if (n != -EINVAL) by_flag.store(false, std::memory_order_relaxed);  // relaxed: as above
  }
  no_broken_pipes quiet;
  const auto n = repeated([&] { return write(d, from, size); });
  quiet.note(n);
  return n;
}

std::int64_t read_bytes_at(int d, void* to, std::size_t size, std::int64_t offset) {
  return repeated([&] { return pread(d, to, std::min(size, most_bytes), offset); });
}

std::int64_t write_bytes_at(int d, const void* from, std::size_t size, std::int64_t offset) {
  return repeated([&] { return pwrite(d, from, std::min(size, most_bytes), offset); });
}

std::int64_t read_bytes_now(int d, void* to, std::size_t size, std::int64_t offset) {
  const iovec part{to, std::min(size, most_bytes)};
  const auto n = repeated([&] { return preadv2(d, &part, 1, offset < 0 ? -1 : offset, RWF_NOWAIT); });
  return n == -ENOSYS || n == -EINVAL ? -EOPNOTSUPP : n;
}

int sync_file(int d) {
  return repeated([&] { return fsync(d); });
}

std::int64_t size_of_file(int d) {
  struct stat facts;
  return fstat(d, &facts) < 0 ? -last_error() : static_cast<std::int64_t>(facts.st_size);
}

std::int64_t seek_file(int d, std::int64_t offset, int whence) {
  const off_t at = lseek(d, offset, whence);
  return at < 0 ? -last_error() : static_cast<std::int64_t>(at);
}

int open_pipe(int (&ends)[2]) { return once([&] { return pipe2(ends, O_CLOEXEC); }); }

// ---- waiting for one descriptor ------------------------------------------------------------------------------------

int poll_descriptor(int d, int wanted, nanoseconds until) {
  if (d < 0) return -EBADF;  // ppoll would pass over it
  const int events = (wanted & poll_readable ? POLLIN : 0) | (wanted & poll_writable ? POLLOUT : 0);
  for (;;) {
    pollfd p{d, static_cast<short>(events), 0};
    timespec time{}, *limit = nullptr;
    if (until != never) {
      const nanoseconds left = until > 0 ? std::max<nanoseconds>(until - now(), 0) : 0;
      time = {static_cast<time_t>(left / 1'000'000'000), static_cast<long>(left % 1'000'000'000)};
      limit = &time;
    }
    const int n = ppoll(&p, 1, limit, nullptr);
    if (n < 0 && last_error() != EINTR) return -last_error();
    if (n == 0) return 0;
    if (n < 0) continue;
    if (p.revents & POLLNVAL) return -EBADF;
    const int broken = POLLHUP | POLLERR;
    return wanted & ((p.revents & (POLLIN | broken) ? poll_readable : 0) |
                     (p.revents & (POLLOUT | broken) ? poll_writable : 0));
  }
}

// An epoll of its own, which is a descriptor that others can poll. Closing it takes its entry back, whoever else holds
// `d`.
int open_watch(int d, int wanted) {
  const int queue = epoll_create1(EPOLL_CLOEXEC);
  if (queue < 0) return -last_error();
  epoll_event e{};
  e.events = (wanted & poll_readable ? EPOLLIN | EPOLLRDHUP : 0u) | (wanted & poll_writable ? EPOLLOUT : 0u);
  if (epoll_ctl(queue, EPOLL_CTL_ADD, d, &e) == 0) return queue;
  const int error = last_error();
  close(queue);
  return -error;
}

}  // namespace rove::os
