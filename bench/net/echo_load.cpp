// The client of the echo servers: echo_load PORT CONNECTIONS SECONDS
// Each connection sends 64 bytes, waits until they have come back, and sends the next. After a warm-up of a tenth of
// the time it measures; prints requests a second and p50, p99, p99.9 in microseconds. One thread; one connection is
// served by blocking calls, more by epoll, the same for every server.
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <vector>

#include "socket_tools.hpp"

namespace {

using clock_type = std::chrono::steady_clock;

constexpr std::size_t message_size = 64;

struct client {
  int fd;
  std::size_t received = 0;
  clock_type::time_point sent = {};
};

class measurement {
 public:
  explicit measurement(double seconds)
      : start_(clock_type::now() + to_duration(seconds / 10)), end_(start_ + to_duration(seconds)) {}

  // False: it is over.
  bool note(clock_type::time_point sent, clock_type::time_point now) {
    if (now >= end_) return false;
    if (sent >= start_) latencies_.push_back(std::chrono::duration<float, std::micro>(now - sent).count());
    return true;
  }

  void print() {
    bench::require(!latencies_.empty(), "no answers");
    std::sort(latencies_.begin(), latencies_.end());
    const double seconds = std::chrono::duration<double>(end_ - start_).count();
    const auto count = static_cast<double>(latencies_.size());
    const auto at = [&](double part) { return latencies_[static_cast<std::size_t>(part * (count - 1))]; };
    std::printf("%.0f %.1f %.1f %.1f\n", count / seconds, at(0.5), at(0.99), at(0.999));
  }

 private:
  static clock_type::duration to_duration(double seconds) {
    return std::chrono::duration_cast<clock_type::duration>(std::chrono::duration<double>(seconds));
  }
  clock_type::time_point start_, end_;
  std::vector<float> latencies_;
};

void send_message(client& c) {
  static constexpr std::array<char, message_size> message{'r', 'o', 'v', 'e'};
  c.received = 0;
  c.sent = clock_type::now();
  bench::require(send(c.fd, message.data(), message.size(), MSG_NOSIGNAL) == message_size, "send");
}

// True: the whole message is back.
bool receive(client& c) {
  char buffer[message_size];
  const ssize_t n = recv(c.fd, buffer, sizeof buffer, 0);
  bench::require(n > 0, "recv");
  c.received += static_cast<std::size_t>(n);
  return c.received == message_size;
}

void run_one(client c, measurement& m) {
  do {
    send_message(c);
    while (!receive(c)) {
    }
  } while (m.note(c.sent, clock_type::now()));
}

void run_many(std::vector<client>& clients, measurement& m) {
  const int poller = epoll_create1(EPOLL_CLOEXEC);
  for (std::size_t i = 0; i < clients.size(); ++i) {
    epoll_event e{.events = EPOLLIN, .data = {.u64 = i}};
    bench::require(epoll_ctl(poller, EPOLL_CTL_ADD, clients[i].fd, &e) == 0, "epoll_ctl");
    send_message(clients[i]);
  }
  std::array<epoll_event, 256> events;
  for (;;) {
    const int n = epoll_wait(poller, events.data(), static_cast<int>(events.size()), 5000);
    bench::require(n > 0, "no answer within 5 seconds");
    for (int i = 0; i < n; ++i) {
      client& c = clients[events[static_cast<std::size_t>(i)].data.u64];
      if (!receive(c)) continue;
      if (!m.note(c.sent, clock_type::now())) return;
      send_message(c);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const auto port = static_cast<std::uint16_t>(std::atoi(argv[1]));
  std::vector<client> clients;
  for (int i = 0; i < std::atoi(argv[2]); ++i) clients.push_back({bench::connect_to(port)});
  measurement m(std::atof(argv[3]));
  clients.size() == 1 ? run_one(clients[0], m) : run_many(clients, m);
  m.print();
}
