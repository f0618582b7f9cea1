// The echo server as one would write it by hand for speed: one thread, one loop around epoll, and nothing else. The
// measure for examples/echo.
#include <fcntl.h>
#include <sys/epoll.h>

#include <array>
#include <cerrno>

#include "socket_tools.hpp"

namespace {

// Reads what is there and sends it back. The messages of the benchmark are small enough to be taken whole.
void serve(int poller, int fd) {
  char buffer[4096];
  const ssize_t n = recv(fd, buffer, sizeof buffer, 0);
  if (n > 0 && send(fd, buffer, static_cast<std::size_t>(n), MSG_NOSIGNAL) == n) return;
  if (n < 0 && errno == EAGAIN) return;
  epoll_ctl(poller, EPOLL_CTL_DEL, fd, nullptr);
  close(fd);
}

void accept_all(int poller, int listener) {
  for (;;) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    bench::set_no_delay(fd);
    epoll_event e{.events = EPOLLIN, .data = {.fd = fd}};
    bench::require(epoll_ctl(poller, EPOLL_CTL_ADD, fd, &e) == 0, "epoll_ctl");
  }
}

}  // namespace

int main() {
  const int listener = bench::listen_somewhere();
  const int poller = epoll_create1(EPOLL_CLOEXEC);
  epoll_event e{.events = EPOLLIN | EPOLLET, .data = {.fd = listener}};
  bench::require(fcntl(listener, F_SETFL, O_NONBLOCK) == 0, "fcntl");
  bench::require(epoll_ctl(poller, EPOLL_CTL_ADD, listener, &e) == 0, "epoll_ctl");
  std::array<epoll_event, 256> events;
  for (;;) {
    const int n = epoll_wait(poller, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < n; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      fd == listener ? accept_all(poller, listener) : serve(poller, fd);
    }
  }
}
