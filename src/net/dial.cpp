// Connecting.
//
// A host may have several addresses, of both kinds. They are tried one after the other in the order of the resolver, in
// two *lanes*: the kind of the first address, and the other. The second lane starts when the first is through or has
// been at it for a while, so that a broken path of one kind costs no more than that (RFC 8305 in its simple form). The
// first connection wins. With one lane the socket itself is waited for; with two, a descriptor of the system's that
// stands for both sockets. Without a connection the error is what the first address said, if it said anything in time;
// but that the context has ended comes before that.
#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <mutex>
#include <stop_token>
#include <utility>

#include <rove/context.hpp>
#include <rove/detail/deadline.hpp>
#include <rove/time.hpp>

#include "src/net/network.hpp"
#include "src/net/socket.hpp"

namespace rove::net {

namespace {

constexpr std::int64_t least_share = 2'000'000'000;   // of the time, for one address of several

struct request {
  network net;
  const dial_options& options;
  std::int64_t until;                  // of the steady clock
};

// A descriptor that is closed if nobody takes it.
class owned {
 public:
  explicit owned(int d = -1) : d_(d) {}
  ~owned() { reset(); }
  owned(owned&& other) noexcept : d_(std::exchange(other.d_, -1)) {}
  owned& operator=(owned&& other) noexcept {
    std::swap(d_, other.d_);
    return *this;
  }
  int get() const { return d_; }
  int take() { return std::exchange(d_, -1); }
  void reset() {
    if (d_ >= 0) os::close_descriptor(take());
  }

 private:
  int d_;
};

// A socket on its way to `to`: 0 connected, -EINPROGRESS, another -errno.
int start_connect(const request& r, const address& to, owned& s) {
  s = owned(os::open_socket(to.family(), r.net.stream ? SOCK_STREAM : SOCK_DGRAM, 0));
  if (s.get() < 0) return s.get();
  if (r.net.stream && !r.net.unix_path) {
    keep_alive_by_default(s.get());
    os::set_option(s.get(), os::socket_option::no_delay, r.options.no_delay);
  }
  if (!r.net.stream) os::set_option(s.get(), os::socket_option::broadcast, 1);
  if (const address& from = r.options.local) {
    const address own = to.is_ip6() ? from.as_ip6() : from;
    if (const int error = os::bind_socket(s.get(), own.native(), own.native_size())) return error;
  }
  return os::connect_to(s.get(), to.native(), to.native_size());
}

// A connect to a port of this machine that nobody listens on may meet itself.
bool met_itself(int s) {
  os::socket_address own, peer;
  if (os::local_address(s, own) != 0 || os::peer_address(s, peer) != 0) return false;
  const address a = address::from_native(own.data(), own.size), b = address::from_native(peer.data(), peer.size);
  return (a.is_ip4() || a.is_ip6()) && a == b;
}

bool streams(const request& r) { return r.net.stream && !r.net.unix_path; }

// Waits until the connect is decided. 0: connected.
int finish_connect(sched::pollable* p) {
  sched::io_turn turn(p, sched::side::write);
  if (turn.error()) return turn.error();
  for (;;) {
    if (const int error = turn.wait()) return error;
    const int n = os::connect_result(turn.descriptor());
    if (n != -EINPROGRESS) return n;
  }
}

// Whom a context may have to reach: the descriptor that is waited for just now.
class cancellation {
 public:
  void watch(sched::pollable* p) {
    const std::lock_guard hold(mutex_);
    waits_ = p;
    if (p && canceled_) p->set_deadline(true, true, 0);
  }
  void cancel() {
    const std::lock_guard hold(mutex_);
    canceled_ = true;
    if (waits_) waits_->set_deadline(true, true, 0);
  }

 private:
  std::mutex mutex_;                   // held for a moment, never over a wait
  sched::pollable* waits_ = nullptr;
  bool canceled_ = false;
};

// Cancels when a context is. On the heap: a goroutine that is abandoned in the middle leaves it behind, where the context
// may call it for as long as it likes.
class by_context {
 public:
  explicit by_context(const context& ctx) : on_stop_(ctx.stop_token(), canceler{cancel}) {}
  cancellation cancel;

 private:
  struct canceler {
    cancellation& c;
    void operator()() const noexcept { c.cancel(); }
  };
  std::stop_callback<canceler> on_stop_;
};

// Watched for a scope.
class watched {
 public:
  watched(cancellation& c, sched::pollable* p) : c_(c) { c_.watch(p); }
  ~watched() { c_.watch(nullptr); }
  watched(const watched&) = delete;
  watched& operator=(const watched&) = delete;

