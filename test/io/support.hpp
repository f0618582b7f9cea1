// What tests of files, processes and signals share: the descriptors that are open, files of their own.
#pragma once

#include <dirent.h>
#include <unistd.h>

#include <cstdlib>
#include <span>
#include <string>

#include "test/support/fixture.hpp"

namespace rove_test {

namespace io = rove::io;

inline int open_descriptors() {
  DIR* const folder = opendir("/proc/self/fd");
  if (folder == nullptr) return -1;
  int n = 0;
  while (readdir(folder) != nullptr) ++n;
  closedir(folder);
  return n;
}

// The body leaves no descriptor open. What the library opens once and keeps is opened by a first run.
template <class Body>
void leaves_nothing_open(Body body) {
  body();
  const int before = open_descriptors();
  body();
  CHECK(open_descriptors() == before);
}

// A folder of the test's own, gone at its end.
class test_folder {
 public:
  explicit test_folder(const char* parent = "/tmp") : path_(parent) {
    path_ += "/rove-io-XXXXXX";
    if (mkdtemp(path_.data()) == nullptr) std::abort();
  }
  ~test_folder() {
    if (std::system(("rm -rf " + path_).c_str()) != 0) std::abort();
  }
  test_folder(const test_folder&) = delete;
  test_folder& operator=(const test_folder&) = delete;
  std::string operator/(const char* name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// From a plain thread, and from goroutines of runtimes with several numbers of processors.
template <class Body>
void everywhere(Body body) {
  body();
  on_processors(body);
}

template <std::size_t N>
std::span<char> room(char (&bytes)[N]) { return std::span<char>(bytes, N); }

inline std::string read_some(io::file& f, std::error_code& ec) {
  char bytes[256];
  return {bytes, f.read(room(bytes), ec)};
}

inline std::chrono::steady_clock::time_point soon(std::chrono::milliseconds ms = 5ms) {
  return std::chrono::steady_clock::now() + ms;
}

}  // namespace rove_test
