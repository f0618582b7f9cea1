// The commands of the Redis server, against a clock that the test sets.
#include "examples/respd/commands.hpp"

#include <string>
#include <vector>

#include "test/catch.hpp"

using namespace respd;

namespace {

struct server {
  database db = {};
  milliseconds now = 1000;

  // The reply as it is sent, line ends as `|`.
  std::string operator()(const std::vector<std::string_view>& words) {
    std::string out;
    execute({words, db, now, out});
    std::string shown;
    for (char c : out) shown += c == '\r' ? "" : std::string(1, c == '\n' ? '|' : c);
    return shown;
  }
};

constexpr const char* wrong_type = "-WRONGTYPE Operation against a key holding the wrong kind of value|";
constexpr const char* no_integer = "-ERR value is not an integer or out of range|";

}  // namespace

TEST_CASE("strings and counters") {
  server s;
  CHECK(s({"PING"}) == "+PONG|");
  CHECK(s({"ping", "x"}) == "$1|x|");
  CHECK(s({"Echo", "hello"}) == "$5|hello|");
  CHECK(s({"GET", "k"}) == "$-1|");
  CHECK(s({"SET", "k", "v"}) == "+OK|");
  CHECK(s({"GET", "k"}) == "$1|v|");
  CHECK(s({"SET", "k", "w", "NX"}) == "$-1|");
  CHECK(s({"SET", "k", "w", "xx", "get"}) == "$1|v|");
  CHECK(s({"SET", "new", "w", "XX"}) == "$-1|");
  CHECK(s({"SET", "k", "w", "NX", "XX"}) == "-ERR syntax error|");
  CHECK(s({"MSET", "a", "1", "b", "2"}) == "+OK|");
  CHECK(s({"MSET", "a", "1", "b"}) == "-ERR wrong number of arguments for 'mset' command|");
  CHECK(s({"MGET", "a", "nothing", "b"}) == "*3|$1|1|$-1|$1|2|");
  CHECK(s({"EXISTS", "a", "a", "nothing"}) == ":2|");
  CHECK(s({"DBSIZE"}) == ":3|");
  CHECK(s({"DEL", "a", "b", "nothing"}) == ":2|");
  CHECK(s({"TYPE", "k"}) == "+string|");
  CHECK(s({"TYPE", "a"}) == "+none|");
  CHECK(s({"INCR", "n"}) == ":1|");
  CHECK(s({"DECR", "n"}) == ":0|");
  CHECK(s({"DECR", "n"}) == ":-1|");
  CHECK(s({"INCR", "k"}) == no_integer);
  s({"SET", "n", "9223372036854775807"});
  CHECK(s({"INCR", "n"}) == "-ERR increment or decrement would overflow|");
  for (const char* text : {"", " 1", "1 ", "01", "+1", "-0", "-", "9223372036854775808"}) {
    s({"SET", "n", text});
    CHECK(s({"INCR", "n"}) == no_integer);
  }
}

TEST_CASE("keys that expire") {
  server s;
  s({"SET", "a", "1", "EX", "10"});
  s({"SET", "b", "1", "PX", "1500"});
  s({"SET", "c", "1"});
  CHECK(s({"TTL", "a"}) == ":10|");
  CHECK(s({"PTTL", "b"}) == ":1500|");
  CHECK(s({"TTL", "c"}) == ":-1|");
  CHECK(s({"TTL", "d"}) == ":-2|");
  CHECK(s({"EXPIRE", "c", "1"}) == ":1|");
  CHECK(s({"EXPIRE", "d", "1"}) == ":0|");
  s.now += 1499;
  CHECK(s({"GET", "b"}) == "$1|1|");
  CHECK(s({"GET", "c"}) == "$-1|");
  s.now += 1;
  CHECK(s({"EXISTS", "b"}) == ":0|");
  CHECK(s({"SET", "a", "2", "KEEPTTL"}) == "+OK|");
  CHECK(s({"PTTL", "a"}) == ":8500|");
  CHECK(s({"PERSIST", "a"}) == ":1|");
  CHECK(s({"TTL", "a"}) == ":-1|");
  s({"PEXPIRE", "a", "5"});
  CHECK(s({"SET", "a", "3"}) == "+OK|");  // a new value lives for ever
  CHECK(s({"TTL", "a"}) == ":-1|");
  CHECK(s({"EXPIRE", "a", "-1"}) == ":1|");
  CHECK(s({"GET", "a"}) == "$-1|");
  CHECK(s({"SET", "a", "1", "EX", "0"}) == "-ERR invalid expire time in 'set' command|");
  CHECK(s({"SET", "a", "1", "EX", "9223372036854775807"}) == "-ERR invalid expire time in 'set' command|");
  CHECK(s({"SET", "a", "1", "EX", "soon"}) == no_integer);
  CHECK(s({"SET", "a", "1", "EX"}) == "-ERR syntax error|");
  CHECK(s({"SET", "a", "1", "EX", "1", "PX", "1"}) == "-ERR syntax error|");
}

