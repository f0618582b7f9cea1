// The race of a dial over a host's two kinds of addresses: who is tried when, who wins, what becomes of the loser, and
// how it ends without a winner. The system's resolver is replaced for the names of the form "4-6.dial": their addresses
// are those of the loopback, in that order.
#include <dlfcn.h>
#include <netdb.h>
#include <poll.h>

#include <cstring>
#include <optional>

#include <rove/context.hpp>

#include "test/net/support.hpp"

using namespace rove_test;

namespace {

using getaddrinfo_type = int (*)(const char*, const char*, const addrinfo*, addrinfo**);

// The addresses that a letter of the name stands for.
const char* address_of(char letter) {
  switch (letter) {
    case '4': return "127.0.0.1";
    case '5': return "127.0.0.2";
    case '6': return "::1";
    default: return nullptr;
  }
}

}  // namespace

extern "C" int getaddrinfo(const char* host, const char* service, const addrinfo* hints, addrinfo** list) {
  static const auto real = reinterpret_cast<getaddrinfo_type>(dlsym(RTLD_NEXT, "getaddrinfo"));
  if (!host || !std::strstr(host, ".dial")) return real(host, service, hints, list);
  *list = nullptr;
  for (addrinfo** end = list; *host != '.'; ++host)
    if (const char* const text = address_of(*host)) {
      if (const int error = real(text, service, hints, end)) return error;
      while (*end) end = &(*end)->ai_next;
    }
  return 0;
}

namespace {

bool has_ip6() {
  std::error_code ec;
  return static_cast<bool>(net::listen("tcp6", "[::1]:0", ec));
}

// One port on all three addresses, with a listener on each until it is closed, and nobody else's afterwards.
struct one_port {
  std::optional<kept_port> kept[3];
  net::listener four, five, six;
  std::string port;
  std::vector<std::vector<net::conn>> queued;

  one_port() {
    do {
      port = "0";
      for (int i = 0; i < 3; ++i) {
        const char* const host = address_of("456"[i]);
        const net::address& own = kept[i].emplace(net::address::parse(net::join_host_port(host, port))).where();
        if (!own) break;
        port = std::to_string(own.port());
      }
    } while (!kept[2] || !kept[2]->where());
    const auto listen = [](const std::optional<kept_port>& k) {
      return net::listen("tcp", k->where().to_string(), {.backlog = 1});
    };
    four = listen(kept[0]);
    five = listen(kept[1]);
    six = listen(kept[2]);
  }

  void silence(net::listener& l) { queued.push_back(rove_test::silence(l)); }

  std::string at(std::string_view letters) const { return std::string(letters) + ".dial:" + port; }
};

bool has_visitor(const net::listener& l) {
  pollfd p{l.descriptor(), POLLIN, 0};
  return poll(&p, 1, 0) == 1;
}

// What a failing test is to end by.
net::time_point long_time() { return from_now(60s); }

std::error_code dial_error(const std::string& addr, const net::dial_options& o) {
  return error_of([&](auto& ec) { CHECK(!net::dial("tcp", addr, o, ec)); });
}

// Whether the two ends are of one connection.
bool meet(net::conn& a, net::conn& b) {
  a.write("to and");
  b.write("fro");
  return read_exactly(b, 6) == "to and" && read_exactly(a, 3) == "fro" && a.local_addr() == b.remote_addr();
}

}  // namespace

TEST_CASE("dial: of a host whose first kind of address does not answer, the other kind wins after the delay") {
  if (!has_ip6()) return;
  everywhere([] {
    for (const bool six_first : {true, false}) {
      one_port p;
      net::listener& good = six_first ? p.four : p.six;
      p.silence(six_first ? p.six : p.four);
      const std::size_t before = count_descriptors(), goroutines = rove::num_goroutines();
      const auto start = std::chrono::steady_clock::now();
      const char* const name = six_first ? "6-4" : "4-6";
      net::conn c = net::dial("tcp", p.at(name), {.deadline = long_time(), .fallback_delay = 15ms});
      CHECK(std::chrono::steady_clock::now() - start >= 15ms);
      CHECK(c.remote_addr() == good.local_addr());
      CHECK(count_descriptors() == before + 1);  // the loser's is closed
      eventually([&] { return rove::num_goroutines() <= goroutines; });
      net::conn s = good.accept();
      CHECK(meet(c, s));
      c.close();
      s.close();
      CHECK(count_descriptors() == before);
    }
  });
}

TEST_CASE("dial: the second kind is not tried before its time, and at once when the first is through") {
  if (!has_ip6()) return;
  everywhere([] {
    one_port p;
    p.silence(p.six);
    const std::size_t before = count_descriptors();
    for (const std::chrono::milliseconds never_tried : {std::chrono::milliseconds(1h), -1ms}) {
      const net::dial_options o{.deadline = from_now(20ms), .fallback_delay = never_tried};
      CHECK(dial_error(p.at("6-4"), o) == rove::errc::deadline_exceeded);
      CHECK(std::chrono::steady_clock::now() >= o.deadline);
      CHECK_FALSE(has_visitor(p.four));
      CHECK(count_descriptors() == before);
    }

    p.four.close();
    net::conn c = net::dial("tcp", p.at("4-5-6"), {.deadline = long_time(), .fallback_delay = 1h});
    CHECK(c.remote_addr() == p.five.local_addr());  // first all of the first kind
    net::conn s = p.five.accept();
    CHECK(meet(c, s));

    p.six.close();
    c = net::dial("tcp", p.at("6-4-5"), {.deadline = long_time(), .fallback_delay = 1h});
    CHECK(c.remote_addr() == p.five.local_addr());
  });
}

