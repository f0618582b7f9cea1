// Exceptions and switches: a yield inside `catch`, inside a destructor during unwinding, a rethrow on another thread,
// and one that nobody catches.
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>

#include "test/arch/switch_checks.hpp"

namespace switch_checks {
namespace {

bool says(const std::exception& e, const std::string& text) { return e.what() == text; }

// ---- thrown and caught on one stack ---------------------------------------------------------------------------------

[[gnu::noinline]] void thrower(const std::string& text, int depth) {
  if (depth > 0) {
    thrower(text, depth - 1);
    asm volatile("" ::: "memory");  // no tail call
    return;
  }
  throw std::runtime_error(text);
}

const char* plain_body(fiber& f) {
  for (int i = 0; i < 3; ++i) {
    const std::string text = "round " + std::to_string(i);
    bool caught = false;
    try {
      f.leave();
      thrower(text, 5);
    } catch (const std::runtime_error& e) {
      caught = says(e, text);
    }
    EXPECT(caught);
  }
  return nullptr;
}

const char* throw_and_catch() { return run_in_turns(plain_body, plain_body); }

// ---- a yield inside catch -------------------------------------------------------------------------------------------

const char* in_catch_body(fiber& f) {
  const std::string text = "of stack " + std::to_string(reinterpret_cast<std::uintptr_t>(&f));
  bool again = false;
  try {
    try {
      thrower(text, 2);
    } catch (const std::runtime_error& e) {
      EXPECT(says(e, text));
      f.leave();
      EXPECT(says(e, text));
      EXPECT(std::current_exception() != nullptr);
      try {
        thrower("nested", 1);
      } catch (const std::runtime_error& nested) {
        f.leave();
        EXPECT(says(nested, "nested") && says(e, text));
      }
      f.leave();
      throw;
    }
  } catch (const std::runtime_error& e) {
    f.leave();
    again = says(e, text);
  }
  EXPECT(again);
  EXPECT(std::current_exception() == nullptr);
  return nullptr;
}

const char* in_catch() {
  const char* const wrong = run_in_turns(in_catch_body, in_catch_body);
  EXPECT(std::current_exception() == nullptr && std::uncaught_exceptions() == 0);
  return wrong;
}

// ---- a yield inside a destructor during unwinding -------------------------------------------------------------------

struct leaves_when_destroyed {
  fiber& f;
  int& before;
  int& after;
  ~leaves_when_destroyed() {
    before += std::uncaught_exceptions();
    f.leave();
    try {  // an exception of the destructor's own, and a switch while it is handled
      thrower("inside", 1);
    } catch (const std::runtime_error&) {
      f.leave();
    }
    after += std::uncaught_exceptions();
  }
};

const char* unwinding_body(fiber& f) {
  int before = 0, after = 0;
  bool caught = false;
  try {
    leaves_when_destroyed first{f, before, after};
    leaves_when_destroyed second{f, before, after};
    thrower("unwound", 2);
  } catch (const std::runtime_error& e) {
    caught = says(e, "unwound");
  }
  EXPECT(caught && before == 2 && after == 2);
  EXPECT(std::uncaught_exceptions() == 0);
  return nullptr;
}

const char* in_unwinding() {
  const char* wrong = run_in_turns(unwinding_body, unwinding_body);
  return wrong ? wrong : run_in_turns(unwinding_body, in_catch_body);
}

// ---- on another thread ----------------------------------------------------------------------------------------------

const char* rethrow_body(fiber& f) {
  const std::thread::id& elsewhere = *static_cast<std::thread::id*>(f.data);
  bool caught = false;
  try {
    try {
      thrower("far from home", 2);
    } catch (...) {
      f.leave();  // the rest runs on another thread
      throw;
    }
  } catch (const std::runtime_error& e) {
    caught = says(e, "far from home");
  }
  EXPECT(caught && std::uncaught_exceptions() == 0);
  EXPECT(elsewhere != std::thread::id());
  return nullptr;
}

const char* rethrow_elsewhere() {
  std::thread::id elsewhere;
  fiber f(rethrow_body, &elsewhere);
  f.resume();
  EXPECT(!f.ended && std::current_exception() == nullptr);
  std::thread([&] {
    elsewhere = std::this_thread::get_id();
    f.resume();
  }).join();
  EXPECT(f.ended);
  return f.wrong;
}

// ---- caught by nobody -----------------------------------------------------------------------------------------------

const char* uncaught_body(fiber& f) {
  f.leave();
  thrower("nobody catches this", 3);
  return nullptr;
}

[[noreturn]] void last_words() {
  // It was called with the exception still there, on the stack that threw.
  try {
    if (std::current_exception() == nullptr)
      _exit(3);
    throw;
  } catch (const std::runtime_error& e) {
    _exit(says(e, "nobody catches this") ? 42 : 4);
  }
  _exit(5);
}

const char* uncaught() {
  const pid_t child = fork();
  EXPECT(child >= 0);
  if (child == 0) {
    std::set_terminate(last_words);
    fiber f(uncaught_body);
    f.resume();
    f.resume();
    _exit(6);
  }
  int status = 0;
  EXPECT(waitpid(child, &status, 0) == child);
  EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 42);
  return nullptr;
}

}  // namespace

const check exception_checks[] = {
    {"an exception between two switches", throw_and_catch},
    {"a yield inside catch", in_catch},
    {"a yield inside a destructor during unwinding", in_unwinding},
    {"a rethrow on another thread", rethrow_elsewhere},
    {"an uncaught exception terminates", uncaught},
    {nullptr, nullptr},
};

}  // namespace switch_checks
