// Loops and calls side by side: fork and join over the processors of a runtime.
//
// parallel_for shares the work out by a counter rather than by splitting the range: whoever is free takes the next
// `grain` indices, so uneven work evens itself out, and a loop costs a goroutine for each further processor and one
// atomic addition for each `grain` indices, however long it is. The caller works too.
//
// Pairs. none of its own: what f did is ordered before the return by the wait_group. The counter only hands out
// numbers.
#pragma once

#include <algorithm>
#include <atomic>
#include <concepts>
#include <cstdint>
#include <exception>
#include <type_traits>
#include <utility>

#include <rove/go.hpp>
#include <rove/run.hpp>
#include <rove/sync.hpp>

namespace rove {
namespace detail {

// One loop under way, in the frame of its caller.
template <class Index, class F>
class parallel_loop {
 public:
  parallel_loop(Index first, std::uint64_t count, std::uint64_t grain, F& f)
      : first_(first), count_(count), grain_(grain), pieces_(count / grain + (count % grain != 0)), f_(f) {}

  std::uint64_t pieces() const { return pieces_; }

  // Takes pieces until there are none, or one threw.
  void work() noexcept(!ROVE_EXCEPTIONS) {
    for (;;) {
      const std::uint64_t n = next_.fetch_add(1, std::memory_order_relaxed);  // relaxed: a number to work on
      if (n >= pieces_) return;
      piece(n * grain_, std::min(grain_, count_ - n * grain_));
    }
  }

  // The same for a helper: what is thrown is kept for the caller, and nobody takes another piece. What ends the
  // goroutine itself goes on.
  void help() {
#if ROVE_EXCEPTIONS
    try {
      work();
    } catch (const std::exception&) {
      keep(std::current_exception());
    }
#else
    work();
#endif
  }

  void stop() { next_.store(pieces_, std::memory_order_relaxed); }  // relaxed: a hint; pieces under way end by themselves

  void rethrow() {
#if ROVE_EXCEPTIONS
    if (error_) std::rethrow_exception(error_);
#endif
  }

 private:
  Index index(std::uint64_t at) const { return static_cast<Index>(static_cast<std::uint64_t>(first_) + at); }

  void piece(std::uint64_t at, std::uint64_t size) {
    const Index from = index(at), to = index(at + size);
    if constexpr (std::invocable<F&, Index, Index>)
      f_(from, to);
    else
      for (Index i = from; i != to; ++i) f_(i);
  }

#if ROVE_EXCEPTIONS
  void keep(std::exception_ptr e) {
    stop();
    if (!failed_.exchange(true, std::memory_order_relaxed)) error_ = std::move(e);  // relaxed: the wait_group orders it
  }
  std::atomic<bool> failed_{false};
  std::exception_ptr error_;
#endif

  const Index first_;
  const std::uint64_t count_, grain_, pieces_;
  F& f_;
  std::atomic<std::uint64_t> next_{0};   // piece
};

}  // namespace detail

// Calls f for each index of [first, last), `grain` of them at a time: f(i), or f(from, to) for a piece if it takes two.
// Returns when all calls have returned; parks meanwhile. The order is not told, and calls run at the same time, as many
// as there are processors. A grain of 0 chooses one: eight pieces for each processor.
//
// The first exception that leaves f stops the handing out of further pieces and leaves parallel_for, once those under
// way are over (in a helper goroutine: if it is a std::exception; anything else is an uncaught panic there). f may
// block; the others then go on. In a goroutine only: panics "rove: no runtime on this thread".
template <std::integral Index, class F>
  requires std::invocable<F&, Index> || std::invocable<F&, Index, Index>
void parallel_for(Index first, Index last, std::uint64_t grain, F&& f) {
  if (first >= last) return;
  if (this_goroutine::id() == 0) detail::throw_panic("rove: no runtime on this thread");
  const auto count = static_cast<std::uint64_t>(last) - static_cast<std::uint64_t>(first);
  const std::uint64_t procs = max_procs();
  if (grain == 0) grain = std::max<std::uint64_t>(1, count / (8 * procs));
  detail::parallel_loop<Index, std::remove_reference_t<F>> loop(first, count, std::min(grain, count), f);
  // Waits whatever happens: the helpers use this frame.
  struct joiner {
    decltype(loop)& l;
    wait_group helpers;
    ~joiner() noexcept(false) {
      l.stop();
      helpers.wait();
    }
  };
  {
    joiner all{loop, {}};
    for (std::uint64_t i = 1; i < std::min(procs, loop.pieces()); ++i) all.helpers.go([&loop] { loop.help(); });
    loop.work();
  }
  loop.rethrow();
}

// Calls all functions, side by side if there are processors for it, and returns when all have returned. The first that
// threw, in their order, has its exception rethrown, when all are over.
template <std::invocable First, std::invocable... Rest>
void parallel_invoke(First&& first, Rest&&... rest) {
  if constexpr (sizeof...(rest) == 0) {
    std::forward<First>(first)();
  } else {
    auto join = [&first](auto... others) {
      std::forward<First>(first)();
      (static_cast<void>(others.get()), ...);
    };
    join(spawn([&rest] { static_cast<void>(std::forward<Rest>(rest)()); })...);
  }
}

}  // namespace rove
