// Descriptors lie in blocks that double in size, found by index without a search.
//
// Pairs. REGISTRY: release of `made` after a descriptor was constructed, acquire by walkers.
#include "src/sched/registry.hpp"

#include <bit>
#include <new>

#include "src/os/lock.hpp"
#include "src/os/os.hpp"
#include "src/sched/inspect.hpp"

namespace rove::sched {
namespace {

constexpr std::size_t first_block = 1024;
constexpr std::size_t blocks = 24;         // 17 thousand million goroutines

os::lock registry_lock{os::rank::descriptors};
base::chain<goroutine> dead;               // under the lock
goroutine* block[blocks];                  // written under the lock, published by `made`
std::atomic<std::size_t> made{0};

// Block k holds first_block << k descriptors and begins with index first_block * (2^k - 1).
std::size_t block_of(std::size_t index) { return std::bit_width(index / first_block + 1) - 1; }

goroutine* at(std::size_t index) {
  const std::size_t k = block_of(index);
  return block[k] + (index - first_block * ((std::size_t{1} << k) - 1));
}

// What a debugger has to know of goroutines where the library carries no debug information: tools/rove-gdb.py finds it
// by its name. A change of its fields is a new version.
struct debug_view {
  std::uint32_t version, pointer_size, goroutine_size, first_block;
  std::uint32_t sp, pc, fp, base, id, state, reason, flags, name, stack, started_at, stack_low, stack_top;
  std::uint32_t unborn, reason_count;
  goroutine* const* block;
  const std::atomic<std::size_t>* made;
  const std::string_view* reasons;
};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winvalid-offsetof"  // a goroutine begins with its context, says every ABI
[[gnu::used]] constinit const debug_view view asm("rove_debug_view") = {
    1, sizeof(void*), sizeof(goroutine), first_block,
    offsetof(goroutine, sp), offsetof(goroutine, pc), offsetof(goroutine, fp), offsetof(goroutine, base),
    offsetof(goroutine, id), offsetof(goroutine, state), offsetof(goroutine, reason), offsetof(goroutine, flags),
    offsetof(goroutine, name), offsetof(goroutine, stack), offsetof(goroutine, started_at),
    offsetof(arch::stack, low), offsetof(arch::stack, top),
    goroutine::flag_unborn, reason_count,
    block, &made, reason_texts,
};
#pragma GCC diagnostic pop

bool make_one_locked() {
  asm volatile("" : : "r"(&view));  // so that the linker keeps it
  const std::size_t index = made.load(std::memory_order_relaxed);  // relaxed: lock
  const std::size_t k = block_of(index);
  if (k >= blocks) return false;
  if (!block[k]) block[k] = static_cast<goroutine*>(os::reserve_memory((first_block << k) * sizeof(goroutine), memory_kind::goroutines));
  if (!block[k]) return false;
  dead.push_back(new (at(index)) goroutine);
  made.store(index + 1, std::memory_order_release);                // REGISTRY
  return true;
}

}  // namespace

base::chain<goroutine> take_descriptors(std::size_t count) {
  base::chain<goroutine> taken;
  os::hold h(registry_lock);
  while (taken.count < count && (!dead.empty() || make_one_locked())) taken.push_back(dead.pop_front());
  return taken;
}

void give_descriptors(base::chain<goroutine> chain) {
  os::hold h(registry_lock);
  chain.append(dead);
  dead = chain;
}

void for_each_goroutine(void (*visit)(void*, goroutine*), void* argument) {
  const std::size_t n = made.load(std::memory_order_acquire);      // REGISTRY
  for (std::size_t i = 0; i < n; ++i) visit(argument, at(i));
}

}  // namespace rove::sched
