// Parsing requests. A value may be large and come in many pieces, so the parser keeps where it is and never goes
// back. It notes places and not views, as the buffer may move until the request is whole.
#include "parser.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace respd {
namespace {

constexpr std::string_view line_end = "\r\n";

bool parse_number(std::string_view text, std::int64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\0'; }

int hexadecimal(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Inside double quotes: the character that begins at `text[at]`, and how long it is written.
struct quoted {
  char value;
  std::size_t length;
};

quoted unescape(std::string_view text, std::size_t at) {
  if (text[at] != '\\' || at + 1 == text.size()) return {text[at], 1};
  const char c = text[at + 1];
  if (c == 'x' && at + 3 < text.size() && hexadecimal(text[at + 2]) >= 0 && hexadecimal(text[at + 3]) >= 0) {
    return {static_cast<char>(hexadecimal(text[at + 2]) * 16 + hexadecimal(text[at + 3])), 4};
  }
  constexpr std::string_view names = "nrtba", meant = "\n\r\t\b\a";
  const std::size_t known = names.find(c);
  return {known == names.npos ? c : meant[known], 2};
}

}  // namespace

bool parser::take_line(std::string_view received, std::string_view& line) {
  const std::size_t newline = received.find('\n', unseen_);
  unseen_ = received.size();
  const std::size_t size = std::min(newline, received.size()) - at_;
  if (size > limits_.line) {
    error_ = in_array_ ? "Protocol error: too big bulk count string"
             : received[0] == '*' ? "Protocol error: too big mbulk count string"
                                  : "Protocol error: too big inline request";
    return false;
  }
  if (newline == received.npos) return false;
  line = received.substr(at_, size);
  at_ = unseen_ = newline + 1;
  return true;
}

bool parser::take_count(std::string_view received) {
  std::string_view line;
  if (!take_line(received, line)) return false;
  std::int64_t count = 0;
  if (!line.ends_with('\r') || !parse_number(line.substr(1, line.size() - 2), count) ||
      count > static_cast<std::int64_t>(limits_.words)) {
    error_ = "Protocol error: invalid multibulk length";
    return false;
  }
  in_array_ = true;
  left_ = count > 0 ? static_cast<std::size_t>(count) : 0;
  return true;
}

bool parser::take_word(std::string_view received) {
  if (!has_size_) {
    if (at_ < received.size() && received[at_] != '$') {
      error_ = "Protocol error: expected '$'";
      return false;
    }
    std::string_view line;
    if (!take_line(received, line)) return false;
    std::int64_t size = 0;
    if (!line.ends_with('\r') || !parse_number(line.substr(1, line.size() - 2), size) || size < 0 ||
        size > static_cast<std::int64_t>(limits_.word)) {
      error_ = "Protocol error: invalid bulk length";
      return false;
    }
    has_size_ = true;
    size_ = static_cast<std::size_t>(size);
  }
  if (at_ + size_ + line_end.size() > limits_.request) error_ = "Protocol error: too big request";
  if (error_ || received.size() - at_ < size_ + line_end.size()) return false;
  if (received.substr(at_ + size_, line_end.size()) != line_end) {
    error_ = "Protocol error: expected CRLF after a bulk string";
    return false;
  }
  places_.push_back({at_, size_});
  at_ = unseen_ = at_ + size_ + line_end.size();
  has_size_ = false;
  --left_;
  return true;
}

parser::outcome parser::parse_array(std::string_view received) {
  if (!in_array_ && !take_count(received)) return {0, error_};
  while (left_ > 0) {
    if (!take_word(received)) return {0, error_};
  }
  return finish(received);
}

// Takes the quotes off a line's words, as a shell would.
const char* parser::split(std::string_view line) {
  constexpr const char* unbalanced = "Protocol error: unbalanced quotes in request";
  for (std::size_t at = 0; at < line.size();) {
    if (is_blank(line[at])) {
      ++at;
      continue;
    }
    const std::size_t begin = line_.size();
    while (at < line.size() && !is_blank(line[at])) {
      const char quote = line[at];
      if (quote != '"' && quote != '\'') {
        line_ += line[at++];
        continue;
      }
      for (++at; at < line.size() && line[at] != quote;) {
        const bool apostrophe = quote == '\'' && line.substr(at, 2) == "\\'";
        const quoted next = quote == '"' || apostrophe ? unescape(line, at) : quoted{line[at], 1};
        line_ += next.value;
        at += next.length;
      }
      if (at >= line.size()) return unbalanced;
      if (++at < line.size() && !is_blank(line[at])) return unbalanced;
    }
    places_.push_back({begin, line_.size() - begin});
  }
  return nullptr;
}

parser::outcome parser::parse_line(std::string_view received) {
  std::string_view line;
  if (!take_line(received, line)) return {0, error_};
  if (line.ends_with('\r')) line.remove_suffix(1);
  line_.clear();
  error_ = split(line);
  if (error_) return {0, error_};
  return finish(line_);
}

parser::outcome parser::finish(std::string_view text) {
  for (const place& p : places_) words_.push_back(text.substr(p.begin, p.size));
  const outcome done = {at_};
  places_.clear();
  in_array_ = false;
  at_ = unseen_ = 0;
  return done;
}

parser::outcome parser::parse(std::string_view received) {
  words_.clear();
  if (received.empty() || error_) return {0, error_};
  return received[0] == '*' ? parse_array(received) : parse_line(received);
}

}  // namespace respd
