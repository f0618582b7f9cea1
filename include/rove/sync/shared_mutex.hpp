// A read-write mutex for goroutines and plain threads.
#pragma once

#include <atomic>
#include <cstdint>

#include <rove/detail/waiter.hpp>

namespace rove {

// SharedLockable: std::shared_lock takes it, and std::unique_lock, lock_guard and scoped_lock for the writer. Not
// recursive, for readers neither: a waiting writer holds new readers back. Readers that waited go before the next
// writer. Belongs to no goroutine, like mutex. Nobody starves. The protocol is in src/sync/shared_mutex.cpp.
class alignas(8) shared_mutex {
 public:
  constexpr shared_mutex() = default;
  shared_mutex(const shared_mutex&) = delete;
  shared_mutex& operator=(const shared_mutex&) = delete;

  // Parks while anybody else has it.
  void lock() {
    if (detail::ending.load(std::memory_order_relaxed)) [[unlikely]] return lock_watched();   // relaxed: a hint
    std::uint32_t s = 0;
    if (!state_.compare_exchange_strong(s, writer, std::memory_order_acquire)) [[unlikely]]   // RW-STATE
      lock_slow();
  }

  // Never parks.
  bool try_lock() {
    std::uint32_t s = state_.load(std::memory_order_relaxed);  // relaxed: the exchange decides
    while (!(s & (writer | handing)) && s < reader)
      if (state_.compare_exchange_weak(s, s | writer, std::memory_order_acquire)) {           // RW-STATE
        if (detail::ending.load(std::memory_order_relaxed)) [[unlikely]] note_owner();        // relaxed: a hint
        return true;
      }
    return false;
  }

  // Never parks. Fatal if no writer has it: "sync: Unlock of unlocked RWMutex".
  void unlock() {
    if (detail::ending.load(std::memory_order_relaxed) && unlock_watched()) [[unlikely]] return;  // relaxed: a hint
    std::uint32_t s = writer;
    if (!state_.compare_exchange_strong(s, 0, std::memory_order_release, std::memory_order_relaxed)) [[unlikely]]  // RW-STATE
      unlock_slow(s);
  }

  // Parks while a writer has it or waits for it.
  ROVE_ALWAYS_INLINE void lock_shared() {
    if (detail::ending.load(std::memory_order_relaxed)) [[unlikely]] return lock_shared_watched();  // relaxed: a hint
    if (state_.fetch_add(reader, std::memory_order_acquire) & closed) [[unlikely]]            // RW-STATE
      lock_shared_slow();
  }

  // Never parks.
  bool try_lock_shared() {
    std::uint32_t s = state_.load(std::memory_order_relaxed);  // relaxed: the exchange decides
    while (!(s & closed))
      if (state_.compare_exchange_weak(s, s + reader, std::memory_order_acquire)) return true;  // RW-STATE
    return false;
  }

  // Never parks. Fatal if no reader has it: "sync: RUnlock of unlocked RWMutex".
  ROVE_ALWAYS_INLINE void unlock_shared() {
    if (detail::ending.load(std::memory_order_relaxed) && unlock_shared_watched()) [[unlikely]] return;  // relaxed: a hint
    const std::uint32_t s = state_.fetch_sub(reader, std::memory_order_release);              // RW-STATE
    if (s < 2 * reader && (s < reader || (s & writers_wait))) [[unlikely]] left(this, s);
  }

 private:
  static constexpr std::uint32_t writer = 1;         // a writer has it
  static constexpr std::uint32_t called = 2;         // a writer was woken to try its luck, and is on its way
  static constexpr std::uint32_t writers_wait = 4;   // perhaps: in the queue
  static constexpr std::uint32_t readers_wait = 8;   // perhaps: in the queue
  static constexpr std::uint32_t handing = 16;  // a writer has waited for too long: the next to leave hands it over
  static constexpr std::uint32_t closed = writer | called | writers_wait | handing;  // to new readers
  static constexpr std::uint32_t reader = 32;  // times the number of readers: inside, or about to see that they are not

  void lock_slow();
  void lock_watched();                               // some runtime ends, or the library checks: looks closer
  void unlock_slow(std::uint32_t s);
  bool unlock_watched();                             // true: this goroutine went on without the lock
  void lock_shared_slow();
  void lock_shared_watched();
  bool unlock_shared_watched();
  void note_owner();
  void take_stock();
  static void left(const void* address, std::uint32_t before);  // the last reader; the mutex may be gone already

  std::atomic<std::uint32_t> state_{0};
};

}  // namespace rove
