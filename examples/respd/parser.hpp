// The requests of the Redis protocol: an array of bulk strings (`*2\r\n$3\r\nGET\r\n$1\r\nk\r\n`), or a line of
// words, as one types it (`GET k`, with "quotes").
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace respd {

// What one request may hold at most.
struct limits {
  std::size_t words = 1024 * 1024;
  std::size_t word = 64 * 1024 * 1024;  // bytes
  std::size_t line = 64 * 1024;
  std::size_t request = 128 * 1024 * 1024;
};

class parser {
 public:
  explicit parser(const limits& l = {}) : limits_(l) {}

  struct outcome {
    std::size_t length = 0;       // of the request in bytes; 0: there is more to come
    const char* error = nullptr;  // in Redis' words; after one, nothing that the client sent can be made out any more
  };

  // `received` is all that came since the last request's end; while the outcome is 0 and no error, the same bytes and
  // more are to be given again. What was looked at is not looked at twice, and nothing is allocated before it has
  // come.
  outcome parse(std::string_view received);

  // The words of the request that was complete, until the next call of parse: views into `received`, or into the
  // parser. None for an empty line or array, which means nothing.
  std::span<const std::string_view> words() const { return words_; }

 private:
  struct place {
    std::size_t begin;
    std::size_t size;
  };

  outcome parse_array(std::string_view received);
  outcome parse_line(std::string_view received);
  outcome finish(std::string_view text);
  // One line from at_ on. False: not all here, or (with error_) too long.
  bool take_line(std::string_view received, std::string_view& line);
  bool take_count(std::string_view received);
  bool take_word(std::string_view received);
  const char* split(std::string_view line);

  limits limits_;
  const char* error_ = nullptr;
  bool in_array_ = false;    // the number of words is known
  bool has_size_ = false;    // the next word's size is known
  std::size_t left_ = 0;     // words that are still to come
  std::size_t size_ = 0;     // of the next word
  std::size_t at_ = 0;       // what is not understood yet begins here
  std::size_t unseen_ = 0;   // no LF between at_ and here
  std::vector<place> places_;
  std::string line_;  // the words of a line, their quotes taken off
  std::vector<std::string_view> words_;
};

}  // namespace respd
