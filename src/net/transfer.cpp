// Reading and writing.
#include <algorithm>

#include "src/net/socket.hpp"

namespace rove::net {

// ---- streams --------------------------------------------------------------------------------------------------------

std::size_t conn::read_bytes(void* to, std::size_t size, std::error_code& ec) {
  ec.clear();
  if (size == 0) return 0;
  if (!p_) {
    ec = errc::closed;
    return 0;
  }
  os::transferred n;
  {
    sched::io_turn turn(p_, sched::side::read);
    n = turn.error() ? turn.error() : attempt(turn, [&](int s) { return os::receive(s, to, size); });
    if (n > 0 && static_cast<std::size_t>(n) < size) turn.was_short();
  }
  sched::let_others_run();
  if (n >= 0) [[likely]] return static_cast<std::size_t>(n);
  ec = code_of(n);
  return 0;
}

namespace {

// Calls send(descriptor, how much went out) until all has, or an error: how much did. One call at least, since a
// datagram may be empty.
template <class Send>
std::size_t send_all(sched::pollable* p, std::size_t size, Send send, std::error_code& ec) {
  std::size_t sent = 0;
  if (!p) {
    ec = errc::closed;
    return 0;
  }
  {
    sched::io_turn turn(p, sched::side::write);
    os::transferred n = turn.error();
    if (n == 0) do {
      n = attempt(turn, [&](int s) { return send(s, sent); });
      if (n > 0) sent += static_cast<std::size_t>(n);
    } while (n > 0 && sent < size);
    ec = code_of(n);
  }
  sched::let_others_run();
  return sent;
}

}  // namespace

std::size_t conn::write_bytes(const void* from, std::size_t size, std::error_code& ec) {
  return send_all(
      p_, size,
      [&](int s, std::size_t sent) { return os::send(s, static_cast<const char*>(from) + sent, size - sent); }, ec);
}

std::size_t conn::write_pieces(const void* all, std::size_t count, piece (*at)(const void*, std::size_t),
                               std::error_code& ec) {
  std::size_t size = 0;
  for (std::size_t i = 0; i < count; ++i) size += at(all, i).size;
  std::size_t next = 0, before = 0;  // the first piece that is not out whole, and what stands before it
  return send_all(
      p_, size,
      [&](int s, std::size_t sent) {
        while (next < count && sent - before >= at(all, next).size) before += at(all, next++).size;
        iovec parts[os::most_parts];
        std::size_t n = 0, skip = sent - before;
        for (std::size_t i = next; i < count && n < os::most_parts; ++i) {
          const piece p = at(all, i);
          if (p.size > skip) parts[n++] = {const_cast<char*>(static_cast<const char*>(p.data)) + skip, p.size - skip};
          skip = 0;
        }
        return os::send_parts(s, parts, n);
      },
      ec);
}

std::size_t conn::read_or_throw(void* to, std::size_t size) {
  return or_throw("read", [&](std::error_code& ec) { return read_bytes(to, size, ec); });
}

std::size_t conn::write_or_throw(const void* from, std::size_t size) {
  return or_throw("write", [&](std::error_code& ec) { return write_bytes(from, size, ec); });
}

// ---- datagrams ------------------------------------------------------------------------------------------------------

datagram udp::read_bytes(void* to, std::size_t size, std::error_code& ec) {
  os::socket_address from;
  const os::transferred n =
      attempt(p_, sched::side::read, [&](int s) { return os::receive_from(s, to, size, from); });
  ec = code_of(n);
  if (ec) return {};
  return {static_cast<std::size_t>(n), address::from_native(from.data(), from.size)};
}

std::size_t udp::write_bytes(const void* from, std::size_t size, const address& to, std::error_code& ec) {
  const address native = p_ && label_of(p_).name.is_ip6() ? to.as_ip6() : to;
  const os::transferred n = attempt(p_, sched::side::write, [&](int s) {
    return os::send_to(s, from, size, native.native(), native.native_size());
  });
  ec = code_of(n);
  return ec ? 0 : static_cast<std::size_t>(n);
}

datagram udp::read_or_throw(void* to, std::size_t size) {
  return or_throw("read_from", [&](std::error_code& ec) { return read_bytes(to, size, ec); });
}

std::size_t udp::write_or_throw(const void* from, std::size_t size, const address& to) {
  return or_throw("write_to", [&](std::error_code& ec) { return write_bytes(from, size, to, ec); });
}

}  // namespace rove::net
