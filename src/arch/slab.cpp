// Slabs: mapping them, carving stacks, finding a stack by address. The protocol is in slab.hpp.
#include "src/arch/slab.hpp"

#include <new>

// Valgrind then takes a switch for a switch. The header asks nothing of who builds or runs the library.
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(low, high) static_cast<void>(low)
#endif

#include "src/arch/guards.hpp"
#include "src/base/check.hpp"
#include "src/os/lock.hpp"
#include "src/os/os.hpp"

namespace rove::arch {
namespace {

// Enough for 60 million small stacks, or 16 TiB of the largest; it takes memory only as far as it is used.
constexpr std::uint32_t most_slabs = 16 * 1024;

constinit std::atomic<slab*> table[most_slabs];
constinit std::atomic<std::uint32_t> count{0};
constinit os::lock growth{os::rank::slabs};  // of the table

constinit descriptor_type type{};

std::size_t round_up(std::size_t bytes, std::size_t unit) { return (bytes + unit - 1) / unit * unit; }

slab* map_slab(std::uint8_t size_class, std::uint32_t slots) {
  std::size_t page = os::page_size();
  std::size_t slot_bytes = page + round_up(size_of_class(size_class), page);
  std::size_t front = round_up(sizeof(slab) + slots * type.descriptor_size, page);
  std::size_t bytes = front + slots * slot_bytes;
  void* start = os::reserve_memory(bytes);
  if (start == nullptr) return nullptr;
  auto* s = new (start) slab;
  s->slots = static_cast<char*>(start) + front;
  s->slot_bytes = slot_bytes;
  s->bytes = bytes;
  s->slot_count = slots;
  s->size_class = size_class;
  return s;
}

bool publish(slab* s) {
  os::hold held(growth);
  std::uint32_t n = count.load(std::memory_order_relaxed);  // relaxed: changes under the lock only
  if (n == most_slabs) return false;
  table[n].store(s, std::memory_order_relaxed);             // relaxed: published by the count
  count.store(n + 1, std::memory_order_release);            // SLAB-PUBLISH
  return true;
}

stack* carve_slot(slab* s, std::uint32_t i) {
  char* memory = reinterpret_cast<char*>(s + 1) + i * type.descriptor_size;
  stack* made = type.construct(memory);
  auto offset = static_cast<std::uint32_t>(reinterpret_cast<char*>(made) - memory);
  if (i == 0) s->stack_offset = offset;
  ROVE_CHECK(offset == s->stack_offset);
  std::size_t page = os::page_size();
  made->low = s->slot(i) + page;
  made->top = s->slot(i) + s->slot_bytes - i % colours * colour_step;
  made->size_class = s->size_class;
  made->trimmed = true;
  guards.install(s->slot(i), page, i);
  VALGRIND_STACK_REGISTER(made->low, s->slot(i) + s->slot_bytes - 1);  // some instructions, once for each stack
  return made;
}

}  // namespace

stack* slab::descriptor(std::uint32_t i) const {
  char* first = reinterpret_cast<char*>(const_cast<slab*>(this) + 1);
  return reinterpret_cast<stack*>(first + i * type.descriptor_size + stack_offset);
}

std::uint32_t slab::uncarved() const {
  return slot_count - carved.load(std::memory_order_relaxed);  // relaxed: changes under the caller's lock only
}

bool init_slabs(descriptor_type wanted) {
  ROVE_CHECK(wanted.descriptor_size % alignof(stack) == 0 && wanted.descriptor_size >= sizeof(stack));
  if (type.construct != nullptr) {
    ROVE_CHECK(type.construct == wanted.construct && type.descriptor_size == wanted.descriptor_size);
    return false;
  }
  type = wanted;
  return true;
}

slab* make_slab(std::uint8_t size_class, std::uint32_t slots) {
  for (; slots != 0; slots /= 2) {
    slab* s = map_slab(size_class, slots);
    if (s == nullptr) continue;
    if (publish(s)) return s;
    os::release_memory(s, s->bytes);
    break;
  }
  return nullptr;
}

stack* carve_slab(slab* s, std::uint32_t n) {
  std::uint32_t first = s->carved.load(std::memory_order_relaxed);  // relaxed: changes under the caller's lock only
  stack* list = nullptr;
  stack** end = &list;
  for (std::uint32_t i = first; i < first + n; ++i) {
    *end = carve_slot(s, i);
    end = &(*end)->next_free;
  }
  *end = nullptr;
  s->carved.store(first + n, std::memory_order_release);            // SLOT-PUBLISH
  return list;
}

std::uint32_t slab_count() { return count.load(std::memory_order_acquire); }         // SLAB-PUBLISH
slab* slab_at(std::uint32_t i) { return table[i].load(std::memory_order_relaxed); }  // relaxed: after SLAB-PUBLISH

void for_each_stack(void (*visit)(void* argument, stack* s), void* argument) {
  for (std::uint32_t i = 0, n = slab_count(); i < n; ++i) {
    slab* s = slab_at(i);
    std::uint32_t made = s->carved.load(std::memory_order_acquire);  // SLOT-PUBLISH
    for (std::uint32_t k = 0; k < made; ++k) visit(argument, s->descriptor(k));
  }
}

stack* find_stack(const void* address) {
  auto wanted = reinterpret_cast<std::uintptr_t>(address);
  for (std::uint32_t i = 0, n = slab_count(); i < n; ++i) {
    slab* s = slab_at(i);
    auto start = reinterpret_cast<std::uintptr_t>(s->slots);
    if (wanted < start || wanted - start >= s->slot_count * s->slot_bytes) continue;
    auto k = static_cast<std::uint32_t>((wanted - start) / s->slot_bytes);
    return k < s->carved.load(std::memory_order_acquire) ? s->descriptor(k) : nullptr;  // SLOT-PUBLISH
  }
  return nullptr;
}

bool in_guard(const stack* s, const void* address) {
  auto at = reinterpret_cast<std::uintptr_t>(address);
  auto low = reinterpret_cast<std::uintptr_t>(s->low);
  return at < low && at >= low - os::page_size();
}

}  // namespace rove::arch
