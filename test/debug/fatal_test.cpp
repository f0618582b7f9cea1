// The end of a process: what stderr gets, with which status, when several or the report itself fail.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <functional>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>

#include <rove/error.hpp>

#include "src/arch/stack.hpp"
#include "src/base/check.hpp"
#include "src/debug/fatal.hpp"
#include "src/os/os.hpp"
#include "test/catch.hpp"
#include "test/debug/child.hpp"
#include "test/debug/fiber.hpp"

using rove::base::fatal;
using rove::debug::scene;
using rove_test::ending;
using rove_test::fiber;
using rove_test::run_in_child;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++n;
  return n;
}

std::function<void(std::string_view)> listener;

// As the scheduler would tell of a goroutine.
void on_goroutine_seven(scene& s) {
  s.id = 7;
  s.name = "se\"ven";
  s.created_pc = reinterpret_cast<const char*>(&run_in_child<void (*)()>) + 4;
  s.on_fatal = &listener;
}
void on_plain_thread(scene& s) { s.on_fatal = &listener; }

}  // namespace

[[gnu::noinline]] void fails() {
  fatal("sync: unlock of unlocked mutex");
  asm volatile("" ::: "memory");
}
[[gnu::noinline]] void calls_what_fails() {
  fails();
  asm volatile("" ::: "memory");
}

TEST_CASE("a fatal error in a goroutine") {
  const ending e = run_in_child([] {
    rove::debug::set_scene_hook(on_goroutine_seven);
    calls_what_fails();
  });
  CHECK(e.status == 2);
  CHECK(e.signal == 0);
  const std::string& out = e.error_output;
  INFO(out);
  const std::string start =
      "fatal error: sync: unlock of unlocked mutex\n\ngoroutine 7 \"se\\\"ven\" [running]:\nfails()\n\t/";
  CHECK(out.substr(0, start.size()) == start);
  CHECK(contains(out, "\ncalls_what_fails()\n\t"));
  CHECK(contains(out, "\ncreated by rove_test::ending rove_test::run_in_child<void (*)()>(void (*)())\n\t/"));
  CHECK_FALSE(contains(out, "rove::base"));
  CHECK_FALSE(contains(out, "rove::debug"));
  CHECK(out.back() == '\n');
  // Each frame is two lines, the second one a place.
  CHECK(occurrences(out, "\n\t") * 2 + 3 == occurrences(out, "\n"));
}

TEST_CASE("a fatal error on a plain thread shows the thread, up to main") {
  const ending e = run_in_child([] { calls_what_fails(); });
  INFO(e.error_output);
  CHECK(e.status == 2);
  CHECK(contains(e.error_output, "fatal error: sync: unlock of unlocked mutex\n\nthread "));
  CHECK(contains(e.error_output, " [running]:\nfails()\n\t"));
  CHECK_FALSE(contains(e.error_output, "created by"));
  CHECK_FALSE(contains(e.error_output, "_start"));
}

TEST_CASE("a failed check of the library shows the library's frames") {
  const ending e = run_in_child([] { ROVE_CHECK(1 + 1 == 3); });
  INFO(e.error_output);
  CHECK(e.status == 2);
  CHECK(contains(e.error_output, "fatal error: rove: internal check failed: 1 + 1 == 3\n\n"));
  CHECK(contains(e.error_output, "rove::base::fatal("));
}

// ---- on_fatal ------------------------------------------------------------------------------------------------------

TEST_CASE("on_fatal sees the very report before stderr does") {
  const ending e = run_in_child([] {
    listener = [](std::string_view report) {
      rove::os::write_stderr(report);
      rove::os::write_stderr("~");
    };
    rove::debug::set_scene_hook(on_plain_thread);
    fails();
  });
  CHECK(e.status == 2);
  const std::size_t end = e.error_output.find('~');
  REQUIRE(end != std::string::npos);
  CHECK(e.error_output.substr(0, 12) == "fatal error:");
  CHECK(e.error_output.substr(0, end) == e.error_output.substr(end + 1));
}

TEST_CASE("a fatal error in on_fatal neither recurses nor loses the report") {
  const ending e = run_in_child([] {
    listener = [](std::string_view) { fatal("second"); };
    rove::debug::set_scene_hook(on_plain_thread);
    fatal("first");
  });
  INFO(e.error_output);
  CHECK(e.status == 2);
  CHECK(e.error_output.substr(0, 20) == "fatal error: first\n\n");
  CHECK(occurrences(e.error_output, "first") == 1);
  const std::string last = "\nfatal error: second\n";
  CHECK(e.error_output.substr(e.error_output.size() - last.size()) == last);
}

