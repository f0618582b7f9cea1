// Files, pipes and terminals that hold up no processor; waiting for any descriptor; copying. Signals: signals.hpp.
// Child processes: process.hpp.
#pragma once

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <rove/detail/bytes.hpp>
#include <rove/error.hpp>
#include <rove/signals.hpp>

namespace rove::sched {
class pollable;
}

// Files, pipes, descriptors and child processes.
namespace rove::io {

// ---- waiting -------------------------------------------------------------------------------------------------------

// What a descriptor may be ready for: io::readable, io::writable, both (|), neither.
class events {
 public:
  constexpr events() = default;
  constexpr explicit events(int bits) : bits_(bits) {}                       // 1: readable, 2: writable
  constexpr explicit operator bool() const noexcept { return bits_ != 0; }   // ready for anything?
  constexpr int bits() const noexcept { return bits_; }                      // as above
  // Both sets together; what is in both; are they the same?
  friend constexpr events operator|(events a, events b) noexcept { return events(a.bits_ | b.bits_); }
  friend constexpr events operator&(events a, events b) noexcept { return events(a.bits_ & b.bits_); }
  friend constexpr bool operator==(events a, events b) noexcept = default;

 private:
  int bits_ = 0;
};
inline constexpr events readable{1};  // there is something to read, or the end
inline constexpr events writable{2};  // there is room

// Deadlines, and the one that never comes.
using time_point = std::chrono::steady_clock::time_point;
inline constexpr time_point never = time_point::max();

// Parks the goroutine (blocks a plain thread) until the descriptor is ready for some of `wanted`, and says for which;
// at once if it is ready, as a regular file always is. A descriptor that is broken or at its end is ready: the call
// that is tried then tells. For foreign libraries that work on non-blocking descriptors; any number may wait for the
// same one. The descriptor must stay open meanwhile. Errors: errc::deadline_exceeded; the system's, bad_file_descriptor
// for one.
events wait(int descriptor, events wanted, time_point deadline = never);
events wait(int descriptor, events wanted, std::error_code& ec);
events wait(int descriptor, events wanted, time_point deadline, std::error_code& ec);

// ---- files ---------------------------------------------------------------------------------------------------------

// An open file, pipe, terminal or device. Movable; closed when destroyed. Any thread or goroutine may call anything at
// any time, but for the move and the destruction. Reads wait for each other, and so do writes; each is whole. A call
// parks the goroutine (blocks a plain thread) while there is nothing, or a disk is at work; no processor is held up. On
// a closed or default-built file calls fail with errc::closed. A pipe that nobody reads is an error (broken_pipe),
// never SIGPIPE.
class file {
 public:
  file() noexcept = default;
  file(file&& other) noexcept : p_(std::exchange(other.p_, nullptr)) {}
  file& operator=(file&& other) noexcept {
    file(std::move(other)).swap(*this);
    return *this;
  }
  void swap(file& other) noexcept { std::swap(p_, other.p_); }
  ~file();

  // Opens to read; an error if it is not there.
  static file open(std::string_view path);
  static file open(std::string_view path, std::error_code& ec);
  // Makes it, or empties what is there; to read and write.
  static file create(std::string_view path);
  static file create(std::string_view path, std::error_code& ec);
  // With the flags and the mode of open(2). A pipe with a name (mkfifo) waits for its other end, as there.
  static file open(std::string_view path, int flags, unsigned mode = 0666);
  static file open(std::string_view path, int flags, unsigned mode, std::error_code& ec);
  // Takes over an open descriptor, standard input's (0) for one, which is closed with the file; on an error it is the
  // caller's as before. Whether it blocks is left as it is, since other processes may share that: if it does, reads
  // wait by the poller all the same, while a write that the other side does not take holds a thread.
  static file adopt(int descriptor);
  static file adopt(int descriptor, std::error_code& ec);

  // False: default-built, or moved from. A closed one is true.
  explicit operator bool() const noexcept { return p_ != nullptr; }
  // Its number, for system calls: valid until it is closed. -1 if it is.
  int descriptor() const noexcept;

  // Up to the span's size; less only at the end of a regular file, or of what a pipe or terminal has now. 0 is the end,
  // or an empty span.
  template <detail::writable_byte T, std::size_t N>
  std::size_t read(std::span<T, N> to) { return read_or_throw(to.data(), to.size()); }
  template <detail::writable_byte T, std::size_t N>
  std::size_t read(std::span<T, N> to, std::error_code& ec) { return read_bytes(to.data(), to.size(), ec); }

  // All of it. On an error the result, where there is one, is how much was written before.
  template <detail::byte_like T, std::size_t N>
  std::size_t write(std::span<T, N> from) { return write_or_throw(from.data(), from.size()); }
  template <detail::byte_like T, std::size_t N>
  std::size_t write(std::span<T, N> from, std::error_code& ec) { return write_bytes(from.data(), from.size(), ec); }
  std::size_t write(std::string_view from) { return write_or_throw(from.data(), from.size()); }
  std::size_t write(std::string_view from, std::error_code& ec) { return write_bytes(from.data(), from.size(), ec); }

