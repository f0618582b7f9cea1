// The HTTP server's parser of heads: what it understands, what it refuses, and that it makes no difference in how
// many pieces a head comes.
#include "examples/httpd/request.hpp"

#include <list>
#include <string>
#include <utility>
#include <vector>

#include "test/catch.hpp"

using namespace httpd;

namespace {

// Given whole, and then byte by byte: the outcome has to be the same, and a refusal to come no later.
head_parser::outcome parse(const std::string& given, request& r, const limits& l = {}) {
  static std::list<std::string> kept;  // the request has views into it
  const std::string& text = kept.emplace_back(given);
  const head_parser::outcome whole = head_parser(l).parse(text, r);
  head_parser slow(l);
  request again;
  head_parser::outcome last;
  for (std::size_t n = 1; n <= text.size() && last.length == 0 && !last.refused; ++n) {
    last = slow.parse(std::string_view(text).substr(0, n), again);
  }
  CHECK(last.length == whole.length);
  CHECK(last.refused.status == whole.refused.status);
  return whole;
}

int status_of(const std::string& text, const limits& l = {}) {
  request r;
  return parse(text, r, l).refused.status;
}

// The status for a request that has these lines behind the one for Host.
int status_with(const std::string& lines) { return status_of("POST / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n"); }

}  // namespace

TEST_CASE("a head is taken apart") {
  const std::string text =
      "GET /a/b?x=1&y HTTP/1.1\r\nHost: example.org:80\r\nUser-Agent: \t curl/7 \r\nX-Empty:\r\n\r\nrest";
  request r;
  const auto found = parse(text, r);
  REQUIRE(found.length == text.size() - 4);
  CHECK(found.refused.status == 0);
  CHECK(r.method == "GET");
  CHECK(r.target == "/a/b?x=1&y");
  CHECK(r.path == "/a/b");
  CHECK(r.query == "x=1&y");
  CHECK(r.minor_version == 1);
  CHECK(r.keep_alive);
  CHECK_FALSE(r.chunked);
  CHECK_FALSE(r.content_length);
  REQUIRE(r.fields.size() == 3);
  CHECK(r.find("user-AGENT")->value == "curl/7");
  CHECK(r.find("x-empty")->value.empty());
  CHECK(r.find("cookie") == nullptr);
}

TEST_CASE("what the fields say of the message") {
  request r;
  REQUIRE(parse("POST / HTTP/1.1\r\nhost:a\r\nCONTENT-length: 0042\r\nConnection: x, CLOSE\r\n\r\n", r).length != 0);
  CHECK(r.content_length == 42);
  CHECK_FALSE(r.keep_alive);
  REQUIRE(parse("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\nExpect: 100-Continue\r\n\r\n", r).length);
  CHECK(r.chunked);
  CHECK_FALSE(r.content_length);
  CHECK(r.expect_continue);
  REQUIRE(parse("GET / HTTP/1.0\r\n\r\n", r).length != 0);
  CHECK(r.minor_version == 0);
  CHECK_FALSE(r.keep_alive);
  CHECK_FALSE(r.expect_continue);
  REQUIRE(parse("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", r).length != 0);
  CHECK(r.keep_alive);
}

