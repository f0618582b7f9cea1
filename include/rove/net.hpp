// Sockets: connections, listeners, datagrams, written as plain blocking code.
//
// A call that has to wait parks its goroutine, or blocks a plain thread. Every object may be used by any number of
// goroutines and threads at once, runtimes mixed, except that moving and destroying it is the owner's: reads wait for
// each other, and so do writes, each of which is whole; `close` and the deadlines reach whoever is waiting. A socket is
// closed when its object is destroyed or assigned to. SIGPIPE is never raised, and no descriptor is passed on by exec.
//
// Each call has a form that throws std::system_error, and one with a trailing std::error_code& that is cleared or set.
// errc::closed: closed on this side, before or meanwhile, or never opened. errc::deadline_exceeded: a deadline passed.
// errc::canceled: a context was. Everything else is the system's (std::errc::connection_reset, ...), or says what is
// wrong with an address (address_errc).
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include <rove/address.hpp>
#include <rove/detail/bytes.hpp>
#include <rove/error.hpp>

namespace rove {

class context;

namespace sched {
class pollable;
}

namespace detail {

template <class P>
concept piece_of_bytes = requires(const P& p) {
  requires byte_like<std::remove_reference_t<decltype(*p.data())>>;
  { p.size() } -> std::convertible_to<std::size_t>;
};

}  // namespace detail

// Sockets and addresses.
namespace net {

// Of the steady clock; what deadlines are told in.
using time_point = std::chrono::steady_clock::time_point;

// What all sockets share.
class socket {
 public:
  socket() noexcept = default;
  socket(socket&& other) noexcept : p_(std::exchange(other.p_, nullptr)) {}
  socket& operator=(socket&& other) noexcept;
  ~socket();

  // Was it opened? Still true when it is closed.
  explicit operator bool() const noexcept { return p_ != nullptr; }

  // Whoever waits on it fails with errc::closed; when it returns, nobody uses the descriptor and its number and port
  // are free. It parks (blocks a plain thread) until they have left. Data that was written is still sent. A second
  // close fails.
  void close();
  void close(std::error_code& ec);

  // From that time on reads (writes; both) fail with errc::deadline_exceeded, those under way too. A past one takes
  // effect at once; time_point::max() takes it away. Waits for nobody.
  void set_deadline(time_point t);
  void set_deadline(time_point t, std::error_code& ec);
  void set_read_deadline(time_point t);
  void set_read_deadline(time_point t, std::error_code& ec);
  void set_write_deadline(time_point t);
  void set_write_deadline(time_point t, std::error_code& ec);

  // Its own end's address.
  address local_addr() const;
  address local_addr(std::error_code& ec) const;

  // Bytes that the system keeps for it in one direction.
  void set_read_buffer(int bytes);
  void set_read_buffer(int bytes, std::error_code& ec);
  void set_write_buffer(int bytes);
  void set_write_buffer(int bytes, std::error_code& ec);

  // The number, for options that are not here; -1 when closed. It stays the socket's: do not close it or make it block.
  int descriptor() const noexcept;

 protected:
  explicit socket(sched::pollable* p) noexcept : p_(p) {}

  sched::pollable* p_ = nullptr;   // the library's own
};

// A connection: a stream of bytes in each direction, or a UDP socket that knows its peer, whose every read and write is
// one datagram.
class conn : public socket {
 public:
  conn() noexcept = default;

  // Up to the span's size, at least a byte; 0 at the end of the stream (the peer closed its side), or of an empty span.
  // Parks until there is some. Errors: as above; a peer that is gone is connection_reset.
  template <rove::detail::writable_byte T, std::size_t N>
  std::size_t read(std::span<T, N> to) { return read_or_throw(to.data(), to.size()); }
  template <rove::detail::writable_byte T, std::size_t N>
  std::size_t read(std::span<T, N> to, std::error_code& ec) { return read_bytes(to.data(), to.size(), ec); }

