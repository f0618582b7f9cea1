// A singly linked run of items that travels as one: `T` has `link`.
#pragma once

#include <cstddef>

namespace rove::base {

template <class T>
struct chain {
  T* first = nullptr;
  T* last = nullptr;
  std::size_t count = 0;

  bool empty() const { return first == nullptr; }

  void push_back(T* item) {
    item->link = nullptr;
    (last ? last->link : first) = item;
    last = item;
    ++count;
  }

  void push_front(T* item) {
    item->link = first;
    first = item;
    if (!last) last = item;
    ++count;
  }

  T* pop_front() {
    T* const item = first;
    if (!item) return nullptr;
    first = item->link;
    if (!first) last = nullptr;
    --count;
    item->link = nullptr;
    return item;
  }

  // Keeps the first `n` (at least one), returns the rest.
  chain split_after(std::size_t n) {
    if (count <= n) return {};
    T* end = first;
    for (std::size_t i = 1; i < n; ++i) end = end->link;
    chain rest{end->link, last, count - n};
    end->link = nullptr;
    last = end;
    count = n;
    return rest;
  }

  void append(chain other) {
    if (other.empty()) return;
    (last ? last->link : first) = other.first;
    last = other.last;
    count += other.count;
  }
};

}  // namespace rove::base
