// What os::basic_lock needs, in the model: a futex, and one table entry that all locks share (the worst case).
#pragma once

#include <cstdint>

#include "src/os/lock.hpp"
#include "test/model/checker.hpp"

namespace rove::model {

struct threads : atomics {
  static constexpr int spins = 1;
  static void pause() {}  // in a bounded spin a pause need not wait for anything

  static void wait(atomic<std::uint32_t>& word, std::uint32_t expected) { futex_wait(word, expected); }
  static void wake_one(atomic<std::uint32_t>& word) { futex_wake(word, 1); }
  static atomic<std::uint32_t>& sleepers(const void*) {
    static constinit atomic<std::uint32_t> count{0};
    count.name("sleepers");
    return count;
  }
};

using lock = os::basic_lock<threads>;
using hold = os::hold<lock>;

}  // namespace rove::model
