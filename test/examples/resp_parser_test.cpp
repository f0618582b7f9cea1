// The parser of the Redis protocol: arrays and lines, in any number of pieces; errors; limits.
#include "examples/respd/parser.hpp"

#include <string>
#include <vector>

#include "test/catch.hpp"

using namespace respd;

namespace {

struct parsed {
  std::vector<std::string> words = {};
  std::size_t length = 0;
  std::string error = {};
};

parsed result(const parser& p, const parser::outcome& o) {
  return {{p.words().begin(), p.words().end()}, o.length, o.error ? o.error : ""};
}

// Given whole, and then byte by byte, each time at another address.
parsed parse(const std::string& text, const limits& l = {}) {
  parser p(l);
  const parsed whole = result(p, p.parse(text));
  parser slow(l);
  parsed last;
  for (std::size_t n = 1; n <= text.size() && last.length == 0 && last.error.empty(); ++n) {
    const std::string part = text.substr(0, n);
    last = result(slow, slow.parse(part));
  }
  CHECK(last.words == whole.words);
  CHECK(last.length == whole.length);
  CHECK(last.error == whole.error);
  return whole;
}

using words = std::vector<std::string>;

}  // namespace

TEST_CASE("arrays of bulk strings") {
  const parsed set = parse("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\n\r\n\r\n\r\n");
  CHECK(set.words == words{"SET", "k", "\r\n\r\n"});
  CHECK(set.length == 30);
  CHECK(parse("*1\r\n$0\r\n\r\n").words == words{""});
  for (const char* nothing : {"*0\r\n", "*-1\r\n"}) {
    const parsed none = parse(nothing);
    CHECK(none.words.empty());
    CHECK(none.length == std::string(nothing).size());
    CHECK(none.error.empty());
  }
}

TEST_CASE("lines of words") {
  CHECK(parse("PING\r\n").words == words{"PING"});
  CHECK(parse("  set\tk  v \n").words == words{"set", "k", "v"});
  CHECK(parse(R"(set "a b" 'c d' "\x41\n\"" 'it\'s')" "\r\n").words == words{"set", "a b", "c d", "A\n\"", "it's"});
  CHECK(parse("\r\n").words.empty());
  CHECK(parse("\r\n").length == 2);
  CHECK(parse("set k \"\"\r\n").words == words{"set", "k", ""});
  for (const char* text : {"set k \"v\r\n", "set k 'v\r\n", "set k \"v\"x\r\n", "set k \"v\\\"\r\n"}) {
    CHECK(parse(text).error == "Protocol error: unbalanced quotes in request");
  }
}

TEST_CASE("requests one behind the other") {
  const std::string text = "*1\r\n$4\r\nPING\r\nGET a\r\n*2\r\n$3\r\nGET\r\n$1\r\nb\r\n";
  parser p;
  std::string_view rest = text;
  std::vector<words> all;
  while (!rest.empty()) {
    const parser::outcome o = p.parse(rest);
    REQUIRE(o.length != 0);
    all.push_back(result(p, o).words);
    rest.remove_prefix(o.length);
  }
  CHECK(all == std::vector<words>{{"PING"}, {"GET", "a"}, {"GET", "b"}});
}

TEST_CASE("what is no request") {
  const std::pair<const char*, const char*> cases[] = {
      {"*x\r\n", "Protocol error: invalid multibulk length"},
      {"*\r\n", "Protocol error: invalid multibulk length"},
      {"*1\n", "Protocol error: invalid multibulk length"},
      {"*1048577\r\n", "Protocol error: invalid multibulk length"},
      {"*99999999999999999999\r\n", "Protocol error: invalid multibulk length"},
      {"*1\r\nx", "Protocol error: expected '$'"},
      {"*1\r\n$x\r\n", "Protocol error: invalid bulk length"},
      {"*1\r\n$-1\r\n", "Protocol error: invalid bulk length"},
      {"*1\r\n$1\n", "Protocol error: invalid bulk length"},
      {"*1\r\n$67108865\r\n", "Protocol error: invalid bulk length"},
      {"*1\r\n$1\r\nabc", "Protocol error: expected CRLF after a bulk string"},
  };
  for (const auto& [text, error] : cases) {
    INFO(text);
    CHECK(parse(text).error == error);
    parser p;
    p.parse(text);
    CHECK(p.parse("PING\r\n").error != nullptr);  // after an error nothing is understood any more
  }
}

TEST_CASE("limits of a request") {
  const limits small{.words = 3, .word = 10, .line = 16, .request = 40};
  CHECK(parse("*4\r\n", small).error == "Protocol error: invalid multibulk length");
  CHECK(parse("*1\r\n$11\r\n", small).error == "Protocol error: invalid bulk length");
  CHECK(parse(std::string(17, 'a'), small).error == "Protocol error: too big inline request");
  CHECK(parse("*" + std::string(17, '0'), small).error == "Protocol error: too big mbulk count string");
  CHECK(parse("*1\r\n$" + std::string(17, '0'), small).error == "Protocol error: too big bulk count string");
  CHECK(parse("*3\r\n$9\r\n123456789\r\n$9\r\n123456789\r\n$9\r\n", small).error == "Protocol error: too big request");
  CHECK(parse(std::string(14, 'a') + "\r\n", small).length == 16);
}
