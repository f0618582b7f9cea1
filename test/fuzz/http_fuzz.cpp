// A libFuzzer target: the HTTP server's parsers. Whatever comes, in however many pieces, the outcome is the same, and
// views stay inside what came.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "examples/httpd/chunked.hpp"
#include "examples/httpd/request.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

bool inside(std::string_view part, std::string_view whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void check_request(const httpd::request& r, std::string_view text) {
  require(!r.method.empty() && !r.path.empty());
  require(!(r.chunked && r.content_length));
  for (std::string_view part : {r.method, r.target, r.query}) require(inside(part, text));
  require(r.path == "/" || inside(r.path, text));  // that of http://host is in no text
  for (const httpd::field& f : r.fields) require(inside(f.name, text) && inside(f.value, text));
}

// Gives `text` to a parser in pieces of that size.
httpd::head_parser::outcome parse_head(std::string_view text, std::size_t piece, httpd::request& r) {
  httpd::head_parser p(httpd::limits{.request_line = 200, .head = 400, .fields = 8});
  httpd::head_parser::outcome o;
  for (std::size_t n = 0; n < text.size() && o.length == 0 && !o.refused;) {
    n = std::min(n + piece, text.size());
    const std::string copy(text.substr(0, n));  // an exact allocation: a look behind it is seen
    o = p.parse(copy, r);
    if (o.length != 0 && !o.refused) check_request(r, copy);
  }
  return o;
}

struct body {
  std::string text = {};
  std::size_t taken = 0;
  bool finished = false, failed = false;

  bool operator==(const body&) const = default;
};

body decode(std::string_view text, std::size_t piece) {
  httpd::chunked_decoder d;
  body b;
  for (std::size_t end = 0; end < text.size() && !d.finished() && !d.failed();) {
    end = std::min(end + piece, text.size());
    while (b.taken < end && !d.finished() && !d.failed()) {
      const std::string copy(text.substr(b.taken, end - b.taken));
      const auto step = d.decode(copy);
      require(step.taken > 0 && step.taken <= copy.size() && inside(step.data, copy));
      b.text += step.data;
      b.taken += step.taken;
    }
  }
  b.finished = d.finished();
  b.failed = d.failed();
  return b;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = 1 + data[0] % 16;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  httpd::request r;
  const auto whole = parse_head(text, text.size() + 1, r), pieces = parse_head(text, piece, r);
  require(whole.length == pieces.length && bool(whole.refused) == bool(pieces.refused));
  require(whole.length <= text.size());
  const std::string_view rest = text.substr(whole.length);
  require(decode(rest, rest.size() + 1) == decode(rest, piece));
  return 0;
}
