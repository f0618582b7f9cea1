// What os::basic_lock needs, in the model: a futex, and one table entry that all locks share (the worst case). And what
// the models of mutexes have in common.
#pragma once

#include <cstdint>
#include <memory>

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

// Two users of something that a mutex `m` guards, where each first does `begin`, count themselves out under it; the last
// one destroys it, as the mutex's next owner.
template <class Guarded, class Bucket, class Begin>
void last_user_destroys(Bucket& b, Begin begin) {
  struct object : Guarded {
    using Guarded::Guarded;
    plain<int> users{2};
  };
  auto shared = std::make_unique<object>(b);
  const auto leave = [&] {
    begin(*shared);
    shared->m.lock();
    shared->users = shared->users - 1;
    const bool last = shared->users == 0;
    shared->m.unlock();
    if (last) shared.reset();
  };
  thread t(leave);
  leave();
}

}  // namespace rove::model
