// Host and port in one text, and the numbers of ports that have names.
#include <rove/address.hpp>
#include <rove/run.hpp>

#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <vector>

namespace rove::net {
namespace {

struct service_name {
  std::string_view name;
  std::uint16_t port;
};

// Known on a system without a list of services too.
constexpr service_name common_services[] = {
    {"domain", 53}, {"ftp", 21},    {"ftps", 990}, {"http", 80}, {"https", 443},       {"imap2", 143}, {"imap3", 220},
    {"imaps", 993}, {"pop3", 110}, {"pop3s", 995}, {"smtp", 25}, {"submissions", 465}, {"ssh", 22},    {"telnet", 23},
};

enum class number { is_port, is_out_of_range, is_name };

// Digits, perhaps after a sign. Whatever has something else in it is a name.
number parse_number(std::string_view text, std::uint16_t& port) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  std::uint32_t n = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return number::is_name;
    n = std::min<std::uint32_t>(n * 10 + static_cast<std::uint32_t>(c - '0'), 1'000'000);
  }
  if (n > 65535 || (negative && n != 0)) return number::is_out_of_range;
  port = static_cast<std::uint16_t>(n);
  return number::is_port;
}

// The system's own list. It may have to be read from a file.
bool find_service(const std::string& name, const char* protocol, std::uint16_t& port) {
  std::vector<char> room(1024);
  servent entry, *found = nullptr;
  while (getservbyname_r(name.c_str(), protocol, &entry, room.data(), room.size(), &found) == ERANGE &&
         room.size() < (1u << 20))
    room.resize(room.size() * 2);
  if (found != nullptr) port = ntohs(static_cast<std::uint16_t>(found->s_port));
  return found != nullptr;
}

}  // namespace

std::uint16_t lookup_port(std::string_view network, std::string_view service, std::error_code& ec) {
  ec.clear();
  std::uint16_t port = 0;
  switch (parse_number(service, port)) {
    case number::is_port: return port;
    case number::is_out_of_range: ec = address_errc::invalid_port; return 0;
    case number::is_name: break;
  }
  if (network.ends_with('4') || network.ends_with('6')) network.remove_suffix(1);
  if (!network.empty() && network != "tcp" && network != "udp") {
    ec = address_errc::unknown_network;
    return 0;
  }
  std::string name(service);
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  for (const service_name& s : common_services)
    if (s.name == name && (network != "udp" || s.port == 53)) return s.port;
  const char* const protocol = network.empty() ? nullptr : network == "udp" ? "udp" : "tcp";
  const bool sane = name.find('\0') == name.npos;
  if (!sane || !blocking([&] { return find_service(name, protocol, port); })) ec = address_errc::unknown_port;
  return port;
}

std::uint16_t lookup_port(std::string_view network, std::string_view service) {
  std::error_code ec;
  const std::uint16_t port = lookup_port(network, service, ec);
  if (ec) detail::throw_system_error(ec, "rove::net::lookup_port");
  return port;
}

host_and_port split_host_port(std::string_view text, std::error_code& ec) {
  const auto wrong = [&](address_errc why) {
    ec = why;
    return host_and_port{};
  };
  ec.clear();
  constexpr auto none = std::string_view::npos;
  const std::size_t colon = text.rfind(':');
  if (colon == none) return wrong(address_errc::missing_port);
  std::string_view host;
  std::size_t open_from = 0, close_from = 0;  // where no further brackets may be
  if (text.front() == '[') {
    const std::size_t end = text.find(']');
    if (end == none) return wrong(address_errc::missing_bracket);
    if (end + 1 != colon) {
      const bool more = end + 1 < text.size() && text[end + 1] == ':';
      return wrong(more ? address_errc::too_many_colons : address_errc::missing_port);
    }
    host = text.substr(1, end - 1);
    open_from = 1;
    close_from = end + 1;
  } else {
    host = text.substr(0, colon);
    if (host.find(':') != none) return wrong(address_errc::too_many_colons);
  }
  if (text.find('[', open_from) != none) return wrong(address_errc::unexpected_open_bracket);
  if (text.find(']', close_from) != none) return wrong(address_errc::unexpected_close_bracket);
  return {host, text.substr(colon + 1)};
}

host_and_port split_host_port(std::string_view text) {
  std::error_code ec;
  const host_and_port parts = split_host_port(text, ec);
  if (ec) detail::throw_system_error(ec, "rove::net::split_host_port");
  return parts;
}

std::string join_host_port(std::string_view host, std::string_view port) {
  std::string text;
  text.reserve(host.size() + port.size() + 3);
  const bool brackets = host.find(':') != host.npos;
  if (brackets) text += '[';
  text += host;
  if (brackets) text += ']';
  text += ':';
  text += port;
  return text;
}

}  // namespace rove::net
