// Taking stacks, giving them back, giving their pages back.
#include "src/arch/stack_pool.hpp"

#include <algorithm>
#include <cstdlib>

#include "src/os/os.hpp"

namespace rove::arch {
namespace {

constexpr std::uint32_t first_slots = 64;            // of a size's first slab
constexpr std::uint32_t most_slots = 4096;
constexpr std::size_t largest_slab = std::size_t{1} << 30;
constexpr std::size_t trimmed_at_once = 256;

std::uint32_t slot_limit(std::uint8_t size_class) {
  return static_cast<std::uint32_t>(std::min<std::size_t>(most_slots, largest_slab / size_of_class(size_class)));
}

std::size_t page_end(std::size_t address) {
  std::size_t page = os::page_size();
  return (address + page - 1) / page * page;
}

// Gives the pages of these stacks back, those of neighbours by one call: the guard between two is not harmed by it.
void discard(stack** stacks, std::size_t count) {
  std::qsort(stacks, count, sizeof(stack*), [](const void* a, const void* b) {
    const char* const low_a = (*static_cast<stack* const*>(a))->low;
    const char* const low_b = (*static_cast<stack* const*>(b))->low;
    return low_a < low_b ? -1 : low_a > low_b;
  });
  for (std::size_t i = 0; i < count;) {
    char* start = stacks[i]->low;
    char* end;
    do {
      end = reinterpret_cast<char*>(page_end(reinterpret_cast<std::uintptr_t>(stacks[i]->top)));
      stacks[i++]->trimmed = true;
    } while (i < count && stacks[i]->low == end + os::page_size());
    os::discard_memory(start, static_cast<std::size_t>(end - start));
  }
}

}  // namespace

void stack_list::push_front(stack* first, stack* last, std::size_t count) {
  last->next_free = first_;
  if (first_ == nullptr) last_ = last;
  first_ = first;
  size_ += count;
}

void stack_list::push_front(stack_list& other) {
  if (other.size_ != 0) push_front(other.first_, other.last_, other.size_);
  other = {};
}

stack* stack_list::pop_front(std::size_t count, stack** last) {
  stack* first = first_;
  stack* end = first;
  count = std::min(count, size_);
  for (std::size_t i = 1; i < count; ++i) end = end->next_free;
  first_ = end->next_free;
  if (first_ == nullptr) last_ = nullptr;
  size_ -= count;
  end->next_free = nullptr;
  *last = end;
  return first;
}

stack_list stack_list::split_after(std::size_t count) {
  stack_list rest = *this;
  *this = {};
  if (count == 0 || rest.size_ == 0) return rest;
  std::size_t kept = std::min(count, rest.size_);
  stack* last;
  stack* first = rest.pop_front(kept, &last);
  push_front(first, last, kept);
  return rest;
}

std::size_t stack_pool::take(std::uint8_t size_class, stack** list, std::size_t count) {
  std::size_t taken = 0;
  if (count == 0) return 0;
  os::hold held(lock_);
  *list = take_free_locked(count, &taken);
  if (taken == 0) *list = carve_locked(size_class, count, &taken);
  return taken;
}

stack* stack_pool::take_free_locked(std::size_t count, std::size_t* taken) {
  stack* first = nullptr;
  stack* end = nullptr;
  for (stack_list* from : {&hot_, &cold_, &trimmed_}) {
    if (from->size() == 0 || *taken == count) continue;
    std::size_t n = std::min(count - *taken, from->size());
    stack* last;
    stack* part = from->pop_front(n, &last);
    (end == nullptr ? first : end->next_free) = part;
    end = last;
    *taken += n;
  }
  return first;
}

// Slabs grow: a small program does not take a gigabyte of address space, a large one does not take a thousand maps.
bool stack_pool::grow_locked(std::uint8_t size_class) {
  const std::uint32_t limit = slot_limit(size_class);
  slab* const s = make_slab(size_class, next_slots_ == 0 ? std::min(first_slots, limit) : next_slots_);
  if (s == nullptr) return false;
  next_slots_ = std::min(limit, s->slot_count * 2);
  capacity_ += s->slot_count;
  (last_slab_ == nullptr ? slab_ : last_slab_->next_to_carve) = s;
  last_slab_ = s;
  return true;
}

stack* stack_pool::carve_locked(std::uint8_t size_class, std::size_t count, std::size_t* taken) {
  while (slab_ != nullptr && slab_->uncarved() == 0) {
    slab_ = slab_->next_to_carve;
    if (slab_ == nullptr) last_slab_ = nullptr;
  }
  if (slab_ == nullptr && !grow_locked(size_class)) return nullptr;
  *taken = std::min<std::size_t>(count, slab_->uncarved());
  return carve_slab(slab_, static_cast<std::uint32_t>(*taken));
}

bool stack_pool::promise(std::uint8_t size_class, std::size_t count) {
  os::hold held(lock_);
  while (promised_ + count > capacity_)
    if (!grow_locked(size_class)) return false;
  promised_ += count;
  return true;
}

void stack_pool::return_promises(std::size_t count) {
  os::hold held(lock_);
  promised_ -= count;
}

void stack_pool::give(stack* first, stack* last, std::size_t count) {
  if (count == 0) return;
  for (stack* s = first; s != last; s = s->next_free) s->trimmed = false;
  last->trimmed = false;
  os::hold held(lock_);
  hot_.push_front(first, last, count);
}

std::size_t stack_pool::trim_cold(std::size_t count) {
  std::size_t done = 0;
  while (done < count) {
    stack* batch[trimmed_at_once];
    std::size_t n;
    {
      os::hold held(lock_);
      n = std::min({count - done, cold_.size(), trimmed_at_once});
      if (n == 0) break;
      stack* last;
      stack* s = cold_.pop_front(n, &last);
      for (std::size_t i = 0; i < n; ++i, s = s->next_free) batch[i] = s;
    }
    discard(batch, n);
    for (std::size_t i = 1; i < n; ++i) batch[i - 1]->next_free = batch[i];
    os::hold held(lock_);
    trimmed_.push_front(batch[0], batch[n - 1], n);
    done += n;
  }
  return done;
}

std::size_t stack_pool::trim(std::size_t most) {
  std::size_t unused;
  {
    os::hold held(lock_);
    unused = cold_.size();
  }
  std::size_t done = trim_cold(std::min((unused + 1) / 2, most));
  os::hold held(lock_);
  cold_.push_front(hot_);
  return done;
}

std::size_t stack_pool::trim_to(std::size_t keep, std::size_t most) {
  std::size_t surplus;
  {
    os::hold held(lock_);
    cold_.push_front(hot_);
    stack_list all = cold_;
    cold_ = all.split_after(keep);
    hot_ = all;
    surplus = cold_.size();
  }
  return trim_cold(std::min(surplus, most));
}

}  // namespace rove::arch
