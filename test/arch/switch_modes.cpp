// What a build may ask for: landing pads for processors that check indirect jumps, and a floating-point mode of one's
// own.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cfenv>
#include <csignal>
#include <cstdint>
#include <cstring>

#include "test/arch/switch_checks.hpp"

extern "C" char etext;  // where the program's code ends, by the linker

namespace switch_checks {
namespace {

// ---- landing pads ---------------------------------------------------------------------------------------------------

#if defined(__x86_64__)
constexpr std::uint32_t landing_pad = 0xfa1e0ff3;  // endbr64
#if defined(__CET__) && (__CET__ & 1)
#define CHECKED_JUMPS 1
#endif
#elif defined(__aarch64__)
constexpr std::uint32_t landing_pad = 0xd503249f;  // bti j
#if defined(__ARM_FEATURE_BTI_DEFAULT)
#define CHECKED_JUMPS 1
#endif
#endif

bool is_landing_pad(const void* pc) {
  std::uint32_t code;
  std::memcpy(&code, pc, sizeof code);
  return code == landing_pad;
}

const char* leave_body(fiber& f) {
  f.leave();
  return nullptr;
}

const char* landing_pads() {
  fiber f(leave_body);
  EXPECT(is_landing_pad(f.self.pc));
  f.resume();
#if CHECKED_JUMPS
  EXPECT(is_landing_pad(f.self.pc));
  EXPECT(is_landing_pad(f.outside->pc));
#endif
  f.resume();
  EXPECT(f.ended);
  return f.wrong;
}

#if defined(__aarch64__) && CHECKED_JUMPS

// The processor is made to check our own code: start files that do not know of landing pads keep the loader from it.
bool check_own_jumps() {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto end = (reinterpret_cast<std::uintptr_t>(&etext) + page - 1) & ~(page - 1);
  constexpr int prot_bti = 0x10;
  auto start = reinterpret_cast<std::uintptr_t>(&check_own_jumps) & ~(page - 1);
  for (const auto pc : {reinterpret_cast<std::uintptr_t>(&rove_entry), reinterpret_cast<std::uintptr_t>(&leave_body)})
    start = std::min(start, pc & ~(page - 1));
  return mprotect(reinterpret_cast<void*>(start), end - start, PROT_READ | PROT_EXEC | prot_bti) == 0;
}

[[gnu::noinline]] void jump_beside_the_pad() {
  const auto beside = reinterpret_cast<std::uintptr_t>(&rove_entry_pc) + 4;
  asm volatile("br %0" : : "r"(beside));
}

template <class F>
int in_child(F f) {
  const pid_t child = fork();
  if (child == 0)
    _exit(f());
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

const char* enforced_landing_pads() {
  const int refused = in_child([] {
    if (check_own_jumps())
      jump_beside_the_pad();
    return 0;
  });
  EXPECT(WIFSIGNALED(refused) && WTERMSIG(refused) == SIGILL);
  const int accepted = in_child([] {
    if (!check_own_jumps())
      return 2;
    for (const check* list : {value_checks, frame_checks, exception_checks})
      for (; list->name; ++list)
        if (list->run())
          return 3;
    return 0;
  });
  EXPECT(WIFEXITED(accepted) && WEXITSTATUS(accepted) == 0);
  return nullptr;
}

#endif

// ---- the floating-point mode ----------------------------------------------------------------------------------------

// The rounding that is in force, by its effect, in the vector unit and (x86-64) in the x87 too.
struct roundings {
  double vector;
  long double x87;
  bool operator==(const roundings&) const = default;
};

[[gnu::noinline]] roundings current_roundings() {
  const volatile double one = 1, seven = 7;  // rounded down in any precision, unless upward is asked for
  const volatile long double long_one = 1, long_seven = 7;
  return {one / seven, long_one / long_seven};
}

const char* mode_body(fiber& f) {
  const roundings usual = current_roundings();
  std::fesetround(FE_UPWARD);
  const roundings upward = current_roundings();
  EXPECT(upward.vector > usual.vector && upward.x87 > usual.x87);
  f.leave();
#if ROVE_FP_ENV
  EXPECT(current_roundings() == upward);
#else
  EXPECT(current_roundings() == usual);  // what the thread has
#endif
  std::fesetround(FE_TONEAREST);
  return nullptr;
}

const char* floating_point_mode() {
  const roundings usual = current_roundings();
  fiber f(mode_body);
  f.resume();
#if ROVE_FP_ENV
  EXPECT(current_roundings() == usual);
#else
  EXPECT(current_roundings().vector > usual.vector && current_roundings().x87 > usual.x87);
  std::fesetround(FE_TONEAREST);
#endif
  f.resume();
  EXPECT(f.ended);
  return f.wrong;
}

}  // namespace

const check mode_checks[] = {
    {"landing pads", landing_pads},
#if defined(__aarch64__) && CHECKED_JUMPS
    {"landing pads under enforcement", enforced_landing_pads},
#endif
    {"the floating-point mode", floating_point_mode},
    {nullptr, nullptr},
};

}  // namespace switch_checks
