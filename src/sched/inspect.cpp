// Snapshots of goroutines, and the hooks by which reports name the goroutine that failed.
#include "src/sched/inspect.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <exception>

#include "src/arch/fault.hpp"
#include "src/base/check.hpp"
#include "src/debug/backtrace.hpp"
#include "src/debug/fatal.hpp"
#include "src/debug/text.hpp"
#include "src/sched/machine.hpp"
#include "src/sched/registry.hpp"
#include "src/sched/scheduler.hpp"

namespace rove::sched {

constinit const std::string_view reason_texts[reason_count] = {
    "waiting", "chan receive", "chan send", "chan receive (nil chan)", "chan send (nil chan)", "select",
    "select (no cases)", "sleep", "sync.Mutex.Lock", "sync.RWMutex.Lock", "sync.RWMutex.RLock",
    "sync.WaitGroup.Wait", "sync.Cond.Wait", "semacquire", "IO wait", "task join", "latch", "barrier", "event",
};

namespace {

os::lock names_lock{os::rank::object};  // the text of names, on top of the stacks

debug::goroutine_snapshot snapshot(goroutine* g, goroutine_state state, os::nanoseconds now) {
  debug::goroutine_snapshot s;
  s.id = g->id.load(std::memory_order_relaxed);  // relaxed: for reports
  char name[name_room];
  copy_name(g, s.id, name);
  s.name = name;
  s.status = status_text(state, g->reason);
  if (state == goroutine_state::waiting) s.minutes = minutes_parked(g, now);
  s.created_pc = g->started_at.load(std::memory_order_relaxed);  // relaxed: for reports
  if (state == goroutine_state::waiting) {
    void* frames[debug::capture_limit];
    s.frames.assign(frames, frames + debug::capture_parked(*g, frames, debug::capture_limit));
  }
  return s;
}

void describe_current(debug::scene& scene) {
  machine* const m = this_machine();
  if (!m) return;
  if (m->home) scene.on_fatal = &m->home->config().on_fatal;
  goroutine* const g = m->g;
  if (!g || g == &m->g0) return;
  scene.id = g->id.load(std::memory_order_relaxed);  // relaxed: for reports
  if (const char* const name = g->name.load(std::memory_order_relaxed)) scene.name = name;  // relaxed: its own
  scene.created_pc = g->started_at.load(std::memory_order_relaxed);                         // relaxed: its own
}

// In a signal handler: text without allocation.
class signal_text {
 public:
  void append(std::string_view s) {
    const std::size_t n = std::min(s.size(), sizeof text_ - size_);
    std::memcpy(text_ + size_, s.data(), n);
    size_ += n;
  }
  std::string_view view() const { return {text_, size_}; }

 private:
  char text_[512];
  std::size_t size_ = 0;
};

void report_overflow(arch::stack* s, const void*) {
  struct search {
    arch::stack* s;
    goroutine* found;
  } owner{s, nullptr};
  for_each_goroutine(
      [](void* argument, goroutine* g) {
        auto* const o = static_cast<search*>(argument);
        if (g->stack == o->s) o->found = g;
      },
      &owner);
  if (!owner.found) return;
  goroutine* const g = owner.found;
  signal_text text;
  text.append("goroutine stack overflow\n\ngoroutine ");
  debug::put_number(text, g->id.load(std::memory_order_relaxed));  // relaxed: for reports
  if (const char* const name = g->name.load(std::memory_order_relaxed)) {  // relaxed: its own
    text.append(" ");
    debug::put_quoted(text, name);
  }
  text.append(" exceeds its stack of ");
  debug::put_number(text, arch::size_of_class(s->size_class) / 1024);
  text.append(" KiB; start it with a larger options::stack_size, or set config::stack_size");
  base::fatal_in_signal(text.view());
}

std::terminate_handler earlier_handler = nullptr;

// An exception that nobody catches ends the search for a handler at the goroutine's entry; the runtime library then
// calls this at the throw, with every frame in place.
void on_terminate() {
  static thread_local bool reporting = false;
  if (current() && !reporting) {
    reporting = true;
    debug::report_panic(debug::exception_text());
  }
  if (earlier_handler) earlier_handler();
  std::abort();
}

}  // namespace

std::int64_t minutes_parked(const goroutine* g, os::nanoseconds now) {
  const os::nanoseconds since = g->parked_at.load(std::memory_order_relaxed);  // relaxed: for reports
  return since > 0 ? (now - since) / 60'000'000'000 : 0;
}

void name_goroutine(goroutine* g, std::string_view name) {
  char* const kept = g->stack->top - name_room;
  const std::size_t n = std::min(name.size(), name_room - 1);
  os::hold h(names_lock);
  std::memcpy(kept, name.data(), n);
  kept[n] = 0;
  g->name.store(n ? kept : nullptr, std::memory_order_relaxed);  // relaxed: names_lock
}

bool copy_name(const goroutine* g, std::uint64_t id, char (&name)[name_room]) {
  os::hold h(names_lock);
  const char* const kept = g->name.load(std::memory_order_relaxed);  // relaxed: names_lock
  name[0] = 0;
  if (kept) std::memcpy(name, kept, name_room);
  // Who gets its stack after it writes a name there after its id was cleared, so under the lock either both are seen or neither.
  return g->id.load(std::memory_order_relaxed) == id;  // relaxed: names_lock
}

std::string_view status_text(goroutine_state state, wait_reason reason) {
  switch (state) {
    case goroutine_state::leaving:
    case goroutine_state::waiting: return reason_texts[static_cast<std::size_t>(reason)];
    case goroutine_state::runnable: return "runnable";
    case goroutine_state::syscall: return "syscall";
    default: return "running";
  }
}

std::vector<debug::goroutine_snapshot> snapshot_goroutines(const scheduler* only, os::nanoseconds now) {
  std::vector<goroutine*> alive;
  struct search {
    const scheduler* only;
    std::vector<goroutine*>* found;
  } wanted{only, &alive};
  for_each_goroutine(
      [](void* argument, goroutine* g) {
        const auto* const s = static_cast<search*>(argument);
        if (s->only && s->only != g->home()) return;
        if (g->state.load(std::memory_order_acquire) != goroutine_state::dead)  // ENDING
          s->found->push_back(g);
      },
      &wanted);
  // qsort is in every process already; std::sort would add kilobytes to each program for its last minute.
  std::qsort(alive.data(), alive.size(), sizeof(goroutine*), [](const void* a, const void* b) {
    const auto id = [](const void* p) {
      return (*static_cast<goroutine* const*>(p))->id.load(std::memory_order_relaxed);  // relaxed: for reports
    };
    return id(a) < id(b) ? -1 : id(a) > id(b);
  });
  std::vector<debug::goroutine_snapshot> all;
  for (goroutine* const g : alive)
    all.push_back(snapshot(g, g->state.load(std::memory_order_acquire), now));  // ENDING
  return all;
}

void install_report_hooks() {
  static const bool done = [] {
    debug::set_scene_hook(describe_current);
    arch::on_stack_overflow = report_overflow;
    arch::install_fault_handler();
    earlier_handler = std::set_terminate(on_terminate);
    return true;
  }();
  (void)done;
}

}  // namespace rove::sched
