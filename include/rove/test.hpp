// Deterministic runs, for tests: goroutines on one thread, in an order that a seed decides, by a clock that jumps.
// docs/TESTING.md shows how a program is tested with it. Not part of rove/rove.hpp.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include <rove/run.hpp>
#include <rove/time.hpp>

// Deterministic runs.
namespace rove::test {

// In result::schedule, instead of a goroutine's number: a timer that was due.
inline constexpr std::uint32_t a_timer = UINT32_MAX;

// What a run came to.
struct result {
  std::uint64_t seed = 0;                    // the one it ran with
  std::uint64_t decisions = 0;               // points at which a seed decided who goes on
  std::uint64_t fingerprint = 0;             // of all decisions: the same for the same interleaving
  std::vector<std::uint32_t> schedule;       // who went on, the first 100,000 decisions: f is 0, others by first turn
  std::chrono::nanoseconds elapsed{0};       // by the virtual clock
};

// A run that came to nothing good. what() says it, and lists goroutines: what each waits for, where, and where it was
// started.
class failure : public std::runtime_error {
 public:
  // What was wrong.
  enum class kind : std::uint8_t {
    deadlock,     // f has not returned, everybody is parked and no timer is pending
    leak,         // f has returned, and goroutines are left that are parked
  };
  // Made by the runs themselves.
  failure(kind k, std::uint64_t seed, std::size_t count, const std::string& what)
      : std::runtime_error(what), kind_(k), seed_(seed), count_(count) {}

  kind what_failed() const noexcept { return kind_; }         // which of the two
  std::uint64_t seed() const noexcept { return seed_; }       // test::run with it fails again in the same way
  std::size_t goroutines() const noexcept { return count_; }  // how many are listed

 private:
  kind kind_;
  std::uint64_t seed_;
  std::size_t count_;
};

}  // namespace rove::test

namespace rove::detail {

using test_function = void (*)(void* f);
test::result test_run(std::uint64_t seed, test_function call, void* f);
std::size_t test_explore(std::uint64_t runs, std::uint64_t first_seed, test_function call, void* f);

template <class Call>
void call_test_function(void* call) {
  (*static_cast<Call*>(call))();
}

}  // namespace rove::detail

namespace rove::test {

// Runs f as the first goroutine of a runtime of its own, all of whose goroutines run on the calling thread. The same
// seed gives the same interleaving, if the program itself does nothing that differs between runs. What the seed
// decides: who of the runnable ones goes on, at each call that could park (whether or not it would have), at each start
// and each wake-up of a goroutine, and at yield; which ready case a select takes; when, among all that, the timers that
// are due do what they are for, and which first.
//
// Time is virtual: now(), sleeps, time limits, timers, tickers and deadlines of contexts go by a clock that starts at
// 946,684,800 s (midnight of 2000-01-01, as in Go's synctest) and stands still while anybody is runnable. When all are
// parked it jumps to the next timer. std::chrono's clocks are real, as ever: use rove::now().
//
// When f has returned and nobody is runnable, the run is over: goroutines that are parked then, sleeping ones too, are
// leaks, and a `failure`. What f throws is thrown here. Everybody parked and no timer: a `failure`, a deadlock. In all
// three cases the others are unwound first, and a line on stderr says which seed it was. A panic of another goroutine
// ends the program as ever, after that line. ROVE_TEST_SEED, if set, is taken instead of `seed`.
//
// On a plain thread; in a goroutine it panics ("rove: test::run called inside a goroutine"). Several threads may each
// have a run. Throws std::bad_alloc. Without exceptions a failure is fatal.
template <class F>
  requires std::invocable<F&>
result run(std::uint64_t seed, F&& f) {
  auto call = [&f] { std::invoke(f); };
  return detail::test_run(seed, detail::call_test_function<decltype(call)>, &call);
}

// run(seed, f) for `runs` seeds, beginning with `first_seed`; the first failure ends it, and is thrown. f is called
// once for each. Returns how many different interleavings there were. With ROVE_TEST_SEED set: one run, with that seed.
template <class F>
  requires std::invocable<F&>
std::size_t explore(std::uint64_t runs, F&& f, std::uint64_t first_seed = 1) {
  auto call = [&f] { std::invoke(f); };
  return detail::test_explore(runs, first_seed, detail::call_test_function<decltype(call)>, &call);
}

// Parks until every other goroutine of this run is parked and only the clock could go on: what they could do by now,
// they have done. Who waits for a descriptor or for a plain thread is not parked in this sense: it is waited for.
// Panics outside of a run ("rove: test::wait called outside of test::run") and while another goroutine waits so
// ("rove: test::wait called by two goroutines at once").
void wait();

// The seed of the run that the calling goroutine belongs to; 0 outside.
std::uint64_t seed() noexcept;

}  // namespace rove::test
