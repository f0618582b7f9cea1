// A bare second stack to fail on, to park on and to look at, without a scheduler.
#pragma once

#include <cstddef>
#include <cstdlib>

#include "src/arch/sanitizer.hpp"
#include "src/arch/switch.hpp"

namespace rove_test {

struct fiber {
  rove::detail::context self;
  rove::detail::context* outside = nullptr;
  void (*body)(fiber&);
  void* memory = nullptr;

  static void no_commit(rove::detail::context*) {}

  // On a stack of its own, or on the one given.
  explicit fiber(void (*b)(fiber&)) : fiber(b, std::aligned_alloc(4096, size)) {}
  fiber(void (*b)(fiber&), char* low, std::size_t bytes) : body(b) {
    self.commit = no_commit;
    rove::arch::sanitizer_attach(self, low, low + bytes);
    rove::arch::make_first_frame(self, low + bytes, start, this);
    rove::arch::set_fp_mode(self, rove::arch::current_fp_mode());
  }

  fiber(void (*b)(fiber&), void* own) : fiber(b, static_cast<char*>(own), size) { memory = own; }
  fiber(const fiber&) = delete;
  fiber& operator=(const fiber&) = delete;
  ~fiber() {
    rove::arch::sanitizer_detach(self);
    std::free(memory);
  }

  // Runs the body until it leaves.
  void resume() {
    rove::detail::context here;
    here.commit = no_commit;
    rove::arch::sanitizer_attach_thread(here);
    outside = &here;
    rove::detail::depart({&here, &self});
  }

  // In the body: back to who resumed it.
  void leave() { rove::detail::depart({&self, outside}); }

  static void start(void* argument, rove::detail::context* left) {
    left->commit(left);
    fiber& f = *static_cast<fiber*>(argument);
    f.body(f);
    for (;;) f.leave();
  }

  static constexpr std::size_t size = 256 * 1024;
};

}  // namespace rove_test