  // At an offset; where the file stands does not matter and does not change. Any number at a time. Not for pipes
  // (invalid_seek). Less than all is read only at the end; everything is written.
  template <detail::writable_byte T, std::size_t N>
  std::size_t read_at(std::span<T, N> to, std::int64_t offset) {
    return read_at_or_throw(to.data(), to.size(), offset);
  }
  template <detail::writable_byte T, std::size_t N>
  std::size_t read_at(std::span<T, N> to, std::int64_t offset, std::error_code& ec) {
    return read_bytes_at(to.data(), to.size(), offset, ec);
  }
  template <detail::byte_like T, std::size_t N>
  std::size_t write_at(std::span<T, N> from, std::int64_t offset) {
    return write_at_or_throw(from.data(), from.size(), offset);
  }
  template <detail::byte_like T, std::size_t N>
  std::size_t write_at(std::span<T, N> from, std::int64_t offset, std::error_code& ec) {
    return write_bytes_at(from.data(), from.size(), offset, ec);
  }
  std::size_t write_at(std::string_view from, std::int64_t offset) {
    return write_at_or_throw(from.data(), from.size(), offset);
  }
  std::size_t write_at(std::string_view from, std::int64_t offset, std::error_code& ec) {
    return write_bytes_at(from.data(), from.size(), offset, ec);
  }

  // Moves to an offset from the beginning (SEEK_SET), from where it stands, or from the end: the new place.
  std::int64_t seek(std::int64_t offset, int whence);
  std::int64_t seek(std::int64_t offset, int whence, std::error_code& ec);
  std::int64_t size();
  std::int64_t size(std::error_code& ec);
  // What was written is on the disk.
  void sync();
  void sync(std::error_code& ec);

  // For pipes and terminals: a call that waits longer fails with errc::deadline_exceeded, one under way too; `never`
  // takes it away. Else operation_not_supported.
  void set_deadline(time_point t);
  void set_read_deadline(time_point t);
  void set_write_deadline(time_point t);
  void set_deadline(time_point t, std::error_code& ec);
  void set_read_deadline(time_point t, std::error_code& ec);
  void set_write_deadline(time_point t, std::error_code& ec);

  // Who waits for data fails with errc::closed; a call that is with the disk is waited for. A second close fails so
  // too.
  void close();
  void close(std::error_code& ec);

 private:
  explicit file(sched::pollable* p) noexcept : p_(p) {}
  static file take_over(int descriptor, bool ours, std::error_code& ec);
  friend struct pipe_ends pipe(std::error_code& ec);

  std::size_t read_bytes(void* to, std::size_t size, std::error_code& ec);
  std::size_t write_bytes(const void* from, std::size_t size, std::error_code& ec);
  std::size_t read_bytes_at(void* to, std::size_t size, std::int64_t offset, std::error_code& ec);
  std::size_t write_bytes_at(const void* from, std::size_t size, std::int64_t offset, std::error_code& ec);
  std::size_t read_or_throw(void* to, std::size_t size);
  std::size_t write_or_throw(const void* from, std::size_t size);
  std::size_t read_at_or_throw(void* to, std::size_t size, std::int64_t offset);
  std::size_t write_at_or_throw(const void* from, std::size_t size, std::int64_t offset);
  void limit(bool for_reads, bool for_writes, time_point t, std::error_code& ec);

  sched::pollable* p_ = nullptr;
};

// A pipe: what is written to the one end is read from the other.
struct pipe_ends {
  file reader;                                                // at its end when the other one is closed
  file writer;                                                // fails when the other one is closed
};
pipe_ends pipe();
pipe_ends pipe(std::error_code& ec);

// ---- copying -------------------------------------------------------------------------------------------------------

// A file, a connection, or what else reads into a span and writes one, with an error code.
template <class R>
concept reader = requires(R& r, std::span<char> to, std::error_code& ec) {
  { r.read(to, ec) } -> std::convertible_to<std::size_t>;
};
template <class W>
concept writer = requires(W& w, std::span<const char> from, std::error_code& ec) {
  { w.write(from, ec) } -> std::convertible_to<std::size_t>;
};

// Reads to the end and writes it all: how much was written. Stops at the first error of either.
template <writer W, reader R>
std::uint64_t copy(W& to, R& from, std::error_code& ec) {
  constexpr std::size_t room = 64 * 1024;
  const std::unique_ptr<char[]> buffer(new char[room]);  // a goroutine's stack is small
  std::uint64_t copied = 0;
  for (;;) {
    const std::size_t n = from.read(std::span<char>(buffer.get(), room), ec);
    if (ec || n == 0) return copied;
    copied += to.write(std::span<const char>(buffer.get(), n), ec);
    if (ec) return copied;
  }
}

// The same; an error is a std::system_error, and how much was written before it is not told.
template <writer W, reader R>
std::uint64_t copy(W& to, R& from) {
  std::error_code ec;
  const std::uint64_t n = io::copy(to, from, ec);  // by its full name: std has one too
  if (ec) detail::throw_system_error(ec, "rove::io::copy");
  return n;
}

// All that is left to read. On an error: what came before it.
template <reader R>
std::string read_all(R& from, std::error_code& ec) {
  std::string text;
  for (std::size_t size = 0;;) {
    text.resize(std::max<std::size_t>(size * 2, 4096));
    while (size < text.size()) {
      const std::size_t n = from.read(std::span<char>(text.data() + size, text.size() - size), ec);
      size += n;
      if (ec || n == 0) {
        text.resize(size);
        return text;
      }
    }
  }
}

// The same; an error is a std::system_error.
template <reader R>
std::string read_all(R& from) {
  std::error_code ec;
  std::string text = io::read_all(from, ec);
  if (ec) detail::throw_system_error(ec, "rove::io::read_all");
  return text;
}

}  // namespace rove::io
