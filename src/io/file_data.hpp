// What a file keeps beside its `pollable`, in that one's label.
#pragma once

#include <atomic>

#include <rove/error.hpp>

#include "src/os/files.hpp"
#include "src/sched/netpoll.hpp"

namespace rove::io {

using sched::io_turn;
using sched::pollable;
using sched::side;

struct file_data {
  os::file_kind kind = os::file_kind::stored;
  std::atomic<bool> asks_first{true};    // reading what is in memory, and no more, works for this file; see file.cpp
  pollable* watch = nullptr;             // of what is polled and blocks; else null
};
static_assert(sizeof(file_data) <= pollable::label_size);

inline file_data& data_of(pollable* p) { return *static_cast<file_data*>(p->label()); }

template <class Value>
Value or_throw(Value&& value, const std::error_code& ec, const char* what) {
  if (ec) detail::throw_system_error(ec, what);
  return std::forward<Value>(value);
}

}  // namespace rove::io
