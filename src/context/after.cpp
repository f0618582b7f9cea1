// Functions that are called when a context is cancelled. The essay is in node.hpp.
//
// Whoever sets `claimed` first decides what becomes of the function, and alone touches it from then on: the
// cancellation starts a goroutine with it, stop and giving up destroy it.
#include "src/context/node.hpp"

namespace rove::detail {
namespace {

// relaxed: it decides who; the lock of the list, or the handle, brought the function
bool claim(after_entry* e) { return !e->claimed.exchange(true, std::memory_order_relaxed); }

void run(void* self, bool run) {
  struct guard {
    after_entry* e;
    ~guard() { release_after_entry(e); }
  } g{static_cast<after_entry*>(self)};
  const std::unique_ptr<action> function = std::move(g.e->function);
  if (run) function->call();
}

// True: it was in the list, whose reference is the caller's now.
bool leave_list(after_entry* e) {
  if (!e->of) return false;
  os::hold h(e->of->lock);
  if (!e->attached) return false;
  e->attached = false;
  e->of->dependents.remove(e);
  return true;
}

// Into the list of the canceler. False: it is cancelled already.
bool join_list(after_entry* e) {
  if (!e->of) return true;
  os::hold h(e->of->lock);
  if (!e->of->is_live()) return false;
  if (e->of->gave_up) return true;
  e->attached = true;
  e->of->dependents.push_back(e);
  e->refs.fetch_add(1, std::memory_order_relaxed);  // CTX-HANDLES: relaxed, since the handle is one
  return true;
}

}  // namespace

void retain_after_entry(after_entry* e) noexcept {
  e->refs.fetch_add(1, std::memory_order_relaxed);  // CTX-HANDLES: relaxed, since the giver holds one
}

void release_after_entry(after_entry* e) noexcept {
  if (e->refs.fetch_sub(1, std::memory_order_acq_rel) != 1) return;  // CTX-HANDLES
  canceler* const of = e->of;
  delete e;
  release_context(of);
}

void start_after_entry(after_entry* e) {
  if (!claim(e)) return release_after_entry(e);
  if (!sched::start_in(e->home.get(), e->started_at, run, e)) run(e, false);
}

void drop_after_entry(after_entry* e) noexcept {
  if (claim(e))
    run(e, false);
  else
    release_after_entry(e);
}

bool stop_after_entry(after_entry* e) {
  if (!claim(e)) return false;
  if (leave_list(e)) release_after_entry(e);
  e->function.reset();
  return true;
}

after_entry* make_after_entry(context_node* n, std::unique_ptr<action> f) {
  sched::home_handle home(sched::current_home());
  if (!home.get()) throw_panic("rove: no runtime on this thread");
  auto* const e = new after_entry(std::move(home), __builtin_return_address(0), std::move(f));
  e->of = n ? n->cancels : nullptr;
  retain_context(e->of);
  if (!join_list(e)) {
    retain_after_entry(e);
    start_after_entry(e);
  }
  return e;
}

}  // namespace rove::detail
