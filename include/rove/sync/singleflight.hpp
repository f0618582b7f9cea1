// Doing the same work once for all who want it at the same time.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

#include <rove/error.hpp>
#include <rove/go.hpp>
#include <rove/run.hpp>
#include <rove/sync/mutex.hpp>
#include <rove/sync/once.hpp>

namespace rove {

// call(key, f) runs f, unless another call for the same key is under way: then it waits for that one and gives what it
// gives. Nothing is kept when it is over. Copies, hashes and comparisons of keys must not call rove.
template <class K, class V, class Hash = std::hash<K>, class Equal = std::equal_to<K>>
class singleflight {
 public:
  singleflight() = default;
  singleflight(const singleflight&) = delete;
  singleflight& operator=(const singleflight&) = delete;

  // A copy of f's result, or what f threw, for each who waited. Parks while another call runs f. If f ends by goexit,
  // so do all who wait for it; if its runtime's end ended it, the next of them runs its own. While the caller itself is
  // unwound by its runtime's end it cannot wait: panic "rove: singleflight call ended".
  template <class F>
  V call(const K& key, F&& f) {
    for (;;) {
      bool first = false;
      const std::shared_ptr<flight> shared = join(key, first);
      if (first) return fly(key, *shared, f);
      if (detail::ending.load(std::memory_order_relaxed) && detail::end_check()) {  // relaxed: a hint
        if (!shared->landing.try_lock()) detail::throw_panic("rove: singleflight call ended");
      } else {
        shared->landing.lock();
      }
      shared->landing.unlock();
      switch (shared->how) {
        case outcome::exited: goexit();
        case outcome::ended: continue;
        default: return shared->give();
      }
    }
  }

  // The next call for this key runs its own f, also if another one is still under way. Never parks.
  void forget(const K& key) {
    const std::lock_guard hold(flights_lock_);
    flights_.erase(key);
  }

 private:
  enum class outcome { under_way, done, exited, ended };
  struct flight {
    mutex landing;                    // locked while f runs; guards what follows
    outcome how = outcome::under_way;
    detail::once_result<V> value;
#if ROVE_EXCEPTIONS
    std::exception_ptr error;
#endif
    V give() const {
#if ROVE_EXCEPTIONS
      if (error) std::rethrow_exception(error);
#endif
      return value.get();
    }
  };

  std::shared_ptr<flight> join(const K& key, bool& first) {
    const std::lock_guard hold(flights_lock_);
    const auto at = flights_.find(key);
    if (at != flights_.end()) return at->second;
    auto fresh = std::make_shared<flight>();
    static_cast<void>(fresh->landing.try_lock());  // nobody else knows it
    flights_.emplace(key, fresh);
    first = true;
    return fresh;
  }

  template <class F>
  V fly(const K& key, flight& own, F& f) {
    {
      struct lander {
        singleflight& all;
        const K& key;
        flight& own;
        ~lander() {
          if (own.how == outcome::under_way)
            own.how = detail::ending.load(std::memory_order_relaxed) && detail::end_check()  // relaxed: looked at closer
                          ? outcome::ended : outcome::exited;
          all.leave(key, own);
          own.landing.unlock();
        }
      } l{*this, key, own};
#if ROVE_EXCEPTIONS
      try {
        own.value.fill(f);
      } catch (...) {
        if (detail::current_is_ending()) throw;
        own.error = std::current_exception();
      }
#else
      own.value.fill(f);
#endif
      own.how = outcome::done;
    }
    return own.give();
  }

  void leave(const K& key, const flight& own) {
    const std::lock_guard hold(flights_lock_);
    const auto at = flights_.find(key);
    if (at != flights_.end() && at->second.get() == &own) flights_.erase(at);
  }

  std::mutex flights_lock_;  // a thread's: never held over a park, and a goroutine that is unwound must have it, too
  std::unordered_map<K, std::shared_ptr<flight>, Hash, Equal> flights_;
};

}  // namespace rove
