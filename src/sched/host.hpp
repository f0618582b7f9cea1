// What the scheduler knows of a host's thread: a place to put goroutines. It calls it by this interface alone, so that
// a program without hosts links none of it. The essay is in host.cpp.
#pragma once

#include "src/os/os.hpp"
#include "src/sched/goroutine.hpp"
#include "src/sched/host_gate.hpp"

namespace rove::sched {

struct trace_track_base;                       // trace.hpp

class host_queue {
 public:
  virtual ~host_queue() = default;

  // A goroutine that is on this host has become runnable. Any thread, with no lock held. It may run before this
  // returns.
  virtual void push(goroutine* g) = 0;
  // Runs what is runnable here on the calling thread until then. False: nothing was.
  virtual bool drive(os::nanoseconds until) = 0;
  // The runtime goes away; returns when nobody is in `push` or `drive` any more. The host may be gone then.
  virtual void leave_runtime() = 0;
  virtual scheduler* home() = 0;               // null: it is gone

  // A goroutine that nobody runs is on this host from now on.
  void adopt(goroutine* g) {
    residents_.come();
    g->flags |= goroutine::flag_hosted | goroutine::flag_blocking;
    g->blocking_depth = 1;
    g->host = this;
    g->near = goroutine::far;
  }
  // It is on its host no more. Nobody runs it, or itself at its end.
  static void release(goroutine* g) {
    host_queue* const h = g->host;
    g->flags &= ~(goroutine::flag_hosted | goroutine::flag_blocking);
    g->blocking_depth = 0;
    g->host = nullptr;
    h->residents_.leave();
  }

  trace_track_base* track = nullptr;           // where a trace notes what runs here; set once, under the trace's lock
  // ---- under the scheduler's lock
  host_queue* next = nullptr;                  // of its runtime's
  unsigned visitors = 0;                       // threads that look at all hosts and are at this one

 protected:
  host_residents<> residents_;                 // goroutines that are on this host
};

}  // namespace rove::sched
