// Connections and listeners: every call, from goroutines and from plain threads.
#include <array>
#include <vector>

#include <fcntl.h>

#include "src/os/socket.hpp"
#include "test/net/support.hpp"

using namespace rove_test;

TEST_CASE("net: what is written is read") {
  everywhere([] {
    connected c = make_pair();
    CHECK(c.a.write("hello") == 5);
    CHECK(read_exactly(c.b, 5) == "hello");
    const std::array<std::byte, 3> bytes{std::byte{1}, std::byte{2}, std::byte{3}};
    CHECK(c.b.write(std::span(bytes)) == 3);
    std::array<std::byte, 8> got{};
    CHECK(c.a.read(std::span(got)) == 3);
    CHECK(got[2] == std::byte{3});
    c.a.close();
    CHECK(read_to_end(c.b).empty());
  });
}

TEST_CASE("net: an echo of many small messages") {
  everywhere([] {
    connected c = make_pair();
    beside echo([&] {
      char part[64];
      while (const std::size_t n = c.b.read(std::span(part))) c.b.write(std::string_view(part, n));
      c.b.close();
    });
    for (int i = 0; i < 500 * load; ++i) {
      const std::string text = std::to_string(i);
      c.a.write(text);
      REQUIRE(read_exactly(c.a, text.size()) == text);
    }
    c.a.close_write();
    CHECK(read_to_end(c.a).empty());
  });
}

TEST_CASE("net: more than the system's buffers hold") {
  everywhere([] {
    connected c = make_pair();
    const std::size_t size = 3'000'000;
    std::string sent(size, 'x');
    for (std::size_t i = 0; i < size; i += 1000) sent[i] = static_cast<char>('a' + i / 1000 % 26);
    std::size_t written = 0;
    beside writer([&] {
      written = c.a.write(sent);
      c.a.close_write();
    });
    CHECK(read_to_end(c.b) == sent);
    writer.join();
    CHECK(written == size);
  });
}

TEST_CASE("net: pieces go out in one write, in order") {
  everywhere([] {
    connected c = make_pair();
    const std::array<std::string_view, 3> words{"one ", "", "two"};
    CHECK(c.a.writev(std::span(words)) == 7);
    std::vector<std::string> many;
    std::string all;
    for (int i = 0; i < 300; ++i) all += many.emplace_back(std::string(static_cast<std::size_t>(i) * 7, 'a' + i % 26));
    std::vector<std::span<const char>> parts(many.begin(), many.end());
    std::size_t written = 0;
    beside writer([&] { written = c.a.writev(std::span(parts)); });
    CHECK(read_exactly(c.b, 7 + all.size()) == "one two" + all);
    writer.join();
    CHECK(written == all.size());
  });
}

TEST_CASE("net: writes of several are each whole") {
  on_processors([] {
    connected c = make_pair();
    constexpr std::size_t size = 100'000;
    rove::wait_group writers;
    for (char name = 'a'; name < 'e'; ++name)
      writers.go([&c, name] { c.a.write(std::string(size, name)); });
    for (int i = 0; i < 4; ++i) {
      const std::string one = read_exactly(c.b, size);
      REQUIRE(one.size() == size);
      CHECK(one == std::string(size, one[0]));
    }
    writers.wait();
  });
}

TEST_CASE("net: one side ends its stream, the other goes on") {
  everywhere([] {
    connected c = make_pair();
    c.a.write("question");
    c.a.close_write();
    CHECK(read_to_end(c.b) == "question");
    c.b.write("answer");
    c.b.close();
    CHECK(read_to_end(c.a) == "answer");
    CHECK(error_of([&](auto& ec) { c.a.write("more", ec); }) == std::errc::broken_pipe);
  });
}

TEST_CASE("net: data and the end that come together are both read") {
  on_processors([] {
    for (int i = 0; i < 50 * load; ++i) {
      connected c = make_pair();
      rove::wait_group writer;
      writer.go([&c] {
        c.a.write("ab");
        rove::yield();
        c.a.write("c");
        c.a.close();
      });
      CHECK(read_to_end(c.b) == "abc");
      writer.wait();
    }
  });
}

TEST_CASE("net: addresses of both ends") {
  everywhere([] {
    net::listener l = net::listen("tcp4", "127.0.0.1:0");
    net::conn a = net::dial("tcp", l.local_addr().to_string());
    net::conn b = l.accept();
    CHECK(a.local_addr() == b.remote_addr());
    CHECK(b.local_addr() == a.remote_addr());
    CHECK(b.local_addr() == l.local_addr());
    CHECK(a.local_addr().host() == "127.0.0.1");
    CHECK(l.local_addr().port() != 0);
    b.close();
    CHECK(b.remote_addr() == a.local_addr());
    CHECK(error_of([&](auto& ec) { b.local_addr(ec); }) == rove::errc::closed);
  });
}

TEST_CASE("net: a listener of both kinds of IP") {
  on_processors([] {
    net::listener l = net::listen("tcp", ":0");
    const std::string port = std::to_string(l.local_addr().port());
    net::conn a = net::dial("tcp4", "127.0.0.1:" + port);
    net::conn b = l.accept();
    CHECK(b.remote_addr().is_ip4());
    CHECK(b.remote_addr() == a.local_addr());
    net::conn c = net::dial("tcp", ":" + port);
    CHECK(c.remote_addr().port() == l.local_addr().port());
    std::error_code ec;
    net::conn d = net::dial("tcp6", "[::1]:" + port, ec);
    if (!ec) CHECK(d.remote_addr().is_ip6());
    net::listener six = net::listen("tcp6", "[::1]:0", ec);
    if (!ec) CHECK(six.local_addr().is_ip6());
  });
}

