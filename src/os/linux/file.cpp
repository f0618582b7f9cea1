// Reading the kernel's small files.
#include "src/os/linux/file.hpp"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <charconv>

namespace rove::os {

std::string_view read_file(const char* path, char* buffer, std::size_t capacity) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  std::size_t size = 0;
  while (size < capacity) {
    ssize_t n = read(file, buffer + size, capacity - size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    size += static_cast<std::size_t>(n);
  }
  close(file);
  return {buffer, size};
}

std::int64_t parse_integer(std::string_view text) {
  std::size_t start = text.find_first_not_of(" \t\n");
  if (start == text.npos) return -1;
  std::int64_t value = -1;
  auto result = std::from_chars(text.data() + start, text.data() + text.size(), value);
  return result.ec == std::errc{} ? value : -1;
}

}  // namespace rove::os
