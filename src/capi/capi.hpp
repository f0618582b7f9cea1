// What the files of the C API share. It is a shell: each function calls the C++ one, and turns what it says into a
// result that C has.
//
// A panic is thrown here as anywhere. No frame of C catches it, so it is reported where it was thrown, with the frames
// of C in the backtrace. What a goroutine's end throws passes C's frames too: with at_end::abandon, the default here,
// nothing is thrown at all.
#pragma once

#include <rove/rove.h>

#include <new>

#include <rove/go.hpp>
#include <rove/run.hpp>

namespace rove::capi {

using function = void (*)(void*);

// A goroutine's function. It says where it was started itself: `go` would name the function that inlined it, which is
// one of ours.
struct call {
  function f;
  void* argument;
  void* started_at;

  void operator()() const {
    detail::set_birthplace(started_at);
    f(argument);
  }
};

// Does what may find no memory. False: there is none.
template <class F>
bool has_memory(F f) {
#if ROVE_EXCEPTIONS
  try {
    f();
  } catch (const std::bad_alloc&) {
    return false;
  }
#else
  f();
#endif
  return true;
}

inline options options_of(const rove_options* o) {
  if (!o) return {};
  return {o->name ? std::string_view(o->name) : std::string_view{}, o->stack_size};
}

config config_of(const rove_config* c);

}  // namespace rove::capi