#if ROVE_EXCEPTIONS
TEST_CASE("what on_fatal throws is dropped") {
  const ending e = run_in_child([] {
    listener = [](std::string_view) { throw 1; };
    rove::debug::set_scene_hook(on_plain_thread);
    fatal("first");
  });
  CHECK(e.status == 2);
  CHECK(occurrences(e.error_output, "fatal error: first\n\n") == 1);
}
#endif

TEST_CASE("an empty on_fatal is none") {
  const ending e = run_in_child([] {
    listener = nullptr;
    rove::debug::set_scene_hook(on_plain_thread);
    fatal("first");
  });
  CHECK(e.status == 2);
  CHECK(occurrences(e.error_output, "fatal error: first\n\n") == 1);
}

TEST_CASE("a report that is made already is told, printed, and ends the process") {
  const ending e = run_in_child([] {
    listener = [](std::string_view report) { rove::os::write_stderr(report.substr(0, 1)); };
    rove::debug::set_scene_hook(on_plain_thread);
    rove::debug::die("whole report\n");
  });
  CHECK(e.status == 2);
  CHECK(e.error_output == "wwhole report\n");
}

// ---- several at once -----------------------------------------------------------------------------------------------

TEST_CASE("of two that fail at once one reports, whole, and the other says nothing") {
  for (int round = 0; round < 20; ++round) {
    const ending e = run_in_child([] {
      std::atomic<int> ready{0};
      const auto fail = [&](const char* message) {
        ready.fetch_add(1);
        while (ready.load() != 2) {
        }
        fatal(message);
      };
      std::thread other(fail, "this one");
      fail("that one");
    });
    INFO(e.error_output);
    CHECK(e.status == 2);
    CHECK(occurrences(e.error_output, "fatal error: ") == 1);
    CHECK(occurrences(e.error_output, " one\n\nthread ") == 1);
    CHECK(e.error_output.back() == '\n');
  }
}

TEST_CASE("while on_fatal looks, another failure waits for the end") {
  const ending e = run_in_child([] {
    listener = [](std::string_view) {
      std::thread([] { fatal("late"); }).detach();
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    };
    rove::debug::set_scene_hook(on_plain_thread);
    fatal("early");
  });
  CHECK(e.status == 2);
  CHECK(contains(e.error_output, "fatal error: early\n\n"));
  CHECK_FALSE(contains(e.error_output, "late"));
}

// ---- on a goroutine's stack ----------------------------------------------------------------------------------------

// A name that costs the demangler more stack than the smallest goroutine has.
template <int N, class... T>
struct long_name {
  [[gnu::noinline]] static void fail_at_the_end() {
    if constexpr (N > 0)
      long_name<N - 1, T..., long_name<N, int>>::fail_at_the_end();
    else
      fatal("deep names");
    asm volatile("" ::: "memory");
  }
};

static void fail_with_long_names(fiber&) {
  long_name<30>::fail_at_the_end();
  asm volatile("" ::: "memory");
}

static rove::arch::stack* construct_descriptor(void* memory) { return new (memory) rove::arch::stack; }

static void fail_on_smallest_stack(void (*body)(fiber&)) {
  rove::arch::init_stacks({64, construct_descriptor});
  constexpr std::size_t bytes = ROVE_SANITIZED ? 128 * 1024 : rove::arch::smallest_stack;
  rove::arch::stack* s = nullptr;
  if (rove::arch::take_stacks(rove::arch::size_class_for(bytes), &s, 1) != 1) return;
  fiber f(body, s->low, static_cast<std::size_t>(s->top - s->low));
  f.resume();
}

TEST_CASE("a goroutine with the smallest stack reports in full") {
  const ending e = run_in_child([] {
    rove::debug::set_scene_hook(on_goroutine_seven);
    fail_on_smallest_stack(fail_with_long_names);
  });
  CHECK(e.status == 2);
  CHECK(contains(e.error_output, "fatal error: deep names\n\ngoroutine 7 "));
  CHECK(contains(e.error_output, "long_name<0, long_name<30, int>, long_name<29, int>"));
  CHECK(contains(e.error_output, "\nfail_with_long_names(rove_test::fiber&)\n"));
  CHECK_FALSE(contains(e.error_output, "rove_entry"));
}

TEST_CASE("on_fatal may fail there too") {
  const ending e = run_in_child([] {
    listener = [](std::string_view) { fatal("second"); };
    rove::debug::set_scene_hook(on_goroutine_seven);
    fail_on_smallest_stack([](fiber&) { fatal("first"); });
  });
  CHECK(e.status == 2);
  CHECK(contains(e.error_output, "fatal error: first\n\ngoroutine 7 "));
  CHECK(contains(e.error_output, "\nfatal error: second\n"));
}

