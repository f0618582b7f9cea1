// Names become addresses: from goroutines and plain threads, with deadlines, errors, and ends in the middle. The
// system's resolver is replaced for names under .test, so that no name server is asked.
#include <rove/address.hpp>
#include <rove/context.hpp>

#include <dlfcn.h>
#include <netdb.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "test/support/fixture.hpp"

using namespace rove_test;
using rove::net::address;
using rove::net::address_errc;
using rove::net::resolve;

namespace {

// A slow name, slow-N.test: look-ups of it wait until its gate is opened. Each test has one of its own, since a look-up
// that nobody waits for any more may begin when its test is over.
struct slow_name {
  std::atomic<bool> gate{false};
  std::atomic<int> inside{0};        // look-ups under way
  std::atomic<int> most_inside{0};
  std::atomic<int> asked{0};         // look-ups ever
};
slow_name slow_names[32];
int last_slow = 0;

slow_name& slow() { return slow_names[last_slow]; }
std::string slow_host() { return "slow-" + std::to_string(last_slow) + ".test"; }

using getaddrinfo_type = int (*)(const char*, const char*, const addrinfo*, addrinfo**);

int real_getaddrinfo(const char* host, const char* service, const addrinfo* hints, addrinfo** list) {
  static const auto real = reinterpret_cast<getaddrinfo_type>(dlsym(RTLD_NEXT, "getaddrinfo"));
  return real(host, service, hints, list);
}

int slow_lookup(slow_name& name, const addrinfo* hints, addrinfo** list) {
  ++name.asked;
  const int now = ++name.inside;
  for (int most = name.most_inside; most < now && !name.most_inside.compare_exchange_weak(most, now);) {
  }
  while (!name.gate) std::this_thread::sleep_for(1ms);
  --name.inside;
  return real_getaddrinfo("127.0.0.3", nullptr, hints, list);
}

// From here on slow() is a new one, with a closed gate.
void close_gate() { REQUIRE(++last_slow < 32); }
void open_gate() {
  slow().gate = true;
  eventually([] { return slow().inside == 0; });
}

std::error_code error_for(std::string_view host) {
  std::error_code ec;
  CHECK(resolve(host, ec).empty());
  return ec;
}

}  // namespace

extern "C" int getaddrinfo(const char* host, const char* service, const addrinfo* hints, addrinfo** list) {
  if (int n; std::sscanf(host, "slow-%d.test", &n) == 1) return slow_lookup(slow_names[n], hints, list);
  if (std::strcmp(host, "twins.test") == 0) return real_getaddrinfo("127.0.0.2", nullptr, nullptr, list);
  if (std::strcmp(host, "none.test") == 0) return EAI_NONAME;
  if (std::strcmp(host, "again.test") == 0) return EAI_AGAIN;
  if (std::strcmp(host, "fail.test") == 0) return EAI_FAIL;
  if (std::strcmp(host, "memory.test") == 0) return EAI_MEMORY;
  if (std::strcmp(host, "system.test") == 0) {
    errno = EMFILE;
    return EAI_SYSTEM;
  }
  return real_getaddrinfo(host, service, hints, list);
}

TEST_CASE("resolve: this host") {
  const auto check = [] {
    const std::vector<address> all = resolve("localhost");
    REQUIRE_FALSE(all.empty());
    for (const address& a : all) {
      CHECK(a.port() == 0);
      CHECK((a.host() == "::1" || a.host().starts_with("127.")));
    }
  };
  check();
  on_processors(check);
}

TEST_CASE("resolve: a literal address is its own answer") {
  CHECK(resolve("1.2.3.4") == std::vector{address::parse("1.2.3.4:0")});
  CHECK(resolve("::1") == std::vector{address::parse("[::1]:0")});
  CHECK(resolve("::1", std::chrono::steady_clock::time_point::min()).size() == 1);
  CHECK(error_for("fe80::1%no-such-if") == std::errc::no_such_device);
}

TEST_CASE("resolve: each address comes once") {
  on_processors([] { CHECK(resolve("twins.test") == std::vector{address::parse("127.0.0.2:0")}); });
}

TEST_CASE("resolve: errors") {
  on_processors([] {
    CHECK(error_for("") == address_errc::no_such_host);
    CHECK(error_for(std::string_view("local\0host", 10)) == address_errc::no_such_host);
    CHECK(error_for("none.test") == address_errc::no_such_host);
    CHECK(error_for("again.test") == address_errc::temporary_failure);
    CHECK(error_for("fail.test") == address_errc::lookup_failed);
    CHECK(error_for("memory.test") == std::errc::not_enough_memory);
    CHECK(error_for("system.test") == std::errc::too_many_files_open);
    CHECK_THROWS_WITH(resolve("none.test"), "rove::net::resolve: no such host");
  });
}

