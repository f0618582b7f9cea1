// Addresses: their text and back, order, what the system gives and takes; hosts and ports; names of services.
#include <rove/address.hpp>
#include <rove/rove.hpp>

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <set>
#include <unordered_set>

#include "test/catch.hpp"

using rove::net::address;
using rove::net::address_errc;
using namespace std::string_literals;

namespace {

std::error_code parse_error(std::string_view text) {
  std::error_code ec;
  const address a = address::parse(text, ec);
  CHECK_FALSE(a);
  return ec;
}

std::error_code split_error(std::string_view text) {
  std::error_code ec;
  const auto parts = rove::net::split_host_port(text, ec);
  CHECK(parts.host.empty());
  CHECK(parts.port.empty());
  return ec;
}

struct bound_socket {
  int fd;
  explicit bound_socket(const address& a) : fd(socket(a.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    REQUIRE(bind(fd, a.native(), a.native_size()) == 0);
  }
  ~bound_socket() { close(fd); }
  address where() const {
    sockaddr_storage s;
    socklen_t size = sizeof s;
    REQUIRE(getsockname(fd, reinterpret_cast<sockaddr*>(&s), &size) == 0);
    return address::from_native(reinterpret_cast<const sockaddr*>(&s), size);
  }
};

}  // namespace

TEST_CASE("an address is written as it is read") {
  for (const char* text : {"127.0.0.1:80", "0.0.0.0:0", "255.255.255.255:65535", "[::1]:80", "[::]:0",
                           "[2001:db8::1:2]:443", "[1:2:3:4:5:6:7:8]:9", "[1:0:3:4:5:6:7:8]:9",
                           "[1::4:0:0:7:8]:9", "[fe80::]:1", "[::fffe:0:1]:1"}) {
    const address a = address::parse(text);
    CHECK(a.to_string() == text);
    CHECK(a == address::parse(a.to_string()));
    CHECK(a.is_ip4() != a.is_ip6());
    CHECK(a);
  }
}

TEST_CASE("an address may be read from other forms than the one that is written") {
  CHECK(address::parse(":80").to_string() == "[::]:80");
  CHECK(address::parse("127.0.0.1:http").to_string() == "127.0.0.1:80");
  CHECK(address::parse("127.0.0.1:").to_string() == "127.0.0.1:0");
  CHECK(address::parse("[127.0.0.1]:5").to_string() == "127.0.0.1:5");
  CHECK(address::parse("[0:0::0:1]:5").to_string() == "[::1]:5");
  CHECK(address::parse("[2001:DB8::A]:5").to_string() == "[2001:db8::a]:5");
  CHECK(address::parse("[::ffff:1.2.3.4]:5").to_string() == "1.2.3.4:5");
  CHECK(address::parse("[::ffff:1.2.3.4]:5") == address::parse("1.2.3.4:5"));
  CHECK(address::parse("[::1.2.3.4]:5").to_string() == "[::102:304]:5");
  CHECK(address::parse_ip("::1", 7).to_string() == "[::1]:7");
}

TEST_CASE("text that is no address") {
  CHECK(parse_error("") == address_errc::missing_port);
  CHECK(parse_error("127.0.0.1") == address_errc::missing_port);
  CHECK(parse_error("[::1]") == address_errc::missing_port);
  CHECK(parse_error("::1:80") == address_errc::too_many_colons);
  CHECK(parse_error("[::1:80") == address_errc::missing_bracket);
  for (const char* text : {"localhost:80", "1.2.3:80", "1.2.3.4.5:80", "1.2.3.256:80", "1.2.3.04:80", "[1:2]:80",
                           "[g::]:80", "[1::2::3]:80", "[::1%]]:80", " 127.0.0.1:80", "127.0.0.1 :80"})
    CHECK(parse_error(text) == std::errc::invalid_argument);
  CHECK(parse_error("localhost:80") == address_errc::invalid_address);
  CHECK(parse_error("127.0.0.1\0:80"s) == address_errc::invalid_address);
  CHECK(parse_error("127.0.0.1:65536") == address_errc::invalid_port);
  CHECK(parse_error("127.0.0.1:-1") == address_errc::invalid_port);
  CHECK(parse_error("127.0.0.1:no-such-service") == address_errc::unknown_port);
  CHECK(parse_error("[fe80::1%no-such-if]:80") == std::errc::no_such_device);
  CHECK_THROWS_AS(address::parse("nothing"), std::system_error);
  CHECK_THROWS_WITH(address::parse("nothing"), "rove::net::address::parse: missing port in address");
}

TEST_CASE("a zone is the name of an interface, or its number") {
  char name[IF_NAMESIZE];
  if (if_indextoname(1, name) == nullptr) return;  // an emulator without interfaces
  const std::string text = "[fe80::1%"s + name + "]:80";
  const address a = address::parse(text);
  CHECK(a.to_string() == text);
  CHECK(a.host() == "fe80::1%"s + name);
  CHECK(a == address::parse("[fe80::1%1]:80"));
  CHECK(a != address::parse("[fe80::1]:80"));
  CHECK(address::parse("[fe80::1%4000000]:80").to_string() == "[fe80::1%4000000]:80");  // the number stays
}

TEST_CASE("the parts of an address") {
  const address a = address::parse("127.0.0.1:80");
  CHECK(a.port() == 80);
  CHECK(a.host() == "127.0.0.1");
  CHECK(a.with_port(81).to_string() == "127.0.0.1:81");
  CHECK(a.port() == 80);
  CHECK(a.family() == AF_INET);
  const address b = a.as_ip6();
  CHECK(b.is_ip6());
  CHECK(b.family() == AF_INET6);
  CHECK(b.native_size() == sizeof(sockaddr_in6));
  CHECK(b.port() == 80);
  CHECK(address::from_native(b.native(), b.native_size()) == a);
  CHECK(address::parse("[::1]:80").as_ip6() == address::parse("[::1]:80"));
  const address none;
  CHECK_FALSE(none);
  CHECK(none.to_string().empty());
  CHECK(none.port() == 0);
  CHECK(none.family() == AF_UNSPEC);
  CHECK(none == address());
  CHECK_FALSE(none.with_port(5));
}

TEST_CASE("addresses are ordered by kind, host and port, and have a hash") {
  const char* const in_order[] = {"1.2.3.4:80", "1.2.3.4:443", "2.0.0.0:1", "[::1]:5",
                                  "[::1]:256", "[fe80::1%1]:0", "[fe80::1%2]:0"};
  std::vector<address> all{address()};
  for (const char* text : in_order) all.push_back(address::parse(text));
  all.push_back(address::unix_path("/a"));
  all.push_back(address::unix_path("/b"));
  for (std::size_t i = 0; i < all.size(); ++i)
    for (std::size_t j = 0; j < all.size(); ++j) {
      CHECK((all[i] < all[j]) == (i < j));
      CHECK((all[i] == all[j]) == (i == j));
    }
  const std::set<address> sorted(all.rbegin(), all.rend());
  CHECK(std::equal(sorted.begin(), sorted.end(), all.begin(), all.end()));
  const std::unordered_set<address> hashed(all.begin(), all.end());
  CHECK(hashed.size() == all.size());
  CHECK(hashed.count(address::parse("1.2.3.4:443")) == 1);
}

TEST_CASE("Unix addresses") {
  const address a = address::unix_path("/tmp/some.sock");
  CHECK(a.is_unix());
  CHECK(a.to_string() == "/tmp/some.sock");
  CHECK(a.host() == "/tmp/some.sock");
  CHECK(a.port() == 0);
  CHECK(address::unix_path("@name").to_string() == "@name");
  CHECK(address::unix_path("@name").native_size() == offsetof(sockaddr_un, sun_path) + 5);
  CHECK(address::unix_path("@").to_string() == "@");
  CHECK(address::unix_path(std::string(107, 'x')).to_string() == std::string(107, 'x'));
  CHECK(address::unix_path("@" + std::string(107, 'x')).to_string() == "@" + std::string(107, 'x'));
  std::error_code ec;
  for (const std::string& wrong : {std::string(108, 'x'), "@" + std::string(108, 'x'), "/a\0b"s}) {
    CHECK_FALSE(address::unix_path(wrong, ec));
    CHECK(ec == std::errc::invalid_argument);
  }
  CHECK_THROWS_AS(address::unix_path(std::string(108, 'x')), std::system_error);
}

TEST_CASE("what a socket is bound to, the system says") {
  const bound_socket ip4(address::parse("127.0.0.1:0"));
  CHECK(ip4.where().port() != 0);
  CHECK(ip4.where() == address::parse("127.0.0.1:" + std::to_string(ip4.where().port())));
  const bound_socket abstract(address::unix_path("@rove-address-test-" + std::to_string(getpid())));
  CHECK(abstract.where().to_string() == "@rove-address-test-" + std::to_string(getpid()));
  const std::string path = "/tmp/rove-address-test-" + std::to_string(getpid());
  unlink(path.c_str());  // of an earlier process of that number, which was killed
  const bound_socket named(address::unix_path(path));
  CHECK(named.where() == address::unix_path(path));
  unlink(path.c_str());
}

TEST_CASE("what the system gives may be cut or unknown") {
  sockaddr_in in = {};
  in.sin_family = AF_INET;
  std::memset(in.sin_zero, 7, sizeof in.sin_zero);
  const auto* native = reinterpret_cast<const sockaddr*>(&in);
  CHECK(address::from_native(native, sizeof in) == address::parse("0.0.0.0:0"));
  CHECK_FALSE(address::from_native(native, 4));
  CHECK_FALSE(address::from_native(native, 0));
  CHECK_FALSE(address::from_native(nullptr, 16));
  in.sin_family = AF_APPLETALK;
  CHECK_FALSE(address::from_native(native, sizeof in));
  sockaddr_un nameless = {};
  nameless.sun_family = AF_UNIX;
  const address a = address::from_native(reinterpret_cast<const sockaddr*>(&nameless), sizeof(sa_family_t));
  CHECK(a.is_unix());
  CHECK(a.to_string() == "@");
  std::memset(nameless.sun_path, 'x', sizeof nameless.sun_path);  // a path that fills it has no zero behind it
  const address full = address::from_native(reinterpret_cast<const sockaddr*>(&nameless), sizeof nameless);
  CHECK(full.to_string() == std::string(108, 'x'));
}

TEST_CASE("host and port are taken apart and joined") {
  struct row {
    const char *text, *host, *port, *joined;
  };
  for (const row& r : {row{"localhost:http", "localhost", "http", nullptr},
                       row{"localhost%lo0:80", "localhost%lo0", "80", nullptr},
                       row{"[localhost%lo0]:80", "localhost%lo0", "80", "localhost%lo0:80"},
                       row{"[::1%lo0]:80", "::1%lo0", "80", nullptr}, row{":80", "", "80", nullptr},
                       row{"[::1]:", "::1", "", nullptr},
                       row{"golang.org:https%foo", "golang.org", "https%foo", nullptr}}) {
    const auto parts = rove::net::split_host_port(r.text);
    CHECK(parts.host == r.host);
    CHECK(parts.port == r.port);
    CHECK(rove::net::join_host_port(parts.host, parts.port) == (r.joined != nullptr ? r.joined : r.text));
  }
  for (const char* text : {"golang.org", "[::1]", "[fe80::1%lo0]", "localhost%lo0", "[foo:bar]",
                           "[foo:bar]baz", "[foo]bar:baz"})
    CHECK(split_error(text) == address_errc::missing_port);
  for (const char* text : {"::1", "fe80::1%lo0:80", "[foo]:[bar]:baz"})
    CHECK(split_error(text) == address_errc::too_many_colons);
  for (const char* text : {"[foo]:[bar]baz", "foo[bar]:baz"})
    CHECK(split_error(text) == address_errc::unexpected_open_bracket);
  CHECK(split_error("foo]bar:baz") == address_errc::unexpected_close_bracket);
  CHECK(split_error("[foo:80") == address_errc::missing_bracket);
  CHECK_THROWS_WITH(rove::net::split_host_port("foo]bar:baz"), "rove::net::split_host_port: unexpected ']' in address");
}

TEST_CASE("ports have numbers and names") {
  using rove::net::lookup_port;
  CHECK(lookup_port("tcp", "0") == 0);
  CHECK(lookup_port("tcp", "") == 0);
  CHECK(lookup_port("tcp", "+1") == 1);
  CHECK(lookup_port("tcp", "-0") == 0);
  CHECK(lookup_port("nonsense", "65535") == 65535);
  CHECK(lookup_port("tcp", "https") == 443);
  CHECK(lookup_port("tcp4", "HTTP") == 80);
  CHECK(lookup_port("udp6", "domain") == 53);
  CHECK(lookup_port("", "ssh") == 22);
  std::error_code ec;
  for (const char* wrong : {"65536", "-1", "123456789", "1073741825", "99999999999999999999"}) {
    CHECK(lookup_port("tcp", wrong, ec) == 0);
    CHECK(ec == address_errc::invalid_port);
  }
  for (const char* wrong : {"9pfs-no", "123badport", "-2147483649badport", " 80"}) {
    lookup_port("tcp", wrong, ec);
    CHECK(ec == address_errc::unknown_port);
  }
  lookup_port("nonsense", "http", ec);
  CHECK(ec == address_errc::unknown_network);
  CHECK_THROWS_AS(lookup_port("tcp", "99999"), std::system_error);
}

TEST_CASE("each error of an address has its text") {
  CHECK(make_error_code(address_errc::too_many_colons).message() == "too many colons in address");
  CHECK(make_error_code(address_errc::no_such_host).message() == "no such host");
  CHECK(make_error_code(address_errc::no_such_host) != std::errc::invalid_argument);
  CHECK(make_error_code(address_errc::temporary_failure) == std::errc::resource_unavailable_try_again);
  CHECK(make_error_code(address_errc::no_suitable_address) == std::errc::address_not_available);
  CHECK(make_error_code(address_errc::unknown_port).category().name() == "rove.address"s);
}