// ---- panics --------------------------------------------------------------------------------------------------------

#if ROVE_EXCEPTIONS
namespace {

struct odd_thing {};

template <class Thrower>
std::string text_of(Thrower thrower) {
  try {
    thrower();
  } catch (...) {
    return rove::debug::exception_text();
  }
  return "nothing was thrown";
}

}  // namespace

TEST_CASE("what is said of an exception") {
  CHECK(text_of([] { throw std::runtime_error("no milk"); }) == "no milk");
  CHECK(text_of([] { rove::detail::throw_panic("close of nil channel"); }) == "close of nil channel");
  CHECK(text_of([] { throw 3; }) == "int");
  CHECK(text_of([] { throw odd_thing{}; }) == "(anonymous namespace)::odd_thing");
  CHECK(text_of([] { throw static_cast<const char*>("text"); }) == "char const*");
  CHECK(text_of([] { throw std::runtime_error(""); }).empty());
  CHECK(rove::debug::exception_text() == "unknown exception");
  // It is looked at, not used up.
  try {
    throw std::runtime_error("again");
  } catch (...) {
    CHECK(rove::debug::exception_text() == "again");
    CHECK(rove::debug::exception_text() == "again");
    CHECK_THROWS_AS(throw, std::runtime_error);
  }
}

namespace rove::sched {
[[gnu::noinline]] static void as_the_scheduler_does() {
  rove::debug::report_panic(rove::debug::exception_text());
  std::abort();
}
}  // namespace rove::sched

[[gnu::noinline]] static void throws_in_fiber(fiber&) {
  throw std::out_of_range("no such shelf");
  asm volatile("" ::: "memory");
}

TEST_CASE("an exception that leaves a stack is reported where it was thrown") {
  const ending e = run_in_child([] {
    rove::debug::set_scene_hook(on_goroutine_seven);
    std::set_terminate(rove::sched::as_the_scheduler_does);
    fiber f(throws_in_fiber);
    f.resume();
  });
  INFO(e.error_output);
  CHECK(e.signal == SIGABRT);
  const std::string start =
      "panic: no such shelf\n\ngoroutine 7 \"se\\\"ven\" [running]:\nthrows_in_fiber(rove_test::fiber&)\n\t/";
  CHECK(e.error_output.substr(0, start.size()) == start);
  CHECK_FALSE(contains(e.error_output, "terminate"));
}
#else
TEST_CASE("without exceptions a panic is reported and ends the process") {
  const ending e = run_in_child([] {
    rove::debug::set_scene_hook(on_goroutine_seven);
    rove::detail::throw_panic("close of nil channel");
  });
  CHECK(e.status == 2);
  CHECK(contains(e.error_output, "panic: close of nil channel\n\ngoroutine 7 \"se\\\"ven\" [running]:\n"));
}
#endif

// ---- signals -------------------------------------------------------------------------------------------------------

static volatile bool bottom = false;
[[gnu::noinline]] int recurses_for_ever(int depth) {
  volatile char room[200];
  room[0] = static_cast<char>(depth);
  return bottom ? 0 : recurses_for_ever(depth + 1) + room[0];
}

static void report_fault(int) { rove::base::fatal_in_signal("goroutine stack overflow"); }

TEST_CASE("a fault is reported from its handler, without allocating") {
  const ending e = run_in_child([] {
    static char alternate[64 * 1024];
    stack_t there = {};
    there.ss_sp = alternate;
    there.ss_size = sizeof alternate;
    sigaltstack(&there, nullptr);
    struct sigaction action = {};
    action.sa_handler = report_fault;
    action.sa_flags = SA_ONSTACK;
    sigaction(SIGSEGV, &action, nullptr);
    rove::debug::set_scene_hook(on_goroutine_seven);
    fail_on_smallest_stack([](fiber&) { recurses_for_ever(0); });
  });
  INFO(e.error_output);
  CHECK(e.status == 2);
  CHECK(contains(e.error_output, "fatal error: goroutine stack overflow\n\ngoroutine 7 \"se\\\"ven\" [running]:\n"));
  CHECK(contains(e.error_output, "\n_Z17recurses_for_everi(...)\n\t/"));
#if !(defined(__aarch64__) && defined(__clang__))  // whose tables do not tell how to go on from a first instruction
  CHECK(contains(e.error_output, "...additional frames elided...\n"));
#endif
}
