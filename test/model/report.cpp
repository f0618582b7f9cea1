// The model checker's explorations and what they say when something is wrong: the reason, the replay, the trace.
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include <rove/detail/config.hpp>

#include "test/model/checker.hpp"

#if ROVE_ASAN
#include <sanitizer/lsan_interface.h>
#endif

namespace rove::model {

namespace {

// Memory of an abandoned execution is not freed: no leak of the code under test.
struct no_leak_check {
#if ROVE_ASAN
  no_leak_check() { __lsan_disable(); }
  ~no_leak_check() { __lsan_enable(); }
#endif
};

const char* order_name(std::memory_order order) {
  switch (order) {
    case std::memory_order_relaxed: return "relaxed";
    case std::memory_order_consume:
    case std::memory_order_acquire: return "acquire";
    case std::memory_order_release: return "release";
    case std::memory_order_acq_rel: return "acq_rel";
    default: return "seq_cst";
  }
}

std::uint64_t seed_of(std::uint64_t seed, std::uint64_t execution) {
  std::uint64_t z = seed * 0x9e3779b97f4a7c15u + execution * 0xd1342543de82ef95u;
  z = (z ^ (z >> 32)) * 0xd6e8feb86659fd93u;
  return z ^ (z >> 32);
}

}  // namespace

result explore(const options& o, const std::function<void()>& body) {
  return engine(o).explore(body);
}

void check(bool condition, const char* what) {
  if (!condition)
    engine::active()->fail(what);
}

unsigned choose(unsigned count) { return engine::active()->choose(count); }
void note(const char* text) { engine::active()->note(text); }
void yield() { engine::active()->yield(); }

result engine::explore(const std::function<void()>& body) {
  [[maybe_unused]] no_leak_check guard;
  result r;
  const char* const wanted = std::getenv("ROVE_SEED");
  if (wanted != nullptr && wanted[0] == 'c')
    strategy_.replay(wanted);
  for (std::uint64_t i = 0; i < options_.executions && !r.failed; ++i) {
    options_.exhaustive = wanted != nullptr ? wanted[0] == 'c' : options_.exhaustive;
    if (options_.exhaustive) {
      if (i != 0 && !strategy_.advance()) {
        r.exhausted = true;
        break;
      }
      strategy_.begin_exhaustive();
    } else {
      seed_ = wanted != nullptr ? std::strtoull(wanted, nullptr, 0) : seed_of(options_.seed, i);
      strategy_.begin_seeded(seed_);
    }
    one_execution(body, r);
    if (wanted != nullptr)
      break;
  }
  r.strong = strong_;
  r.heavy = heavy_;
  return r;
}

void engine::one_execution(const std::function<void()>& body, result& r) {
  execute(body);
  ++r.executions;
  r.steps += steps_;
  if (!failed_)
    return;
  r.failed = true;
  r.what = what_;
  r.replay = replay();
  r.report = "model: " + what_ + "\n  in execution " + std::to_string(r.executions) + "; again with ROVE_SEED=" + r.replay +
             "\n" + trace();
}

std::string engine::replay() const {
  return options_.exhaustive ? strategy_.path() : std::to_string(seed_);
}

void engine::fail(const std::string& what) {
  failed_ = true;
  what_ = what + " (in thread " + std::to_string(current_) + ")";
  me().own->switch_to(host_);
  std::abort();  // nobody comes back
}

void engine::fail_stuck() {
  std::string text = "deadlock:";
  for (int i = 0; i < started_; ++i) {
    const model_thread& t = threads_[static_cast<std::size_t>(i)];
    if (t.done)
      continue;
    text += " thread " + std::to_string(i);
    text += t.reason == waits::joining ? " joins " + std::to_string(t.joined) + ";" : " waits in futex_wait;";
  }
  fail(text);
}

void engine::note(const char* text) {
  events_.push_back({current_, act::note, 0, 0, std::memory_order_relaxed, 0, text, {}});
}

void engine::record(act what, location_id id, std::uint64_t value, std::memory_order order, std::size_t newer) {
  events_.push_back({current_, what, id, value, order, newer, nullptr, std::exchange(where_, {})});
}

std::string engine::describe(const event& e) const {
  const auto value = [&] {
    char text[24];
    std::snprintf(text, sizeof text, e.value < 1 << 20 ? "%" PRIu64 : "0x%" PRIx64, e.value);
    return std::string(text);
  }();
  const auto place = [&] {
    const std::string& name = const_cast<memory&>(memory_).at(e.id).name;
    return name.empty() ? std::string("#").append(std::to_string(e.id)) : name;
  };
  const std::string order = std::string(" (") + order_name(e.order) + ")";
  const std::string behind = e.newer == 0 ? "" : ", " + std::to_string(e.newer) + " newer not seen";
  switch (e.what) {
    case act::load: return "load    " + place() + " -> " + value + order + behind;
    case act::store: return "store   " + place() + " = " + value + order + behind;
    case act::update: return "update  " + place() + " = " + value + order + behind;
    case act::fail_update: return "fail    " + place() + " -> " + value + order + behind;
    case act::light: return "light fence";
    case act::full: return "full fence";
    case act::heavy: return "heavy fence";
    case act::hit: return "  heavy fence in thread " + value;
    case act::pause: return "pause";
    case act::wait: return "wait    " + place() + " -> " + value + behind;
    case act::wake: return "wake    " + value + " woken";
    case act::start: return "start   thread " + value;
    case act::end: return "end";
    case act::note: return e.text;
  }
  return "";
}

std::string engine::trace() const {
  constexpr std::size_t most = 300;
  std::string text;
  if (events_.size() > most)
    text += "  ... " + std::to_string(events_.size() - most) + " steps before\n";
  for (std::size_t i = events_.size() > most ? events_.size() - most : 0; i < events_.size(); ++i)
    text += "  " + std::string(static_cast<std::size_t>(events_[i].thread) * 4, ' ') + "T" +
            std::to_string(events_[i].thread) + " " + describe(events_[i]) +
            (events_[i].where.line != 0 ? "   [" + events_[i].where.text() + "]\n" : "\n");
  return text;
}

}  // namespace rove::model
