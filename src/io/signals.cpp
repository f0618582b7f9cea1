// Signals for channels: who wants which, and the thread that hands them out.
//
// The handler (os::catch_signal) notes a signal and wakes the thread `rove-signals`, which there is as long as somebody
// subscribes. It takes what was noted and tries to send it to each channel that wants it; goroutines of any runtime and
// plain threads receive. All that happens under one mutex, as do subscribing and stopping, so after `stop` nothing more
// is sent. Nothing in it waits: try_send does not. (A std::mutex and not the library's: a goroutine that is being ended
// would walk through that one, and a subscription's destructor must not.)
//
// A signal that came just before the last subscription to it stopped was meant for that one: `stop` puts the old
// disposition back first, takes what was noted until then, hands it out, and only then takes the subscription off the
// list.
//
// Stopping a thread: it is told by its own flag and joined by who took it out of the registry. A new one may start
// meanwhile; both may then take what was noted, under the mutex.
//
// Pairs. SIGNALS-STOP: release by who stops the thread, acquire by the thread: it looks at nothing of the registry's
// any more.
#include <rove/run.hpp>
#include <rove/signals.hpp>

#include <cerrno>
#include <memory>
#include <mutex>
#include <new>

#include "src/base/list.hpp"
#include "src/os/signals.hpp"
#include "src/sched/blocking.hpp"

namespace rove::signals {
namespace detail {

struct record {
  send_chan<int> channel;
  std::uint64_t wanted = 0;
  record* next = nullptr;
  record* prev = nullptr;
};

}  // namespace detail

namespace {

using detail::record;

struct distributor {
  os::thread_handle thread;
  std::atomic<bool> stopping{false};
};

class registry {
 public:
  // With an error nothing is caught; the record is in the list, unless there is no thread.
  int add(record* r, bool& listed);
  void remove(record* r, bool caught);
  void distribute(const distributor& self);

 private:
  int start_locked();
  int catch_all_locked(std::uint64_t wanted);
  void release_locked(std::uint64_t signals);
  void hand_out_locked() noexcept;

  std::mutex mutex_;
  base::list<record> records_;
  int subscribers_[os::most_signals + 1] = {};
  distributor* distributor_ = nullptr;
};

// Never destroyed: a subscription may outlive static objects.
union immortal {
  constexpr immortal() : value() {}
  ~immortal() {}
  registry value;
};
constinit immortal the_registry;

void run_distributor(void* self) { the_registry.value.distribute(*static_cast<distributor*>(self)); }

template <class Call>
void for_each_signal(std::uint64_t set, Call call) {
  for (int signal = 1; signal <= os::most_signals; ++signal)
    if (set & os::signal_bit(signal)) call(signal);
}

// ---- the thread ----------------------------------------------------------------------------------------------------

void registry::distribute(const distributor& self) {
  for (;;) {
    const std::uint32_t ticket = os::signal_ticket();
    {
      const std::lock_guard hold(mutex_);
      hand_out_locked();
    }
    if (self.stopping.load(std::memory_order_acquire)) return;  // SIGNALS-STOP
    os::wait_for_signals(ticket);
  }
}

// noexcept: a panic here, of a channel that was closed, is the program's.
void registry::hand_out_locked() noexcept {
  for_each_signal(os::take_signals(), [&](int signal) {
    for (record* r = records_.front(); r; r = r->next)
      if (r->wanted & os::signal_bit(signal)) r->channel.try_send(signal);
  });
}

int registry::start_locked() {
  if (distributor_) return 0;
  auto fresh = std::unique_ptr<distributor>(new (std::nothrow) distributor);
  if (!fresh) return -ENOMEM;
  if (const int error = os::start_thread(fresh->thread, "rove-signals", run_distributor, fresh.get())) return error;
  distributor_ = fresh.release();
  return 0;
}

// ---- subscribing ---------------------------------------------------------------------------------------------------

// All or, with an error, none.
int registry::catch_all_locked(std::uint64_t wanted) {
  int error = 0;
  std::uint64_t caught = 0;
  for_each_signal(wanted, [&](int signal) {
    if (error) return;
    error = subscribers_[signal] == 0 ? os::catch_signal(signal) : 0;
    if (error) return;
    ++subscribers_[signal];
    caught |= os::signal_bit(signal);
  });
  if (error) release_locked(caught);
  return error;
}

void registry::release_locked(std::uint64_t signals) {
  for_each_signal(signals, [&](int signal) {
    if (--subscribers_[signal] == 0) os::release_signal(signal);
  });
}

int registry::add(record* r, bool& listed) {
  const std::lock_guard hold(mutex_);
  if (const int error = start_locked()) return error;
  listed = true;
  records_.push_back(r);  // first: what is caught from now on finds it
  return catch_all_locked(r->wanted);
}

void registry::remove(record* r, bool caught) {
  distributor* last = nullptr;
  {
    const std::lock_guard hold(mutex_);
    if (caught) release_locked(r->wanted);
    hand_out_locked();
    records_.remove(r);
    if (records_.empty()) last = std::exchange(distributor_, nullptr);
  }
  if (!last) return;
  last->stopping.store(true, std::memory_order_release);  // SIGNALS-STOP
  os::break_signal_wait();
  blocking([&] { os::join_thread(last->thread); });
  delete last;
}

}  // namespace

subscription notify(send_chan<int> ch, std::span<const int> signals, std::error_code& ec) {
  if (!ch) rove::detail::throw_panic("os/signal: Notify using nil channel");
  ec.clear();
  auto r = std::make_unique<record>();
  r->channel = std::move(ch);
  for (const int signal : signals) {
    if (signal < 1 || signal > os::most_signals) {
      ec = std::make_error_code(std::errc::invalid_argument);
      return {};
    }
    r->wanted |= os::signal_bit(signal);
  }
  sched::count_outside_wakers(1);
  bool listed = false;
  const int error = the_registry.value.add(r.get(), listed);
  if (error == 0) return subscription(r.release());
  if (listed) the_registry.value.remove(r.get(), false);
  sched::count_outside_wakers(-1);
  ec = {-error, std::system_category()};
  return {};
}

subscription notify(send_chan<int> ch, std::span<const int> signals) {
  std::error_code ec;
  subscription s = notify(std::move(ch), signals, ec);
  if (ec) rove::detail::throw_system_error(ec, "rove::signals::notify");
  return s;
}

void subscription::stop() noexcept {
  const std::unique_ptr<record> r(std::exchange(record_, nullptr));
  if (!r) return;
  the_registry.value.remove(r.get(), true);
  sched::count_outside_wakers(-1);
}

}  // namespace rove::signals
