// The memory of the model: C++20's atomics as views over histories of messages.
//
// The model is operational, in the manner of Kang et al., "A promising semantics for relaxed-memory concurrency" (POPL
// 2017), without the promises: it shows store buffering, stale reads, out-of-order stores and everything else of C++20
// but load buffering (a load that reads from a store which depends on it in program order).
//
//   location   keeps the history of its messages in modification order, each with a rank on that order
//   view       for each location the rank of the oldest message its owner may still read; and a vector clock
//   message    value, rank, and the view that it hands to whoever reads it and acquires
//   thread     current   what it has seen: nothing older is read, and it stores behind it
//              acquired  what it would have seen had its loads been acquiring: an acquire fence makes it current
//              released  what it had seen at its last release fence: relaxed stores hand this on
//
//   load       any message at or behind `current`; acquire joins its view to `current`, relaxed to `acquired`
//   store      takes any free rank behind `current`, so not only the last; hands on `current` or `released`
//   update     reads any message that no other update has read, and stores right behind it: nothing ever gets between.
//              It hands on what it read as well: the release sequence
//   seq_cst    one more view, common to all. A fence makes it and `current` one (C++20 [atomics.order] 4); an access
//              raises and is raised by the entry of its own location only
//   barrier    from outside (membarrier): the seq_cst fence, executed by a thread that does not know of it. Stores that
//              no light fence has ordered since may be delayed by the compiler, so they can come behind it
//
// Happens-before for plain variables is the vector clock; it travels with released views and never by seq_cst fences.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "test/model/strategy.hpp"

namespace rove::model {

using rank = std::uint64_t;
using location_id = std::uint32_t;

struct clock {
  std::array<std::uint32_t, max_threads> at{};

  void join(const clock& other);
  bool includes(const clock& other) const;
};

struct view {
  std::vector<rank> at;
  clock seen;

  rank operator[](location_id id) const { return id < at.size() ? at[id] : 0; }
  void raise(location_id id, rank r);
  void lower(location_id id, rank r) { at[id] = r; }
  void join_ranks(const view& other);
  void join(const view& other);
};

struct message {
  rank when = 0;
  std::uint64_t value = 0;
  bool updated = false;               // an update read this one, so nothing may be put right behind it
  view handed;
};

// What a thread read last from a location: it must not read the same old message for ever.
struct habit {
  rank last = 0;
  unsigned repeats = 0;
};

struct location {
  std::vector<message> history;       // by rank
  clock born, touched;
  bool alive = true;
  std::string name;
  std::array<habit, max_threads> habits{};
};

class memory {
 public:
  void clear();
  void start_thread(int parent, int child);
  void join_thread(int joiner, int joined);

  location_id add(std::uint64_t value, const clock* born);
  bool remove(int t, location_id id);        // false: somebody's last access does not happen before
  location& at(location_id id) { return locations_[id]; }

  // A new event of thread `t`; false if the location was not made, or is no more, for this thread.
  bool touch(int t, location_id id);
  void tick(int t) { ++threads_[index(t)].current.seen.at[index(t)]; }
  const clock& now(int t) const { return threads_[index(t)].current.seen; }

  // Where the messages that `t` may read begin.
  std::size_t first_visible(int t, location_id id, std::memory_order order);
  void limit_staleness(int t, location_id id, std::size_t& first);
  std::uint64_t read(int t, location_id id, std::size_t i, std::memory_order order);
  bool room_behind(location_id id, std::size_t i) const;
  void write(int t, location_id id, std::size_t behind, std::uint64_t value, std::memory_order order);
  void update(int t, location_id id, std::size_t i, std::uint64_t value, std::memory_order order);

  void fence(int t);                          // memory_order_seq_cst
  void compiler_fence(int t) { threads_[index(t)].delayable.clear(); }
  bool has_delayable(int t) const { return !threads_[index(t)].delayable.empty(); }
  void fence_from_outside(int t, bool before_delayable);

 private:
  struct delayable_store { location_id id; rank before; bool releasing; };
  struct thread {
    view current, acquired, released;
    std::vector<delayable_store> delayable;   // since the last thing that the compiler keeps in its place
  };

  static std::size_t index(int t) { return static_cast<std::size_t>(t); }
  rank rank_behind(location_id id, std::size_t i) const;
  void insert(location_id id, std::size_t behind, message m);
  void remember(int t, location_id id, rank r);
  static void settle(std::vector<delayable_store>& stores, location_id id);

  std::vector<location> locations_;
  std::array<thread, max_threads> threads_;
  view common_;                               // of seq_cst
};

constexpr bool acquires(std::memory_order o) {
  return o != std::memory_order_relaxed && o != std::memory_order_release;
}
constexpr bool releases(std::memory_order o) {
  return o == std::memory_order_release || o == std::memory_order_acq_rel || o == std::memory_order_seq_cst;
}

}  // namespace rove::model
