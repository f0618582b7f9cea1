// selector: the set of cases and its memory. The waiting is select's.
#include <rove/selector.hpp>

#include <algorithm>
#include <new>

namespace rove {

void selector::room_deleter::operator()(void* room) const { ::operator delete(room, std::align_val_t{align}); }

void selector::check_none_yet(kind k) const {
  if (k == kind::otherwise && otherwise_ != none) detail::throw_panic("rove: selector has a default case");
  if (k == kind::timeout && timeout_ != none) detail::throw_panic("rove: selector has a timeout");
}

std::size_t selector::insert(std::shared_ptr<detail::selector_entry> e, kind k, std::size_t size, std::size_t align) {
  const std::size_t index = entries_.size();
  if (index == max_cases) detail::throw_panic("rove: selector has too many cases (max 65536)");
  const std::size_t old_align = room_.get_deleter().align;
  if (size > room_size_ || align > old_align) {
    const std::size_t bytes = std::max(size, room_size_), alignment = std::max(align, old_align);
    room_ = {::operator new(bytes, std::align_val_t{alignment}), room_deleter{alignment}};
    room_size_ = bytes;
    filled_ = 0;
  }
  if (index == capacity_) {
    const std::size_t more = std::max<std::size_t>(8, 2 * capacity_);
    waiters_ = std::make_unique<detail::select_waiter[]>(more);
    capacity_ = more;
    filled_ = 0;
  }
  entries_.push_back(std::move(e));
  if (k == kind::otherwise) otherwise_ = index;
  if (k == kind::timeout) timeout_ = index;
  return index;
}

void selector::clear() {
  entries_.clear();
  filled_ = 0;
  stale_ = otherwise_ = timeout_ = none;
}

void selector::fill() {
  if (stale_ < filled_) entries_[stale_]->fill(waiters_[stale_], room_.get());
  stale_ = none;
  for (; filled_ < entries_.size(); ++filled_) entries_[filled_]->fill(waiters_[filled_], room_.get());
}

std::size_t selector::wait(detail::select_state& s) {
  const std::size_t n = entries_.size();
  if (otherwise_ != none) return detail::select_now(s, waiters_.get(), n);
  if (timeout_ != none) {
    const std::size_t ready = detail::select_ready(s, waiters_.get(), n);
    if (ready != none || s.main.result != detail::outcome::pending) return ready;
    return detail::select_until(s, waiters_.get(), n, entries_[timeout_]->deadline());
  }
  const detail::departure d = detail::select_begin(s, waiters_.get(), n);
  if (d.to) detail::depart(d);
  return detail::select_end(s, waiters_.get());
}

std::size_t selector::select() {
  if (entries_.empty()) return rove::select();
  fill();
  detail::select_state s;
  std::size_t index = wait(s);
  if (index == none) index = otherwise_ != none ? otherwise_ : timeout_ != none ? timeout_ : entries_.size();
  if (s.main.result == detail::outcome::ended) return index;
  stale_ = index;
  const std::shared_ptr<detail::selector_entry> taken = entries_[index];  // the handler may clear the set
  taken->run(room_.get(), s.main.result == detail::outcome::closed);
  return index;
}

}  // namespace rove
