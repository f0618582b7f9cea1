// Reports that end the process: exceptions that nobody catches, the swallowed end, stack overflow, no memory, fork.
#include <sys/resource.h>
#include <sys/wait.h>

#include <vector>

#include "test/debug/child.hpp"
#include "test/support/fixture.hpp"

using namespace rove_test;

namespace {

bool starts_with(const ending& e, const std::string& s) { return e.error_output.substr(0, s.size()) == s; }
bool contains(const ending& e, const std::string& s) { return e.error_output.find(s) != std::string::npos; }

}  // namespace

TEST_CASE("report: an exception leaves main") {
  const ending e = run_in_child([] { rove::run([] { throw std::runtime_error("out of main"); }); });
  INFO(e.error_output);
  CHECK(e.signal == SIGABRT);
  CHECK(starts_with(e, "panic: out of main\n\ngoroutine 1 [running]:\n"));
}

TEST_CASE("report: an exception leaves a goroutine") {
  const ending e = run_in_child([] {
    rove::run(with_procs(2), [] {
      rove::go({.name = "worker"}, [] { throw std::runtime_error("out of a goroutine"); });
      rove::make_chan<int>().recv();
    });
  });
  INFO(e.error_output);
  CHECK(e.signal == SIGABRT);
  CHECK(starts_with(e, "panic: out of a goroutine\n\ngoroutine 2 \"worker\" [running]:\n"));
  CHECK(contains(e, "\ncreated by "));
}

TEST_CASE("report: a panic that nobody catches, after a park") {
  const ending e = run_in_child([] {
    rove::run(with_procs(2), [] {
      auto ch = rove::make_chan<int>();
      rove::go([ch] { ch.send(1); });
      rove::sleep_for(10ms);
      ch.close();
      rove::sleep_for(1h);
    });
  });
  INFO(e.error_output);
  CHECK(e.signal == SIGABRT);
  CHECK(starts_with(e, "panic: send on closed channel\n\ngoroutine 2 [running]:\n"));
}

TEST_CASE("report: what is thrown need not be a std::exception, and on_fatal sees a panic") {
  const ending e = run_in_child([] {
    rove::config c = with_procs(1);
    c.on_fatal = [](std::string_view report) { std::fprintf(stderr, "seen %zu\n", report.find("int")); };
    rove::run(c, [] { throw 5; });
  });
  INFO(e.error_output);
  CHECK(e.signal == SIGABRT);
  CHECK(starts_with(e, "seen 7\npanic: int\n\ngoroutine 1 [running]:\n"));
}

TEST_CASE("report: the end of a runtime is swallowed") {
  const ending e = run_in_child([] {
    rove::run(with_procs(1), [] {
      std::atomic<bool> parked{false};
      rove::go([&] {
        try {
          parked = true;
          rove::make_chan<int>().recv();
        } catch (...) {
        }
      });
      eventually([&] { return parked.load(); });
    });
  });
  INFO(e.error_output);
  CHECK(e.status == 2);
  CHECK(starts_with(e, "fatal error: rove: goroutine end was swallowed\n\ngoroutine 2 [running]:\n"));
}

TEST_CASE("report: a goexit is swallowed") {
  const ending e = run_in_child([] {
    rove::run([] {
      try {
        rove::goexit();
      } catch (...) {
      }
    });
  });
  INFO(e.error_output);
  CHECK(e.status == 2);
  CHECK(starts_with(e, "fatal error: rove: goroutine end was swallowed\n\ngoroutine 1 [running]:\n"));
}

#if !ROVE_SANITIZED
namespace {
volatile bool never = false;
[[gnu::noinline]] int recurses(int depth) {
  volatile char room[500];
  room[0] = static_cast<char>(depth);
  return never ? 0 : recurses(depth + 1) + room[0];
}
}  // namespace

TEST_CASE("report: a goroutine overflows its stack") {
  const ending e = run_in_child([] {
    rove::run(with_procs(2), [] {
      rove::spawn({.name = "deep"}, [] { return recurses(0); }).get();
    });
  });
  INFO(e.error_output);
  CHECK(e.status == 2);
  CHECK(starts_with(e, "fatal error: goroutine stack overflow\n"));
  CHECK(contains(e, "goroutine 2 \"deep\""));
  CHECK(contains(e, "256 KiB"));
  CHECK(contains(e, "stack_size"));
}

TEST_CASE("report: a goroutine overflows a stack of its own size, in blocking") {
  const ending e = run_in_child([] {
    rove::run(with_procs(2), [] {
      rove::spawn({.stack_size = 64 * 1024}, [] { return rove::blocking([] { return recurses(0); }); }).get();
    });
  });
  INFO(e.error_output);
  CHECK(e.status == 2);
  CHECK(starts_with(e, "fatal error: goroutine stack overflow\n"));
  CHECK(contains(e, "64 KiB"));
}

