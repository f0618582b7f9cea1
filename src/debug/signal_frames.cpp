// Frames on an alternate signal stack: files are mapped, not read, and stay mapped, since the process is about to end.
//
// A full stack faults in a function's first instructions, where clang's tables for AArch64 are not right yet: the walk
// then goes astray and may touch anything. So it runs under handlers that jump back out of it, and what it found until
// then is shown: the function that faulted, if no more.
#include "src/debug/signal_frames.hpp"

#include "src/debug/backtrace.hpp"
#include "src/debug/symbols.hpp"

#include <setjmp.h>
#include <signal.h>

#include <algorithm>

namespace rove::debug {
namespace {

constexpr std::size_t max_signal_frames = 50;

struct named_frame {
  std::string_view name;
  module_place place;
};

class images {
 public:
  // Beyond the few modules that a backtrace has, functions stay without a name.
  std::string_view name_at(const module_place& place) {
    if (place.name == nullptr) return {};
    std::size_t i = 0;
    while (i < used_ && bases_[i] != place.base) ++i;
    if (i == used_) {
      if (used_ == std::size(images_)) return {};
      images_[i].open(place.file());
      bases_[i] = place.base;
      ++used_;
    }
    const char* const name = images_[i].find(place.address).name;
    return name != nullptr ? name : "";
  }

 private:
  std::size_t used_ = 0;
  std::uint64_t bases_[8];
  elf_image images_[8];
};

sigjmp_buf way_out;
void* found_frames[max_signal_frames];

void leave_walk(int) { siglongjmp(way_out, 1); }

void take_over_faults() {
  struct sigaction action = {};
  action.sa_handler = leave_walk;
  action.sa_flags = SA_ONSTACK | SA_NODEFER;
  sigset_t faults;
  sigemptyset(&faults);
  for (const int signal : {SIGSEGV, SIGBUS}) {
    sigaction(signal, &action, nullptr);
    sigaddset(&faults, signal);
  }
  pthread_sigmask(SIG_UNBLOCK, &faults, nullptr);  // a handler runs with its own signal blocked
}

named_frame name_frame(images& files, const void* pc) {
  const void* const call = call_of(pc);
  named_frame f{{}, find_module(call)};
  if (f.place.name == nullptr) f.place.address = reinterpret_cast<std::uint64_t>(call);
  f.name = without_clone(files.name_at(f.place));
  return f;
}

void put_frame(stderr_text& out, const named_frame& f, std::string_view program) {
  out.append(f.name.empty() ? "??" : f.name);
  out.append(f.name.empty() ? "\n" : "(...)\n");
  put_place(out, f.place.name == nullptr ? "" : f.place.is_program() ? program : f.place.name, f.place.address);
}

void put_frames(stderr_text& out, const void* const* pcs, std::size_t max) {
  const auto count = static_cast<std::size_t>(std::find(pcs, pcs + max, nullptr) - pcs);
  images files;
  named_frame frames[max_signal_frames];
  frame_kind kinds[max_signal_frames];
  for (std::size_t i = 0; i < count; ++i) {
    const bool again = i != 0 && pcs[i] == pcs[i - 1];  // recursion without end, most likely
    frames[i] = again ? frames[i - 1] : name_frame(files, pcs[i]);
    kinds[i] = classify(frames[i].name, frames[i].place.name != nullptr ? frames[i].place.name : "");
  }

  char path[512];
  const std::string_view program(path, program_path(path, sizeof path));
  shown_range range = user_frames(kinds, count);
  const bool all = range.first == range.last;
  if (all) range = {0, count};
  for (std::size_t i = range.first; i < range.last; ++i)
    if (all || kinds[i] != frame_kind::internal) put_frame(out, frames[i], program);
  if (count == max) out.append("...additional frames elided...\n");
}

// Runs a step; a fault in it ends it.
[[gnu::noinline]] void attempt(void (*step)(stderr_text&), stderr_text& out) {
  if (sigsetjmp(way_out, 1) == 0) step(out);
}

}  // namespace

void put_backtrace_in_signal(stderr_text& out) {
  take_over_faults();
  attempt([](stderr_text&) { capture(found_frames, max_signal_frames); }, out);
  attempt([](stderr_text& to) { put_frames(to, found_frames, std::size(found_frames)); }, out);
}

}  // namespace rove::debug
