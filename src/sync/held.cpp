// What is noted about locks beside their own words.
#include "src/sync/held.hpp"

#include <unordered_map>
#include <vector>

#include <rove/go.hpp>

#include "src/base/check.hpp"
#include "src/os/lock.hpp"
#include "src/os/os.hpp"

namespace rove::sync {
namespace {

struct pretence {
  std::uint64_t goroutine;
  const void* lock;
  std::ptrdiff_t units;
};

os::lock notes_lock{os::rank::pretended};
std::vector<pretence>& pretended = *new std::vector<pretence>;  // never destroyed: threads may outlive main

// A goroutine's number; a plain thread's with the highest bit set.
std::uint64_t who() {
  const std::uint64_t id = this_goroutine::id();
  return id != 0 ? id : os::thread_id() | std::uint64_t{1} << 63;
}

// Under notes_lock. A lock that was destroyed while it was held leaves its note until the next one at its address.
std::unordered_map<const void*, std::uint64_t>& owners() {
  static auto& map = *new std::unordered_map<const void*, std::uint64_t>;
  return map;
}

}  // namespace

void pretend(const void* lock, std::ptrdiff_t units) {
  os::hold h(notes_lock);
  pretended.push_back({this_goroutine::id(), lock, units});
}

std::ptrdiff_t end_pretence(const void* lock, std::ptrdiff_t units, bool anybody) {
  const std::uint64_t id = this_goroutine::id();
  os::hold h(notes_lock);
  for (pretence& p : pretended) {
    if ((p.goroutine != id && !anybody) || p.lock != lock) continue;
    if (p.units > units) {
      p.units -= units;
      return units;
    }
    const std::ptrdiff_t all = p.units;
    p = pretended.back();
    pretended.pop_back();
    return all;
  }
  return 0;
}

void note_owner(const void* lock) {
  if constexpr (os::debug_checks) {
    os::hold h(notes_lock);
    owners()[lock] = who();
  }
}

void check_owner(const void* lock) {
  if constexpr (os::debug_checks) {
    os::hold h(notes_lock);
    const auto found = owners().find(lock);
    if (found == owners().end()) return;
    if (found->second != who()) base::fatal("rove: unlocked by another than who locked it");
    owners().erase(found);
  }
}

}  // namespace rove::sync