TEST_CASE("net: what cannot be opened says why") {
  everywhere([] {
    std::error_code ec;
    CHECK(!net::listen("tcpx", "127.0.0.1:0", ec));
    CHECK(ec == net::address_errc::unknown_network);
    CHECK(!net::listen("udp", "127.0.0.1:0", ec));
    CHECK(ec == net::address_errc::unknown_network);
    CHECK(!net::dial("tcp", "127.0.0.1", ec));
    CHECK(ec == net::address_errc::missing_port);
    CHECK(!net::dial("tcp6", "127.0.0.1:1", ec));
    CHECK(ec == net::address_errc::no_suitable_address);
    const kept_port port(net::address::parse("127.0.0.1:0"));
    const std::string addr = port.where().to_string();
    net::listener l = net::listen("tcp", addr);
    CHECK(!net::listen("tcp", addr, ec));
    CHECK(ec == std::errc::address_in_use);
    l.close();
    CHECK(!net::dial("tcp", addr, ec));
    CHECK(ec == std::errc::connection_refused);
    CHECK(thrown_by([&] { net::dial("tcp", addr); }) == std::errc::connection_refused);
    CHECK(thrown_by([&] { net::listen("nothing", addr); }) == net::address_errc::unknown_network);
    l = net::listen("tcp", addr, ec);
    CHECK(!ec);
  });
}

TEST_CASE("net: a socket that was never opened, or was moved from, is closed") {
  everywhere([] {
    net::conn c;
    net::listener l;
    net::udp u;
    char part[8];
    CHECK(!c);
    CHECK(error_of([&](auto& ec) { c.read(std::span(part), ec); }) == rove::errc::closed);
    CHECK(error_of([&](auto& ec) { c.write("x", ec); }) == rove::errc::closed);
    CHECK(error_of([&](auto& ec) { c.close(ec); }) == rove::errc::closed);
    CHECK(error_of([&](auto& ec) { c.close_write(ec); }) == rove::errc::closed);
    CHECK(error_of([&](auto& ec) { c.set_deadline(long_ago, ec); }) == rove::errc::closed);
    CHECK(error_of([&](auto& ec) { c.set_no_delay(true, ec); }) == rove::errc::closed);
    CHECK(error_of([&](auto& ec) { c.remote_addr(ec); }) == rove::errc::closed);
    CHECK(error_of([&](auto& ec) { l.accept(ec); }) == rove::errc::closed);
    CHECK(error_of([&](auto& ec) { u.read_from(std::span(part), ec); }) == rove::errc::closed);
    CHECK(error_of([&](auto& ec) { u.write_to("x", {}, ec); }) == rove::errc::closed);
    CHECK(c.descriptor() == -1);
    CHECK(thrown_by([&] { c.write("x"); }).message() == "use of closed network connection");
    connected p = make_pair();
    net::conn moved = std::move(p.a);
    CHECK(!p.a);
    CHECK(moved.write("x") == 1);
    moved = net::conn();
    CHECK(read_to_end(p.b) == "x");
  });
}

TEST_CASE("net: options") {
  everywhere([] {
    connected c = make_pair();
    c.a.set_no_delay(false);
    c.a.set_keep_alive(true);
    c.a.set_keep_alive(std::chrono::seconds(7), std::chrono::seconds(3), 2);
    c.a.set_read_buffer(100'000);
    c.a.set_write_buffer(100'000);
    const auto option = [&](const net::conn& s, rove::os::socket_option o) {
      int value = -1;
      rove::os::get_option(s.descriptor(), o, value);
      return value;
    };
    using rove::os::socket_option;
    CHECK(option(c.a, socket_option::no_delay) == 0);
    CHECK(option(c.a, socket_option::keep_alive_idle) == 7);
    CHECK(option(c.a, socket_option::keep_alive_interval) == 3);
    CHECK(option(c.a, socket_option::keep_alive_count) == 2);
    CHECK(option(c.a, socket_option::receive_buffer) >= 100'000);
    CHECK(option(c.b, socket_option::no_delay) == 1);
    CHECK(option(c.b, socket_option::keep_alive) == 1);
    CHECK(option(c.b, socket_option::keep_alive_idle) == 15);
    c.a.set_linger(std::chrono::seconds(0));
    c.a.close();
    char part[8];
    CHECK(error_of([&](auto& ec) { c.b.read(std::span(part), ec); }) == std::errc::connection_reset);
  });
}

TEST_CASE("net: several listeners share a port") {
  everywhere([] {
    const net::listen_options shared{.backlog = 16, .reuse_port = true};
    net::listener a = net::listen("tcp", "127.0.0.1:0", shared);
    net::listener b = net::listen("tcp", a.local_addr().to_string(), shared);
    CHECK(b.local_addr() == a.local_addr());
  });
}

TEST_CASE("net: descriptors are not passed on by exec, and do not block") {
  connected c = make_pair();
  for (const int d : {c.a.descriptor(), c.b.descriptor()}) {
    CHECK((fcntl(d, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK((fcntl(d, F_GETFL) & O_NONBLOCK) != 0);
  }
}
