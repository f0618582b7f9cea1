// What a goroutine looks like from outside: for reports, dumps and statistics.
#pragma once

#include <vector>

#include "src/debug/report.hpp"
#include "src/os/os.hpp"
#include "src/sched/goroutine.hpp"

namespace rove::sched {

// Texts of wait_reason, by its values.
inline constexpr std::size_t reason_count = static_cast<std::size_t>(wait_reason::event) + 1;
extern const std::string_view reason_texts[reason_count];

std::string_view status_text(goroutine_state state, wait_reason reason);
std::int64_t minutes_parked(const goroutine* g, os::nanoseconds now);

// Every goroutine of the process, by id, with the backtraces of the parked ones. Right when nothing moves; otherwise
// what was seen in passing, with no frames for those that were not parked. Or those of one runtime, by its clock.
std::vector<debug::goroutine_snapshot> snapshot_goroutines(const scheduler* only = nullptr,
                                                           os::nanoseconds now = os::now());

void install_report_hooks();   // once: the failing goroutine's name in fatal reports, panics, stack overflow

}  // namespace rove::sched
