// The dump: goroutines looked at one by one while they run, under the protocol of watch.cpp; names are looked up and
// text is made with no lock held.
#include <cstdlib>
#include <ostream>
#include <string>
#include <vector>

#include <rove/debug.hpp>

#include "src/debug/backtrace.hpp"
#include "src/debug/report.hpp"
#include "src/debug/roomy.hpp"
#include "src/debug/signal_work.hpp"
#include "src/sched/deadlock.hpp"
#include "src/sched/inspect.hpp"
#include "src/sched/registry.hpp"
#include "src/sched/scheduler.hpp"

namespace rove {
namespace sched {
namespace {

// While it lives, every runtime that was there when it was made is watched, and does not go away.
class dumper {
 public:
  dumper();
  ~dumper();
  dumper(const dumper&) = delete;
  dumper& operator=(const dumper&) = delete;

  // The text of the next goroutines; false: there are no more. Parks nothing.
  bool next(std::string& text);

 private:
  struct entry {
    std::uint64_t id;
    goroutine* g;
  };
  static constexpr std::size_t at_a_time = 64;

  void list_goroutines();
  bool look(const entry& e, debug::goroutine_snapshot& s);
  bool look_at_another(const entry& e, debug::goroutine_snapshot& s);
  bool is_watched(const scheduler* home) const;
  void make_text(std::string& text);

  std::vector<scheduler*> watched_;
  std::vector<entry> all_;
  std::size_t done_ = 0;
  std::uint64_t own_id_ = 0;
  std::vector<void*> own_frames_;
  const os::nanoseconds now_ = os::now();
  debug::symbolizer symbols_;
};

dumper::dumper() {
  if (const goroutine* const g = current()) {
    own_id_ = g->id.load(std::memory_order_relaxed);  // relaxed: its own
    void* frames[debug::capture_limit];
    own_frames_.assign(frames, frames + debug::capture(frames, debug::capture_limit));
  }
  for_each_runtime(
      [](void* self, scheduler* s) {
        s->begin_watch(scheduler::watch_dumped);
        static_cast<dumper*>(self)->watched_.push_back(s);
      },
      this);
  list_goroutines();
}

dumper::~dumper() {
  for (scheduler* const s : watched_) s->end_watch(scheduler::watch_dumped);
}

void dumper::list_goroutines() {
  for_each_goroutine(
      [](void* self, goroutine* g) {
        const std::uint64_t id = g->id.load(std::memory_order_relaxed);  // relaxed: looked at again
        if (id != 0) static_cast<dumper*>(self)->all_.push_back({id, g});
      },
      this);
  if (all_.empty()) return;
  std::qsort(all_.data(), all_.size(), sizeof(entry), [](const void* a, const void* b) {
    const auto id = [](const void* p) { return static_cast<const entry*>(p)->id; };
    return id(a) < id(b) ? -1 : id(a) > id(b);
  });
}

bool dumper::is_watched(const scheduler* home) const {
  for (const scheduler* const s : watched_)
    if (s == home) return true;
  return false;
}

// False: it has ended meanwhile.
bool dumper::look(const entry& e, debug::goroutine_snapshot& s) {
  s.id = e.id;
  s.created_pc = e.g->started_at.load(std::memory_order_relaxed);  // relaxed: for reports
  if (e.id == own_id_) {
    s.status = status_text(goroutine_state::running, {});
    s.frames = own_frames_;
  } else if (!look_at_another(e, s)) {
    return false;
  }
  char name[name_room];
  if (!copy_name(e.g, e.id, name)) return false;
  s.name = name;
  return true;
}

bool dumper::look_at_another(const entry& e, debug::goroutine_snapshot& s) {
  goroutine* const g = e.g;
  scheduler* const home = g->home();
  if (!is_watched(home)) return false;  // it came after us
  void* frames[debug::capture_limit];
  std::size_t count = 0;
  {
    os::hold h(home->end_lock());
    const bool waits = has_parked(g);
    const goroutine_state state = g->state.load(std::memory_order_acquire);  // STACK-LEFT
    // After the state: one that ran may have ended and begun anew in another runtime, which another lock holds up.
    if (g->home() != home || g->id.load(std::memory_order_relaxed) != e.id) return false;  // relaxed: end_lock
    s.status = status_text(state, waits ? g->reason : wait_reason::none);
    if (waits) s.minutes = minutes_parked(g, now_);
    const bool left = waits || (state == goroutine_state::runnable && !(g->flags & goroutine::flag_unborn));
    if (left) count = debug::capture_parked(*g, frames, debug::capture_limit);
    s.elsewhere = state == goroutine_state::running || state == goroutine_state::syscall;
  }
  s.frames.assign(frames, frames + count);
  return true;
}

void dumper::make_text(std::string& text) {
  const std::size_t end = std::min(all_.size(), done_ + at_a_time);
  for (; done_ < end; ++done_) {
    debug::goroutine_snapshot s;
    if (!look(all_[done_], s)) continue;
    if (done_ > 0) text += '\n';
    debug::put_goroutine(text, symbols_, s);
  }
}

bool dumper::next(std::string& text) {
  text.clear();
  if (done_ == all_.size()) return false;
  struct work {
    dumper* self;
    std::string* text;
  } w{this, &text};
  debug::with_room(
      [](void* argument) {
        const work& to_do = *static_cast<work*>(argument);
        to_do.self->make_text(*to_do.text);
      },
      &w);
  return true;
}

void dump_to_stderr() {
  dumper d;
  for (std::string text; d.next(text);) os::write_stderr(text);
}

}  // namespace
}  // namespace sched

void debug::dump(std::ostream& out) {
  sched::dumper d;
  for (std::string text; d.next(text);) out.write(text.data(), static_cast<std::streamsize>(text.size()));
}

std::error_code debug::dump_on_signal(int signal) {
  bool started = false;
  const int error = work_on_signal(signal, sched::dump_to_stderr, started);
  if (started) sched::bystanders.fetch_add(1, std::memory_order_relaxed);  // relaxed: a number
  return {-error, std::system_category()};
}

}  // namespace rove
