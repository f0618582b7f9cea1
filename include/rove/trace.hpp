// A timeline of what the program's goroutines did, for Perfetto (ui.perfetto.dev) or chrome://tracing.
#pragma once

#include <cstddef>
#include <string>
#include <system_error>

// A timeline of what goroutines did.
namespace rove::trace {

// How much is kept.
struct options {
  std::size_t buffer = 16u << 20;  // bytes of events kept for each processor; the oldest go first
};

// Takes notes of all runtimes from now on: a track for each processor, and for each host one named after its thread
// ("host main"), with a slice for each time that a goroutine ran there, named like the goroutine or by its number;
// arrows from who woke or started a goroutine to where it went on, and from where it left for another thread; instants for thefts, for calls in `blocking` and for polls. `stop` writes them to `path`, as JSON in Chrome's
// trace-event format. While it lasts each switch takes a longer way and costs some 200 ns; without a trace it costs
// nothing. Any thread; blocks nothing. Errors: what opening the file gives (at once), std::errc::operation_in_progress
// if a trace is being taken, std::errc::not_supported if the library was built with -Dtrace=false.
std::error_code start(const std::string& path, const options& o = {});

// The same without a file: a flight recorder. `snapshot` writes what it holds.
std::error_code record(const options& o = {});

// Writes what is known so far to a file, while the notes go on. Nothing is being recorded: std::errc::invalid_argument.
std::error_code snapshot(const std::string& path);

// Ends `start` or `record`, and writes the file of `start`. Holds up the calling thread for that. Nothing is being
// recorded: does nothing.
std::error_code stop();

}  // namespace rove::trace
