// The model checker: runs a small concurrent program under many interleavings and weak-memory outcomes.
//
//   const model::result r = model::explore({.executions = 20000}, [] {
//     model::atomics::atomic<int> flag{0};
//     model::plain<int> data{0};
//     model::thread t([&] { data = 1; flag.store(1, std::memory_order_release); });
//     if (flag.load(std::memory_order_acquire) == 1)
//       model::check(data == 1, "the data came with the flag");
//   });
//   INFO(r.report);
//   REQUIRE(r);
//
// The body and everything that it uses runs once an execution and has to be deterministic but for the atomics; a
// failing execution is abandoned, so r says all there is to know. ROVE_SEED=<as the report says> runs just that one
// execution of every exploration (pick the test by its name as well).
// What is found: a failed check, a data race on `plain`, an atomic used before it is visibly constructed or after it was
// destroyed, a deadlock, a livelock. memory.hpp tells the memory model, strategy.hpp how executions are chosen,
// engine.hpp when an execution is wrong.
#pragma once

#include <atomic>
#include <cstring>
#include <functional>
#include <type_traits>
#include <utility>

#include "test/model/engine.hpp"

namespace rove::model {

result explore(const options& o, const std::function<void()>& body);

// Ends the execution as failed.
void check(bool condition, const char* what);

// One of 0 .. count-1: all of them are tried.
unsigned choose(unsigned count);

// A line in the trace; a point where others may run.
void note(const char* text);
void yield();

// A model thread; the destructor joins.
class thread {
 public:
  explicit thread(std::function<void()> body) : id_(engine::active()->start(std::move(body))) {}
  thread(thread&& other) noexcept : id_(std::exchange(other.id_, -1)) {}
  ~thread() { join(); }
  void join() {
    if (const int id = std::exchange(id_, -1); id >= 0)
      engine::active()->join(id);
  }

 private:
  int id_;
};

inline int self() { return engine::active()->self(); }

// A variable that no two threads may touch at once. Read and written as a T.
template <class T>
class plain {
 public:
  plain() : plain(T{}) {}
  explicit plain(T value) : value_(std::move(value)) { note_write(); }
  plain(const plain& other) : plain(other.get()) {}
  ~plain() { note_write(); }

  T get() const {
    note_read();
    return value_;
  }
  void set(T value) {
    note_write();
    value_ = std::move(value);
  }
  operator T() const { return get(); }
  plain& operator=(T value) {
    set(std::move(value));
    return *this;
  }
  plain& operator=(const plain& other) {
    set(other.get());
    return *this;
  }

 private:
  // Whoever has no execution to belong to is not watched. A variable from before starts anew in each execution.
  engine* watched() const {
    engine* const e = engine::active();
    if (e != nullptr && epoch_ != e->execution()) {
      epoch_ = e->execution();
      reads_ = writes_ = {};
    }
    return e;
  }
  void note_read() const {
    engine* const e = watched();
    if (e == nullptr)
      return;
    const auto t = static_cast<std::size_t>(e->self());
    if (!e->mem().now(e->self()).includes(writes_))
      e->race("a read of a plain variable and a write to it");
    reads_.at[t] = e->mem().now(e->self()).at[t];
  }
  void note_write() {
    engine* const e = watched();
    if (e == nullptr)
      return;
    const auto t = static_cast<std::size_t>(e->self());
    const clock& now = e->mem().now(e->self());
    if (!now.includes(writes_) || !now.includes(reads_))
      e->race("a write to a plain variable and another access to it");
    writes_.at[t] = now.at[t];
  }

  T value_;
  mutable clock reads_{}, writes_{};
  mutable std::uint32_t epoch_ = 0;
};

namespace detail {

template <class T>
std::uint64_t to_bits(T value) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(std::uint64_t));
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  return bits;
}

template <class T>
T from_bits(std::uint64_t bits) {
  T value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

template <class T, class = void>
struct difference { using type = T; };
template <class T>
struct difference<T, std::enable_if_t<std::is_pointer_v<T>>> { using type = std::ptrdiff_t; };

constexpr std::memory_order failure_order(std::memory_order success) {
  if (success == std::memory_order_acq_rel)
    return std::memory_order_acquire;
  return success == std::memory_order_release ? std::memory_order_relaxed : success;
}

}  // namespace detail

// As std::atomic. One that was made before the execution, a static one say, starts each execution with its first value.
template <class T>
class atomic {
 public:
  using value_type = T;
  using difference_type = typename detail::difference<T>::type;

  constexpr atomic() noexcept : atomic(T{}) {}
  constexpr atomic(T value) noexcept : first_(value) {
    if (!std::is_constant_evaluated())
      if (engine* const e = engine::active())
        adopt(*e, true);
  }
  constexpr ~atomic() {
    if (!std::is_constant_evaluated())
      if (engine* const e = engine::active(); e != nullptr && epoch_ == e->execution())
        e->remove_location(id_);
  }
  atomic(const atomic&) = delete;
  atomic& operator=(const atomic&) = delete;

  static constexpr bool is_always_lock_free = true;

