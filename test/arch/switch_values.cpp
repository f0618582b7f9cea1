// Values alive across a switch: integers, doubles, long doubles, vectors; also of a function without a frame.
#include <cstring>
#include <type_traits>

#include "test/arch/switch_checks.hpp"

#if defined(__ARM_FEATURE_SVE)
#include <arm_sve.h>
#endif

namespace switch_checks {
namespace {

template <int bytes>
using vector [[gnu::vector_size(bytes)]] = int;

volatile int seed = 1;
constexpr int rounds = 4;

template <class T>
T first_value(int i) {
  if constexpr (requires(T t) { t[0]; })
    return T{} + (seed + i);
  else
    return static_cast<T>(seed + i);
}

template <class T>
[[gnu::noinline]] bool is_value(const T& value, int i) {
  T expected = first_value<T>(i);
  for (int round = 0; round < rounds; ++round)
    expected = expected * 3 + i;
  // A long double has bytes that mean nothing.
  if constexpr (requires(T t) { t[0]; })
    return std::memcmp(&value, &expected, sizeof value) == 0;
  else
    return value == expected;
}

// Asks for the value in a register of its kind right before a switch: if the compiler believed that the register is
// kept, it would leave it there.
template <class T>
ROVE_ALWAYS_INLINE void pin(T& value) {
  if constexpr (std::is_integral_v<T>)
    asm volatile("" : "+r"(value));
#if defined(__x86_64__)
  else if constexpr (!std::is_same_v<T, long double>)
    asm volatile("" : "+v"(value));
#elif defined(__aarch64__)
  else
    asm volatile("" : "+w"(value));
#endif
}

#define TWENTY(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) \
  X(10) X(11) X(12) X(13) X(14) X(15) X(16) X(17) X(18) X(19)

// Twenty variables that all live across each switch: more than there are registers.
template <class T>
const char* twenty_values(fiber& f) {
#define DECLARE(i) T v##i = first_value<T>(i);
#define STEP(i) v##i = v##i * 3 + i;
#define PIN(i) pin(v##i);
#define COMPARE(i) EXPECT(is_value(v##i, i));
  TWENTY(DECLARE)
  for (int round = 0; round < rounds; ++round) {
    TWENTY(PIN)
    f.leave_bare();
    TWENTY(STEP)
  }
  TWENTY(COMPARE)
  return nullptr;
}

// Few variables: these the compiler keeps in registers, if any.
template <class T>
const char* few_values(fiber& f) {
  T v0 = first_value<T>(0), v1 = first_value<T>(1), v2 = first_value<T>(2);
  for (int round = 0; round < rounds; ++round) {
    PIN(0) PIN(1) PIN(2)
    f.leave_bare();
    STEP(0) STEP(1) STEP(2)
  }
  COMPARE(0) COMPARE(1) COMPARE(2)
  return nullptr;
}

template <class T>
const char* alive() {
  if (const char* wrong = run_in_turns(few_values<T>, few_values<T>))
    return wrong;
  if (const char* wrong = run_in_turns(twenty_values<T>, twenty_values<T>))
    return wrong;
  return run_in_turns(twenty_values<long>, twenty_values<T>);
}

// Integers and floating-point numbers at once, and a floating-point comparison whose flags would be lost.
const char* mixed_values(fiber& f) {
  long a = first_value<long>(0);
  double x = first_value<double>(1);
  float y = first_value<float>(2);
  const bool less = x < y;
  f.leave_bare();
  EXPECT(less == (x < y));
  EXPECT(a == first_value<long>(0) && x == first_value<double>(1) && y == first_value<float>(2));
  return nullptr;
}

#define EIGHT(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)

#if defined(__AVX512F__)
// Mask registers, which gcc uses for plain integers too.
const char* mask_values(fiber& f) {
#define DECLARE_MASK(i) unsigned short m##i = static_cast<unsigned short>(seed + i);
#define PIN_MASK(i) asm volatile("" : "+k"(m##i));
#define COMPARE_MASK(i) EXPECT(m##i == seed + i);
  EIGHT(DECLARE_MASK)
  EIGHT(PIN_MASK)
  f.leave_bare();
  EIGHT(PIN_MASK)
  EIGHT(COMPARE_MASK)
  return nullptr;
}
#endif

#if defined(__ARM_FEATURE_SVE)
const char* scalable_values(fiber& f) {
#define DECLARE_SCALABLE(i)                             \
  svint32_t z##i = svindex_s32(seed, i);                \
  svbool_t p##i = svwhilelt_b32(0, seed + (i & 1));
#define PIN_SCALABLE(i) asm volatile("" : "+w"(z##i), "+Upa"(p##i));
#define COMPARE_SCALABLE(i)                                                                             \
  EXPECT(!svptest_any(svptrue_b32(), svcmpne_s32(svptrue_b32(), z##i, svindex_s32(seed, i))));          \
  EXPECT(svcntp_b32(svptrue_b32(), p##i) == static_cast<unsigned>(seed + (i & 1)));
  EIGHT(DECLARE_SCALABLE)
  EIGHT(PIN_SCALABLE)
  f.leave_bare();
  EIGHT(COMPARE_SCALABLE)
  return nullptr;
}
#endif

// A function that calls nothing may keep what is alive below its stack pointer. No commit here: that would be a call.
[[gnu::noinline]] long leaf(context* from, context* to, long a, long b) {
  volatile long below[8] = {a, b, a + b, a - b, a * b, a ^ b, a | b, a & b};
  rove::detail::switch_stacks(from, to);
  return below[0] + below[1] + below[2] + below[3] + below[4] + below[5] + below[6] + below[7];
}

const char* leaf_body(fiber& f) {
  const long b = 100;
  for (long a = 7 * seed; a < 7 + rounds; ++a)
    EXPECT(leaf(&f.self, f.outside, a, b) == 3 * a + b + a * b + (a ^ b) + (a | b) + (a & b));
  return nullptr;
}

const char* red_zone() { return run_in_turns(leaf_body, leaf_body); }
const char* mixed() { return run_in_turns(mixed_values, mixed_values); }
#if defined(__AVX512F__)
const char* masks() { return run_in_turns(mask_values, mask_values); }
#endif
#if defined(__ARM_FEATURE_SVE)
const char* scalable() { return run_in_turns(scalable_values, scalable_values); }
#endif

}  // namespace

const check value_checks[] = {
    {"integers alive", alive<long>},
    {"doubles alive", alive<double>},
    {"floats alive", alive<float>},
    {"long doubles alive", alive<long double>},
    {"16-byte vectors alive", alive<vector<16>>},
#if defined(__AVX__)
    {"32-byte vectors alive", alive<vector<32>>},
#endif
#if defined(__AVX512F__)
    {"64-byte vectors alive", alive<vector<64>>},
    {"mask registers alive", masks},
#endif
#if defined(__ARM_FEATURE_SVE)
    {"scalable vectors and predicates alive", scalable},
#endif
    {"mixed values alive", mixed},
    {"a leaf function's red zone", red_zone},
    {nullptr, nullptr},
};

}  // namespace switch_checks