  // All of it, whole among concurrent writes. Parks while the peer does not take it. On an error the result, where
  // there is one, is how much went out.
  template <rove::detail::byte_like T, std::size_t N>
  std::size_t write(std::span<T, N> from) { return write_or_throw(from.data(), from.size()); }
  template <rove::detail::byte_like T, std::size_t N>
  std::size_t write(std::span<T, N> from, std::error_code& ec) { return write_bytes(from.data(), from.size(), ec); }
  std::size_t write(std::string_view from) { return write_or_throw(from.data(), from.size()); }
  std::size_t write(std::string_view from, std::error_code& ec) { return write_bytes(from.data(), from.size(), ec); }

  // The same for several pieces (spans or string_views) in one: a span of them. One system call, if all goes well.
  template <class Piece, std::size_t N>
    requires rove::detail::piece_of_bytes<Piece>
  std::size_t writev(std::span<Piece, N> pieces) {
    std::error_code ec;
    const std::size_t n = writev(pieces, ec);
    if (ec) rove::detail::throw_system_error(ec, "write");
    return n;
  }
  template <class Piece, std::size_t N>
    requires rove::detail::piece_of_bytes<Piece>
  std::size_t writev(std::span<Piece, N> pieces, std::error_code& ec) {
    return write_pieces(
        pieces.data(), pieces.size(),
        [](const void* all, std::size_t i) -> piece {
          const Piece& p = static_cast<const Piece*>(all)[i];
          return {p.data(), p.size()};
        },
        ec);
  }

  // No more will be written: the peer reads to the end of the stream. Reading goes on.
  void close_write();
  void close_write(std::error_code& ec);

  // As it was when the connection was made; empty for a peer without a name (a Unix socket's client).
  address remote_addr() const;
  address remote_addr(std::error_code& ec) const;

  // Small writes go out at once rather than being collected (TCP; on from the start).
  void set_no_delay(bool on);
  void set_no_delay(bool on, std::error_code& ec);
  // The system asks after `idle` without traffic, and then each `interval`, whether the peer is alive, and resets the
  // connection after `probes` without an answer (TCP; on from the start with 15 s, 15 s, 9). Whole seconds, at least
  // one.
  void set_keep_alive(bool on);
  void set_keep_alive(bool on, std::error_code& ec);
  void set_keep_alive(std::chrono::seconds idle, std::chrono::seconds interval, int probes);
  void set_keep_alive(std::chrono::seconds idle, std::chrono::seconds interval, int probes, std::error_code& ec);
  // At `close`, unsent data is dropped and the peer sees a reset (zero), or the close blocks its thread for up to that
  // long; negative: as the system does, in the background.
  void set_linger(std::chrono::seconds time);
  void set_linger(std::chrono::seconds time, std::error_code& ec);

 private:
  friend class listener;
  friend struct opener;
  explicit conn(sched::pollable* p) noexcept : socket(p) {}

  struct piece {
    const void* data;
    std::size_t size;
  };
  std::size_t read_bytes(void* to, std::size_t size, std::error_code& ec);
  std::size_t write_bytes(const void* from, std::size_t size, std::error_code& ec);
  std::size_t write_pieces(const void* all, std::size_t count, piece (*at)(const void*, std::size_t), std::error_code& ec);
  std::size_t read_or_throw(void* to, std::size_t size);
  std::size_t write_or_throw(const void* from, std::size_t size);
};

// Where connections arrive.
class listener : public socket {
 public:
  listener() noexcept = default;

  // The next connection. Parks until there is one; the deadline for reads limits it. A connection that was broken off
  // before it was taken is passed over; when the process or the system has no descriptor left it waits, and tries
  // again.
  conn accept();
  conn accept(std::error_code& ec);

