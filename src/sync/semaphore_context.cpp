// The semaphore's wait with a context. A file of its own, so that a program that has no contexts does not carry them.
//
// The waiter is queued, then the context's stop token is asked to cancel it, then it parks: who cancels or grants it
// before that leaves word in its result (detail::early_waiter).
#include <stop_token>

#include <rove/context.hpp>
#include <rove/sync/semaphore.hpp>

#include "src/sched/park.hpp"
#include "src/sync/semaphore.hpp"

namespace rove {

using sync::parking_bucket;

std::error_code semaphore::acquire(const context& ctx, std::ptrdiff_t n) {
  if (n < 0) negative();
  if (detail::ending.load(std::memory_order_relaxed) && detail::end_check()) return errc::deadline_exceeded;  // relaxed: a hint
  if (const std::error_code e = ctx.err()) return e;
  if (try_acquire(n)) return {};
  const std::stop_token token = ctx.stop_token();
  sync::semaphore_waiter w;
  w.wanted = n;
  const bool hopeless = n > size_;
  sync::prepare(w, hopeless ? &size_ : static_cast<const void*>(this), sync::kind::semaphore);
  parking_bucket& b = parking_bucket::of(sync::object_of(&w));
  {
    os::hold h(b.lock());
    if (!hopeless && !b.quiet.first(w.object) && take_locked(n)) return {};
    if (!hopeless) state_.fetch_or(waited_for, std::memory_order_relaxed);     // relaxed: the bucket's lock
    b.quiet.push_back(&w);
  }
  {
    const auto cancel = [&w] { sync::cancel(w); };
    const std::stop_callback on_cancel(token, cancel);
    b.lock().lock();
    w.parked = true;
    if (w.result == detail::outcome::pending)
      sched::wait(w, detail::wait_reason::semacquire, b.lock());
    else
      b.lock().unlock();
  }
  const detail::outcome how = w.result;
  const std::error_code error = ctx.err();
  if (how == detail::outcome::granted) {
    if (error) release(n);
    return error;
  }
  if (!hopeless) grant();
  if (how == detail::outcome::ended) sched::unwind_current();
  return error ? error : errc::canceled;
}

}  // namespace rove
