// Files: what is done inline, what by the poller, and what on a thread without a processor.
//
// A file is a `pollable` whatever it is: that gives calls their turns, wakes them when it is closed, and keeps its
// number until the last has left. What it is decides how a call works:
//
//   stored     Reading what is in the system's memory takes no longer than copying it, so it is tried inline, by a call
//              that waits for nothing, a piece at a time, with a yield between pieces. What is not there is read in
//              `blocking`, and whatever else may wait for a disk is done there too: opening, writing, sync.
//   in_memory  Inline, by pieces.
//   polled     Non-blocking, by the poller. That is so for what was opened here: the mode belongs to the open
//              description, which is ours alone. What was handed over (a terminal at standard input) may be shared with
//              other processes, to which a change of the mode would be news. If it blocks, its reads wait for a
//              *watch*, a descriptor of ours that says when it is readable, and then read in `blocking`; its writes are
//              in `blocking` too.
//
// docs/DECISIONS.md says what was measured.
#include <rove/io.hpp>
#include <rove/run.hpp>

#include <algorithm>
#include <cerrno>

#include "src/io/errors.hpp"
#include "src/io/file_data.hpp"

namespace rove::io {
namespace {

constexpr std::size_t piece = 256 * 1024;  // some 10 us of copying

bool is_polled(pollable* p) { return data_of(p).kind == os::file_kind::polled; }

// Moves `size` bytes by f(done, how many) → n, until an error, an end (0), or all. What was done before an error
// counts.
template <class Call>
std::int64_t repeat(std::size_t size, std::size_t& done, std::size_t at_most, bool yields, Call call) {
  while (done < size) {
    const std::int64_t n = call(done, std::min(size - done, at_most));
    if (n <= 0) return n;
    done += static_cast<std::size_t>(n);
    if (yields && done < size) sched::let_others_run_inside();
  }
  return 0;
}

// ---- files that are stored -----------------------------------------------------------------------------------------

// At an offset, or where the file stands (negative).
std::int64_t read_stored(pollable* p, int d, char* to, std::size_t size, std::int64_t offset, std::size_t& done) {
  file_data& data = data_of(p);
  const auto at = [&](std::size_t n) { return offset < 0 ? offset : offset + static_cast<std::int64_t>(n); };
  const auto ordinary = [&](std::size_t from, std::size_t n) {
    return offset < 0 ? os::read_bytes(d, to + from, n) : os::read_bytes_at(d, to + from, n, at(from));
  };
  if (data.kind == os::file_kind::in_memory) return repeat(size, done, piece, true, ordinary);
  if (data.asks_first.load(std::memory_order_relaxed)) {  // relaxed: a fact about the file
    const std::int64_t n = repeat(size, done, piece, true, [&](std::size_t from, std::size_t some) {
      return os::read_bytes_now(d, to + from, some, at(from));
    });
    if (n != -EAGAIN && n != -EOPNOTSUPP) return n;
    if (n == -EOPNOTSUPP) data.asks_first.store(false, std::memory_order_relaxed);  // relaxed: as above
  }
  return blocking([&] { return repeat(size, done, size, false, ordinary); });
}

std::int64_t write_stored(pollable* p, int d, const char* from, std::size_t size, std::int64_t offset,
                          std::size_t& done) {
  const auto ordinary = [&](std::size_t at, std::size_t n) {
    return offset < 0 ? os::write_bytes(d, from + at, n)
                      : os::write_bytes_at(d, from + at, n, offset + static_cast<std::int64_t>(at));
  };
  if (data_of(p).kind == os::file_kind::in_memory) return repeat(size, done, piece, true, ordinary);
  return blocking([&] { return repeat(size, done, size, false, ordinary); });
}

// ---- pipes and terminals -------------------------------------------------------------------------------------------

// Once: what there is. In both functions the turn is the caller's.
std::int64_t read_polled(io_turn& turn, void* to, std::size_t size) {
  for (;;) {
    if (!turn.must_wait()) {
      const std::int64_t n = os::read_bytes(turn.descriptor(), to, size);
      if (n != -EAGAIN) return n;
    }
    if (const int error = turn.wait()) return error;
  }
}

std::int64_t write_polled(io_turn& turn, const char* from, std::size_t size, std::size_t& done) {
  while (done < size) {
    if (!turn.must_wait()) {
      const std::int64_t n = os::write_bytes_quietly(turn.descriptor(), from + done, size - done);
      if (n >= 0) done += static_cast<std::size_t>(n);
      if (n >= 0) continue;
      if (n != -EAGAIN) return n;
    }
    if (const int error = turn.wait()) return error;
  }
  return 0;
}

// The turn is the watch's: who closes that, or sets a deadline there, reaches the reader.
std::int64_t read_watched(pollable* p, void* to, std::size_t size) {
  io_turn turn(data_of(p).watch, side::read);
  if (turn.error()) return turn.error();
  for (;;) {
    std::int64_t n = -EAGAIN;
    const int error = p->with_descriptor([&](int d) {
      const int ready = os::poll_descriptor(d, os::poll_readable, 0);
      if (ready > 0) n = blocking([&] { return os::read_bytes(d, to, size); });
      return ready < 0 ? ready : 0;
    });
    if (error) return error;
    if (n != -EAGAIN) return n;
    if (const int late = turn.wait()) return late;
  }
}

// A call at a place takes no turn, and may have no other point where a goroutine of a runtime that is over ends.
void end_if_over() {
  if (rove::detail::ending.load(std::memory_order_relaxed)) rove::detail::end_check();  // relaxed: end_check looks closer
}

std::size_t report(std::int64_t result, std::size_t done, std::error_code& ec) {
  ec = error_of(result);
  return done;
}

}  // namespace

// ---- reading and writing -------------------------------------------------------------------------------------------

std::size_t file::read_bytes(void* to, std::size_t size, std::error_code& ec) {
  std::size_t done = 0;
  if (!p_) return report(sched::io_closed, 0, ec);
  std::int64_t n;
  if (data_of(p_).watch) {
    n = size > 0 ? read_watched(p_, to, size) : 0;
  } else {
    io_turn turn(p_, side::read);
    if (turn.error()) return report(turn.error(), 0, ec);
    if (!is_polled(p_)) {
      n = read_stored(p_, turn.descriptor(), static_cast<char*>(to), size, -1, done);
      return report(n, done, ec);
    }
    n = size > 0 ? read_polled(turn, to, size) : 0;
  }
  return report(n, n > 0 ? static_cast<std::size_t>(n) : 0, ec);
}

std::size_t file::write_bytes(const void* from, std::size_t size, std::error_code& ec) {
  std::size_t done = 0;
  if (!p_) return report(sched::io_closed, 0, ec);
  const auto* const bytes = static_cast<const char*>(from);
  io_turn turn(p_, side::write);
  if (turn.error()) return report(turn.error(), 0, ec);
  const int d = turn.descriptor();
  std::int64_t n;
  if (!is_polled(p_))
    n = write_stored(p_, d, bytes, size, -1, done);
  else if (!data_of(p_).watch)
    n = write_polled(turn, bytes, size, done);
  else
    n = blocking([&] {
      return repeat(size, done, size, false,
                    [&](std::size_t at, std::size_t some) { return os::write_bytes_quietly(d, bytes + at, some); });
    });
  return report(n, done, ec);
}

std::size_t file::read_bytes_at(void* to, std::size_t size, std::int64_t offset, std::error_code& ec) {
  if (offset < 0) return report(-EINVAL, 0, ec);
  end_if_over();
  std::size_t done = 0;
  std::int64_t n = 0;
  const int error = !p_ ? sched::io_closed : p_->with_descriptor([&](int d) {
    n = read_stored(p_, d, static_cast<char*>(to), size, offset, done);
    return 0;
  });
  return report(error ? error : n, done, ec);
}

std::size_t file::write_bytes_at(const void* from, std::size_t size, std::int64_t offset, std::error_code& ec) {
  if (offset < 0) return report(-EINVAL, 0, ec);
  end_if_over();
  std::size_t done = 0;
  std::int64_t n = 0;
  const int error = !p_ ? sched::io_closed : p_->with_descriptor([&](int d) {
    n = write_stored(p_, d, static_cast<const char*>(from), size, offset, done);
    return 0;
  });
  return report(error ? error : n, done, ec);
}

std::size_t file::read_or_throw(void* to, std::size_t size) {
  std::error_code ec;
  return or_throw(read_bytes(to, size, ec), ec, "rove::io::file::read");
}
std::size_t file::write_or_throw(const void* from, std::size_t size) {
  std::error_code ec;
  return or_throw(write_bytes(from, size, ec), ec, "rove::io::file::write");
}
std::size_t file::read_at_or_throw(void* to, std::size_t size, std::int64_t offset) {
  std::error_code ec;
  return or_throw(read_bytes_at(to, size, offset, ec), ec, "rove::io::file::read_at");
}
std::size_t file::write_at_or_throw(const void* from, std::size_t size, std::int64_t offset) {
  std::error_code ec;
  return or_throw(write_bytes_at(from, size, offset, ec), ec, "rove::io::file::write_at");
}

}  // namespace rove::io
