// The replies of the Redis protocol, each appended to a text that is to be sent.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace respd::reply {

inline void line(std::string& out, char type, std::string_view text) {
  out += type;
  out += text;
  out += "\r\n";
}

inline void line(std::string& out, char type, std::int64_t number) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  line(out, type, std::string_view(digits, static_cast<std::size_t>(end - digits)));
}

inline void simple(std::string& out, std::string_view text) { line(out, '+', text); }
inline void error(std::string& out, std::string_view text) { line(out, '-', text); }
inline void integer(std::string& out, std::int64_t n) { line(out, ':', n); }
inline void null(std::string& out) { out += "$-1\r\n"; }

// To be followed by as many replies.
inline void array(std::string& out, std::size_t n) { line(out, '*', static_cast<std::int64_t>(n)); }

inline void bulk(std::string& out, std::string_view text) {
  line(out, '$', static_cast<std::int64_t>(text.size()));
  out += text;
  out += "\r\n";
}

}  // namespace respd::reply
