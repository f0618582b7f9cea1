// Frames across a switch: the first one, odd ones (alloca, over-aligned), registers a callee must keep, and what an
// unwinder sees of a running and of a parked stack.
#include <alloca.h>
#include <execinfo.h>
#include <unwind.h>

#include <cstdint>
#include <cstring>

#include "test/arch/switch_checks.hpp"

// test/arch/pattern_<cpu>.S: fills each register that a callee must keep with a pattern, calls function(argument) and
// returns which of them differ afterwards, as a bit set.
extern "C" std::uint64_t rove_test_keep_pattern(void (*function)(void*), void* argument);

namespace switch_checks {
namespace {

bool aligned(const void* p, std::uintptr_t to) {
  // Through a volatile: a compiler takes the alignment of a variable for granted.
  const volatile std::uintptr_t address = reinterpret_cast<std::uintptr_t>(p);
  return address % to == 0;
}

// ---- the first frame -----------------------------------------------------------------------------------------------

const char* first_frame_body(fiber& f) {
  alignas(16) volatile char local[16] = {};
  EXPECT(aligned(const_cast<char*>(local), 16));
  const auto* const frame = static_cast<const char*>(__builtin_frame_address(0));
  EXPECT(frame > f.memory && frame < f.memory + fiber::size);
  return nullptr;
}

const char* first_frame() {
  for (std::size_t misaligned : {0, 8, 16, 24}) {
    fiber f(first_frame_body, nullptr, misaligned);
    f.resume();
    EXPECT(f.ended);
    if (f.wrong)
      return f.wrong;
  }
  return nullptr;
}

// ---- the context that was left --------------------------------------------------------------------------------------

struct triangle {
  fiber* other;
  context* left;
};

const char* second_body(fiber& f) {
  auto& t = *static_cast<triangle*>(f.data);
  t.left = rove::detail::switch_stacks(&f.self, f.outside);
  return nullptr;
}

const char* first_body(fiber& f) {
  auto& t = *static_cast<triangle*>(f.data);
  t.other->outside = f.outside;
  // Straight to the other stack, which goes back to the thread, which comes back here.
  t.left = rove::detail::switch_stacks(&f.self, &t.other->self);
  EXPECT(t.left == f.outside);
  return nullptr;
}

const char* left_context() {
  triangle t{};
  fiber a(first_body, &t), b(second_body, &t);
  t.other = &b;
  a.resume();
  EXPECT(!a.ended && !b.ended);
  a.resume();
  EXPECT(a.ended && a.wrong == nullptr);
  b.resume();
  EXPECT(b.ended && t.left == b.outside);
  return nullptr;
}

// ---- odd frames -----------------------------------------------------------------------------------------------------

const char* odd_frame_body(fiber& f) {
  const volatile std::size_t bytes = 100 + 16 * (reinterpret_cast<std::uintptr_t>(&f) / 16 % 5);
  const std::size_t n = bytes;
  alignas(128) unsigned char wide[256];
  auto* const grown = static_cast<unsigned char*>(alloca(n));
  long a = static_cast<long>(n), b = a * 3, c = a * 5, d = a * 7;
  std::memset(wide, 0x5a, sizeof wide);
  std::memset(grown, 0xa5, n);
  f.leave();
  auto* const more = static_cast<unsigned char*>(alloca(n + 64));
  std::memset(more, 0x3c, n + 64);
  f.leave();
  EXPECT(aligned(wide, 128));
  EXPECT(b == a * 3 && c == a * 5 && d == a * 7 && a == static_cast<long>(bytes));
  for (unsigned char byte : wide)
    EXPECT(byte == 0x5a);
  for (std::size_t i = 0; i < n; ++i)
    EXPECT(grown[i] == 0xa5 && more[i] == 0x3c);
  return nullptr;
}

const char* odd_frames() { return run_in_turns(odd_frame_body, odd_frame_body); }

// ---- registers that a callee must keep ------------------------------------------------------------------------------

void leave_twice(void* argument) {
  auto& f = *static_cast<fiber*>(argument);
  f.leave();
  f.leave();
}

const char* pattern_body(fiber& f) {
  EXPECT(rove_test_keep_pattern(leave_twice, &f) == 0);
  return nullptr;
}

void resume_it(void* argument) { static_cast<fiber*>(argument)->resume(); }

const char* kept_registers() {
  fiber f(pattern_body);
  while (!f.ended)
    EXPECT(rove_test_keep_pattern(resume_it, &f) == 0);  // the thread's side keeps them too
  return f.wrong;
}

// ---- what an unwinder sees ------------------------------------------------------------------------------------------

struct trace {
  static constexpr int limit = 100;
  void* pcs[limit];
  int count;
  void* function(int i) const { return _Unwind_FindEnclosingFunction(pcs[i]); }
  int find(void* f) const {
    for (int i = 0; i < count; ++i)
      if (function(i) == f)
        return i;
    return -1;
  }
};

void fill(void* t) {
  auto& into = *static_cast<trace*>(t);
  into.count = backtrace(into.pcs, trace::limit);
}

template <class F>
void* address(F* f) {
  return reinterpret_cast<void*>(f);
}

// Functions that are looked for by their addresses: neither inlined nor cloned.
#if defined(__clang__)
#define STANDS_ALONE [[gnu::noinline]]
#else
#define STANDS_ALONE [[gnu::noipa]]
#endif

STANDS_ALONE void inner(fiber& f, trace* running) {
  const volatile std::size_t bytes = 40;
  volatile auto* const grown = static_cast<char*>(alloca(bytes));
  grown[0] = 1;
  if (running)
    fill(running);
  f.leave();
  grown[1] = 2;
}

STANDS_ALONE const char* outer(fiber& f) {
  alignas(64) volatile char wide[64] = {};
  inner(f, static_cast<trace*>(f.data));
  return wide[0] == 0 ? nullptr : "a local was changed";
}

// From `from` on: inner, outer, and at the very end the entry.
const char* has_the_frames(const trace& t, int from) {
  EXPECT(t.count > from + 2 && t.count < from + 12);
  const int i = t.find(address(inner)), o = t.find(address(outer));
  EXPECT(i >= from && o == i + 1);
  EXPECT(t.function(t.count - 1) == address(rove_entry));
  EXPECT(t.find(address(rove_entry)) == t.count - 1);
  return nullptr;
}

const char* running_backtrace() {
  trace t{};
  fiber f(outer, &t);
  f.resume();
  f.resume();
  EXPECT(f.ended);
  return has_the_frames(t, 0);
}

const char* parked_backtrace() {
  fiber f(outer);
  trace t{};
  rove_unwind_from(&f.self, fill, &t);  // not started yet
  EXPECT(t.count >= 2 && t.count < 5);
  EXPECT(t.function(t.count - 1) == address(rove_entry));
  f.resume();
  for (int again = 0; again < 2; ++again) {
    rove_unwind_from(&f.self, fill, &t);
    const int at = t.find(address(rove_unwind_from));
    EXPECT(at >= 0);
    if (const char* wrong = has_the_frames(t, at + 1))
      return wrong;
    EXPECT(t.find(address(inner)) == at + (ROVE_SANITIZED ? 2 : 1));  // there the switch is a function
    EXPECT(t.find(address(parked_backtrace)) == -1);
  }
  f.resume();
  EXPECT(f.ended);
  return nullptr;
}

// It is an ordinary call otherwise, also from another stack with a third one parked.
const char* walker_body(fiber& f) {
  trace t{};
  rove_unwind_from(&static_cast<fiber*>(f.data)->self, fill, &t);
  const char* const wrong = has_the_frames(t, 1);
  f.leave();
  return wrong;
}

const char* unwinding_from_a_fiber() {
  fiber parked(outer), walker(walker_body, &parked);
  parked.resume();
  EXPECT(rove_test_keep_pattern(resume_it, &walker) == 0);
  walker.resume();
  parked.resume();
  EXPECT(walker.ended && parked.ended);
  return walker.wrong;
}

}  // namespace

const check frame_checks[] = {
    {"the first frame is aligned", first_frame},
    {"a switch tells which context was left", left_context},
    {"alloca and over-aligned locals", odd_frames},
    {"registers a callee must keep", kept_registers},
    {"a backtrace ends at the entry", running_backtrace},
    {"the frames of a parked stack", parked_backtrace},
    {"the frames of a parked stack, from another", unwinding_from_a_fiber},
    {nullptr, nullptr},
};

}  // namespace switch_checks
