// A variable of which each goroutine has its own.
#pragma once

#include <atomic>
#include <cstdint>

#include <rove/detail/local.hpp>

namespace rove {

// `*x` and `x->` are a T{} for each goroutine, made at its first use there; for each thread outside of goroutines.
// Destroyed after the goroutine's closure, the last one made first; a thread's when the thread ends. Unlike a
// thread_local it stays the same over a call that parks. Most useful as a global or static object; one that goes away
// leaves its values where they are, to be destroyed with their goroutines. Never parks, unless T's constructor does. A
// lookup takes time in proportion to how many such variables the goroutine uses.
template <class T>
class goroutine_local {
 public:
  constexpr goroutine_local() = default;
  goroutine_local(const goroutine_local&) = delete;
  goroutine_local& operator=(const goroutine_local&) = delete;

  // The calling goroutine's own, or the plain thread's. Allocates at the first use there, and throws what T() throws.
  T& operator*() const { return get(); }
  T* operator->() const { return &get(); }

 private:
  struct node : detail::local_node {
    T value{};
  };

  T& get() const {
    const std::uint64_t key = key_.load(std::memory_order_relaxed);                 // relaxed: a number
    if (key != 0) [[likely]]
      if (detail::local_node* const n = detail::find_local(key)) [[likely]]
        return static_cast<node*>(n)->value;
    return make();
  }
  [[gnu::noinline]] T& make() const {
    std::uint64_t key = 0;
    const std::uint64_t fresh = detail::new_local_key();
    if (key_.compare_exchange_strong(key, fresh, std::memory_order_relaxed)) key = fresh;  // relaxed: a number
    node* const n = new node;
    n->key = key;
    n->destroy = [](detail::local_node* self) { delete static_cast<node*>(self); };
    detail::add_local(n);
    return n->value;
  }

  mutable std::atomic<std::uint64_t> key_{0};      // from the first use on
};

}  // namespace rove
