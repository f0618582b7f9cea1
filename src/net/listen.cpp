// Listening, accepting, binding.
#include <algorithm>
#include <cerrno>

#include "src/net/network.hpp"
#include "src/net/socket.hpp"

namespace rove::net {

namespace {

constexpr std::int64_t shortest_pause = 5'000'000, longest_pause = 1'000'000'000;

// A socket that has an address of its own: the descriptor, or -errno.
int open_bound(const network& net, const address& a, const listen_options& o) {
  const int s = os::open_socket(a.family(), net.stream ? SOCK_STREAM : SOCK_DGRAM, 0);
  if (s < 0) return s;
  int error = 0;
  const auto set = [&](os::socket_option option, int value) {
    if (error == 0) error = os::set_option(s, option, value);
  };
  if (a.is_ip6()) set(os::socket_option::only_ip6, net.version == 6);
  if (net.stream && !net.unix_path && o.reuse_address) set(os::socket_option::reuse_address, 1);
  if (o.reuse_port) set(os::socket_option::reuse_port, 1);
  if (!net.stream) set(os::socket_option::broadcast, 1);
  if (net.stream && !net.unix_path) {  // those that are accepted inherit them
    keep_alive_by_default(s);
    set(os::socket_option::no_delay, 1);
  }
  if (error == 0) error = os::bind_socket(s, a.native(), a.native_size());
  if (error == 0 && net.stream) error = os::listen_on(s, o.backlog);
  if (error == 0) return s;
  os::close_descriptor(s);
  return error;
}

// Where the kernel has no IPv6, "everybody" is everybody of IPv4.
int open_bound_anyhow(const network& net, const local_address& at, const listen_options& o) {
  const int s = open_bound(net, at.first, o);
  return s < 0 && at.second ? open_bound(net, at.second, o) : s;
}

sched::pollable* open_local(std::string_view name, std::string_view addr, bool stream, const listen_options& o,
                            std::error_code& ec) {
  ec.clear();
  const network net = network::parse(name, ec);
  if (!ec && net.stream != stream) ec = address_errc::unknown_network;
  if (ec) return nullptr;
  const local_address at = resolve_local(net, addr, ec);
  if (ec) return nullptr;
  const int s = open_bound_anyhow(net, at, o);
  ec = code_of(s);
  if (ec) return nullptr;
  os::socket_address own;
  os::local_address(s, own);
  sched::pollable* const p = adopt(s, false, address::from_native(own.data(), own.size), ec);
  if (p) label_of(p).remove_path = net.unix_path;
  return p;
}

bool lacks_descriptors(os::transferred n) { return n == -EMFILE || n == -ENFILE || n == -ENOBUFS || n == -ENOMEM; }

// A connection's descriptor, or an error that is the listener's own. A lack of descriptors is waited out: as long as a
// connection is queued, nothing would tell when it is over.
os::transferred accept_one(sched::io_turn& turn, os::socket_address& peer) {
  for (std::int64_t pause = shortest_pause;;) {
    const os::transferred n = attempt(turn, [&](int s) -> os::transferred { return os::accept_from(s, peer); });
    if (n == -ECONNABORTED || n == -EPROTO) continue;
    if (!lacks_descriptors(n)) return n;
    if (const int error = turn.pause(pause)) return error;
    pause = std::min(2 * pause, longest_pause);
  }
}

}  // namespace

listener listen(std::string_view network, std::string_view addr, const listen_options& o, std::error_code& ec) {
  return opener::make_listener(open_local(network, addr, true, o, ec));
}

udp udp::bind(std::string_view network, std::string_view addr, std::error_code& ec) {
  return udp(open_local(network, addr, false, {}, ec));
}

conn listener::accept(std::error_code& ec) {
  ec = p_ ? std::error_code() : errc::closed;
  if (ec) return {};
  os::socket_address peer;
  os::transferred n;
  {
    sched::io_turn turn(p_, sched::side::read);
    n = turn.error() ? turn.error() : accept_one(turn, peer);
  }
  sched::let_others_run();
  ec = code_of(n);
  if (ec) return {};
  return conn(adopt(static_cast<int>(n), !label_of(p_).name.is_unix(), address::from_native(peer.data(), peer.size), ec));
}

// ---- the other forms ------------------------------------------------------------------------------------------------

listener listen(std::string_view network, std::string_view addr, std::error_code& ec) {
  return listen(network, addr, {}, ec);
}

listener listen(std::string_view network, std::string_view addr, const listen_options& o) {
  return or_throw("listen", [&](std::error_code& ec) { return listen(network, addr, o, ec); });
}

udp udp::bind(std::string_view network, std::string_view addr) {
  return or_throw("bind", [&](std::error_code& ec) { return bind(network, addr, ec); });
}

conn listener::accept() {
  return or_throw("accept", [&](std::error_code& ec) { return accept(ec); });
}

}  // namespace rove::net
