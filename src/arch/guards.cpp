// Guard pages within the system's limit of mappings.
#include "src/arch/guards.hpp"

namespace rove::arch {

constinit guard_policy guards;

void guard_policy::init(os::guard_kind kind, std::size_t mapping_limit) {
  kind_ = kind;
  limit_ = mapping_limit;
  mappings_.store(0, std::memory_order_relaxed);   // relaxed: before the first stack
  unguarded_.store(0, std::memory_order_relaxed);  // relaxed: before the first stack
}

void guard_policy::install(void* page, std::size_t bytes, std::uint32_t index) {
  bool guarded = kind_ == os::guard_kind::lightweight && os::install_guard(page, bytes, kind_) == 0;
  // A lightweight guard is refused in locked memory (mlockall): the other kind is not.
  if (!guarded && kind_ != os::guard_kind::none) guarded = install_by_mapping(page, bytes, index);
  if (!guarded) unguarded_.fetch_add(1, std::memory_order_relaxed);  // relaxed: statistics
}

bool guard_policy::install_by_mapping(void* page, std::size_t bytes, std::uint32_t index) {
  std::size_t used = mappings_.load(std::memory_order_relaxed);  // relaxed: a budget, a few too many do no harm
  bool own = used + 2 <= limit_ / 100 * share_of_each;
  bool first_of_group = index % group == 0 && used + 2 <= limit_ / 100 * share_of_groups;
  if (!own && !first_of_group) return false;
  if (os::install_guard(page, bytes, os::guard_kind::mapping) != 0) return false;
  mappings_.fetch_add(2, std::memory_order_relaxed);  // relaxed: as above
  return true;
}

}  // namespace rove::arch
