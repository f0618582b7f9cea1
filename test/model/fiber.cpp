// Fibers for the model checker: a mapping with a guard page, swapcontext, and what sanitizers must be told.
#include "test/model/fiber.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include <rove/detail/config.hpp>

#if ROVE_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if ROVE_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace rove::model {

namespace {

// The checker runs on one thread at a time, and every test explores on its own.
fiber* arriving = nullptr;
fiber* leaving = nullptr;

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::abort();
}

}  // namespace

fiber::fiber(std::size_t stack_bytes) : bytes_(stack_bytes) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* const start = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (start == MAP_FAILED)
    die("model: mmap");
  if (mprotect(start, page, PROT_NONE) != 0)
    die("model: mprotect");
  stack_ = static_cast<char*>(start);
  getcontext(&context_);
  context_.uc_stack.ss_sp = stack_ + page;
  context_.uc_stack.ss_size = bytes_ - page;
  context_.uc_link = nullptr;
  low_ = context_.uc_stack.ss_sp;
  size_ = context_.uc_stack.ss_size;
  makecontext(&context_, &fiber::first_function, 0);
#if ROVE_TSAN
  tsan_fiber_ = __tsan_create_fiber(0);
#endif
}

fiber::~fiber() {
  if (stack_ == nullptr)
    return;
#if ROVE_TSAN
  __tsan_destroy_fiber(tsan_fiber_);
#endif
#if ROVE_ASAN
  // Frames of an abandoned job may have left poison behind.
  __asan_unpoison_memory_region(low_, size_);
#endif
  munmap(stack_, bytes_);
}

void fiber::switch_to(fiber& to) {
  arriving = &to;
  leaving = this;
#if ROVE_ASAN
  __sanitizer_start_switch_fiber(&fake_stack_, to.low_, to.size_);
#endif
#if ROVE_TSAN
  if (stack_ == nullptr)
    tsan_fiber_ = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(to.tsan_fiber_, 0);
#endif
  if (swapcontext(&context_, &to.context_) != 0)
    die("model: swapcontext");
  arrived();
}

void fiber::arrived() {
#if ROVE_ASAN
  const void* bottom = nullptr;
  std::size_t size = 0;
  __sanitizer_finish_switch_fiber(fake_stack_, &bottom, &size);
  if (leaving->stack_ == nullptr) {  // the exploring thread's stack is learned from the first switch away from it
    leaving->low_ = bottom;
    leaving->size_ = size;
  }
#endif
}

void fiber::first_function() {
  fiber* const self = arriving;
  self->arrived();
  for (;;) {
    fiber* const next = self->job_();
    self->switch_to(*next);
  }
}

}  // namespace rove::model