  T load(std::memory_order order = std::memory_order_seq_cst, site w = site::here()) const noexcept {
    engine* const e = engine::active();
    return e == nullptr ? first_ : detail::from_bits<T>(e->load(place(*e), order, w));
  }
  void store(T value, std::memory_order order = std::memory_order_seq_cst, site w = site::here()) noexcept {
    if (engine* const e = engine::active())
      e->store(place(*e), detail::to_bits(value), order, w);
    else
      first_ = value;
  }
  T exchange(T value, std::memory_order order = std::memory_order_seq_cst,
             site w = site::here()) noexcept {
    return update([](std::uint64_t, std::uint64_t b) { return b; }, value, order, w);
  }
  bool compare_exchange_strong(T& expected, T desired, std::memory_order success, std::memory_order failure,
                               site w = site::here()) noexcept {
    return compare_exchange(expected, desired, false, success, failure, w);
  }
  bool compare_exchange_strong(T& expected, T desired, std::memory_order order = std::memory_order_seq_cst,
                               site w = site::here()) noexcept {
    return compare_exchange(expected, desired, false, order, detail::failure_order(order), w);
  }
  bool compare_exchange_weak(T& expected, T desired, std::memory_order success, std::memory_order failure,
                             site w = site::here()) noexcept {
    return compare_exchange(expected, desired, true, success, failure, w);
  }
  bool compare_exchange_weak(T& expected, T desired, std::memory_order order = std::memory_order_seq_cst,
                             site w = site::here()) noexcept {
    return compare_exchange(expected, desired, true, order, detail::failure_order(order), w);
  }

  T fetch_add(difference_type n, std::memory_order order = std::memory_order_seq_cst,
              site w = site::here()) noexcept {
    return update([](std::uint64_t a, std::uint64_t b) { return detail::to_bits<T>(plus(a, b)); }, n, order, w);
  }
  T fetch_sub(difference_type n, std::memory_order order = std::memory_order_seq_cst,
              site w = site::here()) noexcept {
    return fetch_add(static_cast<difference_type>(0 - n), order, w);
  }
  T fetch_or(T bits, std::memory_order order = std::memory_order_seq_cst,
             site w = site::here()) noexcept {
    return update([](std::uint64_t a, std::uint64_t b) { return a | b; }, bits, order, w);
  }
  T fetch_and(T bits, std::memory_order order = std::memory_order_seq_cst,
              site w = site::here()) noexcept {
    return update([](std::uint64_t a, std::uint64_t b) { return a & b; }, bits, order, w);
  }
  T fetch_xor(T bits, std::memory_order order = std::memory_order_seq_cst,
              site w = site::here()) noexcept {
    return update([](std::uint64_t a, std::uint64_t b) { return a ^ b; }, bits, order, w);
  }

  operator T() const noexcept { return load(); }
  T operator=(T value) noexcept {
    store(value);
    return value;
  }
  T operator++() noexcept { return static_cast<T>(fetch_add(1) + 1); }
  T operator--() noexcept { return static_cast<T>(fetch_sub(1) - 1); }
  T operator++(int) noexcept { return fetch_add(1); }
  T operator--(int) noexcept { return fetch_sub(1); }
  T operator+=(difference_type n) noexcept { return static_cast<T>(fetch_add(n) + n); }
  T operator-=(difference_type n) noexcept { return static_cast<T>(fetch_sub(n) - n); }

  // What the trace calls it.
  void name(const char* text) const {
    if (engine* const e = engine::active())
      e->name_location(place(*e), text);
  }
  location_id place() const { return place(*engine::active()); }

 private:
  static T plus(std::uint64_t a, std::uint64_t b) {
    return static_cast<T>(detail::from_bits<T>(a) + detail::from_bits<difference_type>(b));
  }
  void adopt(engine& e, bool born_here) const {
    id_ = e.add_location(detail::to_bits(first_), born_here);
    epoch_ = e.execution();
  }
  location_id place(engine& e) const {
    if (epoch_ != e.execution())
      adopt(e, false);
    return id_;
  }
  template <class Operand>
  T update(engine::combine f, Operand operand, std::memory_order order, site w) noexcept {
    if (engine* const e = engine::active())
      return detail::from_bits<T>(e->update(place(*e), f, detail::to_bits(operand), order, w));
    const T old = first_;
    first_ = detail::from_bits<T>(f(detail::to_bits(old), detail::to_bits(operand)));
    return old;
  }
  bool compare_exchange(T& expected, T desired, bool weak, std::memory_order success, std::memory_order failure,
                        site w) noexcept {
    std::uint64_t wanted = detail::to_bits(expected);
    bool done = false;
    if (engine* const e = engine::active()) {
      done = e->compare_exchange(place(*e), wanted, detail::to_bits(desired), weak, success, failure, w);
    } else {
      done = detail::to_bits(first_) == wanted;
      wanted = detail::to_bits(first_);
      first_ = done ? desired : first_;
    }
    if (!done)
      expected = detail::from_bits<T>(wanted);
    return done;
  }

  T first_;
  mutable location_id id_ = 0;
  mutable std::uint32_t epoch_ = 0;
};

// The policy, with the interface of base::real_atomics; and a futex, for protocols that sleep.
struct atomics {
  template <class T>
  using atomic = model::atomic<T>;

  static void light_fence(site w = site::here()) { engine::active()->light_fence(w); }
  static void heavy_fence(site w = site::here()) { engine::active()->heavy_fence(w); }
  static void full_fence(site w = site::here()) { engine::active()->full_fence(w); }
  static void pause() { engine::active()->pause(); }

  // 0 or -1 for a time-out, which a timed wait may have at any moment. May return without a reason.
  static int futex_wait(const atomic<std::uint32_t>& word, std::uint32_t expected, bool timed = false) {
    return engine::active()->futex_wait(word.place(), &word, expected, timed);
  }
  static int futex_wake(const atomic<std::uint32_t>& word, int count) {
    return engine::active()->futex_wake(&word, count);
  }
};

// What a model's steps are full of.
namespace short_names {

using A = atomics;
inline constexpr auto rlx = std::memory_order_relaxed;
inline constexpr auto acq = std::memory_order_acquire;
inline constexpr auto rel = std::memory_order_release;

}  // namespace short_names

}  // namespace rove::model
