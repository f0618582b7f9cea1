// Where in the source an atomic operation or a fence stands: for the trace, and to weaken it there.
#pragma once

#include <cstring>
#include <string>

namespace rove::model {

struct site {
  const char* file = "";
  const char* function = "";
  int line = 0;
  const char* kind = "";  // load, store, update, light fence ...

  // As a default argument: the place of the call. (clang 14 has no std::source_location.)
  static constexpr site here(const char* file = __builtin_FILE(), const char* function = __builtin_FUNCTION(),
                             int line = __builtin_LINE()) {
    return {file, function, line, ""};
  }

  bool operator==(const site& other) const { return line == other.line && std::strcmp(file, other.file) == 0; }

  // "lock.hpp:69 unlock"
  std::string text() const { return base_name() + ":" + std::to_string(line) + " " + function; }
  // "lock.hpp unlock store": stays when lines move
  std::string name() const { return base_name() + " " + function + " " + kind; }

 private:
  std::string base_name() const {
    const char* const slash = std::strrchr(file, '/');
    return slash != nullptr ? slash + 1 : file;
  }
};

}  // namespace rove::model
