// A host's own thread as a place where goroutines run: calls that belong on the main thread (rendering, windows) are
// made there by goroutines, while all other work is done by the runtime's workers.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include <rove/detail/switch.hpp>
#include <rove/go.hpp>
#include <rove/runtime.hpp>

namespace rove {

namespace sched {
class host_queue;
}

namespace detail {
// Where a goroutine goes on, and where it was before; null: on a worker.
struct host_move {
  departure away;
  sched::host_queue* before;
};
host_move move_to_host(sched::host_queue* to);       // panics, or ends the goroutine
departure move_back(sched::host_queue* to) noexcept; // for a destructor: stays where it is if the runtime ends
}  // namespace detail

// A thread of the program on which goroutines of `rt` run while it polls: those that were started there (go_on), and
// those that came by switch_to. All others run on the runtime's workers, which go on meanwhile; no processor is taken
// from them. The host is whichever thread polls first, and no other may poll it afterwards.
//
// A goroutine on a host stays there whatever it waits for. What blocks its thread (what is inside `rove::blocking`,
// too) blocks the host. A goroutine that waits for its host's poll is no deadlock.
//
// When the runtime ends, goroutines on a host are ended like all others; those that the host does not poll meanwhile
// are unwound on the thread that stops the runtime. So stop it on the host's thread if they own what belongs there.
// Destroying a host while goroutines are on it is fatal ("rove: host destroyed while goroutines are on it"): after
// runtime::stop there are none. A host may outlive its runtime; then nothing runs on it any more.
// Both may end at the same time.
class host {
 public:
  // `on_work` is called when a goroutine becomes runnable here while nobody polls, and by a poll whose time was over
  // before all had run: poll soon. On any thread and any stack, with no lock held; it must not call rove, nor throw.
  // Any thread may make a host.
  explicit host(runtime& rt, std::function<void()> on_work = {});
  ~host();
  host(const host&) = delete;
  host& operator=(const host&) = delete;

  // Runs goroutines on the calling thread until none is runnable here or `budget` is spent; 0: one of them. Says
  // whether anything ran. It does not wait for goroutines to become runnable; one that computes for longer than the
  // budget is waited for. Panics in a goroutine ("rove: poll called inside a goroutine") and on a second thread ("rove:
  // host polled by another thread").
  template <class Rep, class Period>
  bool poll(const std::chrono::duration<Rep, Period>& budget) {
    return poll_until(detail::deadline_after(budget));
  }

  // Goroutines that are runnable here and wait for a poll. Any thread.
  std::size_t runnable() const;

  sched::host_queue* queue() const { return queue_.get(); }  // the library's own

 private:
  bool poll_until(std::int64_t when);

  std::unique_ptr<sched::host_queue> queue_;
};

// The running goroutine goes on on the host's thread, as soon as that polls. Nothing happens if it is there already.
// Parks. Panics on a plain thread, inside `blocking`, in a goroutine that holds lock_os_thread, and if the host belongs
// to another runtime.
ROVE_ALWAYS_INLINE void switch_to(host& h) {
  const detail::departure d = detail::move_to_host(h.queue()).away;
  if (d.to) detail::depart(d);
}

// It goes on on one of the runtime's workers. Nothing happens if it is on no host. Parks. Panics as switch_to does.
ROVE_ALWAYS_INLINE void switch_back() {
  const detail::departure d = detail::move_to_host(nullptr).away;
  if (d.to) detail::depart(d);
}

// Goes on on the host's thread in its constructor, and back to where the goroutine was before (a worker, another host)
// in its destructor; it may be nested. At the end of the runtime the destructor stays where it is. Panics as switch_to
// does.
class on_host {
 public:
  // Goes there. Parks, unless the goroutine is there already.
  explicit on_host(host& h) {
    const detail::host_move m = detail::move_to_host(h.queue());
    before_ = m.before;
    if (m.away.to) detail::depart(m.away);
  }
  ~on_host() {
    const detail::departure d = detail::move_back(before_);
    if (d.to) detail::depart(d);
  }
  on_host(const on_host&) = delete;
  on_host& operator=(const on_host&) = delete;

 private:
  sched::host_queue* before_;
};

// Starts a goroutine of the host's runtime that runs on the host's thread alone: f, and the end of its closure. From
// any thread; otherwise as rove::go. `go(options{.on = &h}, f)` is the same.
template <class F, class... Args>
  requires std::invocable<std::decay_t<F>, std::decay_t<Args>...>
void go_on(host& h, F&& f, Args&&... args) {
  const options o{.on = &h};
  detail::start_goroutine(&o, nullptr, std::forward<F>(f), std::forward<Args>(args)...);
}

// The same with a result, as rove::spawn.
template <class F, class... Args>
  requires std::invocable<std::decay_t<F>, std::decay_t<Args>...>
[[nodiscard]] auto spawn_on(host& h, F&& f, Args&&... args) {
  const options o{.on = &h};
  return detail::spawn_task(&o, nullptr, std::forward<F>(f), std::forward<Args>(args)...);
}

}  // namespace rove
