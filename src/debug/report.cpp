// How reports are put together; Go's forms, with the module and address in the place of file and line.
#include "src/debug/report.hpp"

#include "src/debug/backtrace.hpp"
#include "src/debug/text.hpp"

#include <algorithm>

namespace rove::debug {

// ---- frames --------------------------------------------------------------------------------------------------------

namespace {

void put_frame(std::string& out, const symbol& s) {
  out += s.function;
  out += '\n';
  put_place(out, s.module, s.address);
}

}  // namespace

bool put_frames(std::string& out, symbolizer& symbols, const void* const* pcs, std::size_t count, frames_shown shown) {
  const std::size_t captured = std::min(count, max_frames);
  frame_kind kinds[max_frames];
  for (std::size_t i = 0; i < captured; ++i) kinds[i] = symbols.find(pcs[i]).kind;
  const bool all = shown == frames_shown::all;
  const shown_range range = all ? shown_range{0, captured} : user_frames(kinds, captured);
  for (std::size_t i = range.first; i < range.last; ++i)
    if (all || kinds[i] != frame_kind::internal) put_frame(out, symbols.find(pcs[i]));
  if (count > captured) out += "...additional frames elided...\n";
  return range.first != range.last;
}

void put_creator(std::string& out, symbolizer& symbols, const void* created_pc) {
  if (created_pc == nullptr) return;
  out += "created by ";
  put_frame(out, symbols.find(created_pc));
}

// ---- goroutines ----------------------------------------------------------------------------------------------------

void put_goroutine(std::string& out, symbolizer& symbols, const goroutine_snapshot& g, frames_shown shown) {
  if (g.id != 0)
    put_header(out, g.id, g.name, g.status, g.minutes);
  else
    put_thread_header(out, g.thread);
  if (g.elsewhere) out += "\tgoroutine running on other thread; stack unavailable\n";
  // On a thread of the library's own nothing but its own frames may be there: better those than none.
  if (!put_frames(out, symbols, g.frames.data(), g.frames.size(), shown) && g.id == 0)
    put_frames(out, symbols, g.frames.data(), g.frames.size(), frames_shown::all);
  put_creator(out, symbols, g.created_pc);
}

std::string goroutine_header(std::uint64_t id, std::string_view name, std::string_view status, std::int64_t minutes) {
  std::string out;
  put_header(out, id, name, status, minutes);
  return out;
}

namespace {

void put_goroutines(std::string& out, const std::vector<goroutine_snapshot>& all) {
  symbolizer symbols;
  bool first = true;
  for (const goroutine_snapshot& g : all) {
    if (!first) out += '\n';
    first = false;
    put_goroutine(out, symbols, g);
  }
}

std::string headed(std::string_view title, std::string_view message) {
  std::string out(title);
  out += message;
  out += "\n\n";
  return out;
}

}  // namespace

std::string goroutines_report(const std::vector<goroutine_snapshot>& all) {
  std::string out;
  put_goroutines(out, all);
  return out;
}

std::string failure_report(std::string_view title, std::string_view message, const goroutine_snapshot& failing,
                           frames_shown shown) {
  std::string out = headed(title, message);
  symbolizer symbols;
  put_goroutine(out, symbols, failing, shown);
  return out;
}

std::string deadlock_report(const std::vector<goroutine_snapshot>& all, std::string_view message) {
  std::string out = headed("fatal error: ", message);
  put_goroutines(out, all);
  return out;
}

}  // namespace rove::debug
