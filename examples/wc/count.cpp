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

// A system call and its errno belong to one thread. So they are in functions of their own: where something can park in
// between, the compiler may look for errno where it was before (the README's "one trap").
struct call_result {
  ssize_t value;
  int error;
};

[[gnu::noinline]] call_result open_file(const char* path) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  return {fd, fd < 0 ? errno : 0};
}

[[gnu::noinline]] call_result read_some(int fd, std::span<unsigned char> into) {
  for (;;) {
    const ssize_t got = read(fd, into.data(), into.size());
    if (got >= 0) return {got, 0};
    if (errno != EINTR) return {got, errno};
  }
}

outcome count_descriptor(int fd) {
  outcome out;
  out.opened = true;
  counter c;
  std::array<unsigned char, 16 * 1024> buffer;
  for (;;) {
    const call_result got = rove::blocking([&] { return read_some(fd, buffer); });
    out.error = std::error_code(got.error, std::generic_category());
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
  const call_result file = rove::blocking([&] { return open_file(path.c_str()); });
  if (file.error != 0) return {.error = std::error_code(file.error, std::generic_category())};
  const int fd = static_cast<int>(file.value);
  outcome out = count_descriptor(fd);
  rove::blocking([fd] { close(fd); });
  return out;
}

outcome count_standard_input() { return count_descriptor(STDIN_FILENO); }

}  // namespace wc
