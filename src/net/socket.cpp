// What all sockets share: closing, deadlines, names, buffers.
#include "src/net/socket.hpp"

#include <unistd.h>

#include <memory>
#include <new>
#include <string>

#include <rove/detail/deadline.hpp>

namespace rove::net {

sched::pollable* adopt(int descriptor, bool streams, const address& name, std::error_code& ec) {
  sched::pollable* const p = sched::pollable::adopt(descriptor, streams);
  if (!p) {
    os::close_descriptor(descriptor);
    ec = std::make_error_code(std::errc::not_enough_memory);
    return nullptr;
  }
  new (p->label()) label{name, false};
  return p;
}

namespace {

// The path that goes with the socket; empty: none. The next listener on it makes its own.
std::string path_of(sched::pollable* p) {
  return label_of(p).remove_path ? label_of(p).name.to_string() : std::string();
}
void remove_path(const std::string& path) {
  if (!path.empty() && path[0] != '@') unlink(path.c_str());
}

void release(sched::pollable* p) noexcept {
  if (!p) return;
  if (!p->closed()) remove_path(path_of(p));
  p->release();
}

void limit(sched::pollable* p, bool reads, bool writes, time_point t, std::error_code& ec) {
  ec.clear();
  if (!p || p->closed()) {
    ec = errc::closed;
    return;
  }
  p->set_deadline(reads, writes, rove::detail::deadline_at(t));
}

void set_option(sched::pollable* p, os::socket_option o, int value, std::error_code& ec) {
  ec = code_of(p ? p->with_descriptor([&](int s) { return os::set_option(s, o, value); }) : sched::io_closed);
}

}  // namespace

socket::~socket() { release(p_); }

socket& socket::operator=(socket&& other) noexcept {
  sched::pollable* const old = std::exchange(p_, std::exchange(other.p_, nullptr));
  release(old);
  return *this;
}

void socket::close(std::error_code& ec) {
  sched::pollable* const p = p_;
  const std::string path = p ? path_of(p) : std::string();
  const int result = p ? p->close() : sched::io_closed;  // nothing of the object is used after it
  if (result != sched::io_closed) remove_path(path);
  ec = code_of(result);
}

void socket::set_deadline(time_point t, std::error_code& ec) { limit(p_, true, true, t, ec); }
void socket::set_read_deadline(time_point t, std::error_code& ec) { limit(p_, true, false, t, ec); }
void socket::set_write_deadline(time_point t, std::error_code& ec) { limit(p_, false, true, t, ec); }

address socket::local_addr(std::error_code& ec) const {
  os::socket_address a;
  ec = code_of(p_ ? p_->with_descriptor([&](int s) { return os::local_address(s, a); }) : sched::io_closed);
  return ec ? address() : address::from_native(a.data(), a.size);
}

void socket::set_read_buffer(int bytes, std::error_code& ec) {
  set_option(p_, os::socket_option::receive_buffer, bytes, ec);
}
void socket::set_write_buffer(int bytes, std::error_code& ec) {
  set_option(p_, os::socket_option::send_buffer, bytes, ec);
}

int socket::descriptor() const noexcept {
  int number = -1;
  if (p_)
    p_->with_descriptor([&](int s) {
      number = s;
      return 0;
    });
  return number;
}

// ---- a connection's own ---------------------------------------------------------------------------------------------

address conn::remote_addr(std::error_code& ec) const {
  ec.clear();
  if (p_) return label_of(p_).name;
  ec = errc::closed;
  return {};
}

void conn::close_write(std::error_code& ec) {
  ec = code_of(p_ ? p_->with_descriptor([](int s) { return os::shut_down_writing(s); }) : sched::io_closed);
}

void conn::set_no_delay(bool on, std::error_code& ec) { set_option(p_, os::socket_option::no_delay, on, ec); }
void conn::set_keep_alive(bool on, std::error_code& ec) { set_option(p_, os::socket_option::keep_alive, on, ec); }

void conn::set_keep_alive(std::chrono::seconds idle, std::chrono::seconds interval, int probes, std::error_code& ec) {
  set_keep_alive(true, ec);
  if (!ec) set_option(p_, os::socket_option::keep_alive_idle, static_cast<int>(idle.count()), ec);
  if (!ec) set_option(p_, os::socket_option::keep_alive_interval, static_cast<int>(interval.count()), ec);
  if (!ec) set_option(p_, os::socket_option::keep_alive_count, probes, ec);
}

void conn::set_linger(std::chrono::seconds time, std::error_code& ec) {
  const int seconds = static_cast<int>(time.count());
  ec = code_of(p_ ? p_->with_descriptor([&](int s) { return os::set_linger(s, seconds); }) : sched::io_closed);
}

// ---- the forms that throw -------------------------------------------------------------------------------------------

void socket::close() {
  or_throw("close", [&](std::error_code& ec) { close(ec); });
}

void socket::set_deadline(time_point t) {
  or_throw("set_deadline", [&](std::error_code& ec) { set_deadline(t, ec); });
}

void socket::set_read_deadline(time_point t) {
  or_throw("set_read_deadline", [&](std::error_code& ec) { set_read_deadline(t, ec); });
}

void socket::set_write_deadline(time_point t) {
  or_throw("set_write_deadline", [&](std::error_code& ec) { set_write_deadline(t, ec); });
}

address socket::local_addr() const {
  return or_throw("local_addr", [&](std::error_code& ec) { return local_addr(ec); });
}

void socket::set_read_buffer(int bytes) {
  or_throw("set_read_buffer", [&](std::error_code& ec) { set_read_buffer(bytes, ec); });
}

void socket::set_write_buffer(int bytes) {
  or_throw("set_write_buffer", [&](std::error_code& ec) { set_write_buffer(bytes, ec); });
}

address conn::remote_addr() const {
  return or_throw("remote_addr", [&](std::error_code& ec) { return remote_addr(ec); });
}

void conn::close_write() {
  or_throw("close_write", [&](std::error_code& ec) { close_write(ec); });
}

void conn::set_no_delay(bool on) {
  or_throw("set_no_delay", [&](std::error_code& ec) { set_no_delay(on, ec); });
}

void conn::set_keep_alive(bool on) {
  or_throw("set_keep_alive", [&](std::error_code& ec) { set_keep_alive(on, ec); });
}

void conn::set_keep_alive(std::chrono::seconds idle, std::chrono::seconds interval, int probes) {
  or_throw("set_keep_alive", [&](std::error_code& ec) { set_keep_alive(idle, interval, probes, ec); });
}

void conn::set_linger(std::chrono::seconds time) {
  or_throw("set_linger", [&](std::error_code& ec) { set_linger(time, ec); });
}

}  // namespace rove::net
