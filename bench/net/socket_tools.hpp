// What the hand-written programs of this folder share: sockets of the system, nothing of rove.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace bench {

inline void require(bool holds, const char* what) {
  if (holds) return;
  std::perror(what);
  std::exit(1);
}

inline sockaddr_in local_address(std::uint16_t port) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(port);
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return a;
}

inline void set_no_delay(int fd) {
  const int on = 1;
  require(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0, "TCP_NODELAY");
}

// Listens on a port that the system chooses, and prints it.
inline int listen_somewhere() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  require(fd >= 0, "socket");
  sockaddr_in a = local_address(0);
  require(bind(fd, reinterpret_cast<sockaddr*>(&a), sizeof a) == 0, "bind");
  require(listen(fd, 4096) == 0, "listen");
  socklen_t size = sizeof a;
  require(getsockname(fd, reinterpret_cast<sockaddr*>(&a), &size) == 0, "getsockname");
  std::printf("listening on 127.0.0.1:%d\n", ntohs(a.sin_port));
  std::fflush(stdout);
  return fd;
}

inline int connect_to(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  require(fd >= 0, "socket");
  const sockaddr_in a = local_address(port);
  require(connect(fd, reinterpret_cast<const sockaddr*>(&a), sizeof a) == 0, "connect");
  set_no_delay(fd);
  return fd;
}

}  // namespace bench
