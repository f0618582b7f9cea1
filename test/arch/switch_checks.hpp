// What the checks of the switch share: bare stacks to switch between, without a scheduler, and the list of checks.
//
// The checks depend on nothing but the switch, so that switch_matrix.sh can build them again and again with other
// compilers and options; switch_test.cpp runs them once more among the other tests.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <initializer_list>

#include "src/arch/sanitizer.hpp"
#include "src/arch/switch.hpp"

namespace switch_checks {

using rove::detail::context;

// A check returns null, or what was wrong.
struct check {
  const char* name;
  const char* (*run)();
};
// The checks of one file; the list ends with a null name.
extern const check value_checks[], frame_checks[], exception_checks[], mode_checks[];

#define ROVE_STRING_OF(x) #x
#define ROVE_LINE(x) ROVE_STRING_OF(x)
// In a check: leave it if the condition does not hold.
#define EXPECT(...)                                             \
  do {                                                          \
    if (!(__VA_ARGS__))                                         \
      return __FILE__ ":" ROVE_LINE(__LINE__) ": " #__VA_ARGS__; \
  } while (false)

// A second stack. Its body runs in turns with whoever resumes it, and returns null or what was wrong.
struct fiber {
  using body_function = const char* (*)(fiber&);

  explicit fiber(body_function b, void* d = nullptr, std::size_t misaligned = 0);
  ~fiber();
  fiber(const fiber&) = delete;
  fiber& operator=(const fiber&) = delete;

  void resume();   // runs the body until it leaves or ends
  // In the body: back to who resumed it.
  ROVE_ALWAYS_INLINE void leave();
  // The same without a commit, so without a call: then it is the switch alone that makes a compiler save registers.
  ROVE_ALWAYS_INLINE void leave_bare();

  context self;
  context* outside = nullptr;
  body_function body;
  void* data;
  const char* wrong = nullptr;
  bool ended = false;
  void* caught = nullptr;    // what __cxa_get_globals of the thread holds for this stack while it does not run
  unsigned uncaught = 0;
  char* memory;

  static constexpr std::size_t size = 256 * 1024;
};

inline void no_commit(context*) {}

// Nothing is told to the compiler here but the switch: what it then keeps in a register that the switch loses, resume()
// has overwritten when the body goes on.
ROVE_ALWAYS_INLINE void fiber::leave() { rove::detail::depart({&self, outside}); }
ROVE_ALWAYS_INLINE void fiber::leave_bare() { rove::detail::switch_stacks(&self, outside); }

// Resumes two fibers in turns until both ended, so that each finds the other's registers.
const char* run_in_turns(fiber::body_function body, fiber::body_function other);

}  // namespace switch_checks
