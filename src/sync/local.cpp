// Where goroutine_locals are kept: in a list of the goroutine, which src/sched/birth.cpp takes down after the closure;
// and outside of goroutines in one of the thread.
#include <rove/detail/local.hpp>

#include <atomic>

#include "src/sched/park.hpp"

namespace rove::detail {
namespace {

std::atomic<std::uint64_t> last_key{0};

struct thread_locals {
  local_node* first = nullptr;
  ~thread_locals() {
    while (local_node* const n = first) {
      first = n->next;
      n->destroy(n);
    }
  }
};

// The one accessor of the thread-local. Opaque, so that no caller takes the address for constant and keeps it over a
// switch.
[[gnu::noinline]] local_node** first_of_thread() {
  static thread_local thread_locals here;
  asm volatile("");
  return &here.first;
}

local_node** first_here() {
  local_node** const first = sched::locals_of_current();
  return first ? first : first_of_thread();
}

}  // namespace

local_node* find_local(std::uint64_t key) {
  local_node* n = *first_here();
  while (n && n->key != key) n = n->next;
  return n;
}

void add_local(local_node* n) {
  local_node** const first = first_here();
  n->next = *first;
  *first = n;
}

std::uint64_t new_local_key() { return last_key.fetch_add(1, std::memory_order_relaxed) + 1; }  // relaxed: a number

}  // namespace rove::detail
