// Finding the files, and how wide their numbers are to be printed.
#include "inputs.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "quote.hpp"

namespace wc {
namespace {

namespace fs = std::filesystem;

input failed(std::string path, int error) {
  std::string problem = as_shell_word(path) + ": " + std::strerror(error);
  return {.path = std::move(path), .problem = std::move(problem)};
}

// The regular files below a directory, symbolic links not followed; what cannot be entered is there as a problem.
std::vector<input> walk(const std::string& top) {
  std::vector<input> found;
  std::vector<std::string> to_visit{top};
  while (!to_visit.empty()) {
    const std::string directory = std::move(to_visit.back());
    to_visit.pop_back();
    std::error_code error;
    fs::directory_iterator entry(directory, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
      std::error_code vanished;
      const fs::file_type type = entry->symlink_status(vanished).type();
      if (type == fs::file_type::directory) to_visit.push_back(entry->path().string());
      if (type == fs::file_type::regular) found.push_back({.path = entry->path().string()});
    }
    if (error) found.push_back(failed(directory, error.value()));
  }
  std::sort(found.begin(), found.end(), [](const input& a, const input& b) { return a.path < b.path; });
  return found;
}

input standard_input(bool named) { return {.path = "-", .standard_input = true, .named = named}; }

// coreutils' rule: the digits of the sum of the regular files' sizes; at least seven if anything else is there.
int number_width(const std::vector<input>& list) {
  std::uintmax_t sum = 0;
  int least = 1;
  for (const input& in : list) {
    struct stat status;
    if (!in.problem.empty()) continue;
    if ((in.standard_input ? fstat(STDIN_FILENO, &status) : stat(in.path.c_str(), &status)) != 0) continue;
    if (S_ISREG(status.st_mode)) {
      sum += static_cast<std::uintmax_t>(status.st_size);
    } else {
      least = 7;
    }
  }
  return list.empty() ? 1 : std::max(least, static_cast<int>(std::to_string(sum).size()));
}

// All of a descriptor's text; what was read before an error stays.
int read_all(int fd, std::string& text) {
  char buffer[16 * 1024];
  for (;;) {
    const ssize_t got = read(fd, buffer, sizeof buffer);
    if (got == 0) return 0;
    if (got > 0) {
      text.append(buffer, static_cast<std::size_t>(got));
    } else if (errno != EINTR) {
      return errno;
    }
  }
}

input listed(std::string_view name, const std::string& list_name, std::size_t position) {
  input in{.path = std::string(name), .standard_input = name == "-"};
  if (name.empty()) {
    in.problem = as_shell_word(list_name) + ':' + std::to_string(position) + ": invalid zero-length file name";
  } else if (in.standard_input && list_name == "-") {
    in.problem = "when reading file names from stdin, no file name of '-' allowed";
  }
  return in;
}

// A list that is itself a regular file of moderate size is looked through before anything is printed; of any other the
// original does not know the end, and so prints numbers as narrow as they are.
bool size_known(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size <= 10 * 1024 * 1024;
}

}  // namespace

inputs find_inputs(const std::vector<std::string>& operands) {
  inputs all;
  if (operands.empty()) all.list.push_back(standard_input(false));
  for (const std::string& name : operands) {
    struct stat status;
    if (name.empty()) {
      all.list.push_back({.problem = "invalid zero-length file name"});
    } else if (name == "-") {
      all.list.push_back(standard_input(true));
    } else if (stat(name.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
      std::ranges::move(walk(name), std::back_inserter(all.list));
    } else {
      all.list.push_back({.path = name});
    }
  }
  all.width = number_width(all.list);
  return all;
}

inputs read_inputs(const std::string& list_name) {
  inputs all;
  const int fd = list_name == "-" ? STDIN_FILENO : open(list_name.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    all.refusal = "cannot open " + in_quotes(list_name) + " for reading: " + std::strerror(errno);
    return all;
  }
  std::string text;
  const bool wide = size_known(fd);
  const int error = read_all(fd, text);
  if (fd != STDIN_FILENO) close(fd);

  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view name = rest.substr(0, rest.find('\0'));
    all.list.push_back(listed(name, list_name, all.list.size() + 1));
    rest.remove_prefix(std::min(name.size() + 1, rest.size()));
  }
  if (wide) all.width = number_width(all.list);
  if (error != 0) all.list.push_back({.problem = as_shell_word(list_name) + ": read error: " + std::strerror(error)});
  return all;
}

}  // namespace wc
