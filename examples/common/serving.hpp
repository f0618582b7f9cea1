// What the example servers share: where to listen, taking connections, and what signals do.
#pragma once

#include <sys/resource.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <rove/rove.hpp>

namespace serving {

// As many descriptors as the system lets this process have: a server may have a connection for each.
inline void raise_descriptor_limit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// Listens, and tells on stdout where: with port 0 in the address the system has chosen the port.
inline rove::net::listener listen(std::string_view address) {
  raise_descriptor_limit();
  rove::net::listener listener = rove::net::listen("tcp", address);
  std::printf("listening on %s\n", listener.local_addr().to_string().c_str());
  std::fflush(stdout);
  return listener;
}

// Calls `start` with each client, until the listener is closed. It is to start a goroutine for it, and not to wait.
template <class Start>
void accept_all(rove::net::listener& listener, Start start) {
  for (;;) {
    std::error_code error;
    rove::net::conn client = listener.accept(error);
    if (error == rove::errc::closed) return;
    if (error) {  // the network is down, say (out of descriptors it just waits)
      rove::sleep_for(std::chrono::milliseconds(10));
      continue;
    }
    start(std::move(client));
  }
}

// What asks the program to end: SIGTERM, or SIGINT from the keyboard. SIGUSR1 prints every goroutine. To be made before
// the program says that it listens, so that no signal finds it unprepared.
class end_request {
 public:
  end_request() { rove::debug::dump_on_signal(SIGUSR1); }
  void wait() { arrived_.recv(); }

 private:
  const rove::chan<int> arrived_ = rove::make_chan<int>(1);
  const rove::signals::subscription subscription_ = rove::signals::notify(arrived_, {SIGTERM, SIGINT});
};

}  // namespace serving
