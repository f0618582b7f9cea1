// Files: opening, closing, and what is neither reading nor writing.
#include <rove/io.hpp>
#include <rove/run.hpp>

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <new>

#include <rove/detail/deadline.hpp>

#include "src/io/errors.hpp"
#include "src/io/file_data.hpp"
#include "src/os/files.hpp"
#include "src/os/socket.hpp"

namespace rove::io {
namespace {

// `ours`: nobody else has the open description, so it may be made non-blocking.
int prepare(int d, bool ours, file_data& data) {
  if (const int error = os::kind_of_file(d, data.kind)) return error;
  if (data.kind != os::file_kind::polled) return 0;
  if (ours) return std::min(os::set_non_blocking(d), 0);
  if (os::is_non_blocking(d)) return 0;
  const int number = os::open_watch(d, os::poll_readable);
  if (number < 0) return number;
  data.watch = pollable::adopt(number, false);
  if (data.watch) return 0;
  os::close_descriptor(number);
  return -ENOMEM;
}

}  // namespace

// On an error the descriptor is still the caller's.
file file::take_over(int descriptor, bool ours, std::error_code& ec) {
  file_data data;
  int error = prepare(descriptor, ours, data);
  pollable* const p = error ? nullptr : pollable::adopt(descriptor, false);
  if (!p && !error) error = -ENOMEM;
  if (!p && data.watch) data.watch->release();
  if (p) ::new (p->label()) file_data{data.kind, true, data.watch};
  ec = error_of(error);
  return file(p);
}

file file::open(std::string_view path, int flags, unsigned mode, std::error_code& ec) {
  if (path.find('\0') != path.npos) {
    ec = std::make_error_code(std::errc::invalid_argument);
    return {};
  }
  const std::string name(path);
  const int d = blocking([&] { return os::open_file(name.c_str(), flags, mode); });
  if (d < 0) {
    ec = error_of(d);
    return {};
  }
  file f = take_over(d, true, ec);
  if (ec) os::close_descriptor(d);
  return f;
}

file file::open(std::string_view path, int flags, unsigned mode) {
  std::error_code ec;
  return or_throw(open(path, flags, mode, ec), ec, "rove::io::file::open");
}
file file::open(std::string_view path, std::error_code& ec) { return open(path, O_RDONLY, 0, ec); }
file file::open(std::string_view path) { return open(path, O_RDONLY, 0); }

file file::create(std::string_view path, std::error_code& ec) {
  return open(path, O_RDWR | O_CREAT | O_TRUNC, 0666, ec);
}
file file::create(std::string_view path) {
  std::error_code ec;
  return or_throw(create(path, ec), ec, "rove::io::file::create");
}

file file::adopt(int descriptor, std::error_code& ec) { return take_over(descriptor, false, ec); }
file file::adopt(int descriptor) {
  std::error_code ec;
  return or_throw(adopt(descriptor, ec), ec, "rove::io::file::adopt");
}

pipe_ends pipe(std::error_code& ec) {
  int ends[2];
  ec = error_of(os::open_pipe(ends));
  if (ec) return {};
  pipe_ends p;
  p.reader = file::take_over(ends[0], true, ec);
  if (!ec) p.writer = file::take_over(ends[1], true, ec);
  if (!ec) return p;
  if (!p.reader) os::close_descriptor(ends[0]);
  os::close_descriptor(ends[1]);
  return {};
}

pipe_ends pipe() {
  std::error_code ec;
  return or_throw(pipe(ec), ec, "rove::io::pipe");
}

// ---- closing -------------------------------------------------------------------------------------------------------

file::~file() {
  if (!p_) return;
  if (data_of(p_).watch) data_of(p_).watch->release();
  p_->release();
}

void file::close(std::error_code& ec) {
  if (!p_) {
    ec = errc::closed;
    return;
  }
  if (data_of(p_).watch) data_of(p_).watch->close();
  ec = error_of(p_->close());
}

void file::close() {
  std::error_code ec;
  close(ec);
  if (ec) detail::throw_system_error(ec, "rove::io::file::close");
}

// ---- the rest ------------------------------------------------------------------------------------------------------

int file::descriptor() const noexcept {
  int number = -1;
  if (p_) p_->with_descriptor([&](int d) { return number = d; });
  return number;
}

std::int64_t file::seek(std::int64_t offset, int whence, std::error_code& ec) {
  std::int64_t at = 0;
  const int error = !p_ ? sched::io_closed : p_->with_descriptor([&](int d) {
    at = os::seek_file(d, offset, whence);
    return 0;
  });
  ec = error_of(error ? error : at);
  return ec ? 0 : at;
}

std::int64_t file::seek(std::int64_t offset, int whence) {
  std::error_code ec;
  return or_throw(seek(offset, whence, ec), ec, "rove::io::file::seek");
}

std::int64_t file::size(std::error_code& ec) {
  std::int64_t bytes = 0;
  const int error = !p_ ? sched::io_closed : p_->with_descriptor([&](int d) {
    bytes = os::size_of_file(d);
    return 0;
  });
  ec = error_of(error ? error : bytes);
  return ec ? 0 : bytes;
}

std::int64_t file::size() {
  std::error_code ec;
  return or_throw(size(ec), ec, "rove::io::file::size");
}

void file::sync(std::error_code& ec) {
  const auto write_out = [](int d) { return blocking([&] { return os::sync_file(d); }); };
  ec = error_of(p_ ? p_->with_descriptor(write_out) : sched::io_closed);
}

void file::sync() {
  std::error_code ec;
  sync(ec);
  if (ec) detail::throw_system_error(ec, "rove::io::file::sync");
}

void file::limit(bool for_reads, bool for_writes, time_point t, std::error_code& ec) {
  ec.clear();
  if (!p_) {
    ec = errc::closed;
  } else if (data_of(p_).kind != os::file_kind::polled || (for_writes && data_of(p_).watch)) {
    ec = std::make_error_code(std::errc::operation_not_supported);
  } else {
    pollable* const p = data_of(p_).watch ? data_of(p_).watch : p_;
    p->set_deadline(for_reads, for_writes, detail::deadline_at(t));
  }
}

void file::set_deadline(time_point t, std::error_code& ec) { limit(true, true, t, ec); }
void file::set_read_deadline(time_point t, std::error_code& ec) { limit(true, false, t, ec); }
void file::set_write_deadline(time_point t, std::error_code& ec) { limit(false, true, t, ec); }

void file::set_deadline(time_point t) {
  std::error_code ec;
  limit(true, true, t, ec);
  if (ec) detail::throw_system_error(ec, "rove::io::file::set_deadline");
}
void file::set_read_deadline(time_point t) {
  std::error_code ec;
  limit(true, false, t, ec);
  if (ec) detail::throw_system_error(ec, "rove::io::file::set_read_deadline");
}
void file::set_write_deadline(time_point t) {
  std::error_code ec;
  limit(false, true, t, ec);
  if (ec) detail::throw_system_error(ec, "rove::io::file::set_write_deadline");
}

}  // namespace rove::io
