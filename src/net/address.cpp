// Addresses: their text and back, their order. The bytes are a sockaddr with zeros wherever it says nothing, so two are
// the same address exactly if their bytes are the same.
#include <rove/address.hpp>

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <tuple>

namespace rove::net {
namespace {

constexpr std::size_t path_offset = offsetof(sockaddr_un, sun_path);

template <class T>
T copy_of(const sockaddr* bytes) {
  T copy;
  std::memcpy(&copy, bytes, sizeof copy);
  return copy;
}

template <class Value>
Value or_throw(Value&& value, const std::error_code& ec, const char* what) {
  if (ec) detail::throw_system_error(ec, what);
  return std::forward<Value>(value);
}

// The path or name as people write it; that of a socket that was bound to nothing is "@", as the system's tools show
// it.
std::string unix_text(const sockaddr* native, std::size_t size) {
  const auto a = copy_of<sockaddr_un>(native);
  if (size <= path_offset) return "@";
  const std::size_t room = size - path_offset;
  if (a.sun_path[0] != 0) return {a.sun_path, strnlen(a.sun_path, room)};
  return '@' + std::string(a.sun_path + 1, room - 1);
}

// Eight groups; the first of the longest runs of zeros, if it has two at least, is "::" (RFC 5952).
std::string ip6_text(const unsigned char (&ip)[16]) {
  int start = -1, length = 1;
  for (int i = 0; i < 8; ++i) {
    int n = 0;
    while (i + n < 8 && ip[2 * (i + n)] == 0 && ip[2 * (i + n) + 1] == 0) ++n;
    if (n > length) start = i, length = n;
    i += n;
  }
  char text[40];
  char* at = text;
  for (int i = 0; i < 8; ++i) {
    if (i == start) {
      *at++ = ':';
      *at++ = ':';
      i += length - 1;
      continue;
    }
    if (i > 0 && at[-1] != ':') *at++ = ':';
    at = std::to_chars(at, std::end(text), ip[2 * i] << 8 | ip[2 * i + 1], 16).ptr;
  }
  return {text, at};
}

std::string zone_text(std::uint32_t zone) {
  char name[IF_NAMESIZE];
  if (if_indextoname(zone, name) != nullptr) return name;
  return std::to_string(zone);
}

// An interface's name, or its number.
std::uint32_t parse_zone(std::string_view text, std::error_code& ec) {
  std::uint32_t zone = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), zone);
  if (error == std::errc{} && end == text.data() + text.size()) return zone;
  char name[IF_NAMESIZE] = {};
  if (text.size() < sizeof name) {
    text.copy(name, sizeof name - 1);
    if (const unsigned found = if_nametoindex(name); found != 0) return found;
  }
  ec = std::make_error_code(std::errc::no_such_device);
  return 0;
}

address from_ip4(in_addr ip, std::uint16_t port) {
  sockaddr_in a = {};
  a.sin_family = AF_INET;
  a.sin_port = htons(port);
  a.sin_addr = ip;
  return address::from_native(reinterpret_cast<const sockaddr*>(&a), sizeof a);
}

address from_ip6(const in6_addr& ip, std::uint16_t port, std::uint32_t zone) {
  sockaddr_in6 a = {};
  a.sin6_family = AF_INET6;
  a.sin6_port = htons(port);
  a.sin6_addr = ip;
  a.sin6_scope_id = zone;
  return address::from_native(reinterpret_cast<const sockaddr*>(&a), sizeof a);
}

// What addresses are ordered by: kind; host; port.
auto order_of(const address& a) {
  std::string_view host;
  std::uint32_t zone = 0;
  const char* const bytes = reinterpret_cast<const char*>(a.native());
  if (a.is_ip4()) host = {bytes + offsetof(sockaddr_in, sin_addr), sizeof(in_addr)};
  if (a.is_ip6()) {
    host = {bytes + offsetof(sockaddr_in6, sin6_addr), sizeof(in6_addr)};
    zone = copy_of<sockaddr_in6>(a.native()).sin6_scope_id;
  }
  if (a.is_unix() && a.native_size() > path_offset) host = {bytes + path_offset, a.native_size() - path_offset};
  const int kind = a.is_ip4() ? 1 : a.is_ip6() ? 2 : a.is_unix() ? 3 : 0;
  return std::tuple(kind, host, zone, a.port());
}

}  // namespace

// ---- making --------------------------------------------------------------------------------------------------------

address address::from_native(const sockaddr* native, std::size_t size) noexcept {
  static_assert(capacity >= sizeof(sockaddr_un) && capacity >= sizeof(sockaddr_in6));
  address a;
  if (native == nullptr || size < sizeof native->sa_family) return a;
  if (native->sa_family == AF_INET && size >= sizeof(sockaddr_in)) {
    auto in = copy_of<sockaddr_in>(native);
    std::memset(in.sin_zero, 0, sizeof in.sin_zero);
    std::memcpy(a.bytes_, &in, sizeof in);
    a.size_ = sizeof in;
  } else if (native->sa_family == AF_INET6 && size >= sizeof(sockaddr_in6)) {
    auto in = copy_of<sockaddr_in6>(native);
    if (IN6_IS_ADDR_V4MAPPED(&in.sin6_addr)) {
      in_addr inner;
      std::memcpy(&inner, in.sin6_addr.s6_addr + 12, sizeof inner);
      return from_ip4(inner, ntohs(in.sin6_port));
    }
    in.sin6_flowinfo = 0;
    std::memcpy(a.bytes_, &in, sizeof in);
    a.size_ = sizeof in;
  } else if (native->sa_family == AF_UNIX) {
    size = std::min(size, sizeof(sockaddr_un));
    std::memcpy(a.bytes_, native, size);
    const char* const path = reinterpret_cast<const char*>(a.bytes_) + path_offset;
    if (size > path_offset && path[0] != 0) {  // however many zeros the caller counted
      size = path_offset + strnlen(path, size - path_offset);
      std::memset(a.bytes_ + size, 0, sizeof a.bytes_ - size);
      size = std::min(size + 1, sizeof(sockaddr_un));
    }
    a.size_ = static_cast<std::uint32_t>(size);
  }
  return a;
}