TEST_CASE("forms of the target") {
  request r;
  REQUIRE(parse("GET http://example.org/x?y HTTP/1.1\r\nHost: a\r\n\r\n", r).length != 0);
  CHECK(r.path == "/x");
  CHECK(r.query == "y");
  REQUIRE(parse("GET http://example.org?q HTTP/1.1\r\nHost: a\r\n\r\n", r).length != 0);
  CHECK(r.query == "q");
  CHECK(r.path == "/");
  REQUIRE(parse("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", r).length != 0);
  CHECK(r.path == "*");
  CHECK(status_of("GET * HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(status_of("CONNECT example.org:443 HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
}

TEST_CASE("requests one behind the other, an empty line between them") {
  const std::string text = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n";
  head_parser p{limits{}};
  request r;
  const auto first = p.parse(text, r);
  CHECK(r.path == "/1");
  const auto second = p.parse(std::string_view(text).substr(first.length), r);
  CHECK(r.path == "/2");
  CHECK(first.length + second.length == text.size());
}

TEST_CASE("forms of smuggling are refused") {
  const std::pair<const char*, int> cases[] = {
      {"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", 400},
      {"Transfer-Encoding: chunked\r\nContent-Length: 1\r\n", 400},
      {"Content-Length: 1\r\nContent-Length: 1\r\n", 400},
      {"Content-Length: 1\r\nContent-Length: 2\r\n", 400},
      {"Content-Length: 1, 1\r\n", 400},
      {"Content-Length: +1\r\n", 400},
      {"Content-Length: -1\r\n", 400},
      {"Content-Length: 0x1\r\n", 400},
      {"Content-Length: \r\n", 400},
      {"Content-Length: 18446744073709551617\r\n", 400},
      {"Content-Length : 1\r\n", 400},
      {"Content-Length\x0b: 1\r\n", 400},
      {"Content-Length: 1\rX: y\r\n", 400},
      {"Content-Length: 1\nX: y\r\n", 400},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400},
      {"Transfer-Encoding: chunked, chunked\r\n", 501},
      {"Transfer-Encoding: gzip, chunked\r\n", 501},
      {"Transfer-Encoding: xchunked\r\n", 501},
      {"Transfer-Encoding: chunked;x=y\r\n", 501},
      {"Transfer-Encoding: \x0b" "chunked\r\n", 400},
      {"Transfer-Encoding:\r\n chunked\r\n", 501},
      {"X: y\r\n Transfer-Encoding: chunked\r\n", 400},
      {"X: y\r\n\tfolded\r\n", 400},
      {"Host: b\r\n", 400},
      {"No colon\r\n", 400},
      {": no name\r\n", 400},
      {"X: a\001b\r\n", 400},
      {"Expect: the worst\r\n", 417},
  };
  for (const auto& [lines, status] : cases) {
    INFO(lines);
    CHECK(status_with(lines) == status);
  }
  CHECK(status_with(std::string("X: a\0b\r\n", 8)) == 400);
  CHECK(status_with("X: \xc3\xa4\r\n") == 0);
}

TEST_CASE("request lines that are none") {
  for (const char* line : {"GET / HTTP/1.1 ", "GET  / HTTP/1.1", " GET / HTTP/1.1", "GET /", "GET", "GET / HTTP/1",
                           "GET / http/1.1", "GET / HTTP/1.x", "GET / HTTP/11", "G(T / HTTP/1.1", "GET a HTTP/1.1",
                           "GET /\x7f HTTP/1.1", "GET /\xff HTTP/1.1", "GET ftp://a/ HTTP/1.1", "GET\t/ HTTP/1.1"}) {
    INFO(line);
    CHECK(status_of(std::string(line) + "\r\nHost: a\r\n\r\n") == 400);
  }
  CHECK(status_of("GET / HTTP/2.0\r\nHost: a\r\n\r\n") == 505);
  CHECK(status_of("GET / HTTP/1.1\r\n\r\n") == 400);
  CHECK(status_of("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") == 400);
  CHECK(status_of("GET / HTTP/1.1\nHost: a\n\n") == 400);
  CHECK(status_of("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(status_of("\x16\x03\x01\x02") == 400);  // another protocol is sent away before a line has come
}

TEST_CASE("limits") {
  const limits small{.request_line = 20, .head = 60, .fields = 2};
  request r;
  CHECK(parse("GET /" + std::string(6, 'a') + " HTTP/1.0\r\n\r\n", r, small).length != 0);
  CHECK(status_of("GET /" + std::string(7, 'a') + " HTTP/1.0\r\n\r\n", small) == 414);
  CHECK(status_of("GET /" + std::string(50, 'a'), small) == 414);
  CHECK(parse("GET / HTTP/1.0\r\na: b\r\nc: d\r\n\r\n", r, small).length != 0);
  CHECK(status_of("GET / HTTP/1.0\r\na: b\r\nc: d\r\ne: f\r\n\r\n", small) == 431);
  CHECK(status_of("GET / HTTP/1.0\r\na: " + std::string(60, 'b'), small) == 431);
  CHECK(parse("GET / HTTP/1.0\r\na: " + std::string(37, 'b') + "\r\n\r\n", r, small).length == 60);
  CHECK(status_of("GET / HTTP/1.0\r\na: " + std::string(38, 'b') + "\r\n\r\n", small) == 431);
  CHECK(status_of("GET / HTTP/1.1\r\nHost", small) == 0);
}
