// Starting, naming, counting threads; the process's own doors.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <utility>

#include "src/os/os.hpp"
#include "test/catch.hpp"

using namespace rove;

namespace {

struct seen {
  std::string name;
  sigset_t blocked;
  std::uint64_t id = 0;
};

void look(void* argument) {
  auto* result = static_cast<seen*>(argument);
  char name[16] = {};
  prctl(PR_GET_NAME, name);
  result->name = name;
  pthread_sigmask(SIG_SETMASK, nullptr, &result->blocked);
  result->id = os::thread_id();
}

seen start_and_look(std::string_view name) {
  seen result;
  os::thread_handle handle;
  REQUIRE(os::start_thread(handle, name, look, &result) == 0);
  os::join_thread(handle);
  return result;
}

}  // namespace

TEST_CASE("a thread has the name it was given, as far as the system keeps it", "[os]") {
  CHECK(start_and_look("rove worker 1").name == "rove worker 1");
  CHECK(start_and_look("a name of more than fifteen").name == "a name of more ");
  CHECK(start_and_look(std::string_view("abcdef", 3)).name == "abc");
}

TEST_CASE("a thread takes no signal but its own faults", "[os]") {
  seen result = start_and_look("signals");
  for (int blocked : {SIGINT, SIGTERM, SIGCHLD, SIGALRM, SIGUSR1, SIGWINCH, SIGURG})
    CHECK(sigismember(&result.blocked, blocked) == 1);
  for (int through : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGPROF})
    CHECK(sigismember(&result.blocked, through) == 0);
  sigset_t mine;
  pthread_sigmask(SIG_SETMASK, nullptr, &mine);
  CHECK(sigismember(&mine, SIGINT) == 0);
}

TEST_CASE("threads have different ids", "[os]") {
  seen a = start_and_look("a");
  CHECK(a.id != 0);
  CHECK(a.id != os::thread_id());
  CHECK(os::thread_id() == os::thread_id());
}

TEST_CASE("threads are counted", "[os]") {
  REQUIRE(os::count_threads() >= 1);
  std::atomic<bool> end{false};
  os::thread_handle handles[3];
  for (os::thread_handle& h : handles)
    REQUIRE(os::start_thread(
                h, "counted",
                [](void* flag) {
                  while (!static_cast<std::atomic<bool>*>(flag)->load()) os::yield_thread();
                },
                &end) == 0);
  const int with_three = os::count_threads();
  end.store(true);
  for (os::thread_handle h : handles) os::join_thread(h);
  // The kernel counts a joined thread for a moment more, one of an earlier test too.
  REQUIRE(with_three >= 4);
  while (os::count_threads() > with_three - 3) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

TEST_CASE("precise timers are asked for and given up", "[os]") {
  std::thread([] {
    int standard = prctl(PR_GET_TIMERSLACK);
    os::precise_timers(true);
    int precise = prctl(PR_GET_TIMERSLACK);
    os::precise_timers(false);
    int after = prctl(PR_GET_TIMERSLACK);
    if (standard > 0 && precise > 0) {  // a user-mode emulator may not know them
      CHECK(precise == 1);
      CHECK(after == standard);
    }
  }).join();
}

TEST_CASE("a fork's child calls the hook", "[os]") {
  static int called = 0;
  os::on_fork_in_child([] { ++called; });
  pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) _exit(40 + called);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 41);
  CHECK(called == 0);
}

TEST_CASE("exit_now runs nothing at exit", "[os]") {
  pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    atexit([] { _exit(1); });
    os::exit_now(7);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 7);
}

TEST_CASE("the error output is written whole, into a full pipe too, and errno stays", "[os]") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  fcntl(ends[1], F_SETFL, O_NONBLOCK);
  const std::string text(300'000, 'x');  // more than a pipe holds
  os::nanoseconds last = os::now();
  pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    errno = EDOM;
    os::write_stderr(text);
    _exit(errno == EDOM ? 0 : 1);
  }
  close(ends[1]);
  std::size_t size = 0;
  char buffer[4096];
  os::nanoseconds slowest = 0;  // of our looks; the first since the fork
  for (ssize_t n; (n = read(ends[0], buffer, sizeof buffer)) > 0;) {
    size += static_cast<std::size_t>(n);
    const os::nanoseconds now = os::now();
    slowest = std::max(slowest, now - std::exchange(last, now));
  }
  close(ends[0]);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK((size == text.size() || slowest >= 1'000'000'000));  // whoever reads nothing for a second is not waited for
}
