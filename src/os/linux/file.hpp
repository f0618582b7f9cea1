// Small files of the kernel's file systems, read whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rove::os {

// What the file holds, as far as it fits in the buffer; empty if it cannot be read. Allocates nothing.
std::string_view read_file(const char* path, char* buffer, std::size_t capacity);

// The decimal number at the front of the text (blanks before it, anything after it); -1 if there is none or it does not
// fit.
std::int64_t parse_integer(std::string_view text);

}  // namespace rove::os
