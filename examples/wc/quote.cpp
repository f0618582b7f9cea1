// How a shell would quote a file name; the rules, one oddity included, are those of coreutils' "shell-escape" style.
#include "quote.hpp"

#include <algorithm>

namespace wc {
namespace {

bool is_printable(char c) { return c >= ' ' && c <= '~'; }

// Whether a shell reads the name as one word that means itself.
bool is_plain(std::string_view name) {
  if (name.empty() || name == "{" || name == "}") return false;
  if (name.front() == '#' || name.front() == '~') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return is_printable(c) && std::string_view(" !\"$&'()*;<=>?[\\^`|").find(c) == std::string_view::npos;
  });
}

// Whether double quotes do, which are easier to read around an apostrophe.
bool suits_double_quotes(std::string_view name) {
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if (!is_printable(c)) return false;
    if (std::string_view("!\"$&()*;<=>?[\\^`|").find(c) != std::string_view::npos) return false;
    if (i > 0 && (c == '#' || c == '~')) return false;
    if (name.size() > 1 && (c == '{' || c == '}')) return false;
  }
  return true;
}

// \n, \t, ... or three octal digits.
void append_escape(std::string& out, char c) {
  constexpr std::string_view known = "\a\b\f\n\r\t\v";
  out += '\\';
  if (const auto at = known.find(c); at != std::string_view::npos) {
    out += "abfnrtv"[at];
    return;
  }
  const auto byte = static_cast<unsigned char>(c);
  for (int shift = 6; shift >= 0; shift -= 3) out += static_cast<char>('0' + ((byte >> shift) & 7));
}

}  // namespace

std::string as_shell_word(std::string_view name) { return is_plain(name) ? std::string(name) : in_quotes(name); }

std::string in_quotes(std::string_view name) {
  const bool apostrophe = name.find('\'') != std::string_view::npos;
  if (apostrophe && suits_double_quotes(name)) return '"' + std::string(name) + '"';

  std::string out = "'";
  // The oddity: with an apostrophe the original goes over the name twice, and starts again in the state it ended in.
  bool escaping = apostrophe && !is_printable(name.back());
  for (char c : name) {
    if (!is_printable(c)) {
      if (!escaping) out += "'$'";
      escaping = true;
      append_escape(out, c);
    } else if (c == '\'') {
      out += "'\\''";
      escaping = false;
    } else {
      if (escaping) out += "''";
      escaping = false;
      out += c;
    }
  }
  return out + '\'';
}

}  // namespace wc
