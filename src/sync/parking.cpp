// The parking table.
#include "src/sync/parking.hpp"

namespace rove {

constinit detail::parking_word detail::parking_words[detail::parking_buckets];

namespace sync {
namespace {

constinit parking_bucket table[detail::parking_buckets];

}  // namespace

parking_bucket& parking_bucket::of(const void* object) { return table[detail::parking_bucket_of(object)]; }

std::atomic<std::uint32_t>& parking_bucket::attention() { return detail::parking_words[this - table].attention; }

void parking_bucket::push_front(detail::waiter* w) { queue_.push_front(w); }

detail::waiter* parking_bucket::first(const void* object) const {
  detail::waiter* w = queue_.front();
  while (w && w->object != object) w = w->next;
  return w;
}

bool parking_bucket::only(const void* object) const {
  for (detail::waiter* w = queue_.front(); w; w = w->next)
    if (w->object != object) return false;
  return true;
}

}  // namespace sync
}  // namespace rove
