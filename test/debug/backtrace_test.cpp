// Walking stacks: the running one, a parked one, a fresh one, and from within a signal handler.
#include <signal.h>

#include <algorithm>
#include <string>
#include <vector>

#include "src/debug/backtrace.hpp"
#include "src/debug/symbols.hpp"
#include "test/catch.hpp"
#include "test/debug/fiber.hpp"

using rove::debug::capture;
using rove::debug::capture_parked;
using rove_test::fiber;

namespace {

std::vector<std::string> names(void* const* pcs, std::size_t count) {
  rove::debug::symbolizer s;
  std::vector<std::string> all;
  for (std::size_t i = 0; i < count; ++i) all.push_back(s.find(pcs[i]).function);
  return all;
}

// Whether `wanted` stand in this order, without gaps, from `first` on.
bool stand_at(const std::vector<std::string>& all, std::size_t first, const std::vector<std::string>& wanted) {
  if (all.size() < first + wanted.size()) return false;
  return std::equal(wanted.begin(), wanted.end(), all.begin() + static_cast<std::ptrdiff_t>(first));
}

void* pcs[64];
std::size_t count;

}  // namespace

// Not in an unnamed namespace, so that their names are short. What follows each call keeps it from being a tail call.
[[gnu::noinline]] void captures_here(std::size_t skip) {
  count = capture(pcs, 64, skip);
  asm volatile("" ::: "memory");
}
[[gnu::noinline]] void middle(std::size_t skip) {
  captures_here(skip);
  asm volatile("" ::: "memory");
}
[[gnu::noinline]] void outer(std::size_t skip) {
  middle(skip);
  asm volatile("" ::: "memory");
}

TEST_CASE("the running stack begins with the caller") {
  outer(0);
  const std::vector<std::string> calls = {"captures_here(unsigned long)", "middle(unsigned long)",
                                          "outer(unsigned long)"};
  CHECK(stand_at(names(pcs, count), 0, calls));
  outer(2);
  CHECK(stand_at(names(pcs, count), 0, {"outer(unsigned long)"}));
  outer(1000);
  CHECK(count == 0);
}

TEST_CASE("no more is written than there is room for") {
  void* few[3] = {nullptr, nullptr, nullptr};
  CHECK(capture(few, 2) == 2);
  CHECK(few[1] != nullptr);
  CHECK(few[2] == nullptr);
  CHECK(capture(few, 0) == 0);
}

[[gnu::noinline]] void parks(fiber& f, int depth) {
  double kept[4] = {1, 2, 3, 4};
  asm volatile("" ::"r"(kept) : "memory");
  if (depth != 0)
    parks(f, depth - 1);
  else
    f.leave();
  asm volatile("" ::"r"(kept) : "memory");
}

[[gnu::noinline]] void body_of_goroutine(fiber& f) {
  parks(f, 2);
  asm volatile("" ::: "memory");
}

TEST_CASE("a parked stack shows who parked, up to the entry") {
  fiber f(body_of_goroutine);
  f.resume();
  void* parked[64];
  const std::size_t n = capture_parked(f.self, parked, 64);
  const auto all = names(parked, n);
  const std::string parking = "parks(rove_test::fiber&, int)";
  const auto first = static_cast<std::size_t>(std::find(all.begin(), all.end(), parking) - all.begin());
  CHECK(stand_at(all, first, {parking, parking, parking, "body_of_goroutine(rove_test::fiber&)"}));
  REQUIRE(n != 0);
  CHECK(all.back() == "rove_entry(...)");
  CHECK(first <= 4);  // leave, depart, and in a sanitizer's build the announced switch

  CHECK(capture_parked(f.self, parked, 2) == 2);
  CHECK(capture_parked(f.self, parked, 0) == 0);
  f.resume();  // it was not harmed
}

TEST_CASE("a fresh stack shows its entry alone") {
  fiber f(body_of_goroutine);
  void* fresh[8];
  const auto all = names(fresh, capture_parked(f.self, fresh, 8));
  REQUIRE(all.size() == 1);
  CHECK(all[0] == "rove_entry(...)");
}

[[gnu::noinline]] void captures_in_fiber(fiber&) { captures_here(0); }

TEST_CASE("the running stack of a fiber ends at its entry") {
  fiber f(captures_in_fiber);
  f.resume();
  const auto all = names(pcs, count);
  CHECK(stand_at(all, 0, {"captures_here(unsigned long)"}));
  REQUIRE(count != 0);
  CHECK(all.back() == "rove_entry(...)");
  CHECK(count <= 6);
}

[[gnu::noinline]] void raises_a_signal() {
#if defined(__x86_64__)
  asm volatile("ud2");
#elif defined(__aarch64__)
  asm volatile("udf #0");
#endif
}

static void step_over(int, siginfo_t*, void* state) {
  count = capture(pcs, 64);
  auto& registers = static_cast<ucontext_t*>(state)->uc_mcontext;
#if defined(__x86_64__)
  registers.gregs[REG_RIP] += 2;
#elif defined(__aarch64__)
  registers.pc += 4;
#endif
}

TEST_CASE("from a signal handler the interrupted function is found, at its first instruction too") {
  struct sigaction mine = {};
  struct sigaction before = {};
  mine.sa_sigaction = step_over;
  mine.sa_flags = SA_SIGINFO;
  sigaction(SIGILL, &mine, &before);
  raises_a_signal();
  sigaction(SIGILL, &before, nullptr);
  const auto all = names(pcs, count);
  CHECK(std::find(all.begin(), all.end(), "raises_a_signal()") != all.end());
}
