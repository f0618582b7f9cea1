// The names of networks, and which addresses a call on one may use.
#pragma once

#include <string_view>
#include <system_error>
#include <vector>

#include <rove/address.hpp>

namespace rove::net {

struct network {
  bool stream = false;           // else datagrams
  bool unix_path = false;        // else IP
  int version = 0;               // 4, 6, 0: both

  // "tcp", "tcp4", "tcp6", "udp", "udp4", "udp6", "unix". Error: address_errc::unknown_network.
  static network parse(std::string_view name, std::error_code& ec);
  bool allows(const address& a) const;
};

// Where to listen. `second`: if the first kind of address does not exist here.
struct local_address {
  address first, second;
};
local_address resolve_local(const network& net, std::string_view addr, std::error_code& ec);

// Keep-alive as Go has it: after 15 s, each 15 s, 9 times. What the system refuses is left as it is.
void keep_alive_by_default(int s);

}  // namespace rove::net
