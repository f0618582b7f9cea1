// A fatal error that tells where an object was made. Only in a build with debug_checks.
#include "src/base/check.hpp"
#include "src/debug/backtrace.hpp"
#include "src/debug/fatal.hpp"
#include "src/debug/report.hpp"
#include "src/os/os.hpp"

namespace rove::base {

void fatal(std::string_view message, std::string_view object, const void* made_at) {
  using namespace debug;
  goroutine_snapshot here;
  here.thread = os::thread_id();
  here.frames.resize(capture_limit);
  here.frames.resize(capture(here.frames.data(), capture_limit));
  std::string report = failure_report("fatal error: ", message, here);
  symbolizer symbols;
  report += object;
  put_frames(report, symbols, &made_at, 1, frames_shown::all);
  die(report);
}

}  // namespace rove::base
