// rove::test: one deterministic run after the other, and what is said when one fails.
#include <rove/test.hpp>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <unordered_set>

#include "src/base/check.hpp"
#include "src/debug/fatal.hpp"
#include "src/debug/report.hpp"
#include "src/sched/inspect.hpp"
#include "src/sched/simulator.hpp"

namespace rove {
namespace sched {

void init_process();               // runtime.cpp

namespace {

std::optional<std::uint64_t> seed_of_environment() {
  const char* const text = std::getenv("ROVE_TEST_SEED");
  if (!text || !*text) return {};
  std::uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text, text + std::strlen(text), seed);
  if (error == std::errc{} && *end == 0) return seed;
  char message[128];
  std::snprintf(message, sizeof message, "rove: ROVE_TEST_SEED=%.60s is not a number", text);
  base::fatal(message);
}

void say_seed(std::uint64_t seed) {
  char line[128];
  const auto s = static_cast<unsigned long long>(seed);
  const int n = std::snprintf(line, sizeof line,
                              "rove::test: failed with seed %llu; ROVE_TEST_SEED=%llu runs it again\n", s, s);
  os::write_stderr({line, static_cast<std::size_t>(n)});
}

struct test_failure {
  test::failure::kind kind;
  std::uint64_t seed;
  std::size_t count;
  std::string text;
};

[[noreturn]] void fail(const test_failure& f) {
#if ROVE_EXCEPTIONS
  throw test::failure(f.kind, f.seed, f.count, f.text);
#else
  debug::die(f.text + '\n');
#endif
}

test_failure make_failure(simulator& s, bool over) {
  using kind = test::failure::kind;
  const auto left = snapshot_goroutines(&s.home(), s.now());
  std::string text;
  if (over)
    text = std::to_string(left.size()) + (left.size() == 1 ? " goroutine is" : " goroutines are") +
           " left at the end of the test";
  else
    text = debug::asleep;
  text += " (seed " + std::to_string(s.seed()) + ")\n\n" + debug::goroutines_report(left);
  return {over ? kind::leak : kind::deadlock, s.seed(), left.size(), std::move(text)};
}

test::result run_once(std::uint64_t seed, detail::test_function call, void* f) {
  rove::config c;
  c.max_procs = 1;
  c.own_threads = false;
  c.detect_deadlock = false;
  c.on_fatal = [seed](std::string_view) { say_seed(seed); };
  simulator s(c, seed);
  bool returned = false;                                              // else f threw, or called goexit
  task<void> main = detail::spawn_task({}, &s.home(), [&returned, call, f] {
    current()->started_at.store(nullptr, std::memory_order_relaxed);  // relaxed: for reports
    call(f);
    returned = true;
  });
  const bool over = s.run(main);
  std::optional<test_failure> failed;
  if (!over || (returned && s.home().alive() != 0)) failed = make_failure(s, over);
  test::result r = s.result();
  s.end();
  if (failed || !returned) say_seed(seed);
  if (failed) fail(*failed);
  main.get();
  return r;
}

test::result checked_run(std::uint64_t seed, detail::test_function call, void* f) {
  if (current()) detail::throw_panic("rove: test::run called inside a goroutine");
  init_process();
  detail::check_not_forked();
  return run_once(seed, call, f);
}

simulation* simulation_here() {
  const goroutine* const g = current();
  return g ? g->home()->simulated() : nullptr;
}

}  // namespace
}  // namespace sched

test::result detail::test_run(std::uint64_t seed, test_function call, void* f) {
  return sched::checked_run(sched::seed_of_environment().value_or(seed), call, f);
}

std::size_t detail::test_explore(std::uint64_t runs, std::uint64_t first_seed, test_function call, void* f) {
  const auto only = sched::seed_of_environment();
  if (only) runs = 1;
  std::unordered_set<std::uint64_t> seen;
  for (std::uint64_t i = 0; i < runs; ++i)
    seen.insert(sched::checked_run(only.value_or(first_seed + i), call, f).fingerprint);
  return seen.size();
}

void test::wait() {
  sched::simulation* const s = sched::simulation_here();
  if (!s) detail::throw_panic("rove: test::wait called outside of test::run");
  if (detail::end_check()) return;
  static_cast<sched::simulator*>(s)->wait_for_others();
}

std::uint64_t test::seed() noexcept {
  sched::simulation* const s = sched::simulation_here();
  return s ? static_cast<sched::simulator*>(s)->seed() : 0;
}

}  // namespace rove
