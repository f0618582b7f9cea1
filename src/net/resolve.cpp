// Names become addresses: the system's resolver, on threads of its own.
//
// Problem. getaddrinfo blocks for seconds, cannot be stopped, and must hold up neither a processor nor the end of
// whoever waits: a deadline, a cancellation, the goroutine's end.
//
// A *lookup* is shared by who asks and by the thread that works on it; the last of the two frees it. It has a lock, and
// under it `done`, and those who wait. Who gives up takes its waiter off and lets go of the lookup; the thread then
// finishes, finds nobody, and lets go too. So the thread never touches a frame of the one who asked.
//
// The threads: each takes lookups from one queue until that is empty, and ends. There are no more than `most_threads`,
// so that a dead name server costs waiting and not thousands of threads; a lookup that nobody wants any more by the
// time its turn comes is skipped. They are detached and use static memory that is never destroyed, so the process may
// end at any time.
#include <rove/address.hpp>
#include <rove/context.hpp>
#include <rove/run.hpp>

#include <errno.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <stop_token>

#include "src/base/list.hpp"
#include "src/os/lock.hpp"
#include "src/sched/blocking.hpp"
#include "src/sched/park.hpp"

namespace rove::net {
namespace {

constexpr int most_threads = 64;

struct lookup {
  explicit lookup(std::string_view name) : host(name) {}

  const std::string host;
  std::vector<address> found;          // written before `done`, by the thread
  std::error_code error;
  os::lock lock{os::rank::object};
  bool done = false;                   // under the lock, as what follows
  bool canceled = false;               // nobody wants it any more; who waits stops waiting
  base::list<detail::waiter> waiters;  // one at most
  std::shared_ptr<lookup> next;        // in the queue of the threads
};

std::error_code error_of(int status, int number) {
  switch (status) {
    case 0: return {};
    case EAI_NONAME:
#ifdef EAI_NODATA
    case EAI_NODATA:
#endif
#ifdef EAI_ADDRFAMILY
    case EAI_ADDRFAMILY:
#endif
      return address_errc::no_such_host;
    case EAI_AGAIN: return address_errc::temporary_failure;
    case EAI_MEMORY: return std::make_error_code(std::errc::not_enough_memory);
    case EAI_SYSTEM: return {number, std::system_category()};
    default: return address_errc::lookup_failed;
  }
}

// On a thread of the resolver's.
void ask_system(lookup& l) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;  // else each address comes once for every kind of socket
  addrinfo* list = nullptr;
  const int status = getaddrinfo(l.host.c_str(), nullptr, &hints, &list);
  l.error = error_of(status, errno);
  if (status != 0) return;
  for (const addrinfo* i = list; i != nullptr; i = i->ai_next) {
    const address a = address::from_native(i->ai_addr, i->ai_addrlen);
    if (a && std::find(l.found.begin(), l.found.end(), a) == l.found.end()) l.found.push_back(a);
  }
  freeaddrinfo(list);
  if (l.found.empty()) l.error = address_errc::no_such_host;
}

// Who waits goes on.
void wake_asker(lookup& l, bool lookup::*why, detail::outcome result) {
  detail::waiter* w;
  {
    os::hold h(l.lock);
    l.*why = true;
    w = l.waiters.pop_front();
    if (w != nullptr) w->result = result;
  }
  if (w != nullptr) sched::wake(w);
}

void finish(lookup& l) { wake_asker(l, &lookup::done, detail::outcome::granted); }
void cancel(lookup& l) { wake_asker(l, &lookup::canceled, detail::outcome::canceled); }

bool is_wanted(lookup& l) {
  os::hold h(l.lock);
  return !l.canceled;
}

// ---- the threads ---------------------------------------------------------------------------------------------------

// Each goes on until the queue is empty. They keep what they wake from being taken for a deadlock.
class thread_pool {
 public:
  void work_on(const std::shared_ptr<lookup>& l) {
    sched::count_outside_wakers(1);
    os::thread_handle thread;
    if (!put(l)) return;
    const auto body = [](void* self) { static_cast<thread_pool*>(self)->work(); };
    if (os::start_thread(thread, "rove-resolve", body, this) == 0) return os::detach_thread(thread);
    blocking([&] { work(); });  // the system refuses a thread; then the caller is it
  }

 private:
  void work() {
    while (const std::shared_ptr<lookup> l = take()) {
      if (is_wanted(*l)) ask_system(*l);
      finish(*l);
      sched::count_outside_wakers(-1);
    }
  }

  // Queues it; true: there is to be one thread more, which the caller starts.
  bool put(const std::shared_ptr<lookup>& l) {
    os::hold h(lock_);
    (last_ != nullptr ? last_->next : first_) = l;
    last_ = l.get();
    if (threads_ >= most_threads) return false;
    ++threads_;
    return true;
  }