 private:
  cancellation& c_;
};

// The socket as a conn, and what it waits for on the way there; released if it does not get there.
struct releaser {
  void operator()(sched::pollable* p) const { p->release(); }
};
using owned_pollable = std::unique_ptr<sched::pollable, releaser>;

// A Unix socket whose queue is full says so at once rather than when there is room: tried again until then.
int start_connect_patiently(const request& r, const address& to, owned& s) {
  for (std::int64_t pause = 1'000'000;; pause = std::min<std::int64_t>(2 * pause, 50'000'000)) {
    const int n = start_connect(r, to, s);
    if (n != -EAGAIN || !r.net.unix_path) return n;
    if (rove::detail::steady_ns() + pause >= r.until) return sched::io_timed_out;
    sleep_for(std::chrono::nanoseconds(pause));
  }
}

owned_pollable connect_to(const request& r, const address& to, std::int64_t until, cancellation& cancel, int& error) {
  for (int tries = 0;; ++tries) {
    owned s;
    error = start_connect_patiently(r, to, s);
    if (error != 0 && error != -EINPROGRESS) return nullptr;
    std::error_code ec;
    owned_pollable p(adopt(s.take(), streams(r), to, ec));
    if (ec) {
      error = -ENOMEM;
      return nullptr;
    }
    if (error == -EINPROGRESS) {
      p->set_deadline(true, true, until);
      {
        const watched w(cancel, p.get());
        error = finish_connect(p.get());
      }
      if (error) return nullptr;
      p->set_deadline(true, true, os::never);
    }
    bool itself = false;
    if (r.net.stream) p->with_descriptor([&](int d) { return itself = met_itself(d); });
    if (!itself) return p;
    if (tries == 2) {
      error = -ECONNREFUSED;
      return nullptr;
    }
  }
}

// The time for one of the addresses that are left: an equal share, but not too short to be of use.
std::int64_t share_of(std::int64_t until, std::size_t left) {
  if (until == os::never || left <= 1) return until;
  const std::int64_t now = rove::detail::steady_ns();
  return std::min(until, now + std::max((until - now) / static_cast<std::int64_t>(left), least_share));
}

owned_pollable connect_in_turn(const request& r, const std::vector<address>& all, cancellation& cancel, int& error) {
  int first = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (r.until <= rove::detail::steady_ns()) {
      error = sched::io_timed_out;
    } else if (owned_pollable p = connect_to(r, all[i], share_of(r.until, all.size() - i), cancel, error)) {
      return p;
    }
    if (first == 0) first = error;
  }
  error = first;
  return nullptr;
}

// ---- two kinds of addresses -----------------------------------------------------------------------------------------

// One kind's addresses, tried one after the other.
struct lane {
  std::vector<address> all;
  std::size_t next = 0;
  owned socket;                        // on its way
  int error = 0;                       // the first
  bool started = false;

