// Cancelling, and giving up. The essay is in node.hpp.
#include "src/context/node.hpp"
#include "src/sched/park.hpp"

namespace rove::detail {
namespace {

constexpr std::size_t batch = 32;          // taken off a list at once

// Things that were taken off a canceler's list, each with a count of its own.
struct handful {
  dependent* item[batch];
  std::size_t count = 0;
};

handful take_dependents(canceler* c) {
  handful taken;
  os::hold h(c->lock);
  while (taken.count < batch) {
    dependent* const d = c->dependents.pop_front();
    if (!d) break;
    d->attached = false;
    if (!d->is_context || try_retain(static_cast<canceler*>(d))) taken.item[taken.count++] = d;
  }
  return taken;
}

// A stack, or a list, of cancelers by next_work, and functions that go with them.
struct work {
  canceler* first = nullptr;
  void push(canceler* c) {
    c->next_work = first;
    first = c;
  }
  canceler* pop() {
    canceler* const c = first;
    if (c) first = c->next_work;
    return c;
  }
};

class cancellation {
 public:
  cancellation() = default;
  cancellation(const cancellation&) = delete;
  cancellation& operator=(const cancellation&) = delete;

  // Takes one reference if it is claimed.
  bool claim(canceler* c, errc why, std::error_code cause) {
    chan_core* done;
    {
      os::hold h(c->lock);
      if (!c->is_live()) return false;
      c->why = why;
      c->cause = cause;
      if (c->alarm) c->alarm->clear();
      done = c->done.load(std::memory_order_relaxed);  // relaxed: lock
      c->state.store(done ? cancel_state::canceling : cancel_state::canceled, std::memory_order_release);  // CTX-STATE
    }
    if (done) {
      chan_close(done);
      c->state.store(cancel_state::canceled, std::memory_order_release);  // CTX-STATE
    }
    stack_.push(c);
    return true;
  }

  void spread() {
    while (canceler* const c = stack_.first) {
      const handful below = take_dependents(c);
      if (below.count == 0) {
        stack_.pop();
        c->state.store(cancel_state::complete, std::memory_order_release);  // CTX-STATE
        finished_.push(c);
      }
      for (std::size_t i = 0; i < below.count; ++i) take_in(below.item[i], *c);
    }
  }

  // Everything is cancelled: what remains is the program's code.
  void finish() {
    while (dependent* const d = functions_.pop_front()) start_after_entry(static_cast<after_entry*>(d));
    while (canceler* const c = finished_.pop()) {
      std::stop_source source(std::nostopstate);
      {
        os::hold h(c->lock);
        source = c->source;
      }
      source.request_stop();
      release_context(c);
    }
    while (dependent* const d = finished_by_others_.pop_front()) release_context(static_cast<canceler*>(d));
  }

  static void wait_until_complete(const canceler* c) {
    while (c->state.load(std::memory_order_acquire) != cancel_state::complete)  // CTX-STATE
      sched::give_way();
  }

 private:
  void take_in(dependent* d, const canceler& above) {
    if (!d->is_context) return functions_.push_back(d);
    auto* const c = static_cast<canceler*>(d);
    if (claim(c, above.why, above.cause)) return;
    wait_until_complete(c);
    finished_by_others_.push_back(d);
  }

  work stack_, finished_;                      // claimed here: still to be looked through, and complete
  base::list<dependent> functions_, finished_by_others_;
};

}  // namespace

void cancel_for(canceler* c, errc why, std::error_code cause) {
  cancellation all;
  retain_context(c);
  if (!all.claim(c, why, cause)) {
    cancellation::wait_until_complete(c);
    return release_context(c);
  }
  all.spread();
  leave_list(c);
  all.finish();
}

void leave_list(canceler* c) noexcept {
  if (!c->above) return;
  os::hold h(c->above->lock);
  if (std::exchange(c->attached, false)) c->above->dependents.remove(c);
}

void attach(canceler* c) {
  canceler* const above = c->above;
  if (!above) return;
  {
    os::hold h(above->lock);
    if (above->is_live()) {
      if (above->gave_up) return;
      above->dependents.push_back(c);
      c->attached = true;
      c->chances.fetch_add(1, std::memory_order_relaxed);  // relaxed: nobody else knows it yet
      return;
    }
  }
  cancel_for(c, above->why, above->cause);
}

// Without chances a live canceler lets go of its functions, and of those below it.
void lose_chance(canceler* first) noexcept {
  work hopeless, visited;
  base::list<dependent> functions;
  const auto lose = [&](canceler* c) {
    return c->chances.fetch_sub(1, std::memory_order_acq_rel) == 1;  // CTX-HANDLES: the last sees what the others did
  };
  if (!lose(first)) return;
  retain_context(first);
  hopeless.push(first);
  while (canceler* const c = hopeless.pop()) {
    bool live;
    {
      os::hold h(c->lock);
      live = c->is_live();
      c->gave_up = live;
    }
    for (handful below; live && (below = take_dependents(c)).count > 0;)
      for (std::size_t i = 0; i < below.count; ++i) {
        dependent* const d = below.item[i];
        if (!d->is_context)
          functions.push_back(d);
        else if (auto* const child = static_cast<canceler*>(d); lose(child))
          hopeless.push(child);
        else
          release_context(child);
      }
    visited.push(c);
  }
  while (dependent* const d = functions.pop_front()) drop_after_entry(static_cast<after_entry*>(d));
  while (canceler* const c = visited.pop()) release_context(c);
}

}  // namespace rove::detail
