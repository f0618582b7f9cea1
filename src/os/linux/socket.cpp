// Sockets by Linux's system calls.
#include "src/os/socket.hpp"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

#include "src/os/linux/calls.hpp"

namespace rove::os {
namespace {

struct option_name {
  int level, name;
};

option_name name_of(socket_option o) {
  switch (o) {
    case socket_option::reuse_address: return {SOL_SOCKET, SO_REUSEADDR};
    case socket_option::reuse_port: return {SOL_SOCKET, SO_REUSEPORT};
    case socket_option::only_ip6: return {IPPROTO_IPV6, IPV6_V6ONLY};
    case socket_option::no_delay: return {IPPROTO_TCP, TCP_NODELAY};
    case socket_option::keep_alive: return {SOL_SOCKET, SO_KEEPALIVE};
    case socket_option::broadcast: return {SOL_SOCKET, SO_BROADCAST};
    case socket_option::receive_buffer: return {SOL_SOCKET, SO_RCVBUF};
    case socket_option::send_buffer: return {SOL_SOCKET, SO_SNDBUF};
    case socket_option::keep_alive_idle: return {IPPROTO_TCP, TCP_KEEPIDLE};
    case socket_option::keep_alive_interval: return {IPPROTO_TCP, TCP_KEEPINTVL};
    case socket_option::keep_alive_count: return {IPPROTO_TCP, TCP_KEEPCNT};
  }
  return {};
}

}  // namespace

// ---- making and ending ---------------------------------------------------------------------------------------------

int open_socket(int family, int type, int protocol) {
  const int s = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
  return s < 0 ? -last_error() : s;
}

int bind_socket(int s, const sockaddr* a, socklen_t size) {
  return once([&] { return bind(s, a, size); });
}

int listen_on(int s, int backlog) {  // the kernel cuts it to net.core.somaxconn
  return once([&] { return listen(s, backlog > 0 ? backlog : std::numeric_limits<int>::max()); });
}

int accept_from(int s, socket_address& peer) {
  return repeated([&] {
    peer.size = sizeof peer.bytes;
    return accept4(s, peer.data(), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  });
}

// Interrupted, it goes on by itself as one that is in progress.
int connect_to(int s, const sockaddr* a, socklen_t size) {
  const int n = once([&] { return connect(s, a, size); });
  return n == -EINTR ? -EINPROGRESS : n;
}

int connect_result(int s) {
  int value = 0;
  socklen_t size = sizeof value;
  if (getsockopt(s, SOL_SOCKET, SO_ERROR, &value, &size) < 0) return -last_error();
  if (value != 0) return -value;
  socket_address peer;
  const int n = peer_address(s, peer);
  return n == -ENOTCONN ? -EINPROGRESS : n;
}

int shut_down_writing(int s) {
  return once([&] { return shutdown(s, SHUT_WR); });
}

// Interrupted or not, the descriptor is gone afterwards.
int close_descriptor(int d) {
  const int n = once([&] { return close(d); });
  return n == -EINTR ? 0 : n;
}

int set_non_blocking(int d) {
  const int flags = fcntl(d, F_GETFL);
  if (flags < 0) return -last_error();
  if (flags & O_NONBLOCK) return 1;
  return once([&] { return fcntl(d, F_SETFL, flags | O_NONBLOCK); });
}

// ---- data -----------------------------------------------------------------------------------------------------------

transferred receive(int s, void* to, std::size_t size) {
  return repeated([&] { return recv(s, to, size, 0); });
}

transferred receive_from(int s, void* to, std::size_t size, socket_address& from) {
  return repeated([&] {
    from.size = sizeof from.bytes;
    return recvfrom(s, to, size, 0, from.data(), &from.size);
  });
}

transferred send(int s, const void* from, std::size_t size) {
  return repeated([&] { return ::send(s, from, size, MSG_NOSIGNAL); });
}

transferred send_to(int s, const void* from, std::size_t size, const sockaddr* to, socklen_t to_size) {
  return repeated([&] { return sendto(s, from, size, MSG_NOSIGNAL, to, to_size); });
}

transferred send_parts(int s, const iovec* parts, std::size_t count) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts);
  message.msg_iovlen = count;
  return repeated([&] { return sendmsg(s, &message, MSG_NOSIGNAL); });
}

// ---- facts and options ----------------------------------------------------------------------------------------------

int local_address(int s, socket_address& a) {
  a.size = sizeof a.bytes;
  return once([&] { return getsockname(s, a.data(), &a.size); });
}

int peer_address(int s, socket_address& a) {
  a.size = sizeof a.bytes;
  return once([&] { return getpeername(s, a.data(), &a.size); });
}

int set_option(int s, socket_option o, int value) {
  const auto [level, name] = name_of(o);
  return once([&, level = level, name = name] { return setsockopt(s, level, name, &value, sizeof value); });
}

int get_option(int s, socket_option o, int& value) {
  const auto [level, name] = name_of(o);
  socklen_t size = sizeof value;
  return once([&, level = level, name = name] { return getsockopt(s, level, name, &value, &size); });
}

int set_linger(int s, int seconds) {
  const linger value{seconds >= 0, std::max(seconds, 0)};
  return once([&] { return setsockopt(s, SOL_SOCKET, SO_LINGER, &value, sizeof value); });
}

// ---- waiting for one descriptor, with the thread -------------------------------------------------------------------

int wait_for_descriptor(int d, bool to_read, bool to_write, int breaker, nanoseconds until) {
  const auto events = static_cast<short>((to_read ? POLLIN : 0) | (to_write ? POLLOUT : 0));
  pollfd both[2] = {{d, events, 0}, {breaker, POLLIN, 0}};
  timespec time{}, *limit = nullptr;
  if (until != never) {
    const nanoseconds left = std::max<nanoseconds>(until - now(), 0);
    time = {static_cast<time_t>(left / 1'000'000'000), static_cast<long>(left % 1'000'000'000)};
    limit = &time;
  }
  const int n = ppoll(both, 2, limit, nullptr);
  if (n >= 0) return 0;
  const int e = last_error();
  return e == EINTR ? 0 : -e;
}

int open_group() {
  const int d = epoll_create1(EPOLL_CLOEXEC);
  return d < 0 ? -last_error() : d;
}

int add_to_group(int group, int s) {
  epoll_event e{};
  e.events = EPOLLOUT;
  return once([&] { return epoll_ctl(group, EPOLL_CTL_ADD, s, &e); });
}

int open_breaker() {
  const int d = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return d < 0 ? -last_error() : d;
}

void set_breaker(int breaker) {
  const std::uint64_t once_more = 1;
  if (write(breaker, &once_more, sizeof once_more) < 0) return;  // it is set as it is
}

void reset_breaker(int breaker) {
  std::uint64_t times;
  if (read(breaker, &times, sizeof times) < 0) return;           // it was not set
}

}  // namespace rove::os
