// What the twins on plain threads are built from: the queue that everybody writes, and a crew of threads.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

namespace bench {

// A bounded queue under a mutex with two condition variables.
template <class T>
class thread_queue {
 public:
  explicit thread_queue(std::size_t capacity) : slots_(capacity) {}

  void push(T value) {
    {
      std::unique_lock lock(mutex_);
      not_full_.wait(lock, [this] { return size_ < slots_.size(); });
      slots_[(head_ + size_) % slots_.size()] = value;
      ++size_;
    }
    not_empty_.notify_one();
  }

  T pop() {
    T value;
    {
      std::unique_lock lock(mutex_);
      not_empty_.wait(lock, [this] { return size_ > 0; });
      value = slots_[head_];
      head_ = (head_ + 1) % slots_.size();
      --size_;
    }
    not_full_.notify_one();
    return value;
  }

 private:
  std::mutex mutex_;
  std::condition_variable not_full_;
  std::condition_variable not_empty_;
  std::vector<T> slots_;
  std::size_t head_ = 0;
  std::size_t size_ = 0;
};

// Runs body(0) ... body(n - 1), each on a thread of its own, and waits for all.
template <class F>
void run_threads(int n, F body) {
  std::vector<std::thread> crew;
  crew.reserve(static_cast<std::size_t>(n));
  for (int i = 0; i < n; ++i)
    crew.emplace_back(body, i);
  for (std::thread& t : crew)
    t.join();
}

}  // namespace bench
