// The recorder behind rove/trace.hpp. Linked only into programs that use it.
//
// Each processor has a track, each host too, and each plain thread that wakes somebody. An event is made by the machine
// that holds the processor, or by the thread that drives the host, under the track's lock, which nobody else takes but
// a snapshot. How the scheduler comes to tell what happens, at no cost while there is no trace, is in watch.cpp;
// goroutines on a host take the long ways in any case.
//
// A host's track belongs to the thread that was the first to run something there, as a rule the one that polls. The end
// of the runtime may drive the host meanwhile on a second thread; what runs there is noted on that thread's own track.
//
// An arrow is a number. Who makes a goroutine runnable owns it for that moment, and leaves the number, negative, in
// `parked_at`, which means nothing until the goroutine parks again; whoever runs it next takes it out. A goroutine that
// moves (switch_to) leaves one to itself.
//
// A trace that stops leaves `tracing` null first. Who read it before may still call in here: tracks are never freed,
// and one that is not on takes no notes. The tracks of runtimes that are gone keep their events until others need the
// room.
//
// Pairs. TRACK-RETIRED: release by the runtime's end or the host's, acquire by who uses the track again.
//        TRACE-SINK: see trace.hpp.
#include <cerrno>
#include <memory>

#include <rove/trace.hpp>

#include "src/debug/roomy.hpp"
#include "src/sched/deadlock.hpp"
#include "src/sched/host.hpp"
#include "src/sched/scheduler.hpp"
#include "src/sched/trace_record.hpp"

namespace rove {
namespace sched {
namespace {

class recorder {
 public:
  std::error_code start(const std::string* path, const trace::options& o);
  std::error_code snapshot(const std::string& path);
  std::error_code stop();

  trace_track& track_of(processor& p);
  trace_track& track_of(host_queue& q, const scheduler* home);
  trace_track& track_of_thread(std::uint64_t thread);
  std::uint32_t number_of(std::string_view name);
  void push(trace_track& t, const trace_event& e);
  std::uint64_t new_flow() { return flows_.fetch_add(1, std::memory_order_relaxed); }  // relaxed: a number

 private:
  static constexpr std::size_t most_retired = 64;
  static constexpr std::size_t most_names = 100'000;

  trace_track& new_track_locked(trace_place place);
  unsigned number_of_runtime_locked(const scheduler* home);
  void clear_locked();
  trace_copy copy();
  std::error_code write(std::FILE* file, const trace_copy& all);

  os::plain_lock control_;               // one of start, stop and snapshot at a time
  std::FILE* file_ = nullptr;
  bool on_ = false;

