// Pieces of report text, written to a std::string, or to stderr without allocating.
#pragma once

#include "src/os/os.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace rove::debug {

// Collects text in a small buffer and passes it on to stderr: for signal handlers.
class stderr_text {
 public:
  stderr_text() = default;
  stderr_text(const stderr_text&) = delete;
  stderr_text& operator=(const stderr_text&) = delete;
  ~stderr_text() { flush(); }

  void append(std::string_view text) {
    while (!text.empty()) {
      if (used_ == sizeof buffer_) flush();
      const std::size_t room = sizeof buffer_ - used_;
      const std::size_t part = text.size() < room ? text.size() : room;
      std::memcpy(buffer_ + used_, text.data(), part);
      used_ += part;
      text.remove_prefix(part);
    }
  }

  void flush() {
    if (used_ != 0) os::write_stderr({buffer_, used_});
    used_ = 0;
  }

 private:
  std::size_t used_ = 0;
  char buffer_[512];
};

// Where text goes: anything with append(std::string_view).
class text_out {
 public:
  template <class To>
    requires(!std::is_same_v<To, text_out>)
  text_out(To& to) : to_(&to), append_([](void* t, std::string_view text) { static_cast<To*>(t)->append(text); }) {}

  void append(std::string_view text) const { append_(to_, text); }

 private:
  void* to_;
  void (*append_)(void*, std::string_view);
};

void put_number(text_out out, std::uint64_t value, unsigned base = 10);

// How many bytes of a well-formed, printable character stand at the front of `text`; 0: one byte that is neither.
std::size_t printable_prefix(std::string_view text);

// A name chosen by the user, in double quotes: what could break a line or upset a terminal is escaped as in C.
void put_quoted(text_out out, std::string_view text);

// goroutine 7 "name" [chan receive, 3 minutes]:
void put_header(text_out out, std::uint64_t id, std::string_view name, std::string_view status,
                std::int64_t minutes = 0);

// thread 4711 [running]:  for what fails outside of goroutines
void put_thread_header(text_out out, std::uint64_t thread);

// module+0x1234, as addr2line -e module 0x1234 takes it; a bare address where no module is known.
void put_place(text_out out, std::string_view module, std::uint64_t address);

}  // namespace rove::debug
