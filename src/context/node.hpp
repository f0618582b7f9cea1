// What stands behind contexts: nodes that can be cancelled, and functions to be called then.
//
// Who owns whom. Everybody counts upwards: a node holds its parent, a function that waits holds the node it waits for,
// handles hold what they name. Downwards there are only lists without counts: a *canceler* knows the cancelers and the
// functions right below it, which leave its list, under its lock, before they go. So memory has no cycles, except that
// a function which waits keeps its canceler, whose list it is in. That one is cut where nobody is left who could
// cancel: each canceler counts its `chances` (cancel functions, a deadline, a stop token, a canceler above that has
// chances itself), and without any it gives up: it drops its functions and takes a chance from each of those below it.
//
// Problem. Cancelling goes down a tree that others add to, take from and cancel at the same time, which may be a
// million wide or deep. It must not recurse, nor hold one node's lock inside another's; and when it returns, all below
// is cancelled.
//
// Invariant. A canceler's state only grows: live, canceling (its channel is being closed), canceled (err() says so),
// complete (all below it is canceled too). Who takes it from live to canceling, under its lock, has *claimed* it and
// brings it to complete. Something is added to its list only while it is live.
//
// Steps. cancel:  1 claim: state, reason; clear the alarm; close the channel; state = canceled; push it on a stack.
//                 2 the top of the stack: take a few off its list under its lock, each with a count of its own (one
//                   whose count is 0 already is going away by itself). Claim those; who claimed one before brings it to
//                   complete, so wait for that. None left in the list: complete, off the stack.
//                 3 the stack is empty: leave the list above. Not before: a cancellation from there has to wait for
//                   this one. Then start the functions, ask the stop sources to stop, give the counts back. Only here
//                   does the program's code run.
//        derive:  under the parent's lock: live: into the list. Else: cancelled at once, for the parent's reason.
// The wait in 2 cannot be a circle: what one waits for was claimed by a cancellation that began right there, lower in
// the tree than the one that waits.
//
// Rejected: a lock for the tree (requests of one server would all meet there); recursion as in Go (our stacks do not
// grow); waiters that look at all their ancestors instead of being told (err() would cost as much as the tree is deep).
//
// Pairs. CTX-HANDLES: release and acquire of a node's count: who frees it sees what all others did.
//        CTX-STATE: release of the state with the acquire that sees it: the reason is there, the channel closed.
//        CTX-DONE: release of the channel's address, acquire by who receives from it.
#pragma once

#include <rove/context.hpp>

#include "src/base/list.hpp"
#include "src/os/lock.hpp"
#include "src/sched/timers.hpp"
#include "src/time/alarm.hpp"

namespace rove::detail {

// What is in a canceler's list.
struct dependent {
  explicit dependent(bool context) : is_context(context) {}
  dependent* next = nullptr;
  dependent* prev = nullptr;
  const bool is_context;
  bool attached = false;                   // in the list; under the lock of the list's owner
};

enum class cancel_state : std::uint8_t { live, canceling, canceled, complete };

struct canceler : context_node, dependent {
  explicit canceler(context_node* parent_node);

  bool is_live() const { return state.load(std::memory_order_relaxed) == cancel_state::live; }  // relaxed: lock

  os::lock lock{os::rank::object};
  std::atomic<cancel_state> state{cancel_state::live};
  errc why = errc::canceled;               // written before `state`
  bool gave_up = false;                    // nobody can cancel it; under the lock
  std::atomic<std::uint32_t> chances{1};   // a cancel function
  std::error_code cause;                   // written before `state`
  std::int64_t deadline = never_ns;        // its own or one above
  canceler* above = nullptr;               // whose list it may be in; held through the parent
  std::atomic<chan_core*> done{nullptr};   // set under the lock
  base::list<dependent> dependents;        // under the lock
  std::stop_source source{std::nostopstate};  // under the lock
  time::alarm* alarm = nullptr;            // of the deadline; guarded by the lock
  canceler* next_work = nullptr;           // on the stack of whoever claimed it
};

// A function that is to be called when its context is cancelled.
struct after_entry : dependent {
  after_entry(sched::home_handle h, void* at, std::unique_ptr<action> f)
      : dependent(false), home(std::move(h)), started_at(at), function(std::move(f)) {}

  std::atomic<std::uint32_t> refs{1};      // handles, the list, the goroutine
  std::atomic<bool> claimed{false};        // stopped, dropped or started: by whoever sets it
  canceler* of = nullptr;                  // counted
  const sched::home_handle home;
  void* const started_at;
  std::unique_ptr<action> function;        // the claimer's
};

// Counts one more unless it is going away.
inline bool try_retain(context_node* n) noexcept {
  std::uint32_t refs = n->refs.load(std::memory_order_relaxed);  // relaxed: the exchange decides
  while (refs != 0)
    if (n->refs.compare_exchange_weak(refs, refs + 1, std::memory_order_relaxed)) return true;  // CTX-HANDLES
  return false;
}

// Cancels it, unless it is already; returns when all below it is cancelled. The caller holds a reference.
void cancel_for(canceler* c, errc why, std::error_code cause);
// Into the list of the canceler above, or cancelled with it.
void attach(canceler* c);
void leave_list(canceler* c) noexcept;
void lose_chance(canceler* c) noexcept;
void leave_tree(canceler* c) noexcept;             // nobody refers to it any more: before its memory goes

// Both do nothing if it is claimed already, and take one reference in any case.
void start_after_entry(after_entry* e);
void drop_after_entry(after_entry* e) noexcept;    // destroys the function

}  // namespace rove::detail
