// Addresses of sockets, and how names become addresses.
#pragma once

#include <rove/detail/config.hpp>
#include <rove/error.hpp>

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

struct sockaddr;

namespace rove {
class context;
}

namespace rove::net {

// What is wrong with the text of an address, or with a look-up. The messages are Go's. As conditions those about a text
// equal std::errc::invalid_argument, `no_suitable_address` is address_not_available, and `temporary_failure` is
// resource_unavailable_try_again.
enum class address_errc {
  missing_port = 1,         // missing port in address
  too_many_colons,          // too many colons in address
  missing_bracket,          // missing ']' in address
  unexpected_open_bracket,  // unexpected '[' in address
  unexpected_close_bracket, // unexpected ']' in address
  invalid_address,          // invalid IP address
  invalid_port,             // invalid port: not in 0 to 65535
  unknown_port,             // unknown port: no service of that name
  unknown_network,          // unknown network: neither tcp, tcp4, tcp6, udp, ..., nor unix
  no_suitable_address,      // no suitable address found: the host has none of that kind
  no_such_host,             // no such host
  temporary_failure,        // temporary failure in name resolution
  lookup_failed,            // name resolution failed
};
const std::error_category& address_category() noexcept;
inline std::error_code make_error_code(address_errc code) noexcept {
  return {static_cast<int>(code), address_category()};
}

// Where a socket is: an IPv4 or IPv6 address with a port, or the path of a Unix socket; a default-built one is none of
// them. A value: copies are independent, nothing here waits, and any thread may use its own. An IPv4 address that
// came in IPv6's form (an IPv4-mapped one) is an IPv4 address. Ordered by kind, then host, then port.
class address {
 public:
  address() noexcept = default;

  // From "127.0.0.1:80", "[::1]:80", "[fe80::1%eth0]:80", ":http", by Go's rules: the host is a literal address or
  // empty ([::], everybody), the port a number, the name of a service (see lookup_port), or empty (0). Asks no name
  // server. Errors: address_errc; no_such_device for a zone that names no interface.
  static address parse(std::string_view host_port);
  static address parse(std::string_view host_port, std::error_code& ec);

  // The same for a host alone; "[::1]" without its brackets.
  static address parse_ip(std::string_view host, std::uint16_t port);
  static address parse_ip(std::string_view host, std::uint16_t port, std::error_code& ec);

  // A Unix socket's: a path, or after '@' a name in Linux's abstract name space. Error: invalid_argument if it is too
  // long, or has a zero character in it.
  static address unix_path(std::string_view path);
  static address unix_path(std::string_view path, std::error_code& ec);

  // What the system's calls give. A family that is not among ours gives an empty address.
  static address from_native(const sockaddr* native, std::size_t size) noexcept;

  // Is there one? Not in a default-built address. And of which kind?
  explicit operator bool() const noexcept { return size_ != 0; }
  bool is_ip4() const noexcept;
  bool is_ip6() const noexcept;
  bool is_unix() const noexcept;

  std::uint16_t port() const noexcept;                        // 0 for a Unix socket
  address with_port(std::uint16_t port) const noexcept;       // a copy; as it is if it has no port
  std::string host() const;                                   // "127.0.0.1", "fe80::1%eth0", "/run/x.sock", "@name"
  std::string to_string() const;                              // "127.0.0.1:80", "[fe80::1%eth0]:80"; a path as it is

  // For system calls. `native` stays valid as long as this object.
  const sockaddr* native() const noexcept { return reinterpret_cast<const sockaddr*>(bytes_); }
  std::uint32_t native_size() const noexcept { return size_; }
  int family() const noexcept;                                // AF_INET, AF_INET6, AF_UNIX; AF_UNSPEC if empty
  // An IPv4 address in IPv6's form, for a socket of that family; others as they are. It equals no address but itself.
  address as_ip6() const noexcept;

  // By kind, address and port, or path; any order, for maps.
  friend bool operator==(const address& a, const address& b) noexcept;
  friend std::strong_ordering operator<=>(const address& a, const address& b) noexcept;
  std::size_t hash() const noexcept;                          // equal ones have the same

 private:
  static constexpr std::size_t capacity = 112;                // sockaddr_un is the largest

  alignas(8) unsigned char bytes_[capacity] = {};             // a sockaddr; zero where it says nothing
  std::uint32_t size_ = 0;
};

// "host:port", "[host]:port" taken apart, by Go's rules; the parts point into the text. Error: address_errc.
struct host_and_port {
  std::string_view host;  // without brackets; may be empty
  std::string_view port;  // a number or a name; may be empty
};
host_and_port split_host_port(std::string_view text, std::error_code& ec);
host_and_port split_host_port(std::string_view text);
// The reverse: a host with a colon in it gets brackets.
std::string join_host_port(std::string_view host, std::string_view port);

// A port's number: "80", "http", "" (0). A name is looked up for the network ("tcp", "udp", with a 4 or 6 behind it; ""
// for either), first among some very common ones, then in the system's list, by `blocking`. Errors: address_errc.
std::uint16_t lookup_port(std::string_view network, std::string_view service);
std::uint16_t lookup_port(std::string_view network, std::string_view service, std::error_code& ec);

// The addresses of a host, with port 0, in the order in which to try them; without repetition, at least one if it
// succeeds. A literal address is its own answer. Parks the goroutine (blocks a plain thread) while the system's
// resolver works, on a thread of its own. With a deadline or a context it returns when that ends; the thread then
// finishes by itself. Errors: address_errc; errc::deadline_exceeded; errc::canceled; a system's code,
// too_many_files_open for one.
std::vector<address> resolve(std::string_view host);
std::vector<address> resolve(std::string_view host, std::error_code& ec);
std::vector<address> resolve(std::string_view host, std::chrono::steady_clock::time_point deadline);
std::vector<address> resolve(std::string_view host, std::chrono::steady_clock::time_point deadline,
                             std::error_code& ec);
std::vector<address> resolve(const context& ctx, std::string_view host);
std::vector<address> resolve(const context& ctx, std::string_view host, std::error_code& ec);

}  // namespace rove::net

template <>
struct std::is_error_code_enum<rove::net::address_errc> : std::true_type {};

template <>
struct std::hash<rove::net::address> {
  std::size_t operator()(const rove::net::address& a) const noexcept { return a.hash(); }
};
