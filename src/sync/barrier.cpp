// The barrier's slow paths.
//
// state_ counts down to zero; who brings it there runs the completion function while nobody else may arrive, and begins
// the next phase with the bucket's lock held: in the same critical section all who wait for the old one leave the
// queue. One that sees the new phase without waiting may go and destroy the barrier, which is not touched after that
// store. An arrival is an exchange that counts only what is expected (not a subtraction that is undone): one too many
// leaves the phase alone, also while the next one begins.
//
// Pairs. BARRIER-PHASE: release of each arrival with the acquire of the last one; release of the next phase with the
//        acquire of those who wait.
#include <rove/sync/barrier.hpp>

#include <rove/error.hpp>

#include "src/sched/park.hpp"
#include "src/sync/parking.hpp"

namespace rove::detail {

using sync::parking_bucket;

void barrier_core::too_many(std::uint32_t dropped) {
  dropped_.fetch_sub(dropped, std::memory_order_relaxed);                         // relaxed: undone
  throw_panic("rove: barrier: more arrived than expected");
}

void barrier_core::next_phase() {
  base::list<waiter> granted;
  parking_bucket& b = parking_bucket::of(this);
  b.lock().lock();
  expected_ -= dropped_.exchange(0, std::memory_order_relaxed);  // relaxed: before an arrival of this phase
  b.quiet.grant_all(sync::key_of(this, sync::kind::barrier), granted);
  const auto next = static_cast<std::uint32_t>(phase() + 1);
  state_.store(static_cast<std::uint64_t>(next) << 32 | expected_, std::memory_order_release);  // BARRIER-PHASE
  b.lock().unlock();
  sync::wake_all(granted);
}

void barrier_core::wait_slow(std::uint32_t old) const {
  if (ending.load(std::memory_order_relaxed) && end_check()) return;              // relaxed: a hint
  waiter w;
  sync::prepare(w, this, sync::kind::barrier);
  parking_bucket& b = parking_bucket::of(this);
  b.lock().lock();
  if (phase() != old) return b.lock().unlock();
  b.quiet.push_back(&w);
  if (sched::wait(w, wait_reason::barrier, b.lock()) == outcome::ended) sched::unwind_current();
}

}  // namespace rove::detail
