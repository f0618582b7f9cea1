// What each thread holds, and the reports of what it must not do. Only in a build with debug_checks.
#include "src/os/lock_rank.hpp"

#include <array>
#include <iterator>
#include <string_view>

#include "src/base/check.hpp"

namespace rove::os {
namespace {

constexpr std::string_view names[] = {
    "runtimes", "ending", "object", "select", "timers", "scheduler", "owner_section", "descriptors", "stacks", "slabs", "pretended",
    "trace",
};
constexpr std::size_t rank_count = std::size(names);

constexpr std::size_t index_of(rank r) { return static_cast<std::size_t>(static_cast<int>(r) - static_cast<int>(rank::runtimes)); }
static_assert(index_of(rank::trace) + 1 == rank_count);

// Made when this is compiled: a fatal error's text is constant, so that it needs no memory.
struct message {
  std::array<char, 80> text{};
  std::size_t size = 0;

  constexpr void append(std::string_view part) {
    for (const char c : part) text[size++] = c;
  }
  constexpr std::string_view view() const { return {text.data(), size}; }
};

constexpr auto messages = [] {
  std::array<std::array<message, rank_count>, rank_count> all;
  for (std::size_t taken = 0; taken < rank_count; ++taken)
    for (std::size_t held = 0; held < rank_count; ++held) {
      message& m = all[taken][held];
      m.append("rove: lock order: ");
      m.append(names[taken]);
      m.append(" taken while ");
      m.append(names[held]);
      m.append(" is held");
    }
  return all;
}();

struct ranks_held {
  std::array<std::uint32_t, rank_count> count{};

  std::uint32_t& of(rank r) { return count[index_of(r)]; }

  // Does the thread hold one of this rank or a later one? The latest is then `held`.
  bool any_from(std::size_t first, std::size_t& held) const {
    for (held = rank_count; held-- > first;)
      if (count[held] > 0) return true;
    return false;
  }
};

// The one accessor of the thread-local. Opaque, so that no caller takes the address for constant and keeps it over a
// switch.
[[gnu::noinline]] ranks_held& held_here() {
  static thread_local constinit ranks_held held;
  asm volatile("");
  return held;
}

}  // namespace

void taking_rank(rank r) {
  ranks_held& here = held_here();
  std::size_t held;
  if (here.any_from(index_of(r), held)) {
    // Whoever holds the list of runtimes locks all schedulers, in the order of the list.
    const bool all_schedulers =
        r == rank::scheduler && held == index_of(rank::scheduler) && here.of(rank::runtimes) > 0;
    // A select that meets another on a channel claims both, in the order of their addresses.
    const bool two_selects = r == rank::select && held == index_of(rank::select) && here.of(rank::select) == 1 &&
                             here.of(rank::object) > 0;
    if (!all_schedulers && !two_selects) base::fatal(messages[index_of(r)][held].view());
  }
  ++here.of(r);
}

void gave_back_rank(rank r) {
  std::uint32_t& count = held_here().of(r);
  if (count == 0) base::fatal("rove: a lock given back by a thread that does not hold it");
  --count;
}

void check_ranks_at_park(std::uint32_t objects) {
  ranks_held others = held_here();
  const std::uint32_t given_back = others.of(rank::object) + others.of(rank::select) + others.of(rank::timers);
  others.of(rank::object) = others.of(rank::select) = others.of(rank::timers) = 0;
  if (given_back != objects || others.count != ranks_held{}.count) base::fatal("rove: parked with a runtime lock held");
}

}  // namespace rove::os
