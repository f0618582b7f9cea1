// Dying with a report: one at a time, whole, and in spite of what fails on the way.
//
// Problem: several threads may fail at once; what looks at the report (on_fatal) and what makes it may fail too; a
// goroutine that fails may have a stack of 16 KiB, on which no C++ name can be demangled.
// Invariant: the first thread to fail owns the end of the process; nothing but that thread (and the helper that it
// starts) prints from then on, and the process ends when it has printed.
//   1. A failing thread puts its id in `owner`. Who finds another's id there waits for ever; who finds its
//      own, or is the helper, failed while reporting: it prints what is still unprinted, then its own line, and ends.
//   2. The owner puts its message into `unprinted` and captures its frames, on the spot. The report is made where there
//      is room: on a thread for it when the owner stands on a goroutine's stack. One that cannot be made (no memory)
//      shrinks to its first line.
//   3. on_fatal sees the report, then stderr does. `unprinted` is taken by whoever prints it (FATAL-PRINT), so that a
//      failure in on_fatal neither loses nor repeats it.
// The scheduler's hook (FATAL-SCENE: release when installed, acquire when called) brings what it points to with it.
// Rejected: a lock with an owner (nothing is ever unlocked here), and on_fatal under a timeout (it may write a core).
#include "src/debug/fatal.hpp"

#include <atomic>

#include "src/base/check.hpp"
#include "src/debug/backtrace.hpp"
#include "src/debug/report.hpp"
#include "src/debug/roomy.hpp"
#include "src/debug/signal_frames.hpp"
#include "src/debug/text.hpp"
#include "src/os/os.hpp"

namespace rove::debug {
namespace {

struct failure {
  std::string_view title;      // with the message, what is printed when no report can be made
  std::string_view message;
  frames_shown shown = frames_shown::user;
  std::string_view report{};   // once it is made
  std::uint64_t thread = os::thread_id();
  scene where{};
  std::size_t count = 0;
  void* frames[capture_limit] = {};
};

std::atomic<void (*)(scene&)> describe_scene{nullptr};
std::atomic<std::uint64_t> owner{0};
std::atomic<std::uint64_t> helper{0};
std::atomic<const failure*> unprinted{nullptr};

[[noreturn]] void wait_for_the_end() {
  static const std::uint32_t nobody_writes_this = 0;
  for (;;) os::futex_wait(&nobody_writes_this, 0);
}

void print_unprinted() {
  const failure* const f = unprinted.exchange(nullptr, std::memory_order_acq_rel);  // FATAL-PRINT
  if (f == nullptr) return;
  stderr_text out;
  if (!f->report.empty()) return out.append(f->report);
  out.append(f->title);
  out.append(f->message);
  out.append("\n");
}

// Returns in the thread that is to report; false: it failed while doing so.
bool become_owner() {
  const std::uint64_t me = os::thread_id();
  std::uint64_t found = 0;
  // relaxed: who was first is all that matters; nobody reads anything that another thread's failure wrote
  if (owner.compare_exchange_strong(found, me, std::memory_order_relaxed)) return true;
  if (found == me || helper.load(std::memory_order_relaxed) == me) return false;  // relaxed: its own id or not
  wait_for_the_end();
}

[[noreturn]] void die_while_reporting(std::string_view title, std::string_view message) {
  print_unprinted();
  {
    stderr_text out;
    out.append(title);
    out.append(message);
    out.append("\n");
  }
  os::exit_now(2);
}

void look_around(scene& where) {
  if (auto* const describe = describe_scene.load(std::memory_order_acquire)) describe(where);  // FATAL-SCENE
}

// Runs f; false if it threw.
template <class F>
bool completes(F f) {
#if ROVE_EXCEPTIONS
  try {
    f();
  } catch (...) {
    return false;
  }
#else
  f();
#endif
  return true;
}

std::string report_of(const failure& f) {
  goroutine_snapshot g{f.where.id, std::string(f.where.name), "running", 0, {f.frames, f.frames + f.count},
                       f.where.created_pc, f.thread};
  return failure_report(f.title, f.message, g, f.shown);
}

// Steps 2 and 3, where there is room for them.
void make_and_show(void* argument) {
  failure& f = *static_cast<failure*>(argument);
  helper.store(os::thread_id(), std::memory_order_relaxed);  // relaxed: for this thread itself
  std::string text;
  if (f.report.empty() && completes([&] { text = report_of(f); })) f.report = text;
  std::string_view seen = f.report;
  if (seen.empty()) seen = f.message;
  if (f.where.on_fatal != nullptr && *f.where.on_fatal) completes([&] { (*f.where.on_fatal)(seen); });
  print_unprinted();
}

void show(failure& f) {
  unprinted.store(&f, std::memory_order_release);  // FATAL-PRINT
  if (f.report.empty()) f.count = capture(f.frames, capture_limit);
  look_around(f.where);
  with_room(make_and_show, &f);
}

}  // namespace

void set_scene_hook(void (*describe)(scene&)) {
  describe_scene.store(describe, std::memory_order_release);  // FATAL-SCENE
}

void die(std::string_view report) {
  if (!become_owner()) die_while_reporting(report, {});
  failure f{report, {}};
  f.report = report;
  show(f);
  os::exit_now(2);
}

void report_panic(std::string_view what) {
  if (!become_owner()) die_while_reporting("panic: ", what);
  failure f{"panic: ", what};
  show(f);
}

}  // namespace rove::debug

// ---- src/base/check.hpp --------------------------------------------------------------------------------------------

namespace rove::base {

using namespace debug;

void fatal(std::string_view message) {
  if (!become_owner()) die_while_reporting("fatal error: ", message);
  failure f{"fatal error: ", message};
  if (message.starts_with("rove: internal check failed")) f.shown = frames_shown::all;
  show(f);
  os::exit_now(2);
}

void fatal_in_signal(std::string_view message) {
  if (!become_owner()) die_while_reporting("fatal error: ", message);
  scene where;
  look_around(where);
  stderr_text out;
  out.append("fatal error: ");
  out.append(message);
  out.append("\n\n");
  if (where.id != 0)
    put_header(out, where.id, where.name, "running");
  else
    put_thread_header(out, os::thread_id());
  out.flush();  // this much is sure
  put_backtrace_in_signal(out);
  out.flush();
  os::exit_now(2);
}

}  // namespace rove::base
