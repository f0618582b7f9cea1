// What the parts of net share: errors, what is kept with a socket, and the loop of try and wait.
#pragma once

#include <cerrno>
#include <system_error>
#include <type_traits>

#include <rove/net.hpp>

#include "src/os/socket.hpp"
#include "src/sched/netpoll.hpp"

namespace rove::net {

// Makes the public objects.
struct opener {
  static listener make_listener(sched::pollable* p) { return listener(p); }
  static conn make_conn(sched::pollable* p) { return conn(p); }
};

// A negative number of the inner floors as the code that callers see; 0 and counts are none.
inline std::error_code code_of(std::int64_t n) noexcept {
  if (n >= 0) return {};
  if (n == sched::io_closed) return errc::closed;
  if (n == sched::io_timed_out) return errc::deadline_exceeded;
  return {static_cast<int>(-n), std::system_category()};
}

// The throwing form of an operation: its result, or the error that it set as an exception.
template <class F>
auto or_throw(const char* what, F operation) {
  std::error_code ec;
  if constexpr (std::is_void_v<decltype(operation(ec))>) {
    operation(ec);
    if (ec) [[unlikely]] rove::detail::throw_system_error(ec, what);
  } else {
    auto result = operation(ec);
    if (ec) [[unlikely]] rove::detail::throw_system_error(ec, what);
    return result;
  }
}

// Kept with the descriptor's record as long as the object exists.
struct label {
  address name;                  // of a connection: the peer's; of a listener and a UDP socket: its own
  bool remove_path = false;      // a Unix listener's path is its own
};
static_assert(sizeof(label) <= sched::pollable::label_size && std::is_trivially_destructible_v<label>);

inline label& label_of(sched::pollable* p) { return *static_cast<label*>(p->label()); }

// The descriptor becomes a socket's; null if there is no memory, and it is closed.
sched::pollable* adopt(int descriptor, bool streams, const address& name, std::error_code& ec);

// Tries until it gets something other than -EAGAIN, waiting in between; what it got, or an error.
template <class Try>
os::transferred attempt(sched::io_turn& turn, Try get) {
  for (;;) {
    if (!turn.must_wait()) {
      const os::transferred n = get(turn.descriptor());
      if (n != -EAGAIN) return n;
    }
    if (const int error = turn.wait()) return error;
  }
}

// The one try of a whole call.
template <class Try>
os::transferred attempt(sched::pollable* p, sched::side s, Try get) {
  if (!p) return sched::io_closed;
  os::transferred n;
  {
    sched::io_turn turn(p, s);
    n = turn.error() ? turn.error() : attempt(turn, get);
  }
  sched::let_others_run();
  return n;
}

}  // namespace rove::net