  // What to work on next; null: the calling thread is to end.
  std::shared_ptr<lookup> take() {
    os::hold h(lock_);
    std::shared_ptr<lookup> l = std::move(first_);
    if (l == nullptr) {
      --threads_;
      return l;
    }
    first_ = std::move(l->next);
    if (first_ == nullptr) last_ = nullptr;
    return l;
  }

  os::lock lock_{os::rank::object};
  std::shared_ptr<lookup> first_;
  lookup* last_ = nullptr;
  int threads_ = 0;
};

union immortal {
  constexpr immortal() : pool() {}
  ~immortal() {}
  thread_pool pool;
};
constinit immortal the_threads;

// ---- who asks ------------------------------------------------------------------------------------------------------

bool unlink_asker(detail::waiter* w, detail::outcome why) {
  auto& l = *static_cast<lookup*>(w->object);
  os::hold h(l.lock);
  if (w->result != detail::outcome::pending) return false;
  l.waiters.remove(w);
  w->result = why;
  return true;
}

// Waits for it to be done; whatever else happens, it is not wanted any more afterwards.
detail::outcome await(lookup& l, os::nanoseconds limit) {
  if (detail::ending.load(std::memory_order_relaxed) && detail::end_check())  // relaxed: end_check looks closer
    return detail::outcome::timed_out;
  detail::waiter w;
  sched::prepare(w, &l, unlink_asker);
  l.lock.lock();
  if (l.done || l.canceled) {
    const bool done = l.done;
    l.lock.unlock();
    return done ? detail::outcome::granted : detail::outcome::canceled;
  }
  l.waiters.push_back(&w);
  return sched::wait(w, detail::wait_reason::io_wait, l.lock, limit);
}

// Needs no asking: a literal address, or what cannot be a name.
bool known(std::string_view host, std::vector<address>& found, std::error_code& ec) {
  if (const address literal = address::parse_ip(host, 0, ec)) {
    found.push_back(literal);
    return true;
  }
  if (ec != address_errc::invalid_address) return true;
  ec.clear();
  if (host.empty() || host.find('\0') != host.npos) ec = address_errc::no_such_host;
  return static_cast<bool>(ec);
}

std::vector<address> resolve_until(std::string_view host, os::nanoseconds limit, const std::stop_token& stop,
                                   std::error_code& ec) {
  std::vector<address> found;
  if (known(host, found, ec)) return found;
  if (limit <= sched::now()) {
    ec = errc::deadline_exceeded;
    return found;
  }
  const auto l = std::make_shared<lookup>(host);
  the_threads.pool.work_on(l);
  struct canceler {
    lookup& l;
    void operator()() const { cancel(l); }
  };
  std::optional<std::stop_callback<canceler>> on_stop(std::in_place, stop, canceler{*l});
  const detail::outcome how = await(*l, limit);
  if (how == detail::outcome::granted) {
    ec = l->error;
    return std::move(l->found);
  }
  cancel(*l);
  on_stop.reset();  // the frame may be abandoned
  if (how == detail::outcome::ended) sched::unwind_current();
  ec = how == detail::outcome::canceled ? errc::canceled : errc::deadline_exceeded;
  return found;
}

std::vector<address> or_throw(std::vector<address>&& found, const std::error_code& ec) {
  if (ec) detail::throw_system_error(ec, "rove::net::resolve");
  return std::move(found);
}

}  // namespace

std::vector<address> resolve(std::string_view host, std::error_code& ec) {
  return resolve_until(host, os::never, {}, ec);
}

std::vector<address> resolve(std::string_view host) {
  std::error_code ec;
  return or_throw(resolve(host, ec), ec);
}

std::vector<address> resolve(std::string_view host, std::chrono::steady_clock::time_point deadline,
                             std::error_code& ec) {
  return resolve_until(host, detail::deadline_at(deadline), {}, ec);
}

std::vector<address> resolve(std::string_view host, std::chrono::steady_clock::time_point deadline) {
  std::error_code ec;
  return or_throw(resolve(host, deadline, ec), ec);
}

std::vector<address> resolve(const context& ctx, std::string_view host, std::error_code& ec) {
  ec = ctx.err();
  if (ec) return {};
  const auto deadline = ctx.deadline();
  std::vector<address> found =
      resolve_until(host, deadline ? detail::deadline_at(*deadline) : os::never, ctx.stop_token(), ec);
  if (ec == errc::canceled) ec = ctx.err();
  return found;
}

std::vector<address> resolve(const context& ctx, std::string_view host) {
  std::error_code ec;
  return or_throw(resolve(ctx, host, ec), ec);
}

}  // namespace rove::net
