// A libFuzzer target: the Redis server's parser and its commands. Whatever comes, in however many pieces, the same
// requests are understood, and each gets one reply.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "examples/respd/commands.hpp"
#include "examples/respd/parser.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

constexpr respd::limits limits = {.words = 16, .word = 200, .line = 100, .request = 500};

// How many bytes a reply has; 0: it is none.
std::size_t reply_length(std::string_view text) {
  const std::size_t line = text.find("\r\n");
  if (line == text.npos || line == 0) return 0;
  const long n = std::strtol(std::string(text.substr(1, line - 1)).c_str(), nullptr, 10);
  std::size_t length = line + 2;
  switch (text[0]) {
    case '+': case '-': case ':': return length;
    case '$': return n < 0 ? length : length + static_cast<std::size_t>(n) + 2;
    case '*':
      for (long i = 0; i < n; ++i) {
        const std::size_t part = length < text.size() ? reply_length(text.substr(length)) : 0;
        if (part == 0) return 0;
        length += part;
      }
      return length;
    default: return 0;
  }
}

void execute(std::span<const std::string_view> words, respd::database& db) {
  std::string out;
  respd::execute({words, db, 1000, out});
  require(!out.empty() && reply_length(out) == out.size());
}

// Executes the requests in `text`, which comes in pieces; returns them all, and the error behind them.
std::vector<std::string> serve(std::string_view text, std::size_t piece) {
  respd::parser p(limits);
  respd::database db;
  std::vector<std::string> seen;
  std::size_t begin = 0, end = 0;
  while (end < text.size()) {
    end = std::min(end + piece, text.size());
    for (;;) {
      const std::string copy(text.substr(begin, end - begin));  // an exact allocation: a look behind it is seen
      const auto o = p.parse(copy);
      if (o.error) {
        seen.push_back(o.error);
        return seen;
      }
      if (o.length == 0) break;
      require(o.length <= copy.size());
      if (!p.words().empty()) execute(p.words(), db);
      for (std::string_view word : p.words()) seen.emplace_back(word);
      seen.push_back("/");
      begin += o.length;
    }
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = 1 + data[0] % 16;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  require(serve(text, text.size() + 1) == serve(text, piece));
  return 0;
}
