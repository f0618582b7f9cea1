// What to count: the command line turned into a list of files.
#pragma once

#include <string>
#include <vector>

namespace wc {

struct input {
  std::string path = {};
  bool standard_input = false;  // "-", or no operand at all
  bool named = true;            // false: no name is printed beside the counts
  std::string problem = {};          // why it will not be counted, if that is known before it is tried
};

struct inputs {
  std::vector<input> list;
  int width = 1;             // of each number printed
  std::string refusal = {};  // not empty: what to say instead of counting anything
};

// Reads directories, a list of names and the sizes of all files: to be called inside rove::blocking.
// An operand that is a directory stands for the regular files below it, in the order of their names' bytes.
inputs find_inputs(const std::vector<std::string>& operands);

// The names in a file (`-`: standard input), each ended by a zero byte, taken as they are.
inputs read_inputs(const std::string& list_name);

}  // namespace wc