  os::plain_lock lock_;                  // all that follows; a track's lock may be taken with it held
  std::vector<std::unique_ptr<trace_track>> tracks_;
  std::map<std::uint64_t, trace_track*> threads_;
  std::vector<const scheduler*> runtimes_;
  unsigned hosts_ = 0;
  std::map<std::string, std::uint32_t, std::less<>> names_;
  bool recording_ = false;
  std::size_t most_events_ = 0;
  os::nanoseconds started_ = 0;
  std::atomic<std::uint64_t> flows_{1};
};

recorder& the_recorder() {
  static recorder* const r = new recorder;  // never destroyed: threads may be in it until the very end
  return *r;
}

// ---- notes ----------------------------------------------------------------------------------------------------------

void recorder::push(trace_track& t, const trace_event& e) {
  if (!t.on) return;
  t.events.push_back(e);
  if (t.events.size() <= most_events_) return;
  t.events.pop_front();
  ++t.lost;
}

trace_track& recorder::new_track_locked(trace_place place) {
  trace_track* t = nullptr;
  std::size_t retired = 0;
  for (const auto& old : tracks_)
    if (old->retired.load(std::memory_order_acquire) && ++retired > 0 && !t) t = old.get();  // TRACK-RETIRED
  if (!t || retired < most_retired) {
    tracks_.push_back(std::make_unique<trace_track>());
    t = tracks_.back().get();
  } else {
    t->retired.store(false, std::memory_order_relaxed);  // relaxed: lock
  }
  os::hold h(t->lock);
  t->events.clear();
  t->open = {};
  t->place = std::move(place);
  t->on = recording_;
  return *t;
}

unsigned recorder::number_of_runtime_locked(const scheduler* home) {
  for (std::size_t i = 0; i < runtimes_.size(); ++i)
    if (runtimes_[i] == home) return static_cast<unsigned>(i) + 1;
  runtimes_.push_back(home);
  return static_cast<unsigned>(runtimes_.size());
}

trace_track& recorder::track_of(processor& p) {
  if (!p.track) {
    os::hold h(lock_);
    p.track = &new_track_locked({number_of_runtime_locked(p.home), p.id, "P" + std::to_string(p.id)});
  }
  return static_cast<trace_track&>(*p.track);
}

// The calling thread drives it.
trace_track& recorder::track_of(host_queue& q, const scheduler* home) {
  os::hold h(lock_);
  if (!q.track) {
    char name[16];
    std::string text = "host ";
    text += os::thread_name(name);
    const std::uint64_t number = trace_place::first_host + hosts_++ % trace_place::first_host;
    trace_track& t = new_track_locked({number_of_runtime_locked(home), number, std::move(text)});
    t.host_thread = std::this_thread::get_id();
    q.track = &t;
  }
  return static_cast<trace_track&>(*q.track);
}

trace_track& recorder::track_of_thread(std::uint64_t thread) {
  os::hold h(lock_);
  trace_track*& t = threads_[thread];
  if (!t) t = &new_track_locked({0, thread, "thread " + std::to_string(thread)});
  return *t;
}

std::uint32_t recorder::number_of(std::string_view name) {
  os::hold h(lock_);
  if (const auto found = names_.find(name); found != names_.end()) return found->second;
  if (names_.size() == most_names) return 0;
  const auto number = static_cast<std::uint32_t>(names_.size()) + 1;
  names_.emplace(name, number);
  return number;
}

// The machine holds a processor: its track, else the thread's.
trace_track& track_here(machine* m) {
  recorder& r = the_recorder();
  return m && m->p ? r.track_of(*m->p) : r.track_of_thread(os::thread_id());
}

// Where a goroutine's slice is to be noted; null: nowhere, since it runs inside `blocking`.
trace_track* track_for(machine* m, const goroutine* g) {
  recorder& r = the_recorder();
  if (m->p) return &r.track_of(*m->p);
  if (!(g->flags & goroutine::flag_hosted)) return nullptr;
  trace_track& t = r.track_of(*g->host, g->home());
  return t.host_thread == std::this_thread::get_id() ? &t : &r.track_of_thread(os::thread_id());
}

void note_enter(machine* m, goroutine* g) {
  std::uint64_t flow = 0;
  if (const std::int64_t number = g->parked_at.load(std::memory_order_relaxed); number < 0) {  // relaxed: it is ours
    flow = static_cast<std::uint64_t>(-number);
    g->parked_at.store(0, std::memory_order_relaxed);                 // relaxed: it is ours
  }
  trace_track* const t = track_for(m, g);
  if (!t) return;
  trace_event e;
  e.kind = trace_kind::slice;
  e.id = g->id.load(std::memory_order_relaxed);                       // relaxed: it is ours
  e.function = reinterpret_cast<const void*>(g->body);
  const char* const name = g->name.load(std::memory_order_relaxed);   // relaxed: it is ours
  if (name) e.name = the_recorder().number_of(name);
  e.flow = flow;
  e.begin = os::now();
  os::hold h(t->lock);
  if (!t->on) return;
  t->open = e;
  m->slice = t;
}

slice_end end_of_slice(const goroutine* g) {
  if (!g) return slice_end::blocking;
  if (dies(g)) return slice_end::death;
  // relaxed: nobody else has it yet
  if (g->state.load(std::memory_order_relaxed) == goroutine_state::leaving) return slice_end::park;
  // relaxed: as above
  return g->parked_at.load(std::memory_order_relaxed) < 0 ? slice_end::move : slice_end::yield;
}

void note_leave(machine* m, const goroutine* g) {
  auto& t = static_cast<trace_track&>(*m->slice);
  os::hold h(t.lock);
  trace_event e = std::exchange(t.open, {});
  if (e.id == 0) return;
  e.end = os::now();
  e.left_to = end_of_slice(g);
  if (e.left_to == slice_end::park) e.reason = g->reason;
  the_recorder().push(t, e);
}

void note_wake(machine* m, goroutine* g, trace_kind kind) {
  recorder& r = the_recorder();
  trace_event e;
  e.kind = kind;
  e.id = g->id.load(std::memory_order_relaxed);                       // relaxed: it is ours
  e.flow = r.new_flow();
  g->parked_at.store(-static_cast<std::int64_t>(e.flow), std::memory_order_relaxed);  // relaxed: for who runs it next
  e.in_slice = m && m->slice;
  trace_track& t = e.in_slice ? static_cast<trace_track&>(*m->slice) : track_here(m);
  e.begin = e.end = os::now();
  os::hold h(t.lock);
  r.push(t, e);
}

void note_instant(machine* m, trace_kind kind, std::uint64_t number) {
  trace_track& t = track_here(m);
  trace_event e;
  e.kind = kind;
  e.id = number;
  e.begin = e.end = os::now();
  os::hold h(t.lock);
  the_recorder().push(t, e);
}

constexpr trace_sink sink{note_enter, note_leave, note_wake, note_instant};

// ---- beginning and end ----------------------------------------------------------------------------------------------

void set_all_traced(bool on) {
#if defined(ROVE_TRACE)
  tracing.store(on ? &sink : nullptr, std::memory_order_release);     // TRACE-SINK
#endif
  struct visit {
    static void trace(void*, scheduler* s) { s->set_traced(true); }
    static void leave(void*, scheduler* s) { s->set_traced(false); }
  };
  for_each_runtime(on ? visit::trace : visit::leave, nullptr);
}

std::error_code system_error_now() { return {errno, std::system_category()}; }

std::error_code recorder::start(const std::string* path, const trace::options& o) {
#if !defined(ROVE_TRACE)
  return std::make_error_code(std::errc::not_supported);
#endif
  os::hold control(control_);
  if (on_) return std::make_error_code(std::errc::operation_in_progress);
  if (path && !(file_ = std::fopen(path->c_str(), "we"))) return system_error_now();
  on_ = true;
  std::vector<trace_track*> all;
  {
    os::hold h(lock_);
    recording_ = true;
    most_events_ = o.buffer / sizeof(trace_event) + 1;
    started_ = os::now();
    for (const auto& t : tracks_) all.push_back(t.get());
  }
  for (trace_track* const t : all) {
    os::hold h(t->lock);
    t->events.clear();
    t->open = {};
    t->lost = 0;
    t->on = true;
  }
  set_all_traced(true);
  return {};
}

// Slices under way end now, in the copy.
trace_copy recorder::copy() {
  trace_copy all;
  std::vector<trace_track*> tracks;
  {
    os::hold h(lock_);
    for (const auto& t : tracks_) tracks.push_back(t.get());
    all.names.resize(names_.size() + 1);
    for (const auto& [name, number] : names_) all.names[number] = name;
    all.start = started_;
  }
  for (trace_track* const t : tracks) {
    os::hold h(t->lock);
    all.parts.push_back({t->place, {t->events.begin(), t->events.end()}});
    all.lost += t->lost;
    if (t->open.id == 0) continue;
    trace_event e = t->open;
    e.end = os::now();
    all.parts.back().events.push_back(e);
  }
  return all;
}

std::error_code recorder::write(std::FILE* file, const trace_copy& all) {
  struct work {
    std::FILE* file;
    const trace_copy* all;
    int error = 0;
  } w{file, &all};
  debug::with_room(
      [](void* argument) {
        auto& to_do = *static_cast<work*>(argument);
        to_do.error = write_trace(*to_do.all, to_do.file);
      },
      &w);
  if (std::fclose(file) != 0 && w.error == 0) return system_error_now();
  return {-w.error, std::system_category()};
}

std::error_code recorder::snapshot(const std::string& path) {
  os::hold control(control_);
  if (!on_) return std::make_error_code(std::errc::invalid_argument);
  std::FILE* const file = std::fopen(path.c_str(), "we");
  if (!file) return system_error_now();
  return write(file, copy());
}

std::error_code recorder::stop() {
  os::hold control(control_);
  if (!on_) return {};
  set_all_traced(false);
  on_ = false;
  std::error_code result;
  if (std::FILE* const file = std::exchange(file_, nullptr)) result = write(file, copy());
  std::vector<trace_track*> all;
  {
    os::hold h(lock_);
    recording_ = false;
    for (const auto& t : tracks_) all.push_back(t.get());
  }
  for (trace_track* const t : all) {
    os::hold h(t->lock);
    t->on = false;
    std::deque<trace_event>().swap(t->events);
  }
  return result;
}

}  // namespace
}  // namespace sched

namespace trace {

std::error_code start(const std::string& path, const options& o) { return sched::the_recorder().start(&path, o); }
std::error_code record(const options& o) { return sched::the_recorder().start(nullptr, o); }
std::error_code snapshot(const std::string& path) { return sched::the_recorder().snapshot(path); }
std::error_code stop() { return sched::the_recorder().stop(); }

}  // namespace trace
}  // namespace rove
