// Names of networks, addresses to listen on.
#include "src/net/network.hpp"

#include <string>

#include "src/os/socket.hpp"

namespace rove::net {

network network::parse(std::string_view name, std::error_code& ec) {
  network n;
  if (name == "unix") {
    n.stream = n.unix_path = true;
    return n;
  }
  const std::string_view kind = name.substr(0, 3);
  n.stream = kind == "tcp";
  if (name.ends_with('4')) n.version = 4;
  if (name.ends_with('6')) n.version = 6;
  if ((kind != "tcp" && kind != "udp") || name.size() != (n.version == 0 ? 3u : 4u)) ec = address_errc::unknown_network;
  return n;
}

bool network::allows(const address& a) const {
  if (unix_path) return a.is_unix();
  return version == 4 ? a.is_ip4() : version == 6 ? a.is_ip6() : a.is_ip4() || a.is_ip6();
}

local_address resolve_local(const network& net, std::string_view addr, std::error_code& ec) {
  if (net.unix_path) return {address::unix_path(addr, ec), {}};
  const host_and_port parts = split_host_port(addr, ec);
  if (ec) return {};
  const std::uint16_t port = lookup_port(net.stream ? "tcp" : "udp", parts.port, ec);
  if (ec) return {};
  const address everybody4 = address::parse_ip("0.0.0.0", port), everybody6 = address::parse_ip("::", port);
  if (parts.host.empty() || (parts.host == "::" && net.version == 0)) {
    if (net.version == 4) return {everybody4, {}};
    return {everybody6, net.version == 0 ? everybody4 : address()};
  }
  const std::vector<address> all = resolve(parts.host, ec);
  if (ec) return {};
  address found;
  for (const address& a : all)  // as Go: IPv4 if the host has it
    if (net.allows(a) && (!found || (a.is_ip4() && !found.is_ip4()))) found = a;
  if (!found) ec = address_errc::no_suitable_address;
  return {found.with_port(port), {}};
}

void keep_alive_by_default(int s) {
  os::set_option(s, os::socket_option::keep_alive, 1);
  os::set_option(s, os::socket_option::keep_alive_idle, 15);
  os::set_option(s, os::socket_option::keep_alive_interval, 15);
  os::set_option(s, os::socket_option::keep_alive_count, 9);
}

}  // namespace rove::net
