// The HTTP server's decoder of chunked bodies.
#include "examples/httpd/chunked.hpp"

#include <algorithm>
#include <string>

#include "test/catch.hpp"

using httpd::chunked_decoder;

namespace {

struct decoded {
  std::string body = {};
  std::size_t taken = 0;
  bool finished = false, failed = false;
};

// Decodes a text that comes in pieces of this size.
decoded decode(std::string_view text, std::size_t piece) {
  chunked_decoder d;
  decoded out;
  for (std::size_t end = std::min(piece, text.size());;) {
    const auto step = d.decode(text.substr(out.taken, end - out.taken));
    out.body += step.data;
    out.taken += step.taken;
    if (d.finished() || d.failed() || (step.taken == 0 && end == text.size())) break;
    if (out.taken == end) end = std::min(end + piece, text.size());
  }
  out.finished = d.finished();
  out.failed = d.failed();
  return out;
}

void check_body(const std::string& text, const std::string& body) {
  INFO(text);
  for (std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{7}, text.size() + 4}) {
    const decoded out = decode(text + "more", piece);
    CHECK(out.finished);
    CHECK(out.body == body);
    CHECK(out.taken == text.size());
  }
}

void check_failure(const std::string& text) {
  INFO(text);
  CHECK(decode(text, 1).failed);
  CHECK(decode(text, text.size()).failed);
}

}  // namespace

TEST_CASE("chunks, their extensions, and fields behind them") {
  check_body("0\r\n\r\n", "");
  check_body("3\r\nabc\r\n0\r\n\r\n", "abc");
  check_body("3;name=value\r\nabc\r\n00A\r\n0123456789\r\n0;x\r\nTrailer: y\r\nOther: z\r\n\r\n", "abc0123456789");
  check_body("c\r\n" "\r\n\r\n0\r\n\r\n\r\n\r" "\r\n0\r\n\r\n", "\r\n\r\n0\r\n\r\n\r\n\r");
}

TEST_CASE("a body that is not at its end") {
  for (const char* text : {"", "3", "3\r\n", "3\r\nab", "3\r\nabc", "3\r\nabc\r\n", "0\r\n", "0\r\nA: b\r\n"}) {
    const decoded out = decode(text, 1);
    CHECK_FALSE(out.finished);
    CHECK_FALSE(out.failed);
  }
}

TEST_CASE("chunks that are none") {
  for (const char* text : {"\r\n", "x\r\n", "-1\r\n", "+1\r\n", " 1\r\n", "1 \r\n", "0x1\r\n", "1\n", "1\r\r",
                           "3\r\nabcd", "3\r\nabc\n", "3\r\nabc\r\r", ";x\r\n", "1;\n", "1;\x01", "0\r\n x: y\r\n",
                           "0\r\n\n", "0\r\nx\n", "1000000000000000\r\n", "0000000000000001\r\n"}) {
    check_failure(text);
  }
}

TEST_CASE("more extensions and trailers than data") {
  check_failure("1;" + std::string(9000, 'x'));
  check_failure("0\r\n" + std::string(9000, 'x'));
  std::string many;
  for (int i = 0; i < 3000; ++i) many += "1;xxx\r\na\r\n";
  check_failure(many);
}
