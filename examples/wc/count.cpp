// Reading and counting. A read may wait for a disk, and no poller tells when a disk is done: so it runs inside
// rove::blocking, which lets the other goroutines go on meanwhile. The counting in between is ordinary code.
#include "count.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <span>

#include <rove/rove.hpp>

namespace wc {
namespace {

// What a byte does to a word, in the C locale: begin or continue one, end it, or neither.
enum class effect : unsigned char { neither, word, end };

constexpr std::array<effect, 256> effects = [] {
  std::array<effect, 256> table{};
  for (int c = '!'; c <= '~'; ++c) table[static_cast<std::size_t>(c)] = effect::word;
  for (unsigned char c : {' ', '\t', '\n', '\v', '\f', '\r'}) table[c] = effect::end;
  return table;
}();

class counter {
 public:
  void add(std::span<const unsigned char> text) {
    counts_.bytes += text.size();
    for (unsigned char c : text) {
      const effect e = effects[c];
      counts_.lines += c == '\n';
      counts_.words += e == effect::word && !in_word_;
      in_word_ = e == effect::word || (in_word_ && e == effect::neither);
    }
  }

  const counts& result() const { return counts_; }

 private:
  counts counts_;
  bool in_word_ = false;
};

// A system call and its errno, which must be looked at before anything can move this goroutine to another thread.
struct call_result {
  ssize_t value;
  std::error_code error;
};

template <typename F>
call_result blocking_call(F call) {
  return rove::blocking([&]() -> call_result {
    for (;;) {
      const ssize_t value = call();
      if (value >= 0) return {value, {}};
      if (errno != EINTR) return {value, {errno, std::generic_category()}};
    }
  });
}

outcome count_descriptor(int fd) {
  outcome out;
  out.opened = true;
  counter c;
  std::array<unsigned char, 16 * 1024> buffer;
  for (;;) {
    const call_result got = blocking_call([&] { return read(fd, buffer.data(), buffer.size()); });
    out.error = got.error;
    if (got.value <= 0) break;
    c.add(std::span(buffer).first(static_cast<std::size_t>(got.value)));
  }
  out.counted = c.result();
  return out;
}

}  // namespace

counts& counts::operator+=(const counts& other) {
  lines += other.lines;
  words += other.words;
  bytes += other.bytes;
  return *this;
}

outcome count_file(const std::string& path) {
  const call_result file = blocking_call([&] { return open(path.c_str(), O_RDONLY | O_CLOEXEC); });
  if (file.error) return {.error = file.error};
  const int fd = static_cast<int>(file.value);
  outcome out = count_descriptor(fd);
  rove::blocking([fd] { close(fd); });
  return out;
}

outcome count_standard_input() { return count_descriptor(STDIN_FILENO); }

}  // namespace wc