TEST_CASE("resolve: other goroutines go on, and it is no deadlock") {
  close_gate();
  rove::config c = with_procs(1);
  c.detect_deadlock = true;
  rove::run(c, [] {
    auto found = rove::spawn([] { return resolve(slow_host()); });
    eventually([] { return slow().inside == 1; });
    CHECK(rove::spawn([] { return 7; }).get() == 7);
    rove::spawn([] { rove::sleep_for(1ms); }).wait();
    std::thread later([] {  // when all goroutines are parked
      std::this_thread::sleep_for(20ms);
      slow().gate = true;
    });
    CHECK(found.get() == std::vector{address::parse("127.0.0.3:0")});
    later.join();
  });
}

TEST_CASE("resolve: a deadline passes, and the thread finishes by itself") {
  const auto check = [] {
    close_gate();
    std::error_code ec;
    const auto start = std::chrono::steady_clock::now();
    CHECK(resolve(slow_host(), start + 5ms, ec).empty());
    CHECK(ec == rove::errc::deadline_exceeded);
    CHECK(std::chrono::steady_clock::now() >= start + 5ms);
    CHECK_THROWS_WITH(resolve(slow_host(), start), "rove::net::resolve: context deadline exceeded");
    open_gate();
    CHECK(resolve(slow_host(), std::chrono::steady_clock::now() + 1h, ec).size() == 1);
    CHECK(resolve(slow_host(), std::chrono::steady_clock::time_point::max(), ec).size() == 1);
    CHECK_FALSE(ec);
  };
  check();
  on_processors(check);
}

TEST_CASE("resolve: a context ends it") {
  const auto check = [] {
    close_gate();
    std::error_code ec;
    const auto [ctx, cancel] = rove::with_cancel(rove::background());
    std::thread later([cancel = cancel] {
      eventually([] { return slow().inside == 1; });
      cancel();
    });
    CHECK(resolve(ctx, slow_host(), ec).empty());
    CHECK(ec == rove::errc::canceled);
    later.join();
    const int before = slow().asked;
    CHECK(resolve(ctx, slow_host(), ec).empty());  // it is over: nobody is asked
    CHECK(ec == rove::errc::canceled);
    CHECK(slow().asked == before);
    CHECK_THROWS_WITH(resolve(ctx, slow_host()), "rove::net::resolve: context canceled");
    const auto timed = rove::with_timeout(rove::background(), 5ms);
    CHECK(resolve(timed.ctx, slow_host(), ec).empty());
    CHECK(ec == rove::errc::deadline_exceeded);
    open_gate();
    const auto free = rove::with_cancel(rove::background());
    CHECK(resolve(free.ctx, slow_host(), ec).size() == 1);
    CHECK(resolve(rove::background(), slow_host()).size() == 1);
    CHECK_FALSE(ec);
  };
  check();
  on_processors(check);
}

TEST_CASE("resolve: the goroutine is ended while it waits") {
  close_gate();
  rove::run(with_procs(2), [] {
    rove::go([] { resolve(slow_host()); });
    eventually([] { return slow().inside == 1; });
  });
  CHECK(slow().inside == 1);  // its thread goes on without it
  open_gate();
}

TEST_CASE("resolve: many at once, on a bounded number of threads; what is not wanted any more is not asked for") {
  close_gate();
  rove::run(with_procs(2), [] {
    rove::wait_group wg;
    std::atomic<int> right{0}, late{0};
    for (int i = 0; i < 100; ++i)
      wg.go([&] {
        std::error_code ec;
        if (resolve(slow_host(), ec).size() == 1) ++right;
      });
    eventually([] { return slow().inside == 64; });
    for (int i = 0; i < 20; ++i)
      wg.go([&] {
        std::error_code ec;
        resolve(slow_host(), std::chrono::steady_clock::now() + 1ms, ec);
        if (ec == rove::errc::deadline_exceeded) ++late;
      });
    eventually([&] { return late == 20; });
    slow().gate = true;
    wg.wait();
    CHECK(right == 100);
  });
  open_gate();
  CHECK(slow().most_inside == 64);
  CHECK(slow().asked == 100);
}
