// The memory of the model: what each operation does to views and histories (memory.hpp tells the model).
#include "test/model/memory.hpp"

#include <algorithm>

namespace rove::model {

namespace {
constexpr rank gap = rank{1} << 32;  // between a message and one put behind all others: room for 32 in between
}

void clock::join(const clock& other) {
  for (std::size_t i = 0; i < at.size(); ++i)
    at[i] = std::max(at[i], other.at[i]);
}

bool clock::includes(const clock& other) const {
  for (std::size_t i = 0; i < at.size(); ++i)
    if (other.at[i] > at[i])
      return false;
  return true;
}

void view::raise(location_id id, rank r) {
  if (at.size() <= id)
    at.resize(id + 1);
  at[id] = std::max(at[id], r);
}

void view::join_ranks(const view& other) {
  if (at.size() < other.at.size())
    at.resize(other.at.size());
  for (std::size_t i = 0; i < other.at.size(); ++i)
    at[i] = std::max(at[i], other.at[i]);
}

void view::join(const view& other) {
  join_ranks(other);
  seen.join(other.seen);
}

void memory::clear() {
  locations_.clear();
  threads_ = {};
  common_ = {};
  tick(0);
}

void memory::start_thread(int parent, int child) {
  tick(parent);
  compiler_fence(parent);
  threads_[index(child)] = {};
  threads_[index(child)].current = threads_[index(parent)].current;
  tick(child);
  tick(parent);
}

void memory::join_thread(int joiner, int joined) {
  threads_[index(joiner)].current.join(threads_[index(joined)].current);
  compiler_fence(joiner);
}

location_id memory::add(std::uint64_t value, const clock* born) {
  locations_.emplace_back();
  location& l = locations_.back();
  if (born != nullptr)
    l.born = *born;
  message first;
  first.when = gap;
  first.value = value;
  l.history.push_back(std::move(first));
  return static_cast<location_id>(locations_.size() - 1);
}

bool memory::remove(int t, location_id id) {
  locations_[id].alive = false;
  return now(t).includes(locations_[id].touched);
}

bool memory::touch(int t, location_id id) {
  tick(t);
  location& l = locations_[id];
  l.touched.at[index(t)] = now(t).at[index(t)];
  return l.alive && now(t).includes(l.born);
}

std::size_t memory::first_visible(int t, location_id id, std::memory_order order) {
  view& seen = threads_[index(t)].current;
  if (order == std::memory_order_seq_cst)
    seen.raise(id, common_[id]);
  const std::vector<message>& h = locations_[id].history;
  const rank oldest = seen[id];
  std::size_t i = h.size() - 1;
  while (i > 0 && h[i].when > oldest)
    --i;
  return i;
}

// Stores become visible in finite time: the fourth look finds something newer than the first three, if it is there.
void memory::limit_staleness(int t, location_id id, std::size_t& first) {
  const location& l = locations_[id];
  const habit& h = l.habits[index(t)];
  if (h.repeats < 3)
    return;
  while (first + 1 < l.history.size() && l.history[first].when <= h.last)
    ++first;
}

void memory::remember(int t, location_id id, rank r) {
  location& l = locations_[id];
  habit& h = l.habits[index(t)];
  const bool stale = r != l.history.back().when;
  h.repeats = stale ? (h.last == r ? h.repeats + 1 : 1) : 0;
  h.last = r;
}

std::uint64_t memory::read(int t, location_id id, std::size_t i, std::memory_order order) {
  thread& self = threads_[index(t)];
  const message& m = locations_[id].history[i];
  remember(t, id, m.when);
  self.current.raise(id, m.when);
  (acquires(order) ? self.current : self.acquired).join(m.handed);
  if (order == std::memory_order_seq_cst)
    common_.raise(id, m.when);
  return m.value;
}

rank memory::rank_behind(location_id id, std::size_t i) const {
  const std::vector<message>& h = locations_[id].history;
  if (i + 1 == h.size())
    return h[i].when + gap;
  return h[i].when + (h[i + 1].when - h[i].when) / 2;
}

bool memory::room_behind(location_id id, std::size_t i) const {
  const message& m = locations_[id].history[i];
  return !m.updated && rank_behind(id, i) != m.when;
}

void memory::insert(location_id id, std::size_t behind, message m) {
  std::vector<message>& h = locations_[id].history;
  h.insert(h.begin() + static_cast<std::ptrdiff_t>(behind) + 1, std::move(m));
}

void memory::write(int t, location_id id, std::size_t behind, std::uint64_t value, std::memory_order order) {
  thread& self = threads_[index(t)];
  message m;
  m.value = value;
  m.when = rank_behind(id, behind);
  m.handed = releases(order) ? self.current : self.released;
  self.delayable.push_back({id, self.current[id], releases(order)});
  self.current.raise(id, m.when);
  m.handed.raise(id, m.when);
  if (order == std::memory_order_seq_cst)
    common_.raise(id, m.when);
  insert(id, behind, std::move(m));
  tick(t);  // what comes now was not handed on
}

// An update keeps its thread's stores to the same location before it, and these what they release.
void memory::settle(std::vector<delayable_store>& stores, location_id id) {
  for (std::size_t i = stores.size(); i-- > 0;) {
    if (stores[i].id != id)
      continue;
    const auto at = stores.begin() + static_cast<std::ptrdiff_t>(i);
    if (stores[i].releasing) {
      stores.erase(stores.begin(), at + 1);
      return;
    }
    stores.erase(at);
  }
}

void memory::update(int t, location_id id, std::size_t i, std::uint64_t value, std::memory_order order) {
  read(t, id, i, order);
  thread& self = threads_[index(t)];
  message& from = locations_[id].history[i];
  message m;
  m.value = value;
  m.when = rank_behind(id, i);
  m.handed = from.handed;
  m.handed.join(releases(order) ? self.current : self.released);
  m.handed.raise(id, m.when);
  from.updated = true;
  self.current.raise(id, m.when);
  if (order == std::memory_order_seq_cst)
    common_.raise(id, m.when);
  settle(self.delayable, id);
  if (acquires(order) && releases(order))
    compiler_fence(t);
  insert(id, i, std::move(m));
  tick(t);
}

void memory::fence(int t) {
  tick(t);
  compiler_fence(t);
  fence_from_outside(t, false);
}

void memory::fence_from_outside(int t, bool before_delayable) {
  thread& self = threads_[index(t)];
  self.current.join(self.acquired);
  view published = self.current;
  if (before_delayable)
    for (auto s = self.delayable.rbegin(); s != self.delayable.rend(); ++s)
      published.lower(s->id, s->before);
  common_.join_ranks(published);
  self.current.join_ranks(common_);
  self.released = published;
  self.released.join_ranks(common_);
  tick(t);
}

}  // namespace rove::model
