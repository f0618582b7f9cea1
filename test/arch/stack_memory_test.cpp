// Stacks and the system's limits: mappings, address space, memory that goes back.
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <fstream>

#include <rove/detail/config.hpp>

#include "test/arch/stack_fixture.hpp"

using namespace rove;
using stack_test::forced_guards;
using stack_test::give;
using stack_test::take;

namespace {

constexpr std::size_t KiB = 1024;

void touch(const std::vector<arch::stack*>& all) {
  for (arch::stack* s : all) s->top[-1] = 'x';
}

std::size_t resident(const std::vector<arch::stack*>& all) {
  std::size_t sum = 0;
  for (arch::stack* s : all) sum += os::resident_memory(s->low, static_cast<std::size_t>(s->top - s->low));
  return sum / os::page_size();
}

// Runs the body in a child and returns its exit status; -1 if a signal ended it.
template <class F>
int in_child(F body) {
  pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) _exit(body());
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("guards by mprotect stay within their share of the mappings", "[stack]") {
  stack_test::init();
  forced_guards forced(os::guard_kind::mapping, 2000);
  stack_test::prober probe;
  auto all = take(64 * KiB, 64 + 128 + 256 + 512 + 1024 * 32);  // whole slabs, so that the groups can be told
  std::size_t guarded = 0, first_bare = all.size(), guarded_after = 0, wrong = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    bool is = probe.guarded(all[i]);
    guarded += is;
    if (!is && first_bare == all.size()) first_bare = i;
    if (is && i > first_bare) {
      ++guarded_after;
      wrong += i % 64 != 0;  // slabs are multiples of a group
    }
    wrong += !probe.readable(all[i]->low);
  }
  CHECK(wrong == 0);
  CHECK(first_bare == 400);      // two mappings each, 40 % of 2000
  CHECK(guarded_after == 300);   // the first of each group, up to 70 %
  CHECK(arch::stack_stats().unguarded == all.size() - guarded);
  touch(all);
  give(all);
}

TEST_CASE("a hundred thousand stacks with mprotect alone leave mappings for the rest of the program", "[stack]") {
  stack_test::init();
  forced_guards forced(os::guard_kind::mapping, os::mapping_limit());
  auto all = take(128 * KiB, 100'000);
  CHECK(all.size() == 100'000);
  void* other = mmap(nullptr, 4 * os::page_size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(other != MAP_FAILED);
  CHECK(mprotect(static_cast<char*>(other) + os::page_size(), os::page_size(), PROT_READ) == 0);
  munmap(other, 4 * os::page_size());
  give(all);
}

TEST_CASE("a guard that the system refuses is counted, not ignored", "[stack]") {
  stack_test::init();
  forced_guards forced(os::guard_kind::none, 0);
  auto all = take(32 * KiB, 10);
  CHECK(arch::stack_stats().unguarded == 10);
  touch(all);
  give(all);
}

TEST_CASE("in locked memory, where a lightweight guard is refused, a stack still has one", "[stack]") {
  stack_test::init();
  int status = in_child([] {
    if (mlockall(MCL_FUTURE | MCL_ONFAULT) != 0) return 0;  // not allowed to
    auto all = take(1024 * KiB, 64);
    if (all.size() != 64) return 20;
    stack_test::prober probe;
    for (arch::stack* s : all)
      if (!probe.guarded(s)) return 21;
    touch(all);
    return 0;
  });
  CHECK(status == 0);
}

TEST_CASE("a trim gives back half of what was not needed since the last", "[stack]") {
  stack_test::init();
  arch::trim_stacks_to(0);         // what other tests left
  stack_test::prober probe;
  auto all = take(2048 * KiB, 1000);
  REQUIRE(all.size() == 1000);
  touch(all);
  CHECK(resident(all) == 1000);
  give(all);
  CHECK(arch::trim_stacks() == 0);  // a period begins
  CHECK(resident(all) == 1000);
  auto used = take(2048 * KiB, 200);
  give(used);                      // the low-water mark of this period is 800
  CHECK(arch::trim_stacks() == 400);
  CHECK(resident(all) == 600);
  CHECK(arch::trim_stacks() == 300);  // of the 400 that were left, and of the 200, which were not used since either
  CHECK(resident(all) == 300);
  CHECK(arch::trim_stacks(100) == 100);
  CHECK(resident(all) == 200);
  for (int i = 0; i < 10; ++i) arch::trim_stacks();
  CHECK(resident(all) == 0);
  std::size_t guarded = 0;
  for (arch::stack* s : all) guarded += probe.guarded(s);
  CHECK(guarded == (arch::guards.kind() == os::guard_kind::none ? 0u : 1000u));
  auto again = take(2048 * KiB, 1000);
  CHECK(again.size() == 1000);
  std::size_t trimmed = 0;
  for (arch::stack* s : again) trimmed += s->trimmed && s->top[-1] == 0;
  CHECK(trimmed == 1000);
  give(again);
}

TEST_CASE("the hottest keep their pages and are taken first", "[stack]") {
  stack_test::init();
  auto all = take(4096 * KiB, 100);
  touch(all);
  give(all);
  std::size_t reserved = arch::stack_stats().reserved;
  CHECK(arch::trim_stacks_to(10, 30) >= 30);
  CHECK(resident(all) == 70);
  CHECK(arch::trim_stacks_to(10) >= 60);
  CHECK(arch::stack_stats().reserved == reserved);
  CHECK(resident({all.begin(), all.begin() + 10}) == 10);
  CHECK(resident({all.begin() + 10, all.end()}) == 0);
  auto again = take(4096 * KiB, 11);
  CHECK(std::vector(again.begin(), again.begin() + 10) == std::vector(all.begin(), all.begin() + 10));
  CHECK(again[10]->trimmed);
  give(again);
  arch::trim_stacks_to(0);
  CHECK(resident(all) == 0);
}

TEST_CASE("statistics count what is reserved and what is resident", "[stack]") {
  stack_test::init();
  arch::stack_statistics before = arch::stack_stats();
  auto all = take(16384 * KiB, 50);
  touch(all);
  arch::stack_statistics after = arch::stack_stats();
  CHECK(after.slots - before.slots == 50);
  CHECK(after.reserved - before.reserved >= 50 * 16384 * KiB);
  CHECK(after.resident - before.resident >= 50 * os::page_size());
  CHECK(after.resident - before.resident <= 70 * os::page_size());
  give(all);
}

#if !ROVE_SANITIZED  // a sanitizer's shadow needs more address space than the limit leaves
TEST_CASE("without address space there are no more stacks, and no crash", "[stack]") {
  stack_test::init();
  int status = in_child([] {
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    rlimit limit;
    limit.rlim_cur = limit.rlim_max = pages * os::page_size() + 200 * 1024 * KiB;
    rlimit real = limit;
    if (setrlimit(RLIMIT_AS, &limit) != 0 || getrlimit(RLIMIT_AS, &real) != 0) return 10;
    if (real.rlim_cur != limit.rlim_cur) return 0;  // qemu-user does not pass it on
    auto all = take(8192 * KiB, 1000);
    if (all.size() == 1000) return 11;
    if (all.size() < 15) return 12;  // smaller and smaller slabs use what there is
    arch::stack* list = nullptr;
    if (arch::take_stacks(arch::size_class_for(8192 * KiB), &list, 3) != 0) return 13;
    if (arch::take_stacks(arch::size_class_for(1 << 30), &list, 1) != 0) return 14;
    touch(all);
    give(all);
    return take(8192 * KiB, all.size()) == all ? 0 : 15;
  });
  CHECK(status == 0);
}
#endif
