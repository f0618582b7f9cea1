// The public runtime: the environment, class runtime, what a goroutine may ask of itself.
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include <rove/run.hpp>
#include <rove/time.hpp>

#include "src/base/check.hpp"
#include "src/sched/deadlock.hpp"
#include "src/sched/ending.hpp"
#include "src/sched/inspect.hpp"
#include "src/sched/park.hpp"
#include "src/sched/scheduler.hpp"
#include "src/sched/sysmon.hpp"

namespace rove {
namespace sched {

void init_goroutines();            // birth.cpp

bool forked = false;               // in the child of a fork: no thread of any runtime came along

namespace {

// ROVE_MAXPROCS, or 0 if it is not set. Anything but a number in range ends the program: a program that runs with
// another number than it was told would be found out late.
unsigned max_procs_of_environment() {
  const char* const text = std::getenv("ROVE_MAXPROCS");
  if (!text || !*text) return 0;
  unsigned n = 0;
  const auto [end, error] = std::from_chars(text, text + std::strlen(text), n);
  if (error == std::errc{} && *end == 0 && n >= 1 && n <= most_processors) return n;
  char message[160];
  std::snprintf(message, sizeof message, "rove: ROVE_MAXPROCS=%.60s is not a number from 1 to %u", text, most_processors);
  base::fatal(message);
}

unsigned initial_max_procs(unsigned wanted) {
  if (const unsigned n = max_procs_of_environment()) return n;
  if (wanted > most_processors) detail::throw_panic("rove: max_procs out of range");
  if (wanted > 0) return wanted;
  return static_cast<unsigned>(os::usable_processors());
}

}  // namespace

void init_process() {
  static const bool done = [] {
    os::init_barriers();
    init_goroutines();
    install_report_hooks();
    os::on_fork_in_child([] {
      forked = true;
      detail::ending.fetch_add(1, std::memory_order_relaxed);  // relaxed: one thread; every call looks closer now
    });
    return true;
  }();
  (void)done;
}

}  // namespace sched

// ---- class runtime -----------------------------------------------------------------------------------------------------

static sched::scheduler* make_scheduler(const config& c, bool is_run) {
  sched::init_process();
  detail::check_not_forked();
  return new sched::scheduler(c, sched::initial_max_procs(c.max_procs), is_run);
}

runtime::runtime() : runtime(config{}) {}
runtime::runtime(const config& c) : scheduler_(make_scheduler(c, false)) {}
runtime::runtime(const config& c, detail::for_run) : scheduler_(make_scheduler(c, true)) {}
runtime::~runtime() {
  if (!sched::forked) stop();
}

void runtime::stop() {
  if (const sched::goroutine* const g = sched::current(); g && g->home() == scheduler_.get())
    detail::throw_panic("rove: runtime stopped from one of its goroutines");
  scheduler_->end_and_wait();
}

bool runtime::poll_until(std::int64_t when) {
  detail::check_not_forked();
  if (sched::current()) detail::throw_panic("rove: poll called inside a goroutine");
  return scheduler_->poll(when);
}

statistics runtime::stats() const {
  const auto n = scheduler_->stats();
  const auto stacks = arch::stack_stats();
  statistics s;
  s.goroutines = n.goroutines;
  s.running = n.running;
  s.runnable = n.runnable;
  s.parked = n.parked;
  s.spawned = n.spawned;
  s.switches = n.switches;
  s.steals = n.steals;
  s.parks = n.parks;
  s.threads = n.threads;
  s.timers = n.timers;
  s.polled = n.polled;
  s.stack_reserved = stacks.reserved;
  s.stack_resident = stacks.resident;
  s.stacks_unguarded = stacks.unguarded;
  return s;
}

std::uint32_t runtime::number() const { return scheduler_->number(); }

sched::scheduler* runtime::home() const {
  detail::check_not_forked();
  return scheduler_.get();
}

sched::scheduler* runtime::main_home() { return scheduler_.get(); }

void runtime::finish_main() {
  sched::machine m;
  scheduler_->lend(&m, scheduler_->finished());
}

// ---- free functions ------------------------------------------------------------------------------------------------------

namespace detail {

void check_not_forked() {
  if (sched::forked) base::fatal("rove: a runtime cannot be used in the child of a fork");
}

void check_run_allowed() {
  if (sched::current()) throw_panic("rove: run called inside a goroutine");
}

void fatal_main_left() { base::fatal("rove: the main goroutine ended without a result"); }

void main_begins() {
  sched::goroutine* const g = sched::current();
  g->flags |= sched::goroutine::flag_main;
  g->started_at.store(nullptr, std::memory_order_relaxed);  // relaxed: for reports
}
void set_birthplace(void* pc) {
  sched::current()->started_at.store(pc, std::memory_order_relaxed);  // relaxed: for reports
}
void main_ends() { sched::current()->home()->begin_end(); }

bool current_is_ending() {
  const sched::goroutine* const g = sched::current();
  return g && (g->flags & sched::goroutine::flag_unwinding);
}

void throw_no_memory() {
#if ROVE_EXCEPTIONS
  throw std::bad_alloc();
#else
  base::fatal("rove: no memory for a goroutine's stack");
#endif
}

}  // namespace detail

unsigned max_procs() {
  if (sched::goroutine* const g = sched::current()) return g->home()->max_procs();
  return sched::initial_max_procs(0);
}

unsigned set_max_procs(unsigned n) {
  sched::goroutine* const g = sched::current();
  if (!g) detail::throw_panic("rove: no runtime on this thread");
  if (n < 1 || n > sched::most_processors) detail::throw_panic("rove: max_procs out of range");
  return g->home()->set_max_procs(n);
}

std::size_t num_goroutines() {
  sched::goroutine* const g = sched::current();
  return g ? g->home()->alive() : 0;
}

namespace this_goroutine {

std::uint64_t id() {
  const sched::goroutine* const g = sched::current();
  return g ? g->id.load(std::memory_order_relaxed) : 0;  // relaxed: its own
}

std::string_view name() {
  const sched::goroutine* const g = sched::current();
  const char* const name = g ? g->name.load(std::memory_order_relaxed) : nullptr;  // relaxed: its own
  return name ? name : std::string_view{};
}

void set_name(std::string_view name) {
  if (sched::goroutine* const g = sched::current()) sched::name_goroutine(g, name);
}

std::size_t stack_left() {
  const sched::goroutine* const g = sched::current();
  if (!g) return 0;
  return static_cast<std::size_t>(static_cast<const char*>(__builtin_frame_address(0)) - g->stack->low);
}

}  // namespace this_goroutine
}  // namespace rove
