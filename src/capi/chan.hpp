// The C API's channel seen from inside.
#pragma once

#include <rove/rove.h>

#include "src/chan/core.hpp"

namespace rove::capi {

inline detail::chan_core* core_of(const rove_chan* c) {
  return reinterpret_cast<detail::chan_core*>(const_cast<rove_chan*>(c));
}

// An element's bytes. One without size needs no place, but the copy of nothing wants an address.
inline void* place_of(const rove_chan* c, const void* element) {
  if (element) [[likely]] return const_cast<void*>(element);
  static char nowhere;
  if (c && core_of(c)->type.size != 0) detail::throw_panic("rove: NULL for an element that has a size");
  return &nowhere;
}

}  // namespace rove::capi
