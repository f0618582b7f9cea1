// The parking table.
#include "src/sync/parking.hpp"

#include "src/sched/park.hpp"

namespace rove {

constinit detail::parking_word detail::parking_words[detail::parking_buckets];
constinit sync::parking_bucket sync::parking_table[detail::parking_buckets];

namespace sync {
namespace {

bool unlink_quiet(detail::waiter* w, detail::outcome why) {
  parking_bucket& b = parking_bucket::of(object_of(w));
  os::hold h(b.lock());
  if (w->result != detail::outcome::pending) return false;
  b.quiet.remove(w);
  w->result = why;
  return true;
}

}  // namespace

void waiter_queue::grant_all(const void* object, base::list<detail::waiter>& granted) {
  for (detail::waiter* w = first(object); w;) {
    detail::waiter* const next = w->next;
    if (w->object == object) {
      all_.remove(w);
      w->result = detail::outcome::granted;
      granted.push_back(w);
    }
    w = next;
  }
}

void prepare(detail::waiter& w, const void* object, kind k) { sched::prepare(w, key_of(object, k), unlink_quiet); }

void cancel(detail::early_waiter& w) {
  parking_bucket& b = parking_bucket::of(object_of(&w));
  b.lock().lock();
  const bool waits = w.result == detail::outcome::pending;
  const bool parked = w.parked;
  if (waits) {
    b.quiet.remove(&w);
    w.result = detail::outcome::canceled;
  }
  b.lock().unlock();
  if (waits && parked) sched::wake(&w);
}

void wake_all(base::list<detail::waiter>& granted) {
  while (detail::waiter* const w = granted.pop_front()) sched::wake(w);
}

}  // namespace sync
}  // namespace rove
