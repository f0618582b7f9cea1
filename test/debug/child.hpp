// A part of a test that ends its process: run in a child, with what it wrote to stderr and how it ended.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "test/catch.hpp"

namespace rove_test {

struct ending {
  std::string error_output;
  int status = -1;  // of exit; -1: killed by a signal
  int signal = 0;
};

// The running test case as a pattern of the command line that it alone matches.
inline std::string own_pattern() {
  std::string pattern;
  for (const char c : Catch::getResultCapture().getCurrentTestName()) {
    if (c == ',' || c == '[' || c == ']' || c == '"' || c == '\\' || c == '*') pattern += '\\';
    pattern += c;
  }
  return pattern;
}

template <class Body>
[[noreturn]] void be_the_child(Body body) {
  signal(SIGABRT, SIG_DFL);  // not the test framework's, which reports on its own
  alarm(60);
  body();
  _exit(99);
}

// This program, run for the test cases that the pattern names; in a cross build by the emulator that Meson names.
[[noreturn]] inline void start_again(const std::string& pattern) {
  char path[4096];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
  path[length > 0 ? length : 0] = '\0';
  std::vector<std::string> words;
  if (const char* const emulator = std::getenv("MESON_EXE_WRAPPER")) {
    std::istringstream split(emulator);
    for (std::string word; split >> word;) words.push_back(word);
  }
  words.insert(words.end(), {path, pattern});
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  _exit(98);
}

// Runs `body` in a child: the test program is started again for this test case alone, where the first call here then
// does not return. (A fork would do, were it not for ThreadSanitizer, which allows no threads after one, and for the
// emulator, which loses its own.)
template <class Body>
ending run_in_child(Body body) {
  if (std::getenv("ROVE_TEST_CHILD") != nullptr) be_the_child(body);
  const std::string pattern = own_pattern();
  int ends[2];
  if (pipe(ends) != 0) return {};
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    setenv("ROVE_TEST_CHILD", "1", 1);
    dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);  // the framework's own report of the child
    start_again(pattern);
  }
  close(ends[1]);
  ending e;
  char part[4096];
  for (ssize_t n; (n = read(ends[0], part, sizeof part)) > 0;) e.error_output.append(part, static_cast<std::size_t>(n));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFEXITED(status)) e.status = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) e.signal = WTERMSIG(status);
  return e;
}

}  // namespace rove_test
