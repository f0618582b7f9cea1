// Parsing a request's head, in two steps: find the empty line, looking at each byte once however slowly they come;
// then take the whole apart in one go. The rules are those of RFC 9110 and RFC 9112.
#include "request.hpp"

#include <algorithm>
#include <array>

namespace httpd {
namespace {

constexpr std::string_view line_end = "\r\n";

enum kind : unsigned char { in_token = 1, in_value = 2, in_target = 4, in_host = 8 };

// What each byte may be part of.
constexpr std::array<unsigned char, 256> kinds = [] {
  std::array<unsigned char, 256> table{};
  const auto add = [&](std::string_view characters, kind k) {
    for (char c : characters) table[static_cast<unsigned char>(c)] |= k;
  };
  for (unsigned c = 0x21; c < 256; ++c) table[c] |= c == 0x7f ? 0 : in_value;
  for (unsigned c = 0x21; c < 0x7f; ++c) table[c] |= in_target;
  add(" \t", in_value);
  constexpr std::string_view alphanumeric = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  add(alphanumeric, in_token);
  add("!#$%&'*+-.^_`|~", in_token);
  add(alphanumeric, in_host);
  add("-._~:[]%!$&'()*+;=", in_host);
  return table;
}();

bool is(char c, kind k) { return (kinds[static_cast<unsigned char>(c)] & k) != 0; }

bool all(std::string_view text, kind k) {
  return std::all_of(text.begin(), text.end(), [k](char c) { return is(c, k); });
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

std::string_view trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

// Takes what is in front of the separator off `text`; all of it if there is no separator.
std::string_view take_until(std::string_view& text, std::string_view separator) {
  const std::size_t at = text.find(separator);
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(at == text.npos ? text.size() : at + separator.size());
  return taken;
}

constexpr refusal ok = {};
constexpr refusal bad(const char* why) { return {400, why}; }

// The path and the query of a target in one of the forms that a server may be sent.
refusal split_target(request& r) {
  std::string_view rest = r.target;
  if (rest == "*") {
    r.path = rest;
    return r.method == "OPTIONS" ? ok : bad("The target * is for OPTIONS alone.");
  }
  if (rest.front() != '/') {  // the form that proxies are sent: http://host/path
    const std::size_t host = rest.find("://");
    if (host == rest.npos || !same_word(rest.substr(0, host), "http")) return bad("The target is no path.");
    rest.remove_prefix(std::min(rest.find_first_of("/?", host + 3), rest.size()));
  }
  r.path = take_until(rest, "?");
  if (r.path.empty()) r.path = "/";
  r.query = rest;
  return ok;
}

// What does not is some other protocol, whose client may wait for an answer before it sends more.
bool begins_with_method(std::string_view line) {
  return all(line.substr(0, std::min<std::size_t>(line.find(' '), 32)), in_token);
}

// As much of the request line's form as has to be right before the fields are waited for.
bool is_like_a_request(std::string_view line) {
  constexpr std::string_view version = " HTTP/1.1";
  if (line.empty()) return true;
  return begins_with_method(line) && line.size() > version.size() && line[line.size() - version.size()] == ' ';
}

refusal parse_request_line(std::string_view line, request& r) {
  r.method = take_until(line, " ");
  r.target = take_until(line, " ");
  if (r.method.empty() || !all(r.method, in_token)) return bad("The method is not a word.");
  if (r.target.empty() || !all(r.target, in_target)) return bad("The target is empty or holds odd characters.");
  if (line.size() != 8 || !line.starts_with("HTTP/") || line[6] != '.') return bad("The version is missing.");
  if (line[5] != '1') return {505, "Only HTTP/1.0 and HTTP/1.1 are spoken here."};
  if (line[7] < '0' || line[7] > '9') return bad("The version is not a number.");
  r.minor_version = line[7] - '0';
  r.keep_alive = r.minor_version >= 1;
  return split_target(r);
}

refusal parse_content_length(std::string_view value, request& r) {
  if (r.content_length) return bad("There are two fields Content-Length.");
  std::uint64_t n = 0;
  if (value.empty() || value.size() > 18) return bad("The Content-Length is no length.");
  for (char c : value) {
    if (c < '0' || c > '9') return bad("The Content-Length is not a number.");
    n = n * 10 + static_cast<unsigned>(c - '0');
  }
  r.content_length = n;
  return ok;
}

refusal parse_transfer_encoding(std::string_view value, request& r) {
  if (r.chunked) return bad("There are two fields Transfer-Encoding.");
  if (r.minor_version == 0) return bad("HTTP/1.0 has no Transfer-Encoding.");
  if (!same_word(value, "chunked")) return {501, "The only transfer coding known here is chunked."};
  r.chunked = true;
  return ok;
}

void parse_connection(std::string_view value, request& r) {
  while (!value.empty()) {
    const std::string_view option = trimmed(take_until(value, ","));
    if (same_word(option, "close")) r.keep_alive = false;
    if (same_word(option, "keep-alive") && r.minor_version == 0) r.keep_alive = true;
  }
}

// What one field means for the message as a whole.
refusal understand(const field& f, request& r, int& hosts) {
  if (same_word(f.name, "host")) {
    if (++hosts > 1) return bad("There are two fields Host.");
    return all(f.value, in_host) ? ok : bad("The Host holds odd characters.");
  }
  if (same_word(f.name, "content-length")) return parse_content_length(f.value, r);
  if (same_word(f.name, "transfer-encoding")) return parse_transfer_encoding(f.value, r);
  if (same_word(f.name, "connection")) parse_connection(f.value, r);
  if (same_word(f.name, "expect")) {
    if (!same_word(f.value, "100-continue")) return {417, "That cannot be expected here."};
    r.expect_continue = r.minor_version >= 1;
  }
  return ok;
}

refusal parse_field(std::string_view line, field& f) {
  if (line.front() == ' ' || line.front() == '\t') return bad("A field goes on over a second line.");
  const std::size_t colon = line.find(':');
  if (colon == line.npos) return bad("A field has no colon.");
  f.name = line.substr(0, colon);
  if (f.name.empty() || !all(f.name, in_token)) return bad("The name of a field is not a word.");
  f.value = trimmed(line.substr(colon + 1));
  return all(f.value, in_value) ? ok : bad("A field holds a control character.");
}

// `head`: from the request line to the last field's CR LF.
refusal take_apart(std::string_view head, std::size_t most_fields, request& r) {
  std::vector<field> fields = std::move(r.fields);  // its memory is used again
  fields.clear();
  r = {};
  r.fields = std::move(fields);
  if (const refusal no = parse_request_line(take_until(head, line_end), r)) return no;
  int hosts = 0;
  while (!head.empty()) {
    field f;
    if (const refusal no = parse_field(take_until(head, line_end), f)) return no;
    if (r.fields.size() == most_fields) return {431, "There are too many fields."};
    r.fields.push_back(f);
    if (const refusal no = understand(f, r, hosts)) return no;
  }
  if (r.minor_version >= 1 && hosts == 0) return bad("The field Host is missing.");
  if (r.chunked && r.content_length) return bad("A chunked body has no Content-Length.");
  return ok;
}

}  // namespace

bool same_word(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

const field* request::find(std::string_view name) const {
  const auto at = std::find_if(fields.begin(), fields.end(), [&](const field& f) { return same_word(f.name, name); });
  return at == fields.end() ? nullptr : &*at;
}

// Of a head that is not complete: whether it can still become one.
head_parser::outcome head_parser::refuse_unfinished(std::string_view received) const {
  if (received.size() > limits_.head) return {0, {431, "The fields are too long."}};
  if (line_ != start_) return {};
  const std::string_view line = received.substr(std::min(start_, received.size()));
  if (line.size() > limits_.request_line + 2) return {0, {414, "The request line is too long."}};
  const bool lone_cr = line == "\r" && start_ == 0;
  return begins_with_method(line) || lone_cr ? outcome{} : outcome{0, bad("This is not HTTP.")};
}

head_parser::outcome head_parser::find_end(std::string_view received) {
  for (;;) {
    const std::size_t newline = received.find('\n', unseen_);
    if (newline == received.npos) {
      unseen_ = received.size();
      return refuse_unfinished(received);
    }
    if (newline == line_ || received[newline - 1] != '\r') return {0, bad("A line does not end in CR LF.")};
    const std::size_t size = newline - 1 - line_;
    const bool request_line = line_ == start_;
    line_ = unseen_ = newline + 1;
    if (request_line && size > limits_.request_line) return {0, {414, "The request line is too long."}};
    if (request_line && !is_like_a_request(received.substr(start_, size))) return {0, bad("This is not HTTP.")};
    if (line_ > limits_.head) return {0, {431, "The fields are too long."}};
    if (size != 0) continue;
    if (!request_line) return {line_};
    if (start_ != 0) return {0, bad("The request line is empty.")};
    start_ = line_;  // one empty line before a request is allowed: some clients end a body with it
  }
}

head_parser::outcome head_parser::parse(std::string_view received, request& into) {
  outcome found = find_end(received);
  if (found.length == 0) return found;
  found.refused = take_apart(received.substr(start_, found.length - start_ - line_end.size()), limits_.fields, into);
  start_ = line_ = unseen_ = 0;
  if (found.refused) found.length = 0;
  return found;
}

}  // namespace httpd
