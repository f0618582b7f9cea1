// A static object that is never destroyed.
#pragma once

namespace rove::base {

// Made at compile time, and there for ever: a goroutine that still runs while static objects die may use it.
template <class T>
union immortal {
  constexpr immortal() : value() {}
  ~immortal() {}
  T value;
};

}  // namespace rove::base
