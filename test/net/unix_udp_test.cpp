// Unix sockets and datagrams.
#include <unistd.h>

#include <atomic>
#include <filesystem>

#include "test/net/support.hpp"

using namespace rove_test;

namespace {

// Of a file that is not there: an earlier process of the same number may have been killed.
std::string path_for(const char* name) {
  const auto path = std::filesystem::temp_directory_path() / ("rove_" + std::to_string(getpid()) + name);
  std::filesystem::remove(path);
  return path.string();
}

}  // namespace

TEST_CASE("net: unix: a connection by a path, which goes with its listener") {
  everywhere([] {
    const std::string path = path_for("_echo.sock");
    {
      net::listener l = net::listen("unix", path);
      CHECK(l.local_addr().to_string() == path);
      CHECK(std::filesystem::exists(path));
      net::conn a = net::dial("unix", path);
      net::conn b = l.accept();
      CHECK(a.remote_addr().to_string() == path);
      a.write("hello");
      CHECK(read_exactly(b, 5) == "hello");
      a.close_write();
      CHECK(read_to_end(b).empty());
      l.close();
      CHECK(!std::filesystem::exists(path));
    }
    { net::listener l = net::listen("unix", path); }
    CHECK(!std::filesystem::exists(path));
    CHECK(error_of([&](auto& ec) { net::dial("unix", path, ec); }) == std::errc::no_such_file_or_directory);
  });
}

TEST_CASE("net: unix: names that are no paths") {
  everywhere([] {
    const std::string name = "@rove_test_" + std::to_string(getpid());
    net::listener l = net::listen("unix", name);
    net::conn a = net::dial("unix", name);
    net::conn b = l.accept();
    b.write("x");
    CHECK(read_exactly(a, 1) == "x");
  });
}

TEST_CASE("net: unix: a dial waits while the listener's queue is full") {
  on_processors([] {
    const std::string path = path_for("_full.sock");
    net::listener l = net::listen("unix", path, {.backlog = 1});
    rove::wait_group clients;
    for (int i = 0; i < 8; ++i) clients.go([&] { net::dial("unix", path).write("x"); });
    rove::sleep_for(3ms);
    int served = 0;
    for (int i = 0; i < 8; ++i) {
      net::conn c = l.accept();
      served += read_to_end(c) == "x";
    }
    clients.wait();
    CHECK(served == 8);
  });
}

TEST_CASE("net: udp: datagrams to and from anybody") {
  everywhere([] {
    net::udp a = net::udp::bind("udp", "127.0.0.1:0");
    net::udp b = net::udp::bind("udp4", "127.0.0.1:0");
    char part[16];
    CHECK(a.write_to("hello", b.local_addr()) == 5);
    net::datagram d = b.read_from(std::span(part));
    CHECK(std::string_view(part, d.size) == "hello");
    CHECK(d.addr == a.local_addr());
    CHECK(b.write_to(std::string_view(), d.addr) == 0);
    d = a.read_from(std::span(part));
    CHECK(d.size == 0);
    CHECK(d.addr == b.local_addr());
    a.write_to("longer than the room for it", b.local_addr());
    CHECK(b.read_from(std::span(part, 6)).size == 6);
    CHECK(std::string_view(part, 6) == "longer");
    const std::string huge(70'000, 'x');
    CHECK(error_of([&](auto& ec) { a.write_to(huge, b.local_addr(), ec); }) == std::errc::message_size);
  });
}

TEST_CASE("net: udp: a wait for a datagram, and its end by close") {
  everywhere([] {
    net::udp a = net::udp::bind("udp", "127.0.0.1:0");
    const net::address to = a.local_addr();
    std::atomic<std::size_t> size{0};
    std::error_code ec;
    {
      beside reader([&] {
        char part[16];
        size = a.read_from(std::span(part)).size;
        a.read_from(std::span(part), ec);
      });
      rove::sleep_for(1ms);  // it waits by now, most likely
      net::udp b = net::udp::bind("udp", "127.0.0.1:0");
      b.write_to("abc", to);
      eventually([&] { return size != 0; });
      rove::sleep_for(1ms);
      a.close();
    }
    CHECK(size == 3);
    CHECK(ec == rove::errc::closed);
  });
}

TEST_CASE("net: udp: a socket of both kinds of IP") {
  everywhere([] {
    net::udp any = net::udp::bind("udp", ":0");
    net::udp four = net::udp::bind("udp4", "127.0.0.1:0");
    const net::address to = net::address::parse_ip("127.0.0.1", any.local_addr().port());
    four.write_to("in", to);
    char part[16];
    const net::datagram d = any.read_from(std::span(part));
    CHECK(d.addr == four.local_addr());
    any.write_to("out", d.addr);
    CHECK(four.read_from(std::span(part)).size == 3);
  });
}

TEST_CASE("net: udp: a connection, each read a datagram") {
  everywhere([] {
    net::udp server = net::udp::bind("udp", "127.0.0.1:0");
    net::conn c = net::dial("udp", server.local_addr().to_string());
    CHECK(c.write("one") == 3);
    CHECK(c.write("three") == 5);
    char part[16];
    net::datagram d = server.read_from(std::span(part));
    CHECK(d.size == 3);
    CHECK(d.addr == c.local_addr());
    CHECK(server.read_from(std::span(part)).size == 5);
    server.write_to("answer", d.addr);
    CHECK(c.read(std::span(part)) == 6);
    CHECK(c.remote_addr() == server.local_addr());
    // c's own port takes datagrams of the server's only, and is nobody else's: from others nobody is there.
    net::conn lost = net::dial("udp", c.local_addr().to_string());
    std::error_code ec;
    lost.write("nobody there", ec);
    lost.read(std::span(part), ec);
    CHECK(ec == std::errc::connection_refused);
  });
}
