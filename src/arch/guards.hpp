// Which stack gets a guard page of its own.
//
// A lightweight guard (MADV_GUARD_INSTALL) costs nothing but its time, so every stack has one. A guard made by
// mprotect(2) splits a mapping in two more, and a process may have only so many (vm.max_map_count, 65,530 by default):
// so every stack has one until the guards use `share_of_each` of that limit; after that only the first slot of each
// group of `group` has, up to `share_of_groups`; what is left belongs to the rest of the program. An overflow inside a
// group then runs into a neighbour's stack unseen: stack_stats().unguarded counts such slots.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "src/os/os.hpp"

namespace rove::arch {

class guard_policy {
 public:
  static constexpr std::size_t share_of_each = 40;    // per cent of the limit
  static constexpr std::size_t share_of_groups = 70;
  static constexpr std::uint32_t group = 64;

  // Before the first stack; a test calls it again to force one way.
  void init(os::guard_kind kind, std::size_t mapping_limit);

  // Guards the lowest page of slot number `index` of a slab, if it may. Any thread.
  void install(void* page, std::size_t bytes, std::uint32_t index);

  os::guard_kind kind() const { return kind_; }
  std::size_t unguarded() const { return unguarded_.load(std::memory_order_relaxed); }  // relaxed: statistics

 private:
  bool install_by_mapping(void* page, std::size_t bytes, std::uint32_t index);

  os::guard_kind kind_ = os::guard_kind::none;
  std::size_t limit_ = 0;
  std::atomic<std::size_t> mappings_{0};
  std::atomic<std::size_t> unguarded_{0};
};

extern guard_policy guards;

}  // namespace rove::arch
