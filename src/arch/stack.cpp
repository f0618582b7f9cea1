// The stacks' front door: size classes, and a pool for each.
#include "src/arch/stack.hpp"

#include <bit>

#include "src/arch/guards.hpp"
#include "src/arch/slab.hpp"
#include "src/arch/stack_pool.hpp"
#include "src/base/check.hpp"
#include "src/os/os.hpp"

#ifndef ROVE_STACK_SIZE
#define ROVE_STACK_SIZE (256 * 1024)
#endif

namespace rove::arch {
namespace {

constexpr int lowest_bit = std::countr_zero(smallest_stack);
constexpr int classes = std::countr_zero(largest_stack) - lowest_bit + 1;

constinit stack_pool pools[classes];

}  // namespace

void init_stacks(descriptor_type type) {
  if (!init_slabs(type)) return;
  guards.init(os::probe_guards(), os::mapping_limit());
}

std::uint8_t size_class_for(std::size_t bytes) {
  if (bytes == 0) bytes = ROVE_STACK_SIZE;
  if (bytes <= smallest_stack) return 0;
  if (bytes >= largest_stack) return classes - 1;
  return static_cast<std::uint8_t>(std::bit_width(bytes - 1) - lowest_bit);
}

std::size_t size_of_class(std::uint8_t size_class) { return smallest_stack << size_class; }

bool promise_stacks(std::uint8_t size_class, std::size_t count) {
  ROVE_CHECK(size_class < classes);
  return pools[size_class].promise(size_class, count);
}

void return_promises(std::uint8_t size_class, std::size_t count) { pools[size_class].return_promises(count); }

std::size_t take_stacks(std::uint8_t size_class, stack** list, std::size_t count) {
  ROVE_CHECK(size_class < classes);
  return pools[size_class].take(size_class, list, count);
}

void give_stacks(stack* first, stack* last, std::size_t count) {
  if (count != 0) pools[first->size_class].give(first, last, count);
}

std::size_t trim_stacks(std::size_t most) {
  std::size_t trimmed = 0;
  for (stack_pool& pool : pools) trimmed += pool.trim(most);
  return trimmed;
}

std::size_t trim_stacks_to(std::size_t keep, std::size_t most) {
  std::size_t trimmed = 0;
  for (stack_pool& pool : pools) trimmed += pool.trim_to(keep, most);
  return trimmed;
}

stack_statistics stack_stats() {
  stack_statistics sum{};
  for (std::uint32_t i = 0, n = slab_count(); i < n; ++i) {
    const slab* s = slab_at(i);
    std::uint32_t made = s->carved.load(std::memory_order_acquire);  // SLOT-PUBLISH
    sum.reserved += s->bytes;
    sum.slots += made;
    sum.resident += os::resident_memory(s, static_cast<std::size_t>(s->slot(made) - reinterpret_cast<const char*>(s)));
  }
  sum.unguarded = guards.unguarded();
  return sum;
}

}  // namespace rove::arch
