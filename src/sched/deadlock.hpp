// Deadlock: every goroutine of the process is parked and nothing can wake one. The essay is in deadlock.cpp.
#pragma once

#include <atomic>

namespace rove::sched {

class scheduler;

// Plain threads that sleep in a call of the library: one of them may wake a goroutine once it goes on.
inline std::atomic<int> plain_threads_in_call{0};

class plain_thread_in_call {
 public:
  explicit plain_thread_in_call(bool counts) : counts_(counts) {
    if (counts_) plain_threads_in_call.fetch_add(1, std::memory_order_relaxed);  // relaxed: see deadlock.cpp
  }
  ~plain_thread_in_call() {
    if (counts_) plain_threads_in_call.fetch_sub(1, std::memory_order_relaxed);  // relaxed: see deadlock.cpp
  }
  plain_thread_in_call(const plain_thread_in_call&) = delete;
  plain_thread_in_call& operator=(const plain_thread_in_call&) = delete;

 private:
  const bool counts_;
};

// Threads of the library's own that wake no goroutine and stay: they are not the program's.
inline std::atomic<int> bystanders{0};

// Calls f for each runtime, with the list locked: none goes away meanwhile.
void for_each_runtime(void (*f)(void* argument, scheduler* s), void* argument);
void register_runtime(scheduler* s);
void unregister_runtime(scheduler* s);

}  // namespace rove::sched