  bool over() const { return started && socket.get() < 0; }
  const address& target() const { return all[next - 1]; }
  void failed(int n) {
    if (error == 0) error = n;
    socket.reset();
  }
};

// As it is for a connect that may be over.
int unless_itself(int s, int result) { return result == 0 && met_itself(s) ? -ECONNREFUSED : result; }

// The next address of the lane that does not fail at once. True: connected.
bool start_next(const request& r, lane& l, int group) {
  l.started = true;
  while (l.next < l.all.size()) {
    int n = start_connect(r, l.all[l.next++], l.socket);
    if ((n = unless_itself(l.socket.get(), n)) == 0) return true;
    if (n == -EINPROGRESS && (n = os::add_to_group(group, l.socket.get())) == 0) return false;
    l.failed(n);
  }
  return false;
}

bool look_at(const request& r, lane& l, int group) {
  if (l.socket.get() < 0) return false;
  const int n = unless_itself(l.socket.get(), os::connect_result(l.socket.get()));
  if (n == -EINPROGRESS) return false;
  if (n == 0) return true;
  l.failed(n);
  return start_next(r, l, group);
}

// The lane that has a connection; null and the first one's error if neither gets one.
lane* race(const request& r, std::array<lane, 2>& lanes, sched::io_turn& group, int& error) {
  const std::int64_t second_at = rove::detail::deadline_after(r.options.fallback_delay);
  if (start_next(r, lanes[0], group.descriptor())) return &lanes[0];
  for (;;) {
    const bool second_due = lanes[0].over() || second_at <= rove::detail::steady_ns();
    if (!lanes[1].started && second_due && start_next(r, lanes[1], group.descriptor())) return &lanes[1];
    error = lanes[1].error;
    if (lanes[0].over() && lanes[1].over()) break;
    error = group.wait(lanes[1].started ? os::never : second_at);
    if (error) break;
    for (lane& l : lanes)
      if (l.started && look_at(r, l, group.descriptor())) return &l;
  }
  if (lanes[0].error) error = lanes[0].error;
  return nullptr;
}

owned_pollable connect_first(const request& r, std::array<lane, 2>& lanes, cancellation& cancel, int& error) {
  error = os::open_group();
  if (error < 0) return nullptr;
  std::error_code ec;
  const owned_pollable group(adopt(error, false, {}, ec));
  error = -ENOMEM;
  if (ec) return nullptr;
  group->set_deadline(true, true, r.until);
  lane* winner;
  {
    const watched w(cancel, group.get());
    sched::io_turn turn(group.get(), sched::side::read);
    error = turn.error();
    winner = error ? nullptr : race(r, lanes, turn, error);
  }
  if (!winner) return nullptr;
  error = -ENOMEM;
  return owned_pollable(adopt(winner->socket.take(), streams(r), winner->target(), ec));
}

// ---- all of it ------------------------------------------------------------------------------------------------------

std::vector<address> resolve_for(std::string_view host, time_point deadline, const context* ctx, std::error_code& ec) {
  if (!ctx) return resolve(host, deadline, ec);
  const cancelable limited = with_deadline(*ctx, deadline);
  std::vector<address> all = resolve(limited.ctx, host, ec);
  limited.cancel();
  return all;
}

std::vector<address> targets_of(const network& net, std::string_view addr, time_point deadline, const context* ctx,
                                std::error_code& ec) {
  if (net.unix_path) return {address::unix_path(addr, ec)};
  const host_and_port parts = split_host_port(addr, ec);
  if (ec) return {};
  const std::uint16_t port = lookup_port(net.stream ? "tcp" : "udp", parts.port, ec);
  if (ec) return {};
  if (parts.host.empty()) return {address::parse_ip(net.version == 6 ? "::1" : "127.0.0.1", port)};
  std::vector<address> all = resolve_for(parts.host, deadline, ctx, ec);
  std::erase_if(all, [&](const address& a) { return !net.allows(a); });
  if (!ec && all.empty()) ec = address_errc::no_suitable_address;
  for (address& a : all) a = a.with_port(port);
  return all;
}

conn dial(std::string_view name, std::string_view addr, const dial_options& o, const context* ctx, cancellation& cancel,
          std::error_code& ec) {
  ec.clear();
  request r{network::parse(name, ec), o, rove::detail::deadline_at(o.deadline)};
  if (ec) return {};
  const std::vector<address> all = targets_of(r.net, addr, o.deadline, ctx, ec);
  if (ec) return {};
  std::array<lane, 2> lanes;
  for (const address& a : all) lanes[a.family() != all[0].family()].all.push_back(a);
  int error = 0;
  owned_pollable p = lanes[1].all.empty() || !r.net.stream || o.fallback_delay.count() < 0
                         ? connect_in_turn(r, all, cancel, error)
                         : connect_first(r, lanes, cancel, error);
  if (!p) ec = code_of(error);
  return opener::make_conn(p.release());
}

}  // namespace

conn dial(std::string_view network, std::string_view addr, const dial_options& o, std::error_code& ec) {
  cancellation never;
  return dial(network, addr, o, nullptr, never, ec);
}

conn dial(std::string_view network, std::string_view addr, std::error_code& ec) { return dial(network, addr, {}, ec); }

conn dial(std::string_view network, std::string_view addr, const dial_options& o) {
  return or_throw("dial", [&](std::error_code& ec) { return dial(network, addr, o, ec); });
}

conn dial(const context& ctx, std::string_view network, std::string_view addr, const dial_options& o,
          std::error_code& ec) {
  ec = ctx.err();
  if (ec) return {};
  dial_options limited = o;
  if (const auto deadline = ctx.deadline()) limited.deadline = std::min(limited.deadline, *deadline);
  auto watch = std::make_unique<by_context>(ctx);
  conn c = dial(network, addr, limited, &ctx, watch->cancel, ec);
  watch.reset();
  if (ec && ctx.err()) ec = ctx.err();
  else if (ec && ctx.deadline() && *ctx.deadline() <= rove::now()) ec = errc::deadline_exceeded;
  return c;
}

conn dial(const context& ctx, std::string_view network, std::string_view addr, std::error_code& ec) {
  return dial(ctx, network, addr, {}, ec);
}

conn dial(const context& ctx, std::string_view network, std::string_view addr, const dial_options& o) {
  return or_throw("dial", [&](std::error_code& ec) { return dial(ctx, network, addr, o, ec); });
}

}  // namespace rove::net