 private:
  friend struct opener;
  explicit listener(sched::pollable* p) noexcept : socket(p) {}
};

// How a listener is to be.
struct listen_options {
  int backlog = 0;               // connections that may wait for accept; 0: as many as the system allows
  bool reuse_address = true;     // the port may be taken while old connections of it are dying
  bool reuse_port = false;       // several listeners share the port, the system spreads connections over them
};

// Listens on an address: network "tcp" (both kinds of IP for an empty host or [::]), "tcp4", "tcp6", "unix" (a path, or
// '@' and a name). Port 0: one that is free, see local_addr. Parks only while a host name is looked up. A Unix socket's
// path is removed when the listener is closed.
listener listen(std::string_view network, std::string_view addr, const listen_options& o = {});
listener listen(std::string_view network, std::string_view addr, std::error_code& ec);
listener listen(std::string_view network, std::string_view addr, const listen_options& o, std::error_code& ec);

// How a connection is made.
struct dial_options {
  time_point deadline = time_point::max();             // for all of it
  address local{};                                     // where to come from; empty: the system's choice
  // then the host's other kind of address is tried beside the first
  std::chrono::milliseconds fallback_delay{300};
  bool no_delay = true;
};

// Connects: network "tcp", "tcp4", "tcp6", "udp", "udp4", "udp6" to "host:port" ("" for the host: this machine), "unix"
// to a path. The host's addresses are tried one after the other; if there are both kinds, those of the other kind are
// tried too when the first have not answered after a while, and the first to answer wins. Parks until connected.
// Errors: what the first address said, connection_refused and the like; errc::deadline_exceeded if it said nothing.
conn dial(std::string_view network, std::string_view addr, const dial_options& o = {});
conn dial(std::string_view network, std::string_view addr, std::error_code& ec);
conn dial(std::string_view network, std::string_view addr, const dial_options& o, std::error_code& ec);
// The same, given up when the context ends: errc::canceled, errc::deadline_exceeded. The connection outlives the
// context.
conn dial(const context& ctx, std::string_view network, std::string_view addr, const dial_options& o = {});
conn dial(const context& ctx, std::string_view network, std::string_view addr, std::error_code& ec);
conn dial(const context& ctx, std::string_view network, std::string_view addr, const dial_options& o, std::error_code& ec);

// What read_from got.
struct datagram {
  std::size_t size = 0;          // bytes of it that are in the span
  address addr;                  // who sent it
};

// A socket for datagrams to and from anybody.
class udp : public socket {
 public:
  udp() noexcept = default;

  // Network "udp", "udp4", "udp6"; the address as for listen. Broadcast is allowed.
  static udp bind(std::string_view network, std::string_view addr);
  static udp bind(std::string_view network, std::string_view addr, std::error_code& ec);

  // One datagram; what does not fit into the span is cut off. Parks until there is one. An empty one is a size of 0.
  template <rove::detail::writable_byte T, std::size_t N>
  datagram read_from(std::span<T, N> to) { return read_or_throw(to.data(), to.size()); }
  template <rove::detail::writable_byte T, std::size_t N>
  datagram read_from(std::span<T, N> to, std::error_code& ec) { return read_bytes(to.data(), to.size(), ec); }

  // One datagram. Parks while the system has no room for it. Errors: message_size if it is too long for the network.
  template <rove::detail::byte_like T, std::size_t N>
  std::size_t write_to(std::span<T, N> from, const address& to) { return write_or_throw(from.data(), from.size(), to); }
  template <rove::detail::byte_like T, std::size_t N>
  std::size_t write_to(std::span<T, N> from, const address& to, std::error_code& ec) {
    return write_bytes(from.data(), from.size(), to, ec);
  }
  std::size_t write_to(std::string_view from, const address& to) { return write_or_throw(from.data(), from.size(), to); }
  std::size_t write_to(std::string_view from, const address& to, std::error_code& ec) {
    return write_bytes(from.data(), from.size(), to, ec);
  }

 private:
  explicit udp(sched::pollable* p) noexcept : socket(p) {}

  datagram read_bytes(void* to, std::size_t size, std::error_code& ec);
  std::size_t write_bytes(const void* from, std::size_t size, const address& to, std::error_code& ec);
  datagram read_or_throw(void* to, std::size_t size);
  std::size_t write_or_throw(const void* from, std::size_t size, const address& to);
};

}  // namespace net
}  // namespace rove