TEST_CASE("report: another fault is not called an overflow") {
  const ending e = run_in_child([] {
    rove::run(with_procs(1), [] {
      int* volatile nowhere = nullptr;
      *nowhere = 1;
    });
  });
  INFO(e.error_output);
  CHECK((e.signal == SIGSEGV || e.status != 0));
  CHECK_FALSE(contains(e, "overflow"));
}

TEST_CASE("no memory for a stack: go throws, and nothing else is lost", "[native]") {
  const ending e = run_in_child([] {
    rove::run(with_procs(2), [] {
      auto ch = rove::make_chan<int>();
      rlimit before{};
      getrlimit(RLIMIT_AS, &before);
      rlimit tight = before;
      tight.rlim_cur = 512u << 20;
      setrlimit(RLIMIT_AS, &tight);
      std::atomic<int> received{0};
      rove::wait_group wg;
      int made = 0;
      bool refused = false;
      while (!refused && made < 1'000'000) {
        try {
          wg.go([&, ch] { received += ch.recv().has_value(); });
          ++made;
          if (made % 16 == 0) rove::yield();
        } catch (const std::bad_alloc&) {
          refused = true;
        }
      }
      setrlimit(RLIMIT_AS, &before);
      for (int i = 0; i < made; ++i) ch.send(i);
      wg.wait();
      int again = 0;
      for (int i = 0; i < 100; ++i) again += rove::spawn([] { return 1; }).get();
      std::fprintf(stderr, "refused %d, all received %d, again %d\n", refused, received == made && made > 100, again);
    });
    _exit(0);
  });
  INFO(e.error_output);
  CHECK(e.status == 0);
  CHECK(e.error_output == "refused 1, all received 1, again 100\n");
}

TEST_CASE("no memory for a stack of a size that was asked for", "[native]") {
  const ending e = run_in_child([] {
    rove::run(with_procs(1), [] {
      rlimit tight{};
      getrlimit(RLIMIT_AS, &tight);
      tight.rlim_cur = 1u << 30;
      setrlimit(RLIMIT_AS, &tight);
      int refused = 0;
      counted::alive = 0;
      for (int i = 0; i < 3; ++i) {
        try {
          rove::go({.stack_size = std::size_t{1} << 32}, [c = counted(1)] {});
        } catch (const std::bad_alloc&) {
          ++refused;
        }
      }
      std::fprintf(stderr, "refused %d, left %d, goroutines %zu\n", refused, counted::alive.load(), rove::num_goroutines());
    });
    _exit(0);
  });
  INFO(e.error_output);
  CHECK(e.status == 0);
  CHECK(e.error_output == "refused 3, left 0, goroutines 1\n");
}
#endif

// ---- the child of a fork -------------------------------------------------------------------------------------------

#if !ROVE_TSAN  // which allows no threads after a fork
namespace {

// Forks in a goroutine; the child does `f`, which must be fatal. Natively only: in the child of a process with threads
// the emulator (QEMU 7.2) now and then waits for a mutex of its own that another thread held. What the child wrote is
// in the report.
template <class F>
void check_in_fork(F f) {
  const ending e = run_in_child([f] {
    int status = 0;
    rove::run(with_procs(2), [&] {
      rove::sleep_for(1ms);
      const pid_t child = fork();
      if (child == 0) {
        alarm(20);
        f();
        _exit(55);
      }
      rove::blocking([&] { waitpid(child, &status, 0); });
    });
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 99);
  });
  INFO(e.error_output);
  CHECK(e.status == 2);
  CHECK(starts_with(e, "fatal error: rove: a runtime cannot be used in the child of a fork\n"));
}

}  // namespace

TEST_CASE("fork: go in the child is fatal", "[native]") { check_in_fork([] { rove::go([] {}); }); }
TEST_CASE("fork: a call that parks in the child is fatal", "[native]") { check_in_fork([] { rove::make_chan<int>().recv(); }); }
TEST_CASE("fork: yield in the child is fatal", "[native]") { check_in_fork([] { rove::yield(); }); }
TEST_CASE("fork: sleep in the child is fatal", "[native]") { check_in_fork([] { rove::sleep_for(1ms); }); }
TEST_CASE("fork: a new runtime in the child is fatal", "[native]") {
  check_in_fork([] {
    std::thread([] { rove::runtime rt(with_procs(1)); }).join();
  });
}
TEST_CASE("fork: before the first runtime, the child may have one") {
  const ending e = run_in_child([] {
    const pid_t child = fork();
    if (child == 0) _exit(rove::run([] { return rove::spawn([] { return 42; }).get(); }));
    int status = 0;
    waitpid(child, &status, 0);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 99);
  });
  INFO(e.error_output);
  CHECK(e.status == 42);
}
#endif
