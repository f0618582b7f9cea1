// The first process of a small machine that runs the tests and is switched off: every program that /tests names, one a
// line with its arguments, one after the other. What a program printed is shown if it fails. The last line is
// "N passed, N failed".
#include <fcntl.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr const char* output = "/tmp/output";
constexpr std::chrono::seconds limit(240);

void set_up() {
  mkdir("/proc", 0755);
  mkdir("/sys", 0755);
  mkdir("/dev", 0755);
  mkdir("/tmp", 01777);
  mount("proc", "/proc", "proc", 0, nullptr);
  mount("sysfs", "/sys", "sysfs", 0, nullptr);
  mount("devtmpfs", "/dev", "devtmpfs", 0, nullptr);
  mount("tmpfs", "/tmp", "tmpfs", 0, nullptr);
  const int s = socket(AF_INET, SOCK_DGRAM, 0);
  ifreq loopback{};
  std::strcpy(loopback.ifr_name, "lo");
  loopback.ifr_flags = IFF_UP | IFF_RUNNING;
  ioctl(s, SIOCSIFFLAGS, &loopback);
  close(s);
  const rlimit files{8192, 8192};
  setrlimit(RLIMIT_NOFILE, &files);
  setenv("PATH", "/bin", 1);
  setenv("HOME", "/tmp", 1);
}

[[noreturn]] void become(std::vector<std::string>& words) {
  setsid();
  const int out = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
  close(out);
  std::vector<char*> arguments;
  for (std::string& w : words) arguments.push_back(w.data());
  arguments.push_back(nullptr);
  execv(arguments[0], arguments.data());
  _exit(127);
}

bool passes(std::vector<std::string>& words) {
  const auto begin = std::chrono::steady_clock::now();
  const pid_t child = fork();
  if (child == 0) become(words);
  int status = 0;
  pid_t ended = 0;
  while ((ended = waitpid(child, &status, WNOHANG)) == 0 && std::chrono::steady_clock::now() - begin < limit)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const char* how = "ok";
  if (ended == 0) {
    how = "TIMEOUT";
    kill(child, SIGTERM);                      // Catch2 then says where it was
    std::this_thread::sleep_for(std::chrono::seconds(2));
    kill(-child, SIGKILL);
    waitpid(child, &status, 0);
  } else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    how = "FAILED";
  }
  while (waitpid(-1, nullptr, WNOHANG) > 0) continue;  // what the program left behind
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::printf("%-40s %s %.1f s\n", words[0].c_str(), how, took.count());
  if (*how == 'o') return true;
  std::cout << std::ifstream(output).rdbuf() << std::endl;
  return false;
}

}  // namespace

int main() {
  set_up();
  int passed = 0, failed = 0;
  std::ifstream tests("/tests");
  for (std::string line; std::getline(tests, line);) {
    std::istringstream split(line);
    std::vector<std::string> words;
    for (std::string word; split >> word;) words.push_back(word);
    if (!words.empty()) passes(words) ? ++passed : ++failed;
    std::fflush(stdout);
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  std::fflush(stdout);
  tcdrain(STDOUT_FILENO);  // what the kernel says at its end goes out at once, and might stand in the middle of it
  reboot(RB_POWER_OFF);
}
