// Fibers for the model checker, on ucontext: the checker must not stand on the switch that the library is built on.
//
// A fiber runs one job after another and never returns from its first function, so that the shadow call stacks of
// sanitizers stay balanced. A job that failed in the middle is abandoned with its fiber.
#pragma once

#include <ucontext.h>

#include <cstddef>
#include <functional>

namespace rove::model {

class fiber {
 public:
  fiber() = default;                       // of the thread that explores: no stack of its own
  explicit fiber(std::size_t stack_bytes);
  ~fiber();
  fiber(const fiber&) = delete;
  fiber& operator=(const fiber&) = delete;

  // The job returns the fiber to go on with.
  void give(std::function<fiber*()> job) { job_ = std::move(job); }
  void switch_to(fiber& to);

 private:
  static void first_function();
  void arrived();

  ucontext_t context_{};
  std::function<fiber*()> job_;
  char* stack_ = nullptr;
  std::size_t bytes_ = 0;
  const void* low_ = nullptr;                       // what can be used of it
  std::size_t size_ = 0;
  [[maybe_unused]] void* fake_stack_ = nullptr;     // AddressSanitizer's
  [[maybe_unused]] void* tsan_fiber_ = nullptr;
};

}  // namespace rove::model
