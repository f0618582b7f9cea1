// Walking stacks with the unwinder that exceptions use: it needs no frame pointers and knows every compiler's tables.
#include "src/debug/backtrace.hpp"

#include "src/arch/switch.hpp"

#include <unwind.h>

namespace rove::debug {
namespace {

struct walk {
  void** pcs;
  std::size_t max;
  std::size_t skip;
  bool waits_for_door;       // frames up to rove_unwind_from are the walker's own
  std::size_t count = 0;
};

_Unwind_Reason_Code collect(_Unwind_Context* frame, void* argument) {
  walk& w = *static_cast<walk*>(argument);
  int interrupted = 0;
  std::uintptr_t pc = _Unwind_GetIPInfo(frame, &interrupted);
  if (pc == 0) return _URC_END_OF_STACK;
  if (w.waits_for_door) {
    w.waits_for_door = _Unwind_GetRegionStart(frame) != reinterpret_cast<std::uintptr_t>(&rove_unwind_from);
    return _URC_NO_REASON;
  }
  if (w.skip != 0) {
    --w.skip;
    return _URC_NO_REASON;
  }
  if (w.count == w.max) return _URC_END_OF_STACK;
  // A frame that a signal interrupted stands at its instruction, not behind a call: make all alike.
  if (interrupted != 0) ++pc;
  w.pcs[w.count++] = reinterpret_cast<void*>(pc);
  return _URC_NO_REASON;
}

void walk_from_here(void* argument) { _Unwind_Backtrace(collect, argument); }

}  // namespace

[[gnu::noinline]] std::size_t capture(void** pcs, std::size_t max, std::size_t skip) {
  walk w{pcs, max, skip + 1, false};
  _Unwind_Backtrace(collect, &w);
  return w.count;
}

std::size_t capture_parked(const detail::context& parked, void** pcs, std::size_t max) {
  walk w{pcs, max, 0, true};
  rove_unwind_from(&parked, walk_from_here, &w);
  return w.count;
}

}  // namespace rove::debug
