// Pieces of report text, written to anything with append(std::string_view): a std::string, or stderr, not allocating.
#pragma once

#include "src/os/os.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

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

template <class Out>
void put_number(Out& out, std::uint64_t value, unsigned base = 10) {
  char digits[20];
  std::size_t first = sizeof digits;
  do {
    digits[--first] = "0123456789abcdef"[value % base];
    value /= base;
  } while (value != 0);
  out.append(std::string_view(digits + first, sizeof digits - first));
}

// How many bytes of a well-formed, printable character stand at the front of `text`; 0: one byte that is neither.
std::size_t printable_prefix(std::string_view text);

// A name chosen by the user, in double quotes: what could break a line or upset a terminal is escaped as in C.
template <class Out>
void put_quoted(Out& out, std::string_view text) {
  out.append("\"");
  while (!text.empty()) {
    const std::size_t good = printable_prefix(text);
    const auto byte = static_cast<unsigned char>(text.front());
    if (byte == '"' || byte == '\\') out.append("\\");
    if (good != 0) {
      out.append(text.substr(0, good));
    } else if (byte == '\n' || byte == '\t') {
      out.append(byte == '\n' ? "\\n" : "\\t");
    } else {
      out.append(byte < 16 ? "\\x0" : "\\x");
      put_number(out, byte, 16);
    }
    text.remove_prefix(good != 0 ? good : 1);
  }
  out.append("\"");
}

// goroutine 7 "name" [chan receive, 3 minutes]:
template <class Out>
void put_header(Out& out, std::uint64_t id, std::string_view name, std::string_view status, std::int64_t minutes = 0) {
  out.append("goroutine ");
  put_number(out, id);
  if (!name.empty()) {
    out.append(" ");
    put_quoted(out, name);
  }
  out.append(" [");
  out.append(status);
  if (minutes >= 1) {
    out.append(", ");
    put_number(out, static_cast<std::uint64_t>(minutes));
    out.append(" minutes");
  }
  out.append("]:\n");
}

// thread 4711 [running]:  for what fails outside of goroutines
template <class Out>
void put_thread_header(Out& out, std::uint64_t thread) {
  out.append("thread ");
  put_number(out, thread);
  out.append(" [running]:\n");
}

// module+0x1234, as addr2line -e module 0x1234 takes it; a bare address where no module is known.
template <class Out>
void put_place(Out& out, std::string_view module, std::uint64_t address) {
  out.append("\t");
  out.append(module);
  out.append(module.empty() ? "0x" : "+0x");
  put_number(out, address, 16);
  out.append("\n");
}

}  // namespace rove::debug
