// Many connections, and too many.
#include <sys/resource.h>

#include <algorithm>
#include <atomic>

#include "test/debug/child.hpp"
#include "test/net/support.hpp"

using namespace rove_test;

namespace {

// Lets the process open as many as the system allows: how many that is.
std::size_t raise_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 25'000);
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

}  // namespace

TEST_CASE("net: thousands of connections, most of them idle", "[native]") {
  const std::size_t before = count_descriptors();
  const std::size_t allowed = raise_limit();
  const std::size_t wanted = ROVE_SANITIZED ? 1000 : 10'000;
  const std::size_t count = std::min(wanted, (allowed - before - 50) / 2);
  REQUIRE(count >= 100);
  rove::runtime rt(with_procs(2));
  rt.run([&] {
    net::listener l = net::listen("tcp", "127.0.0.1:0");
    const std::string addr = l.local_addr().to_string();
    rove::wait_group served;
    served.go([&] {
      std::error_code ec;
      while (net::conn c = l.accept(ec))
        served.go([c = std::move(c)]() mutable {
          char part[16];
          while (const std::size_t n = c.read(std::span(part))) c.write(std::string_view(part, n));
        });
    });
    std::vector<net::conn> all;
    for (std::size_t i = 0; i < count; ++i) all.push_back(net::dial("tcp", addr));
    std::size_t answered = 0;
    for (int round = 0; round < 2; ++round)
      for (std::size_t i = 0; i < count; i += 97) {
        const std::string text = std::to_string(i);
        all[i].write(text);
        answered += read_exactly(all[i], text.size()) == text;
      }
    CHECK(answered == 2 * ((count + 96) / 97));
    all.clear();
    l.close();
    served.wait();
  });
  check_nothing_left(rt);
  CHECK(count_descriptors() <= before + 2);  // the poller's own
}

TEST_CASE("net: a listener survives a lack of descriptors", "[native]") {
  const ending e = run_in_child([] {
    const int status = rove::run([] {
      net::listener l = net::listen("tcp", "127.0.0.1:0");
      const std::string addr = l.local_addr().to_string();
      std::atomic<int> accepted{0};
      rove::wait_group server;
      std::error_code last;
      server.go([&] {
        std::vector<net::conn> kept;
        while (net::conn c = l.accept(last)) {
          kept.push_back(std::move(c));
          ++accepted;
        }
      });
      net::conn first = net::dial("tcp", addr);
      eventually([&] { return accepted == 1; });
      const rlimit few{count_descriptors() + 3, count_descriptors() + 20};
      if (setrlimit(RLIMIT_NOFILE, &few) != 0) return 10;
      std::vector<net::conn> all;
      std::error_code ec;
      while (!ec) all.push_back(net::dial("tcp", addr, ec));
      if (ec != std::errc::too_many_files_open) return 11;
      all.pop_back();
      const std::size_t waiting = all.size();
      if (waiting < 2) return 12;
      rove::sleep_for(20ms);
      const rlimit more{few.rlim_max, few.rlim_max};
      if (setrlimit(RLIMIT_NOFILE, &more) != 0) return 13;
      eventually([&] { return accepted == 1 + static_cast<int>(waiting); });
      l.close();
      server.wait();
      return last == rove::errc::closed ? 42 : 14;
    });
    _exit(status);
  });
  INFO(e.error_output);
  CHECK(e.status == 42);
}

TEST_CASE("net: close ends the wait for descriptors", "[native]") {
  const ending e = run_in_child([] {
    const int status = rove::run([] {
      net::listener l = net::listen("tcp", "127.0.0.1:0");
      std::error_code last;
      net::conn peer = net::dial("tcp", l.local_addr().to_string());
      const rlimit none{0, count_descriptors() + 10};
      if (setrlimit(RLIMIT_NOFILE, &none) != 0) return 10;
      rove::wait_group server;
      server.go([&] { l.accept(last); });
      rove::sleep_for(30ms);
      l.close();
      server.wait();
      return last == rove::errc::closed ? 42 : 11;
    });
    _exit(status);
  });
  INFO(e.error_output);
  CHECK(e.status == 42);
}
