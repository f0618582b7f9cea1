// The engine of the model checker: threads, scheduling, and the operations as steps on the model's memory.
#include "test/model/engine.hpp"

#include <algorithm>
#include <utility>

namespace rove::model {

namespace {
engine* running = nullptr;
constexpr std::size_t stack_bytes = 256 * 1024;
}  // namespace

engine* engine::active() { return running; }

engine::engine(const options& o) : options_(o), strategy_(o), threads_(max_threads) {}

// ---- threads ---------------------------------------------------------------------------------------------------------

void engine::execute(const std::function<void()>& body) {
  memory_.clear();
  static std::uint32_t executions = 0;
  execution_ = ++executions;
  started_ = 0;
  current_ = 0;
  steps_ = idle_pauses_ = 0;
  changes_ = 0;
  events_.clear();
  failed_ = false;
  engine* const before = std::exchange(running, this);
  start(body);
  host_.switch_to(*threads_[0].own);
  running = before;
  if (failed_)
    for (model_thread& t : threads_)
      t.own.reset();
}

int engine::start(std::function<void()> body) {
  if (started_ == max_threads)
    fail("more threads than the model has");
  const int id = started_++;
  model_thread& t = threads_[static_cast<std::size_t>(id)];
  std::unique_ptr<fiber> own = std::move(t.own);
  t = model_thread{};
  t.own = own != nullptr ? std::move(own) : std::make_unique<fiber>(stack_bytes);
  t.done = false;
  t.own->give([this, f = std::move(body)] {
    f();
    return body_ended();
  });
  if (id != 0) {
    memory_.start_thread(current_, id);
    record(act::start, 0, static_cast<std::uint64_t>(id), std::memory_order_relaxed);
  }
  return id;
}

fiber* engine::body_ended() {
  me().done = true;
  changed(true);
  record(act::end, 0, 0, std::memory_order_relaxed);
  gather(false);
  if (candidates_.empty()) {
    for (int i = 0; i < started_; ++i)
      if (!threads_[static_cast<std::size_t>(i)].done)
        fail_stuck();
    return &host_;
  }
  current_ = candidates_[strategy_.thread(candidates_, false)];
  return me().own.get();
}

void engine::join(int thread) {
  point();
  me().reason = waits::joining;
  me().joined = thread;
  if (!can_run(me()))
    leave();
  me().reason = waits::not_at_all;
  memory_.join_thread(current_, thread);
}

bool engine::still_pausing(const model_thread& t) const {
  return t.reason == waits::pausing && changes_ - t.changes_made == t.changes_seen;
}

bool engine::can_run(const model_thread& t) const {
  if (t.done)
    return false;
  switch (t.reason) {
    case waits::joining: return threads_[static_cast<std::size_t>(t.joined)].done;
    case waits::futex: return t.woken || t.timed;
    default: return true;
  }
}

// Who may run: first those that have a reason to; the others who pause only if there is nobody else, or by chance.
void engine::gather(bool can_stay) {
  candidates_.clear();
  if (can_stay)
    candidates_.push_back(current_);
  std::vector<int> pausing;
  for (int i = 0; i < started_; ++i) {
    const model_thread& t = threads_[static_cast<std::size_t>(i)];
    if ((can_stay && i == current_) || !can_run(t))
      continue;
    (still_pausing(t) ? pausing : candidates_).push_back(i);
  }
  if (!pausing.empty() && (candidates_.empty() || strategy_.impatient()))
    candidates_.insert(candidates_.end(), pausing.begin(), pausing.end());
}

int engine::next_thread(bool can_stay) {
  gather(can_stay);
  if (candidates_.empty())
    fail_stuck();
  return candidates_[strategy_.thread(candidates_, can_stay)];
}

void engine::go_to(int thread) {
  if (thread == current_)
    return;
  fiber& from = *me().own;
  current_ = thread;
  from.switch_to(*me().own);
}

void engine::leave() {
  strategy_.demote(current_);
  go_to(next_thread(false));
}

void engine::point() {
  if (++steps_ > options_.max_steps)
    fail("no end after " + std::to_string(options_.max_steps) + " steps: a livelock?");
  go_to(next_thread(true));
}

void engine::yield() { point(); }

void engine::pause() {
  model_thread& t = me();
  record(act::pause, 0, 0, std::memory_order_relaxed);
  memory_.compiler_fence(current_);
  if (++steps_ > options_.max_steps || ++idle_pauses_ > options_.max_idle_pauses)
    fail("livelock: threads that only pause");
  t.reason = t.read_old ? waits::not_at_all : waits::pausing;
  t.changes_seen = changes_ - t.changes_made;
  t.read_old = false;
  // Stepping back: somebody else if there is anybody. This thread counts as pausing while the next one is looked for.
  const int self = current_;
  gather(false);
  if (candidates_.size() > 1)
    std::erase(candidates_, self);
  strategy_.demote(self);
  go_to(candidates_[strategy_.thread(candidates_, false)]);
  t.reason = waits::not_at_all;
}

// ---- operations ------------------------------------------------------------------------------------------------------

location_id engine::add_location(std::uint64_t value, bool born_here) {
  if (born_here)
    memory_.tick(current_);
  return memory_.add(value, born_here ? &memory_.now(current_) : nullptr);
}

void engine::remove_location(location_id id) {
  memory_.tick(current_);
  if (!memory_.remove(current_, id))
    race("an atomic is destroyed while another thread may still use it");
}

void engine::touch(location_id id) {
  if (!memory_.touch(current_, id))
    race(memory_.at(id).alive ? "an atomic is used before its construction is visible" : "a destroyed atomic is used");
}

void engine::changed(bool really) {
  if (!really)
    return;
  ++changes_;
  ++me().changes_made;
  idle_pauses_ = 0;
}

std::size_t engine::pick_to_read(location_id id, std::memory_order order) {
  std::size_t first = memory_.first_visible(current_, id, order);
  memory_.limit_staleness(current_, id, first);
  const std::size_t last = memory_.at(id).history.size() - 1;
  const std::size_t i = last - strategy_.message(static_cast<unsigned>(last - first + 1));
  me().read_old |= i != last;
  return i;
}

// The message that an update, or a store by its place in the order, goes behind. Index 0 of the choice is the newest.
std::size_t engine::pick_to_update(location_id id, std::memory_order order, const std::uint64_t* expected) {
  std::size_t first = memory_.first_visible(current_, id, order);
  memory_.limit_staleness(current_, id, first);
  const std::vector<message>& h = memory_.at(id).history;
  std::vector<std::size_t> places;
  for (std::size_t i = h.size(); i-- > first;)
    if (memory_.room_behind(id, i) || (expected != nullptr && h[i].value != *expected))
      places.push_back(i);
  const std::size_t i = places[strategy_.message(static_cast<unsigned>(places.size()))];
  me().read_old |= i + 1 != h.size();
  return i;
}

// Notes where it stands; true if this is what the exploration leaves out.
bool engine::weakened(site w, const char* kind, std::vector<site>& seen) {
  where_ = w;
  w.kind = kind;
  if (std::find(seen.begin(), seen.end(), w) == seen.end())
    seen.push_back(w);
  return w == options_.weaken;
}

std::memory_order engine::effective(std::memory_order order, site w, const char* kind) {
  where_ = w;
  if (order == std::memory_order_relaxed)
    return order;
  return weakened(w, kind, strong_) ? std::memory_order_relaxed : order;
}

std::uint64_t engine::load(location_id id, std::memory_order order, site w) {
  point();
  order = effective(order, w, "load");
  touch(id);
  const std::size_t i = pick_to_read(id, order);
  const std::uint64_t value = memory_.read(current_, id, i, order);
  record(act::load, id, value, order, memory_.at(id).history.size() - 1 - i);
  return value;
}

void engine::store(location_id id, std::uint64_t value, std::memory_order order, site w) {
  point();
  order = effective(order, w, "store");
  touch(id);
  const std::size_t i = pick_to_update(id, order, nullptr);
  const std::vector<message>& h = memory_.at(id).history;
  record(act::store, id, value, order, h.size() - 1 - i);
  changed(h[i].value != value);
  memory_.write(current_, id, i, value, order);
}

std::uint64_t engine::update(location_id id, combine f, std::uint64_t operand, std::memory_order order,
                             site w) {
  point();
  order = effective(order, w, "update");
  touch(id);
  const std::size_t i = pick_to_update(id, order, nullptr);
  const std::uint64_t old = memory_.at(id).history[i].value;
  const std::uint64_t value = f(old, operand);
  record(act::update, id, value, order, memory_.at(id).history.size() - 1 - i);
  changed(value != old);
  memory_.update(current_, id, i, value, order);
  return old;
}

bool engine::compare_exchange(location_id id, std::uint64_t& expected, std::uint64_t desired, bool weak,
                              std::memory_order success, std::memory_order failure, site w) {
  point();
  success = effective(success, w, "update");
  failure = effective(failure, w, "update");
  touch(id);
  const std::size_t i = pick_to_update(id, success, &expected);
  const std::size_t newer = memory_.at(id).history.size() - 1 - i;
  const std::uint64_t old = memory_.at(id).history[i].value;
  if (old != expected || (weak && strategy_.spurious_failure())) {
    expected = memory_.read(current_, id, i, failure);
    record(act::fail_update, id, expected, failure, newer);
    return false;
  }
  record(act::update, id, desired, success, newer);
  changed(desired != old);
  memory_.update(current_, id, i, desired, success);
  return true;
}

void engine::light_fence(site w) {
  if (weakened(w, "light fence", strong_))
    return;
  memory_.compiler_fence(current_);
  record(act::light, 0, 0, std::memory_order_seq_cst);
}

void engine::full_fence(site w) {
  point();
  if (weakened(w, "full fence", strong_))
    return;
  memory_.fence(current_);
  record(act::full, 0, 0, std::memory_order_seq_cst);
}

// A fence here, then one in each other thread at some moment of its own, then one here.
void engine::heavy_fence(site w) {
  point();
  const int self = current_;
  if (weakened(w, "heavy fence", heavy_)) {
    if (options_.halved)
      memory_.fence(self);
    return;
  }
  memory_.fence(self);
  record(act::heavy, 0, 0, std::memory_order_seq_cst);
  const unsigned turn = strategy_.any(static_cast<unsigned>(started_));
  for (int i = 0; i < started_; ++i) {
    const int other = (i + static_cast<int>(turn)) % started_;
    if (other == self)
      continue;
    const bool ended = threads_[static_cast<std::size_t>(other)].done;  // its stores are all in memory then
    if (!ended)
      point();
    memory_.fence_from_outside(other, !ended && memory_.has_delayable(other) && strategy_.stray_fence());
    if (ended)
      continue;
    record(act::hit, 0, static_cast<std::uint64_t>(other), std::memory_order_seq_cst);
  }
  memory_.fence(self);
}

int engine::futex_wait(location_id id, const void* address, std::uint64_t expected, bool timed) {
  point();
  memory_.fence(current_);
  const std::size_t i = pick_to_read(id, std::memory_order_relaxed);
  const std::uint64_t value = memory_.read(current_, id, i, std::memory_order_relaxed);
  record(act::wait, id, value, std::memory_order_relaxed, memory_.at(id).history.size() - 1 - i);
  if (value != expected || strategy_.spurious_failure())
    return 0;
  model_thread& t = me();
  t.reason = waits::futex;
  t.word = address;
  t.timed = timed;
  t.woken = false;
  leave();
  t.reason = waits::not_at_all;
  return t.woken ? 0 : -1;
}

int engine::futex_wake(const void* address, int count) {
  point();
  memory_.fence(current_);
  int woken = 0;
  for (int i = 0; i < started_ && woken < count; ++i) {
    model_thread& t = threads_[static_cast<std::size_t>(i)];
    if (t.done || t.reason != waits::futex || t.word != address || t.woken)
      continue;
    t.woken = true;
    ++woken;
  }
  changed(woken != 0);
  record(act::wake, 0, static_cast<std::uint64_t>(woken), std::memory_order_relaxed);
  return woken;
}

}  // namespace rove::model
