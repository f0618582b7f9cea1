// Sleeping and waking threads, and the clock they go by.
#include <errno.h>
#include <limits.h>

#include <atomic>
#include <thread>
#include <vector>

#include "src/os/os.hpp"
#include "test/catch.hpp"

using namespace rove;

namespace {
constexpr os::nanoseconds millisecond = 1'000'000;

std::uint32_t* address(std::atomic<std::uint32_t>& word) { return reinterpret_cast<std::uint32_t*>(&word); }
}  // namespace

TEST_CASE("the steady clock moves on", "[os]") {
  os::nanoseconds a = os::now();
  std::uint64_t t = os::ticks();
  while (os::now() < a + millisecond) {
  }
  CHECK(os::now() > a);
  CHECK(os::ticks() > t);
}

TEST_CASE("a futex whose word differs does not sleep", "[os]") {
  std::uint32_t word = 1;
  CHECK(os::futex_wait(&word, 0) == 0);
}

TEST_CASE("a futex waits until its deadline", "[os]") {
  std::uint32_t word = 0;
  os::nanoseconds start = os::now();
  int result = 0;
  // It may return early. One that took the deadline for another clock's or for a duration would wait for hours.
  while (result == 0) result = os::futex_wait(&word, 0, start + 20 * millisecond);
  CHECK(result == -ETIMEDOUT);
  CHECK(os::now() - start >= 20 * millisecond);
}

TEST_CASE("a deadline that is past is over at once", "[os]") {
  std::uint32_t word = 0;
  CHECK(os::futex_wait(&word, 0, os::now() - 1) == -ETIMEDOUT);
  CHECK(os::futex_wait(&word, 0, 0) == -ETIMEDOUT);
  CHECK(os::futex_wait(&word, 0, -5) == -ETIMEDOUT);
  CHECK(os::futex_wait(&word, 0, INT64_MIN) == -ETIMEDOUT);
}

TEST_CASE("a wake ends a wait", "[os]") {
  std::atomic<std::uint32_t> word{0};
  std::thread sleeper([&] {
    while (word.load() == 0) os::futex_wait(address(word), 0);
  });
  std::thread timed([&] {
    while (word.load() == 0) os::futex_wait(address(word), 0, os::now() + 3600'000 * millisecond);
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  word.store(1);
  os::futex_wake(address(word), INT_MAX);
  sleeper.join();
  timed.join();
}

TEST_CASE("a wake says how many it woke, and wakes no more than asked", "[os]") {
  std::atomic<std::uint32_t> word{0};
  CHECK(os::futex_wake(address(word), 1) == 0);
  std::vector<std::thread> sleepers;
  for (int i = 0; i < 3; ++i)
    sleepers.emplace_back([&] {
      while (word.load() == 0) os::futex_wait(address(word), 0);
    });
  int woken = 0;
  while (woken == 0) woken = os::futex_wake(address(word), 1);  // they go back to sleep: the word is 0 still
  CHECK(woken == 1);
  word.store(1);
  os::futex_wake(address(word), INT_MAX);
  for (std::thread& t : sleepers) t.join();
}

TEST_CASE("a wake at an address that is gone does nothing", "[os]") {
  void* page = os::reserve_memory(os::page_size());
  REQUIRE(page != nullptr);
  os::release_memory(page, os::page_size());
  CHECK(os::futex_wake(static_cast<std::uint32_t*>(page), 1) == 0);
}

TEST_CASE("the largest deadline is never", "[os]") {
  std::atomic<std::uint32_t> word{0};
  std::thread sleepers[2];
  os::nanoseconds deadlines[2] = {os::never, os::never - 1};
  for (int i = 0; i < 2; ++i)
    sleepers[i] = std::thread([&, i] {
      while (word.load() == 0) os::futex_wait(address(word), 0, deadlines[i]);
    });
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  word.store(1);
  os::futex_wake(address(word), INT_MAX);
  for (std::thread& t : sleepers) t.join();
}
