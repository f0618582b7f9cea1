// Bare stacks to switch between.
#include "test/arch/switch_checks.hpp"

#include <cxxabi.h>

#include <new>
#include <utility>

#include "test/arch/scramble.hpp"

namespace switch_checks {
namespace {

// The thread's exceptions in flight go with the stack they were thrown on. Not inlined: compilers keep the address that
// __cxa_get_globals returned over a switch, and a fiber may go on in another thread.
[[gnu::noinline]] void exchange_exceptions(fiber& f) {
  struct globals {
    void* caught;
    unsigned uncaught;
  };
  auto* const g = reinterpret_cast<globals*>(abi::__cxa_get_globals());
  std::swap(g->caught, f.caught);
  std::swap(g->uncaught, f.uncaught);
}

void first_function(void* argument, context* left) {
  left->commit(left);
  fiber& f = *static_cast<fiber*>(argument);
  f.wrong = f.body(f);
  f.ended = true;
  rove::arch::sanitizer_leaving_for_good(f.self);
  rove::detail::depart({&f.self, f.outside});
}

}  // namespace

fiber::fiber(body_function b, void* d, std::size_t misaligned) : body(b), data(d) {
  memory = static_cast<char*>(std::aligned_alloc(4096, size));
  if (memory == nullptr)
    throw std::bad_alloc();
  self.commit = no_commit;
  rove::arch::sanitizer_attach(self, memory, memory + size);
  rove::arch::make_first_frame(self, memory + size - misaligned, first_function, this);
  rove::arch::set_fp_mode(self, rove::arch::current_fp_mode());
}

fiber::~fiber() {
  rove::arch::sanitizer_detach(self);
  rove::arch::sanitizer_stack_reused(memory, memory + size);
  std::free(memory);
}

void fiber::resume() {
  context here;
  here.commit = no_commit;
  rove::arch::sanitizer_attach_thread(here);
  outside = &here;
  exchange_exceptions(*this);
  scramble_registers();
  rove::detail::depart({&here, &self});
  exchange_exceptions(*this);
}

const char* run_in_turns(fiber::body_function body, fiber::body_function other) {
  fiber a(body), b(other);
  while (!a.ended || !b.ended) {
    if (!a.ended)
      a.resume();
    if (!b.ended)
      b.resume();
  }
  return a.wrong ? a.wrong : b.wrong;
}

}  // namespace switch_checks
