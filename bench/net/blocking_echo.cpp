// The echo server for one client at a time: a thread that calls read and write, and so waits in the system. Nothing
// answers a single connection faster; the measure for examples/echo with one connection.
#include "socket_tools.hpp"

int main() {
  const int listener = bench::listen_somewhere();
  for (;;) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    bench::require(fd >= 0, "accept");
    bench::set_no_delay(fd);
    char buffer[4096];
    ssize_t n;
    while ((n = read(fd, buffer, sizeof buffer)) > 0 && write(fd, buffer, static_cast<std::size_t>(n)) == n) {
    }
    close(fd);
  }
}
