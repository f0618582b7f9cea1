// What the tests of net share: a connected pair, counting descriptors, ports of their own and ports that are silent,
// plain threads and goroutines under one roof.
#pragma once

#include <dirent.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <rove/net.hpp>
#include <rove/rove.hpp>

#include "test/support/fixture.hpp"

namespace rove_test {

namespace net = rove::net;

// Open descriptors of this process.
inline std::size_t count_descriptors() {
  std::size_t n = 0;
  DIR* const d = opendir("/proc/self/fd");
  while (d && readdir(d)) ++n;
  if (d) closedir(d);
  return n;
}

struct connected {
  net::conn a, b;                // b was accepted
};

inline connected make_pair(std::string_view network = "tcp", std::string_view addr = "127.0.0.1:0") {
  net::listener l = net::listen(network, addr);
  connected c;
  c.a = net::dial(network, l.local_addr().to_string());
  c.b = l.accept();
  return c;
}

// A port that nobody else on this machine is given while this lives, neither to listen nor to connect from, whether a
// listener of the test's has it just now or not. With port 0 the system chooses one.
class kept_port {
 public:
  explicit kept_port(const net::address& wanted)
      : descriptor_(::socket(wanted.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int on = 1;
    setsockopt(descriptor_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(descriptor_, wanted.native(), wanted.native_size()) != 0) return;
    sockaddr_storage own;
    socklen_t size = sizeof own;
    if (getsockname(descriptor_, reinterpret_cast<sockaddr*>(&own), &size) != 0) return;
    address_ = net::address::from_native(reinterpret_cast<const sockaddr*>(&own), size);
  }
  ~kept_port() { ::close(descriptor_); }
  kept_port(const kept_port&) = delete;
  kept_port& operator=(const kept_port&) = delete;

  const net::address& where() const { return address_; }  // none: somebody had that port

 private:
  const int descriptor_;
  net::address address_;
};

// All that comes, up to the end.
inline std::string read_to_end(net::conn& c) {
  std::string all;
  char part[4096];
  while (const std::size_t n = c.read(std::span(part))) all.append(part, n);
  return all;
}

// Exactly that many bytes, or fewer at the end.
inline std::string read_exactly(net::conn& c, std::size_t size) {
  std::string all(size, 0);
  std::size_t have = 0;
  while (have < size) {
    const std::size_t n = c.read(std::span(all.data() + have, size - have));
    if (n == 0) break;
    have += n;
  }
  all.resize(have);
  return all;
}

// The error of a call that takes an error_code last.
template <class F>
std::error_code error_of(F f) {
  std::error_code ec;
  f(ec);
  return ec;
}

// The code of what the call threw.
template <class F>
std::error_code thrown_by(F f) {
  try {
    f();
  } catch (const std::system_error& e) {
    return e.code();
  }
  return {};
}

inline net::time_point from_now(std::chrono::nanoseconds d) { return std::chrono::steady_clock::now() + d; }
inline const net::time_point long_ago{};

// Connects to a listener whose backlog is 1 get no answer from now on, as long as what is returned lives: the queue of
// those who wait for accept is full, with one more than its length. What a probe hears tells whether the system counts
// in the same way.
inline std::vector<net::conn> silence(const net::listener& l) {
  const std::string addr = l.local_addr().to_string();
  std::vector<net::conn> queued;
  for (int i = 0; i < 2; ++i) queued.push_back(net::dial("tcp", addr));
  for (std::error_code ec; !ec;) {
    REQUIRE(queued.size() < 100);
    net::conn c = net::dial("tcp", addr, {.deadline = from_now(20ms)}, ec);
    if (c) queued.push_back(std::move(c));
  }
  return queued;
}

// The same body in goroutines of runtimes with 1, 2 and 4 processors, and on a plain thread.
template <class Body>
void everywhere(Body body) {
  on_processors(body);
  INFO("a plain thread");
  body();
}

// Runs f beside the caller, whoever that is: a goroutine, or a plain thread.
class beside {
 public:
  template <class F>
  explicit beside(F f) {
    if (rove::this_goroutine::id() != 0)
      done_.go(std::move(f));
    else
      thread_ = std::thread(std::move(f));
  }
  ~beside() { join(); }
  void join() {
    if (thread_.joinable())
      thread_.join();
    else
      done_.wait();
  }

 private:
  rove::wait_group done_;
  std::thread thread_;
};

}  // namespace rove_test
