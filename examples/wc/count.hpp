// Counting: the lines, words and bytes of one file.
#pragma once

#include <cstdint>
#include <string>
#include <system_error>

namespace wc {

struct counts {
  std::uint64_t lines = 0;
  std::uint64_t words = 0;
  std::uint64_t bytes = 0;

  counts& operator+=(const counts& other);
};

// What came of a file. One that could not be opened has no counts; one that could not be read to its end has an error
// and the counts of what was read.
struct outcome {
  std::error_code error;
  bool opened = false;
  counts counted = {};
};

// To be called in a goroutine; every system call in it is inside rove::blocking.
outcome count_file(const std::string& path);
outcome count_standard_input();

}  // namespace wc