TEST_CASE("dial: the second kind's addresses are tried one after the other while the first says nothing") {
  if (!has_ip6()) return;
  everywhere([] {
    one_port p;
    p.silence(p.six);
    p.four.close();
    const std::size_t before = count_descriptors();
    net::conn c = net::dial("tcp", p.at("6-4-5"), {.deadline = long_time(), .fallback_delay = 0ms});
    CHECK(c.remote_addr() == p.five.local_addr());
    CHECK(count_descriptors() == before + 1);
  });
}

TEST_CASE("dial: without a winner the first address's error is the dial's") {
  if (!has_ip6()) return;
  everywhere([] {
    one_port p;
    const net::address here = net::address::parse("127.0.0.1:0");
    const auto refused = std::errc::connection_refused;
    p.silence(p.six);
    p.four.close();
    const std::size_t before = count_descriptors();
    const net::dial_options limited{.deadline = from_now(30ms), .fallback_delay = 0ms};
    CHECK(dial_error(p.at("6-4"), limited) == rove::errc::deadline_exceeded);  // the second refuses
    CHECK(std::chrono::steady_clock::now() >= limited.deadline);
    // The second says nothing; if the first had no time to say something either, there is more next time.
    std::error_code both_tried = rove::errc::deadline_exceeded;
    for (auto time = 10ms; both_tried == rove::errc::deadline_exceeded && time < 60s; time *= 2) {
      const net::dial_options again{.deadline = from_now(time), .fallback_delay = 0ms};
      both_tried = dial_error(p.at("4-6"), again);
      CHECK(std::chrono::steady_clock::now() >= again.deadline);
    }
    CHECK(both_tried == refused);
    p.six.close();
    CHECK(count_descriptors() == before - 1);
    CHECK(dial_error(p.at("6-4"), {.deadline = long_time()}) == refused);
    // From an address of the one kind the other kind cannot be reached.
    CHECK(dial_error(p.at("4-6"), {.deadline = long_time(), .local = here}) == refused);
    const std::error_code unreachable = dial_error(p.at("6-4"), {.deadline = long_time(), .local = here});
    CHECK(unreachable.category() == std::system_category());
    CHECK(unreachable != refused);
    CHECK(count_descriptors() == before - 1);
  });
}

TEST_CASE("dial: a connect that meets itself is no connection, in a race either") {
  if (!has_ip6()) return;
  everywhere([] {
    for (const char* const name : {"4", "4-6"}) {
      one_port p;
      p.silence(p.five);                         // whatever descriptors the library wants for itself, it has now
      const net::address own = p.four.local_addr();
      p.four.close();
      p.six.close();
      p.kept[0].reset();                         // it is to be bound
      const std::size_t before = count_descriptors();
      CHECK(dial_error(p.at(name), {.deadline = long_time(), .local = own}));
      CHECK(count_descriptors() == before);
    }
  });
}

TEST_CASE("dial: a context ends the race, before the second kind is tried and afterwards") {
  if (!has_ip6()) return;
  everywhere([] {
    one_port p;
    p.silence(p.six);
    p.silence(p.four);
    const std::size_t before = count_descriptors();
    for (const bool both : {true, false}) {
      const auto [ctx, cancel] = rove::with_cancel(rove::background());
      beside canceler([&, cancel = cancel] {     // when the sockets are there, and the descriptor for both
        eventually([&] { return count_descriptors() >= before + (both ? 3 : 2); });
        cancel();
      });
      std::error_code ec;
      CHECK(!net::dial(ctx, "tcp", p.at("6-4"), {.deadline = long_time(), .fallback_delay = both ? 0h : 1h}, ec));
      CHECK(ec == rove::errc::canceled);
      canceler.join();
      CHECK(count_descriptors() == before);
    }
    const auto timed = rove::with_timeout(rove::background(), 20ms);
    std::error_code ec;
    CHECK(!net::dial(timed.ctx, "tcp", p.at("4-6"), {.fallback_delay = 0ms}, ec));
    CHECK(ec == rove::errc::deadline_exceeded);
    CHECK(count_descriptors() == before);
  });
}

TEST_CASE("dial: that a context has ended is said also if an address had refused") {
  if (!has_ip6()) return;
  everywhere([] {
    one_port p;
    p.silence(p.six);
    p.silence(p.five);
    p.four.close();
    const std::size_t before = count_descriptors();
    for (const char* const name : {"4-6", "4-5"}) {  // in a race, and one after the other
      const auto [ctx, cancel] = rove::with_cancel(rove::background());
      beside canceler([&, cancel = cancel] {
        eventually([&] { return count_descriptors() > before; });
        rove::sleep_for(1ms);
        cancel();
      });
      std::error_code ec;
      CHECK(!net::dial(ctx, "tcp", p.at(name), {.deadline = long_time(), .fallback_delay = 0ms}, ec));
      CHECK(ec == rove::errc::canceled);
      canceler.join();
      const auto timed = rove::with_timeout(rove::background(), 10ms);
      CHECK(!net::dial(timed.ctx, "tcp", p.at(name), {.fallback_delay = 0ms}, ec));
      CHECK(ec == rove::errc::deadline_exceeded);
      CHECK(count_descriptors() == before);
    }
  });
}

TEST_CASE("dial: a runtime's end in the middle of a race closes both") {
  if (!has_ip6()) return;
  one_port p;
  p.silence(p.six);
  p.silence(p.four);
  const std::size_t before = count_descriptors();
  for (const unsigned procs : {1u, 2u})
    rove::run(with_procs(procs), [&] {
      rove::go([&] { net::dial("tcp", p.at("6-4"), {.deadline = long_time(), .fallback_delay = 0ms}); });
      eventually([&] { return count_descriptors() >= before + 4; });  // and the runtime's poller
    });
  CHECK(count_descriptors() == before);
}
