// The pool of records of descriptors.
//
// Pairs. POLLABLES: release of a chunk of records by who made it, acquire by who was given a token into it.
#include "src/sched/pollable_pool.hpp"

#include <array>
#include <atomic>
#include <bit>
#include <new>

#include "src/os/lock.hpp"

namespace rove::sched {

namespace {

// Chunk c holds the records from 64 * (2^c - 1) on.
constexpr unsigned chunks = 24, first_chunk = 64;
std::array<std::atomic<pollable*>, chunks> table{};
os::lock pool_lock{os::rank::object};
pollable* free_records = nullptr;
unsigned made_chunks = 0;

unsigned chunk_of(std::uint32_t index) { return static_cast<unsigned>(std::bit_width(index / first_chunk + 1)) - 1; }
std::uint32_t begin_of(unsigned chunk) { return first_chunk * ((1u << chunk) - 1); }

}  // namespace

// Under pool_lock.
bool pollable_pool::grow_locked() {
  if (made_chunks == chunks) return false;
  const std::uint32_t count = first_chunk << made_chunks;
  auto* const records = new (std::nothrow) pollable[count];
  if (!records) return false;
  for (std::uint32_t i = count; i-- > 0;) {
    records[i].index_ = begin_of(made_chunks) + i;
    records[i].next_free_ = free_records;
    free_records = &records[i];
  }
  table[made_chunks++].store(records, std::memory_order_release);  // POLLABLES
  return true;
}

pollable* pollable_pool::take() {
  os::hold h(pool_lock);
  if (!free_records && !grow_locked()) return nullptr;
  pollable* const p = free_records;
  free_records = p->next_free_;
  return p;
}

void pollable_pool::give_back(pollable* p) {
  os::hold h(pool_lock);
  p->next_free_ = free_records;
  free_records = p;
}

pollable* pollable_pool::at(std::uint32_t index) {
  const unsigned c = chunk_of(index);
  return &table[c].load(std::memory_order_acquire)[index - begin_of(c)];  // POLLABLES
}

void pollable_pool::forget_poller(const netpoller* poller) {
  for (unsigned c = 0; c < chunks; ++c) {
    pollable* const records = table[c].load(std::memory_order_acquire);  // POLLABLES
    if (!records) return;
    for (std::uint32_t i = 0; i < first_chunk << c; ++i) records[i].forget_poller(poller);
  }
}

}  // namespace rove::sched