TEST_CASE("what has expired is swept out, asked for or not") {
  server s;
  for (int i = 0; i < 1000; ++i) {
    const std::string key = std::to_string(i);
    s({"SET", key, "v", "PX", i % 2 ? "10" : "1000"});
  }
  s.now += 10;
  std::size_t swept = 0;
  for (int i = 0; i < 1000 && swept < 500; ++i) swept += s.db.sweep(10, s.now);
  CHECK(swept == 500);
  CHECK(s({"DBSIZE"}) == ":500|");
  CHECK(s({"FLUSHALL"}) == "+OK|");
  CHECK(s.db.sweep(10, s.now) == 0);
}

TEST_CASE("lists") {
  server s;
  CHECK(s({"LPUSH", "l", "b", "a"}) == ":2|");
  CHECK(s({"RPUSH", "l", "c", "d"}) == ":4|");
  CHECK(s({"LLEN", "l"}) == ":4|");
  CHECK(s({"LRANGE", "l", "0", "-1"}) == "*4|$1|a|$1|b|$1|c|$1|d|");
  CHECK(s({"LRANGE", "l", "-2", "100"}) == "*2|$1|c|$1|d|");
  CHECK(s({"LRANGE", "l", "-100", "0"}) == "*1|$1|a|");
  CHECK(s({"LRANGE", "l", "2", "1"}) == "*0|");
  CHECK(s({"LRANGE", "l", "9", "10"}) == "*0|");
  CHECK(s({"LRANGE", "l", "-9223372036854775808", "9223372036854775807"}) == "*4|$1|a|$1|b|$1|c|$1|d|");
  CHECK(s({"LRANGE", "none", "0", "-1"}) == "*0|");
  CHECK(s({"LRANGE", "l", "x", "1"}) == no_integer);
  CHECK(s({"LPOP", "l"}) == "$1|a|");
  CHECK(s({"RPOP", "l"}) == "$1|d|");
  CHECK(s({"LPOP", "l", "5"}) == "*2|$1|b|$1|c|");
  CHECK(s({"TYPE", "l"}) == "+none|");
  CHECK(s({"LPOP", "l"}) == "$-1|");
  CHECK(s({"LPOP", "l", "1"}) == "*-1|");
  CHECK(s({"LPOP", "l", "-1"}) == "-ERR value is out of range, must be positive|");
  s({"LPUSH", "l", "a"});
  s({"SET", "k", "v"});
  for (const std::vector<std::string_view>& words :
       std::vector<std::vector<std::string_view>>{{"GET", "l"}, {"INCR", "l"}, {"LPUSH", "k", "x"}, {"LLEN", "k"},
                                                  {"LPOP", "k"}, {"LRANGE", "k", "0", "1"}, {"SET", "l", "x", "GET"}}) {
    CHECK(s(words) == wrong_type);
  }
  CHECK(s({"MGET", "l", "k"}) == "*2|$-1|$1|v|");
  CHECK(s({"SET", "l", "now a string"}) == "+OK|");
}

TEST_CASE("requests that are wrong") {
  server s;
  CHECK(s({"GET"}) == "-ERR wrong number of arguments for 'get' command|");
  CHECK(s({"GET", "a", "b"}) == "-ERR wrong number of arguments for 'get' command|");
  CHECK(s({"NONSENSE", "a", "b\r\nc"}) ==
        "-ERR unknown command 'NONSENSE', with args beginning with: 'a' 'b  c' |");
  CHECK(s({"averylongnameindeed"}) == "-ERR unknown command 'averylongnameindeed', with args beginning with: |");
  CHECK(s({""}) == "-ERR unknown command '', with args beginning with: |");
  CHECK(s({"CONFIG", "GET", "save"}) == "*2|$4|save|$0||");
  CHECK(s({"CONFIG", "GET", "other"}) == "*0|");
  CHECK(s({"SELECT", "0"}) == "+OK|");
  CHECK(s({"SELECT", "1"}) == "-ERR DB index is out of range|");
}
