// The process: fork, the end, the standard error output.
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include "src/os/os.hpp"

namespace rove::os {

void on_fork_in_child(void (*hook)()) { pthread_atfork(nullptr, nullptr, hook); }

void exit_now(int status) { _exit(status); }

void write_stderr(std::string_view text) {
  int before = errno;  // a signal handler must leave errno as it was
  while (!text.empty()) {
    ssize_t n = write(STDERR_FILENO, text.data(), text.size());
    if (n > 0) {
      text.remove_prefix(static_cast<std::size_t>(n));
    } else if (n < 0 && errno == EAGAIN) {
      pollfd wait{STDERR_FILENO, POLLOUT, 0};
      if (poll(&wait, 1, 1000) == 0) break;  // a terminal that nobody reads must not hold up the end of the program
    } else if (n == 0 || errno != EINTR) {
      break;
    }
  }
  errno = before;
}

}  // namespace rove::os