address address::parse_ip(std::string_view host, std::uint16_t port, std::error_code& ec) {
  ec.clear();
  std::string text(host);
  in_addr ip4;
  in6_addr ip6;
  if (text.find('\0') == text.npos) {
    if (inet_pton(AF_INET, text.c_str(), &ip4) == 1) return from_ip4(ip4, port);
    std::uint32_t zone = 0;
    if (const std::size_t percent = text.rfind('%'); percent != text.npos && percent > 0) {
      const std::string name = text.substr(percent + 1);
      text.resize(percent);
      if (inet_pton(AF_INET6, text.c_str(), &ip6) == 1) {
        zone = parse_zone(name, ec);
        return ec ? address() : from_ip6(ip6, port, zone);
      }
    }
    if (inet_pton(AF_INET6, text.c_str(), &ip6) == 1) return from_ip6(ip6, port, zone);
  }
  ec = address_errc::invalid_address;
  return {};
}

address address::parse_ip(std::string_view host, std::uint16_t port) {
  std::error_code ec;
  return or_throw(parse_ip(host, port, ec), ec, "rove::net::address::parse_ip");
}

address address::parse(std::string_view host_port, std::error_code& ec) {
  const auto [host, port] = split_host_port(host_port, ec);
  if (ec) return {};
  const std::uint16_t number = lookup_port("", port, ec);
  if (ec) return {};
  return host.empty() ? from_ip6(in6addr_any, number, 0) : parse_ip(host, number, ec);
}

address address::parse(std::string_view host_port) {
  std::error_code ec;
  return or_throw(parse(host_port, ec), ec, "rove::net::address::parse");
}

address address::unix_path(std::string_view path, std::error_code& ec) {
  ec.clear();
  sockaddr_un a = {};
  a.sun_family = AF_UNIX;
  const bool abstract = path.starts_with('@');  // such a name needs no zero behind it
  if (path.size() + !abstract > sizeof a.sun_path || path.find('\0') != path.npos) {
    ec = std::make_error_code(std::errc::invalid_argument);
    return {};
  }
  path.copy(a.sun_path, path.size());
  if (abstract) a.sun_path[0] = 0;
  const std::size_t size = path == "@" || path.empty() ? path_offset : path_offset + path.size() + !abstract;
  return from_native(reinterpret_cast<const sockaddr*>(&a), size);
}

address address::unix_path(std::string_view path) {
  std::error_code ec;
  return or_throw(unix_path(path, ec), ec, "rove::net::address::unix_path");
}

// ---- looking inside ------------------------------------------------------------------------------------------------

int address::family() const noexcept { return native()->sa_family; }
bool address::is_ip4() const noexcept { return family() == AF_INET; }
bool address::is_ip6() const noexcept { return family() == AF_INET6; }
bool address::is_unix() const noexcept { return family() == AF_UNIX; }

std::uint16_t address::port() const noexcept {
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
  return is_ip4() || is_ip6() ? ntohs(copy_of<sockaddr_in>(native()).sin_port) : 0;
}

address address::with_port(std::uint16_t port) const noexcept {
  address a = *this;
  const std::uint16_t net = htons(port);
  if (is_ip4() || is_ip6()) std::memcpy(a.bytes_ + offsetof(sockaddr_in, sin_port), &net, sizeof net);
  return a;
}

address address::as_ip6() const noexcept {
  if (!is_ip4()) return *this;
  sockaddr_in6 in = {};
  in.sin6_family = AF_INET6;
  in.sin6_port = htons(port());
  in.sin6_addr.s6_addr[10] = in.sin6_addr.s6_addr[11] = 0xff;
  std::memcpy(in.sin6_addr.s6_addr + 12, bytes_ + offsetof(sockaddr_in, sin_addr), sizeof(in_addr));
  address a;
  std::memcpy(a.bytes_, &in, sizeof in);
  a.size_ = sizeof in;
  return a;
}

std::string address::host() const {
  if (is_ip4()) {
    char text[INET_ADDRSTRLEN] = {};
    inet_ntop(AF_INET, bytes_ + offsetof(sockaddr_in, sin_addr), text, sizeof text);
    return text;
  }
  if (is_ip6()) {
    const auto in = copy_of<sockaddr_in6>(native());
    std::string text = ip6_text(in.sin6_addr.s6_addr);
    if (in.sin6_scope_id != 0) text += '%' + zone_text(in.sin6_scope_id);
    return text;
  }
  return is_unix() ? unix_text(native(), size_) : std::string();
}

std::string address::to_string() const {
  return is_ip4() || is_ip6() ? join_host_port(host(), std::to_string(port())) : host();
}

bool operator==(const address& a, const address& b) noexcept {
  return a.size_ == b.size_ && std::memcmp(a.bytes_, b.bytes_, a.size_) == 0;
}

std::strong_ordering operator<=>(const address& a, const address& b) noexcept {
  const auto left = order_of(a), right = order_of(b);
  if (left == right) return a.size_ <=> b.size_;
  return left < right ? std::strong_ordering::less : std::strong_ordering::greater;
}

std::size_t address::hash() const noexcept {
  return std::hash<std::string_view>()({reinterpret_cast<const char*>(bytes_), size_});
}

}  // namespace rove::net
