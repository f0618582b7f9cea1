// The choices of an execution: drawn from a seed, or enumerated depth first.
#include "test/model/strategy.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace rove::model {

std::uint64_t strategy::random() {  // splitmix64 (Steele, Lea, Flood 2014)
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

void strategy::begin_seeded(std::uint64_t seed) {
  seeded_ = true;
  state_ = seed;
  static constexpr unsigned stale[] = {0, 1, 2, 2, 3, 5};
  restlessness_ = 2u << any(5);
  staleness_ = stale[any(6)];
  use_priorities_ = one_in(2);
  for (int& p : priority_)
    p = static_cast<int>(any(1000)) + 1;
  lowest_ = 0;
}

void strategy::begin_exhaustive() {
  seeded_ = false;
  at_ = 0;
  preemptions_left_ = options_.preemptions;
  stale_left_ = options_.stale;
  spurious_left_ = options_.spurious;
}

bool strategy::advance() {
  path_.resize(std::min(path_.size(), at_));
  while (!path_.empty() && path_.back().taken + 1 == path_.back().count)
    path_.pop_back();
  if (path_.empty())
    return false;
  ++path_.back().taken;
  return true;
}

void strategy::replay(const std::string& text) {
  path_.clear();
  for (const char* p = text.c_str() + 1; *p == ':' || *p == ',';) {
    char* end = nullptr;
    path_.push_back({static_cast<unsigned>(std::strtoul(p + 1, &end, 10)), 0});
    p = end;
  }
}

std::string strategy::path() const {
  std::string text = "c";
  for (std::size_t i = 0; i < std::min(at_, path_.size()); ++i)
    text.append(i == 0 ? ":" : ",").append(std::to_string(path_[i].taken));
  return text;
}

unsigned strategy::branch(unsigned count) {
  if (at_ == path_.size())
    path_.push_back({0, count});
  choice& c = path_[at_++];
  if (c.count == 0)
    c.count = count;  // replayed from text
  if (c.count != count || c.taken >= count) {
    std::fprintf(stderr, "model: the test is not deterministic: %u choices, then %u\n", c.count, count);
    std::abort();
  }
  return c.taken;
}

bool strategy::spend(unsigned& budget) {
  if (budget == 0 || branch(2) == 0)
    return false;
  --budget;
  return true;
}

unsigned strategy::any(unsigned count) {
  if (count <= 1)
    return 0;
  return seeded_ ? static_cast<unsigned>(random() % count) : branch(count);
}

unsigned strategy::by_priority(const std::vector<int>& candidates, bool can_stay) {
  if (can_stay && one_in(restlessness_ * 2))
    demote(candidates[0]);
  const auto rank = [&](int t) { return priority_[static_cast<std::size_t>(t)]; };
  const auto best = std::max_element(candidates.begin(), candidates.end(), [&](int a, int b) { return rank(a) < rank(b); });
  return static_cast<unsigned>(best - candidates.begin());
}

unsigned strategy::thread(const std::vector<int>& candidates, bool can_stay) {
  const auto count = static_cast<unsigned>(candidates.size());
  if (count == 1)
    return 0;
  if (!seeded_) {
    if (can_stay && preemptions_left_ == 0)
      return 0;
    const unsigned i = branch(count);
    preemptions_left_ -= can_stay && i != 0;
    return i;
  }
  if (use_priorities_)
    return by_priority(candidates, can_stay);
  if (!can_stay)
    return any(count);
  return one_in(restlessness_) ? 1 + any(count - 1) : 0;
}

unsigned strategy::message(unsigned count) {
  if (count <= 1)
    return 0;
  if (!seeded_) {
    if (stale_left_ == 0)
      return 0;
    const unsigned i = branch(count);
    stale_left_ -= i != 0;
    return i;
  }
  if (staleness_ == 0 || !one_in(staleness_))
    return 0;
  return any(count);
}

bool strategy::spurious_failure() { return seeded_ ? one_in(16) : spend(spurious_left_); }
bool strategy::stray_fence() { return seeded_ ? one_in(2) : branch(2) != 0; }
bool strategy::impatient() { return seeded_ && one_in(8); }

}  // namespace rove::model
