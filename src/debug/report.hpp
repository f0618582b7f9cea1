// The texts of reports: panic, fatal error, deadlock, dump. Pure functions from what was seen to what is printed.
#pragma once

#include "src/debug/symbols.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rove::debug {

// A goroutine at one moment. `frames` and `created_pc` are return addresses (see backtrace.hpp).
struct goroutine_snapshot {
  std::uint64_t id = 0;             // 0: none, a plain thread of the number in `thread`
  std::string name;
  std::string_view status;          // "running", "chan receive", ...: constant text
  std::int64_t minutes = 0;         // in that state; shown from one on
  std::vector<void*> frames;
  const void* created_pc = nullptr; // where it was started; null: not shown (the main goroutine)
  std::uint64_t thread = 0;
  bool elsewhere = false;           // it runs, so that its stack cannot be looked at
};

enum class frames_shown {
  user,   // without the library's own and what is below main
  all,    // for a bug of the library itself
};

// Each takes `out` and puts text at its end; the symbolizer may be shared by all that goes into one report.
// put_frames says whether any was shown.
bool put_frames(std::string& out, symbolizer& symbols, const void* const* pcs, std::size_t count, frames_shown shown);
void put_creator(std::string& out, symbolizer& symbols, const void* created_pc);
void put_goroutine(std::string& out, symbolizer& symbols, const goroutine_snapshot& g,
                   frames_shown shown = frames_shown::user);

// goroutine 7 "name" [chan receive, 3 minutes]:  (with its line's end)
std::string goroutine_header(std::uint64_t id, std::string_view name, std::string_view status,
                             std::int64_t minutes = 0);

// Goroutines with an empty line between two: a dump.
std::string goroutines_report(const std::vector<goroutine_snapshot>& all);

// What the program died of: "fatal error: " or "panic: ", the message, and who failed.
std::string failure_report(std::string_view title, std::string_view message, const goroutine_snapshot& failing,
                           frames_shown shown = frames_shown::user);

// fatal error: all goroutines are asleep - deadlock!  then each goroutine. Another message (without "fatal error: ")
// where main called goexit.
inline constexpr std::string_view asleep = "all goroutines are asleep - deadlock!";
std::string deadlock_report(const std::vector<goroutine_snapshot>& all, std::string_view message = asleep);

}  // namespace rove::debug
