// What a goroutine, or a thread outside of them, keeps of goroutine_locals: a list of values, the newest first.
#pragma once

#include <cstdint>

namespace rove::detail {

struct local_node {
  local_node* next;
  std::uint64_t key;                           // whose value it is
  void (*destroy)(local_node*);
};

local_node* find_local(std::uint64_t key);     // of the running goroutine, or the thread; null: none yet
void add_local(local_node* n);
std::uint64_t new_local_key();                 // never reused

}  // namespace rove::detail
