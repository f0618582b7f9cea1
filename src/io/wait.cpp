// Waiting for a descriptor that somebody else owns.
//
// It cannot be given to the runtime's poller itself: that would take it once, for one waiter a side, and somebody must
// take it back before its owner closes it, whom we do not know. So each wait makes a watch of its own (os::open_watch),
// a descriptor that can be polled in its place, and gives that to the poller. A try comes first, which costs one system
// call.
#include <rove/go.hpp>
#include <rove/io.hpp>

#include <cerrno>

#include <rove/detail/deadline.hpp>

#include "src/io/errors.hpp"
#include "src/os/files.hpp"
#include "src/os/socket.hpp"
#include "src/sched/blocking.hpp"
#include "src/sched/netpoll.hpp"
#include "src/sched/timers.hpp"

namespace rove::io {
namespace {

static_assert(readable.bits() == os::poll_readable && writable.bits() == os::poll_writable);

int wait_on_thread(int descriptor, int wanted, os::nanoseconds limit) {
  sched::count_outside_wakers(1);
  const int ready = os::poll_descriptor(descriptor, wanted, limit);
  sched::count_outside_wakers(-1);
  return ready == 0 ? sched::io_timed_out : ready;
}

struct watch {
  sched::pollable* p;
  ~watch() { p->release(); }
};

int wait_parked(int descriptor, int wanted, os::nanoseconds limit) {
  const int number = os::open_watch(descriptor, wanted);
  if (number < 0) return number == -EPERM ? wanted : number;
  const watch w{sched::pollable::adopt(number, false)};
  if (!w.p) {
    os::close_descriptor(number);
    return -ENOMEM;
  }
  w.p->set_deadline(true, false, limit);
  sched::io_turn turn(w.p, sched::side::read);
  if (turn.error()) return turn.error();
  for (;;) {  // until it is ready: somebody else may have been faster
    if (const int error = turn.wait()) return error;
    if (const int ready = os::poll_descriptor(descriptor, wanted, 0)) return ready;
  }
}

}  // namespace

events wait(int descriptor, events wanted, time_point deadline, std::error_code& ec) {
  constexpr os::nanoseconds at_once = 0;
  const os::nanoseconds limit = detail::deadline_at(deadline);
  int ready = os::poll_descriptor(descriptor, wanted.bits(), at_once);
  if (ready == 0) {
    if (limit <= sched::now())
      ready = sched::io_timed_out;
    else
      ready = this_goroutine::id() != 0 ? wait_parked(descriptor, wanted.bits(), limit)
                                          : wait_on_thread(descriptor, wanted.bits(), limit);
  }
  ec = error_of(ready);
  return ready > 0 ? events(ready) : events();
}

events wait(int descriptor, events wanted, std::error_code& ec) { return wait(descriptor, wanted, never, ec); }

events wait(int descriptor, events wanted, time_point deadline) {
  std::error_code ec;
  const events ready = wait(descriptor, wanted, deadline, ec);
  if (ec) detail::throw_system_error(ec, "rove::io::wait");
  return ready;
}

}  // namespace rove::io
