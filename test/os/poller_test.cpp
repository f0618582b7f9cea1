// The poller: edges, both directions by one registration, a wait that is broken, limited, or not waited at all.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <thread>
#include <utility>

#include "src/os/poller.hpp"
#include "src/os/socket.hpp"
#include "test/catch.hpp"

namespace os = rove::os;

namespace {

struct pair {
  int ends[2] = {-1, -1};
  pair() { REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0); }
  ~pair() {
    for (const int d : ends)
      if (d >= 0) close(d);
  }
};

// The only event of this look; token 0: there is none.
os::poll_event look(os::poller& p) {
  os::poll_event events[os::poller::most_events];
  const std::size_t n = p.look(events);
  REQUIRE(n <= 1);
  return n == 1 ? events[0] : os::poll_event{};
}

}  // namespace

TEST_CASE("poller: an edge is told once, and again after more has come") {
  os::poller p;
  REQUIRE(p.open() == 0);
  pair s;
  REQUIRE(p.add(s.ends[0], 7) == 0);
  CHECK(p.add(s.ends[0], 8) == -EEXIST);
  os::poll_event e = look(p);  // what is so when it is added
  CHECK(e.token == 7);
  CHECK(e.writable);
  CHECK(!e.readable);
  CHECK(look(p).token == 0);
  REQUIRE(os::send(s.ends[1], "ab", 2) == 2);
  e = look(p);
  CHECK(e.readable);
  CHECK(!e.odd);
  CHECK(look(p).token == 0);
  REQUIRE(os::send(s.ends[1], "c", 1) == 1);
  CHECK(look(p).readable);
  REQUIRE(p.arm(s.ends[0], 9) == 0);  // not read yet: an edge
  CHECK(look(p).token == 9);
  REQUIRE(os::shut_down_writing(s.ends[1]) == 0);
  CHECK(look(p).odd);
  REQUIRE(p.remove(s.ends[0]) == 0);
  REQUIRE(os::close_descriptor(std::exchange(s.ends[1], -1)) == 0);
  CHECK(look(p).token == 0);
}

TEST_CASE("poller: a file is always ready and cannot be added") {
  os::poller p;
  REQUIRE(p.open() == 0);
  FILE* const f = std::tmpfile();
  REQUIRE(f != nullptr);
  CHECK(p.add(fileno(f), 1) == -EPERM);
  std::fclose(f);
}

TEST_CASE("poller: a wait ends at its time") {
  os::poller p;
  REQUIRE(p.open() == 0);
  os::poll_event events[os::poller::most_events];
  const os::nanoseconds until = os::now() + 300'000;
  CHECK(p.wait(events, until) == 0);
  CHECK(os::now() >= until);
  CHECK(p.wait(events, 0) == 0);
}

TEST_CASE("poller: a wait is broken, also by a call that came before it") {
  os::poller p;
  REQUIRE(p.open() == 0);
  os::poll_event events[os::poller::most_events];
  p.break_wait();
  p.break_wait();
  CHECK(p.look(events) == 0);  // a look takes nothing from who waits
  CHECK(p.wait(events, os::never) == 0);
  std::atomic<bool> waits{false};
  std::thread breaker([&] {
    while (!waits) std::this_thread::yield();
    p.break_wait();
  });
  waits = true;
  CHECK(p.wait(events, os::never) == 0);
  breaker.join();
  CHECK(p.wait(events, os::now() + 1) == 0);
}

TEST_CASE("socket: a connect to nobody is refused, and says so once") {
  os::socket_address a;
  const int l = os::open_socket(AF_INET, SOCK_STREAM, 0);
  REQUIRE(l >= 0);
  a.bytes.ss_family = AF_INET;
  a.size = sizeof(sockaddr_in);
  reinterpret_cast<sockaddr_in*>(&a.bytes)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(os::bind_socket(l, a.data(), a.size) == 0);
  REQUIRE(os::local_address(l, a) == 0);
  const int s = os::open_socket(AF_INET, SOCK_STREAM, 0);
  int n = os::connect_to(s, a.data(), a.size);
  while (n == -EINPROGRESS) n = os::connect_result(s);
  CHECK(n == -ECONNREFUSED);
  os::close_descriptor(s);
  os::close_descriptor(l);
}
