// The floating-point mode of goroutines: with fp_env each has its own, and begins with that of whoever started it.
#include <cfenv>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "test/support/fixture.hpp"

using namespace rove_test;

#if ROVE_FP_ENV

namespace {

// Denormals become zero, as results and as operands.
void flush_denormals() {
#if defined(__x86_64__)
  _mm_setcsr(_mm_getcsr() | 0x8040);  // FTZ, DAZ
#elif defined(__aarch64__)
  std::uint64_t fpcr;
  asm volatile("mrs %0, fpcr" : "=r"(fpcr));
  asm volatile("msr fpcr, %0" : : "r"(fpcr | std::uint64_t{1} << 24));  // FZ
#endif
}

// By their effect, on whatever thread this runs.
[[gnu::noinline]] bool flushes() {
  const volatile double smallest = 2.2250738585072014e-308;
  const volatile double half = smallest / 2;
  return half == 0;
}

[[gnu::noinline]] bool rounds_up() {
  const volatile double one = 1, seven = 7;
  const volatile double up = one / seven;
  const volatile long double long_one = 1, long_seven = 7;
  const volatile long double long_up = long_one / long_seven;
  return up * 7 > 1 && long_up * 7 > 1;
}

struct usual_mode {                    // of the calling thread, put back
  std::fenv_t before;
  usual_mode() { std::fegetenv(&before); }
  ~usual_mode() { std::fesetenv(&before); }
};

}  // namespace

TEST_CASE("fp_env: each goroutine keeps its mode, whoever runs before it and wherever it goes on") {
  on_processors([] {
    const usual_mode around;
    std::atomic<int> wrong{0};
    rove::wait_group wg;
    for (int i = 0; i < 8; ++i)
      wg.go([&wrong, i] {
        const bool flush = i & 1, up = i & 2;
        if (flush) flush_denormals();
        if (up) std::fesetround(FE_UPWARD);
        for (int k = 0; k < 200; ++k) {
          if (flushes() != flush || rounds_up() != up) ++wrong;
          if (k % 50 == 49)
            rove::sleep_for(20us);
          else if (k % 50 == 25)
            rove::blocking([&] {
              if (flushes() != flush) ++wrong;
            });
          else
            rove::yield();
        }
      });
    wg.wait();
    CHECK(wrong == 0);
    CHECK_FALSE(flushes());
    migrate();
    CHECK_FALSE(rounds_up());
  });
}

TEST_CASE("fp_env: a goroutine begins with the mode of whoever started it, as it was then") {
  on_processors([] {
    const usual_mode around;
    std::atomic<int> wrong{0};
    rove::wait_group wg;
    flush_denormals();
    for (int i = 0; i < 300; ++i)     // more than a lane holds: some go by way of the global queue
      wg.go([&] {
        if (!flushes() || rounds_up()) ++wrong;
        wg.go([&] {
          if (!flushes()) ++wrong;
        });
        std::fesetround(FE_UPWARD);   // its own business
      });
    std::fesetenv(&around.before);    // before any of them ran
    for (int i = 0; i < 100; ++i)
      wg.go([&] {
        if (flushes() || rounds_up()) ++wrong;
      });
    wg.wait();
    CHECK(wrong == 0);
    CHECK(rove::spawn(flushes).get() == false);
    flush_denormals();
    CHECK(rove::spawn(flushes).get() == true);
    CHECK(rove::spawn(rove::options{.name = "named", .stack_size = 64 * 1024}, flushes).get() == true);
  });
}

TEST_CASE("fp_env: from a host's thread; and what is started later runs in the mode in which the runtime was made") {
  const usual_mode around;
  rove::runtime plain(with_procs(2));
  flush_denormals();
  rove::runtime rt(with_procs(2));
  CHECK(rt.spawn(flushes).get());
  CHECK(plain.spawn(flushes).get());
  std::fesetenv(&around.before);
  CHECK_FALSE(rt.spawn(flushes).get());
  const auto later = [](rove::runtime& in, bool mode_of_caller) {
    return in.run([=] {
      if (mode_of_caller) flush_denormals();
      const auto ch = rove::make_chan<bool>();
      rove::after_func(10us, [ch] { ch.send(flushes()); });
      return *ch.recv();
    });
  };
  CHECK(later(rt, false));
  CHECK_FALSE(later(plain, true));
  plain.go(flush_denormals);
  const auto lent = [&] {             // a thread that polls keeps its own
    while (plain.poll(1ms)) {
    }
    return flushes();
  };
  CHECK_FALSE(lent());
}

#else

TEST_CASE("fp_env: without it a mode is the thread's, and nobody pays for it") {
  STATIC_REQUIRE(sizeof(rove::detail::context) >= 5 * sizeof(void*));
  rove::config c = with_procs(1);
  c.own_threads = false;
  rove::runtime rt(c);
  std::fesetround(FE_UPWARD);
  int rounding = -1;
  rt.go([&] {
    rove::yield();
    rounding = std::fegetround();
  });
  while (rt.poll(1s)) {
  }
  std::fesetround(FE_TONEAREST);
  CHECK(rounding == FE_UPWARD);
}

#endif
