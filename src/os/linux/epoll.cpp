// The poller: epoll(7), edge-triggered, with an eventfd that breaks the wait.
//
// The eventfd alone is level-triggered and is emptied by the thread that waits, nobody else: a thread that only looks
// meanwhile may be shown it too, and an edge would then be lost to the one that sleeps.
#include "src/os/poller.hpp"

#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

#include "src/os/linux/calls.hpp"

namespace rove::os {
namespace {

constexpr std::uint64_t breaker_token = ~std::uint64_t{0};
constexpr std::uint32_t interest = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET;
constexpr std::uint32_t ends = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

int result_of(long n) { return n < 0 ? -last_error() : static_cast<int>(n); }

int control(int queue, int operation, int descriptor, std::uint64_t token, std::uint32_t events) {
  epoll_event e{};
  e.events = events;
  e.data.u64 = token;
  return result_of(epoll_ctl(queue, operation, descriptor, &e));
}

// Milliseconds, rounded up: a wait that ends early would only begin again.
int in_milliseconds(nanoseconds left) {
  return static_cast<int>(std::min<nanoseconds>((left + 999'999) / 1'000'000, INT_MAX));
}

// epoll_wait, up to a point of the steady clock; to the nanosecond where the kernel can (Linux 5.11).
int wait_for_events(int queue, epoll_event* events, int room, nanoseconds until) {
  static std::atomic<bool> precise{true};
  if (until == 0) return result_of(epoll_wait(queue, events, room, 0));
  if (until == never) return result_of(epoll_wait(queue, events, room, -1));
  const nanoseconds left = std::max<nanoseconds>(until - now(), 0);
#ifdef SYS_epoll_pwait2
  if (precise.load(std::memory_order_relaxed)) {  // relaxed: a fact about the system
    struct { std::int64_t seconds, nanoseconds; } time{left / 1'000'000'000, left % 1'000'000'000};
    const int n = result_of(syscall(SYS_epoll_pwait2, queue, events, room, &time, nullptr, 0));
    if (n != -ENOSYS && n != -EPERM) return n;    // EPERM: a filter of system calls that does not know it
    precise.store(false, std::memory_order_relaxed);  // relaxed: as above
  }
#endif
  return result_of(epoll_wait(queue, events, room, in_milliseconds(left)));
}

}  // namespace

int poller::open() {
  queue_ = epoll_create1(EPOLL_CLOEXEC);
  if (queue_ < 0) return -last_error();
  breaker_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (breaker_ < 0) return -last_error();
  return control(queue_, EPOLL_CTL_ADD, breaker_, breaker_token, EPOLLIN);
}

poller::~poller() {
  if (queue_ >= 0) close(queue_);
  if (breaker_ >= 0) close(breaker_);
}

int poller::add(int descriptor, std::uint64_t token) {
  return control(queue_, EPOLL_CTL_ADD, descriptor, token, interest);
}
int poller::arm(int descriptor, std::uint64_t token) {
  return control(queue_, EPOLL_CTL_MOD, descriptor, token, interest);
}
int poller::remove(int descriptor) { return control(queue_, EPOLL_CTL_DEL, descriptor, 0, 0); }

std::size_t poller::take(poll_event* events, nanoseconds until, bool& broken) {
  epoll_event taken[most_events];
  const int n = wait_for_events(queue_, taken, most_events, until);
  std::size_t count = 0;
  for (int i = 0; i < n; ++i) {  // n < 0: a signal came, and nothing else
    const std::uint32_t e = taken[i].events;
    if (taken[i].data.u64 == breaker_token)
      broken = true;
    else
      events[count++] = {taken[i].data.u64, (e & (EPOLLIN | EPOLLPRI | ends)) != 0,
                         (e & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0, (e & (EPOLLPRI | ends)) != 0};
  }
  return count;
}

std::size_t poller::look(poll_event* events) {
  bool broken = false;
  return take(events, 0, broken);
}

std::size_t poller::wait(poll_event* events, nanoseconds until) {
  bool broken = false;
  const std::size_t n = take(events, std::max<nanoseconds>(until, 1), broken);
  std::uint64_t times;
  if (broken && read(breaker_, &times, sizeof times) < 0) return n;  // nothing in it: it was broken before
  return n;
}

void poller::break_wait() {
  const std::uint64_t once = 1;
  if (write(breaker_, &once, sizeof once) < 0) return;  // it is full: the wait is broken as it is
}

}  // namespace rove::os
