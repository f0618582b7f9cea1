// Starts a goroutine and returns when it waits: what it is in is known then, without a guess at how long that takes.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "src/sched/goroutine.hpp"
#include "src/sched/registry.hpp"
#include "test/support/fixture.hpp"

namespace rove_test {

// Is it parked, where others can wake it?
inline bool is_parked(std::uint64_t id) {
  struct search {
    std::uint64_t id;
    bool parked;
  } wanted{id, false};
  rove::sched::for_each_goroutine(
      [](void* argument, rove::sched::goroutine* g) {
        auto* const s = static_cast<search*>(argument);
        if (g->id.load() == s->id) s->parked = g->state.load() == rove::sched::goroutine_state::waiting;
      },
      &wanted);
  return wanted.parked;
}

// Starts `f` and returns when it waits in its first call that can: no time passes for that, and others may do as they
// like meanwhile. (The runtime's statistics would not do: they are no one moment's truth.)
template <class F>
void go_parked(F f) {
  std::atomic<std::uint64_t> id{0};
  rove::go([&id, f = std::move(f)]() mutable {
    id = rove::this_goroutine::id();
    f();
  });
  eventually([&id] { return id != 0 && is_parked(id); });
}

}  // namespace rove_test
