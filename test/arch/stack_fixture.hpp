// What the tests of stacks share: a descriptor type, and questions about memory.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <new>
#include <vector>

#include "src/arch/guards.hpp"
#include "src/arch/stack.hpp"
#include "src/os/os.hpp"
#include "test/catch.hpp"

namespace stack_test {

// The stack part is not at the descriptor's front, as in a goroutine.
struct alignas(64) part_before {
  std::uint64_t number = 0;
  std::atomic<int> owner{0};
};
struct descriptor : part_before, rove::arch::stack {};
static_assert(sizeof(descriptor) % 64 == 0);

inline std::atomic<std::size_t> constructed{0};

inline void init() {
  rove::arch::init_stacks({sizeof(descriptor), [](void* memory) -> rove::arch::stack* {
                             ++constructed;
                             return new (memory) descriptor;
                           }});
}

inline descriptor* of(rove::arch::stack* s) { return static_cast<descriptor*>(s); }

// Takes `count` of them, in as many goes as it needs; the list's order.
inline std::vector<rove::arch::stack*> take(std::size_t bytes, std::size_t count) {
  std::vector<rove::arch::stack*> all;
  while (all.size() < count) {
    rove::arch::stack* list = nullptr;
    std::size_t n = rove::arch::take_stacks(rove::arch::size_class_for(bytes), &list, count - all.size());
    if (n == 0) break;
    for (; n != 0; --n, list = list->next_free) all.push_back(list);
    REQUIRE(list == nullptr);
  }
  return all;
}

inline void give(const std::vector<rove::arch::stack*>& all) {
  for (std::size_t i = 1; i < all.size(); ++i) all[i - 1]->next_free = all[i];
  if (!all.empty()) rove::arch::give_stacks(all.front(), all.back(), all.size());
}

// The kernel's opinion: writing from an address that faults gives EFAULT.
class prober {
 public:
  prober() { REQUIRE(pipe2(ends_, O_CLOEXEC | O_NONBLOCK) == 0); }
  ~prober() {
    close(ends_[0]);
    close(ends_[1]);
  }
  bool readable(const void* address) {
    ssize_t n = write(ends_[1], address, 1);
    if (n == -1) return errno != EFAULT;
    char byte;
    return read(ends_[0], &byte, 1) == 1;
  }
  bool guarded(const rove::arch::stack* s) {
    return !readable(s->low - 1) && !readable(s->low - rove::os::page_size());
  }

 private:
  int ends_[2];
};

// Forces the way guards are made for new stacks, and goes back to the system's own at the end.
class forced_guards {
 public:
  forced_guards(rove::os::guard_kind kind, std::size_t limit) { rove::arch::guards.init(kind, limit); }
  ~forced_guards() { rove::arch::guards.init(rove::os::probe_guards(), rove::os::mapping_limit()); }
};

}  // namespace stack_test
