// Stacks: sizes, layout, reuse, guards, growth.
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <set>
#include <thread>

#include <rove/detail/config.hpp>

#include "test/arch/stack_fixture.hpp"

using namespace rove;
using stack_test::give;
using stack_test::of;
using stack_test::take;

namespace {
constexpr std::size_t KiB = 1024;
constexpr std::size_t MiB = 1024 * KiB;

std::uintptr_t number(const void* p) { return reinterpret_cast<std::uintptr_t>(p); }
}  // namespace

TEST_CASE("sizes are rounded up to powers of two", "[stack]") {
  auto rounded = [](std::size_t bytes) { return arch::size_of_class(arch::size_class_for(bytes)); };
  CHECK(rounded(1) == 16 * KiB);
  CHECK(rounded(16 * KiB) == 16 * KiB);
  CHECK(rounded(16 * KiB + 1) == 32 * KiB);
  CHECK(rounded(32 * KiB) == 32 * KiB);
  CHECK(rounded(100'000) == 128 * KiB);
  CHECK(rounded(1024 * MiB) == 1024 * MiB);
  CHECK(rounded(1024 * MiB - 1) == 1024 * MiB);
  CHECK(rounded(~std::size_t{0}) == 1024 * MiB);
  CHECK(rounded(0) >= 16 * KiB);
}

TEST_CASE("a stack has the size that was asked for, ends aligned and coloured", "[stack]") {
  stack_test::init();
  stack_test::init();  // nothing happens
  std::size_t page = os::page_size();
  auto all = take(64 * KiB, 64);
  REQUIRE(all.size() == 64);
  std::set<std::size_t> shifts;
  for (arch::stack* s : all) {
    std::size_t whole = (64 * KiB + page - 1) / page * page;
    CHECK(number(s->low) % page == 0);
    CHECK(number(s->top) % 64 == 0);
    CHECK(arch::size_of_class(s->size_class) == 64 * KiB);
    CHECK(s->trimmed);
    std::size_t shift = whole - static_cast<std::size_t>(s->top - s->low);
    CHECK(shift <= 15 * 192);
    CHECK(shift % 192 == 0);
    shifts.insert(shift);
    s->low[0] = s->top[-1] = 'x';
  }
  CHECK(shifts.size() == 16);
  give(all);
}

TEST_CASE("the largest and the smallest stack", "[stack]") {
  stack_test::init();
  for (std::size_t bytes : {std::size_t{1}, 1024 * MiB}) {
    auto all = take(bytes, 2);
    REQUIRE(all.size() == 2);
    for (arch::stack* s : all) s->low[0] = s->top[-1] = 'x';
    give(all);
  }
  arch::trim_stacks_to(0);
}

TEST_CASE("the stack given back last is taken first", "[stack]") {
  stack_test::init();
  auto all = take(32 * KiB, 8);
  give({all[0], all[1], all[2]});
  give({all[3]});
  give({all[4], all[5]});
  CHECK(take(32 * KiB, 1) == std::vector{all[4]});
  CHECK(take(32 * KiB, 3) == std::vector{all[5], all[3], all[0]});
  CHECK_FALSE(all[5]->trimmed);
  give({all[5]});
  CHECK(take(32 * KiB, 3) == std::vector{all[5], all[1], all[2]});
  give(all);
}

TEST_CASE("new stacks are made only when none is free", "[stack]") {
  stack_test::init();
  auto all = take(32 * KiB, 10);
  give({all[0], all[1]});
  std::size_t before = stack_test::constructed;
  arch::stack* list = nullptr;
  CHECK(arch::take_stacks(arch::size_class_for(32 * KiB), &list, 5) >= 2);
  CHECK(list == all[0]);
  CHECK(stack_test::constructed == before);
  CHECK(arch::take_stacks(arch::size_class_for(32 * KiB), &list, 0) == 0);
}

TEST_CASE("a stack is found by any address of its slot", "[stack]") {
  stack_test::init();
  auto all = take(128 * KiB, 70);
  for (arch::stack* s : all) {
    CHECK(arch::find_stack(s->low) == s);
    CHECK(arch::find_stack(s->top - 1) == s);
    CHECK(arch::find_stack(s->low + 50'000) == s);
    CHECK(arch::find_stack(s->low - 1) == s);
    CHECK(arch::find_stack(s->low - os::page_size()) == s);
    CHECK(arch::in_guard(s, s->low - 1));
    CHECK(arch::in_guard(s, s->low - os::page_size()));
    CHECK_FALSE(arch::in_guard(s, s->low));
    CHECK_FALSE(arch::in_guard(s, s->low - os::page_size() - 1));
  }
  int local = 0;
  CHECK(arch::find_stack(&local) == nullptr);
  CHECK(arch::find_stack(nullptr) == nullptr);
  CHECK(arch::find_stack(of(all[0])) == nullptr);
  give(all);
}

TEST_CASE("every stack has a guard that faults, and nothing else does", "[stack]") {
  stack_test::init();
  stack_test::prober probe;
  auto all = take(16 * KiB, 300);
  for (arch::stack* s : all) {
    CHECK(probe.guarded(s));
    CHECK(probe.readable(s->low));
    CHECK(probe.readable(s->top - 1));
  }
  give(all);
}

TEST_CASE("every descriptor is visited", "[stack]") {
  stack_test::init();
  auto all = take(512 * KiB, 100);
  std::set<arch::stack*> seen;
  arch::for_each_stack([](void* set, arch::stack* s) { static_cast<std::set<arch::stack*>*>(set)->insert(s); }, &seen);
  for (arch::stack* s : all) CHECK(seen.count(s) == 1);
  CHECK(seen.size() == arch::stack_stats().slots);
  CHECK(seen.size() == stack_test::constructed);
  give(all);
}

TEST_CASE("stacks are made, given back, trimmed and walked by many threads at once", "[stack]") {
  stack_test::init();
  std::atomic<int> wrong{0};
  std::atomic<bool> end{false};
  std::thread walker([&] {
    while (!end) {
      arch::for_each_stack(
          [](void* count, arch::stack* s) {
            bool whole = s->low != nullptr && s->top > s->low && arch::find_stack(s->low) == s;
            if (!whole) ++*static_cast<std::atomic<int>*>(count);
          },
          &wrong);
      arch::trim_stacks();
    }
  });
  std::vector<std::thread> users;
  for (int t = 1; t <= 3; ++t)
    users.emplace_back([&, t] {
      for (int round = 0; round < 200; ++round) {
        arch::stack* list = nullptr;
        auto wanted = static_cast<std::size_t>(1 + round % 7);
        std::size_t n = arch::take_stacks(arch::size_class_for(8 * MiB), &list, wanted);
        std::size_t length = 0;
        arch::stack* last = nullptr;
        for (arch::stack* s = list; s != nullptr; s = s->next_free, ++length) {
          if (of(s)->owner.exchange(t) != 0) ++wrong;
          s->top[-1] = static_cast<char>(t);
          last = s;
        }
        if (n == 0 || length != n) ++wrong;
        std::this_thread::yield();
        for (arch::stack* s = list; s != nullptr; s = s->next_free)
          if (s->top[-1] != t || of(s)->owner.exchange(0) != t) ++wrong;
        if (n != 0) arch::give_stacks(list, last, n);
      }
    });
  for (std::thread& t : users) t.join();
  end = true;
  walker.join();
  CHECK(wrong == 0);
}

TEST_CASE("a hundred thousand guarded stacks under the default limit of mappings", "[stack]") {
  stack_test::init();
  std::size_t before = arch::stack_stats().unguarded;
  auto all = take(256 * KiB, 100'000);
  REQUIRE(all.size() == 100'000);
  if (arch::guards.kind() == os::guard_kind::lightweight) {
    CHECK(arch::stack_stats().unguarded == before);
    stack_test::prober probe;
    std::size_t guarded = 0;
    for (arch::stack* s : all) guarded += probe.guarded(s);
    CHECK(guarded == all.size());
  } else {
    CHECK(arch::stack_stats().unguarded > before);
  }
  give(all);
}

TEST_CASE("a million stacks", "[stack]") {
  stack_test::init();
  std::size_t before = arch::stack_stats().slots;
  auto all = take(16 * KiB, 1'000'000);  // about half a second; an accident of another order meets the test's time
  CHECK(all.size() == 1'000'000);
  CHECK(arch::stack_stats().slots - before <= 1'000'000);
  give(all);
}
