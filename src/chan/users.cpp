// Who uses a channel, and the report of a wait for those who are gone. Only in a build with debug_checks.
#include "src/chan/users.hpp"

#include "src/base/check.hpp"
#include "src/chan/core.hpp"
#include "src/os/os.hpp"

namespace rove::detail {
namespace {

// A timer's channel is served by whoever looks at it: nobody has to come.
bool is_deserted(const chan_core* c) { return !c->timer && c->users.left_to_caller(); }

[[noreturn]] void report(const chan_core* c) {
  base::fatal("rove: channel operation after its runtime stopped", "channel made by ", c->users.made_at());
}

}  // namespace

void noted_users::add() {
  if (!sched::is_plain_thread()) return goroutines_.store(true, std::memory_order_relaxed);      // relaxed: a note
  const std::uint64_t me = os::thread_id();
  std::uint64_t known = 0;
  if (threads_.compare_exchange_strong(known, me, std::memory_order_relaxed)) return;            // relaxed: a note
  if (known != me) add_unseen();
}

bool noted_users::left_to_caller() const {
  return sched::is_plain_thread() && goroutines_.load(std::memory_order_relaxed) &&              // relaxed: a note
         threads_.load(std::memory_order_relaxed) == os::thread_id() && !sched::anybody_left();  // relaxed: a note
}

void check_partners(const chan_core* c) {
  if (is_deserted(c)) report(c);
}

void check_partners(const select_waiter* cases, std::size_t n) {
  const chan_core* first = nullptr;
  for (std::size_t i = 0; i < n; ++i) {
    const auto* const c = static_cast<const chan_core*>(cases[i].object);
    if (!c) continue;
    if (!is_deserted(c)) return;
    if (!first) first = c;
  }
  if (first) report(first);
}

}  // namespace rove::detail
