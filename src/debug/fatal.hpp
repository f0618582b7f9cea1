// The end of the process for a reason: who is told, in which order, and what sched has to know of it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace rove::debug {

// What the scheduler knows of the thread that fails.
struct scene {
  std::uint64_t id = 0;                   // of the goroutine that runs on it; 0: none
  std::string_view name;
  const void* created_pc = nullptr;
  const std::function<void(std::string_view)>* on_fatal = nullptr;  // of the thread's runtime, goroutine or not
};

// Installed once by the scheduler. `describe` is called on the failing thread, in a signal handler too: it must not
// allocate, lock or fail.
void set_scene_hook(void (*describe)(scene&));

// Ends the process with a report that is made already (a deadlock's): on_fatal, stderr, status 2.
[[noreturn]] void die(std::string_view report);

// Reports a panic of the program: `panic: WHAT`, then the goroutine and its backtrace from here on. Returns, so that
// the caller can go on to std::terminate; from now on any other thread that fails waits for the end of the process.
void report_panic(std::string_view what);

// What the exception in flight says, for report_panic: what(), else its type, else "unknown exception". In a catch
// block, or in a terminate handler, where the stack of the throw is still there to be shown.
std::string exception_text();

}  // namespace rove::debug
