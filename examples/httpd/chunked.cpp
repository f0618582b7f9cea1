// Decoding chunks byte by byte, but for the data, which is passed on whole.
#include "chunked.hpp"

#include <algorithm>

namespace httpd {
namespace {

// A client may put extensions behind lengths and fields behind the last chunk, which nobody here reads. Of those this
// much is let pass in one body.
constexpr std::size_t most_framing = 8 * 1024;
constexpr int most_digits = 15;  // so that a length fits any signed 64-bit number

int hexadecimal(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_control(char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 0x7f; }

}  // namespace

chunked_decoder::state chunked_decoder::take_framing(state next) {
  return ++framing_ > most_framing ? state::failed : next;
}

chunked_decoder::state chunked_decoder::take_size(char c) {
  if (const int digit = hexadecimal(c); digit >= 0) {
    if (++digits_ > most_digits) return state::failed;
    left_ = left_ * 16 + static_cast<unsigned>(digit);
    return state::size;
  }
  if (digits_ == 0) return state::failed;
  if (c == ';') return take_framing(state::extension);
  return c == '\r' ? state::size_end : state::failed;
}

chunked_decoder::state chunked_decoder::take(char c) {
  const auto only = [c](char wanted, state next) { return c == wanted ? next : state::failed; };
  switch (state_) {
    case state::size: return take_size(c);
    case state::extension:
      if (c == '\r') return state::size_end;
      return is_control(c) ? state::failed : take_framing(state::extension);
    case state::size_end: return only('\n', left_ == 0 ? state::trailer_start : state::data);
    case state::data_cr: return only('\r', state::data_lf);
    case state::data_lf: digits_ = 0; return only('\n', state::size);
    case state::trailer_start:
      if (c == '\r') return state::last_lf;
      return is_control(c) || c == ' ' || c == '\t' ? state::failed : take_framing(state::trailer);
    case state::trailer:
      if (c == '\r') return state::trailer_end;
      return is_control(c) ? state::failed : take_framing(state::trailer);
    case state::trailer_end: return only('\n', state::trailer_start);
    case state::last_lf: return only('\n', state::finished);
    case state::data:
    case state::finished:
    case state::failed: break;
  }
  return state::failed;
}

chunked_decoder::step chunked_decoder::decode(std::string_view in) {
  std::size_t at = 0;
  while (at < in.size() && !finished() && !failed()) {
    if (state_ == state::data) {
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, in.size() - at));
      left_ -= size;
      if (left_ == 0) state_ = state::data_cr;
      return {at + size, in.substr(at, size)};
    }
    state_ = take(in[at++]);
  }
  return {at};
}

}  // namespace httpd
