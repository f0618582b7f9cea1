// The engine of the model checker: model threads, one at a time, each operation on memory a point where others may run.
//
// A test's body is the first model thread. Before every operation on an atomic the strategy says who goes on; the
// operation itself is one indivisible step on the model's memory. An execution ends when all threads have ended, or with
// the first thing that is wrong: a check, a data race, a deadlock (everybody blocked), a livelock (everybody only pauses)
// or no end within `max_steps`. A wrong execution is abandoned where it stands: its objects are never destroyed.
//
//   paused     asked for by pause(): runs again once another thread changed an atomic, or when nobody else can run, so
//              that a loop which gives up after some rounds does give up. A thread that has just read something old
//              only steps back.
//   blocked    in join or futex_wait: runs when that is over
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "test/model/fiber.hpp"
#include "test/model/memory.hpp"
#include "test/model/strategy.hpp"

namespace rove::model {

struct result {
  bool failed = false;
  bool exhausted = false;             // the exhaustive mode has seen every path within its budgets
  std::uint64_t executions = 0, steps = 0;
  std::string what;                   // the first thing that was wrong
  std::string replay;                 // for ROVE_SEED
  std::vector<site> strong;           // where something stands that is more than relaxed
  std::vector<site> heavy;            // where a heavy fence stands
  std::string report;                 // what, where, how to have it again, and the trace
  explicit operator bool() const { return !failed; }
};

class engine {
 public:
  static engine* active();            // null when no execution is under way

  explicit engine(const options& o);
  result explore(const std::function<void()>& body);

  int self() const { return current_; }
  std::uint32_t execution() const { return execution_; }
  memory& mem() { return memory_; }

  location_id add_location(std::uint64_t value, bool born_here);
  void remove_location(location_id id);
  void name_location(location_id id, const char* name) { memory_.at(id).name = name; }

  std::uint64_t load(location_id id, std::memory_order order, site w);
  void store(location_id id, std::uint64_t value, std::memory_order order, site w);
  using combine = std::uint64_t (*)(std::uint64_t old, std::uint64_t operand);
  std::uint64_t update(location_id id, combine f, std::uint64_t operand, std::memory_order order, site w);
  bool compare_exchange(location_id id, std::uint64_t& expected, std::uint64_t desired, bool weak,
                        std::memory_order success, std::memory_order failure, site w);
  void full_fence(site w);
  void light_fence(site w);
  void heavy_fence(site w);
  void pause();
  void yield();
  unsigned choose(unsigned count) { return strategy_.any(count); }

  // As the kernel's: a fence, then the look at the word, and sleep, are one step; so is a wake after its fence. A wake
  // knows the address alone: the word may be gone.
  int futex_wait(location_id id, const void* address, std::uint64_t expected, bool timed);
  int futex_wake(const void* address, int count);

  int start(std::function<void()> body);
  void join(int thread);

  void race(const std::string& what) { fail("data race: " + what); }
  [[noreturn]] void fail(const std::string& what);
  void note(const char* text);

 private:
  enum class waits { not_at_all, pausing, joining, futex };
  enum class act { load, store, update, fail_update, light, full, heavy, hit, pause, wait, wake, start, end, note };
  struct model_thread {
    std::unique_ptr<fiber> own;
    bool done = true;
    waits reason = waits::not_at_all;
    int joined = -1;
    const void* word = nullptr;
    bool timed = false, woken = false;
    std::uint64_t changes_seen = 0;   // by others, when it paused
    std::uint64_t changes_made = 0;
    bool read_old = false;            // since it last paused
  };
  struct event {
    int thread;
    act what;
    location_id id;
    std::uint64_t value;
    std::memory_order order;
    std::size_t newer;                // messages that the operation did not see
    const char* text;
    site where;
  };

  void execute(const std::function<void()>& body);
  void point();
  int next_thread(bool can_stay);
  void gather(bool can_stay);
  bool can_run(const model_thread& t) const;
  bool still_pausing(const model_thread& t) const;
  void leave();
  void go_to(int thread);
  fiber* body_ended();
  [[noreturn]] void fail_stuck();
  void touch(location_id id);
  std::size_t pick_to_read(location_id id, std::memory_order order);
  std::size_t pick_to_update(location_id id, std::memory_order order, const std::uint64_t* expected);
  void changed(bool really);
  void record(act what, location_id id, std::uint64_t value, std::memory_order order, std::size_t newer = 0);
  bool weakened(site w, const char* kind, std::vector<site>& seen);
  std::memory_order effective(std::memory_order order, site w, const char* kind);
  std::string trace() const;
  std::string describe(const event& e) const;
  std::string replay() const;
  model_thread& me() { return threads_[static_cast<std::size_t>(current_)]; }
  void one_execution(const std::function<void()>& body, result& r);

  options options_;
  strategy strategy_;
  memory memory_;
  fiber host_;
  std::vector<model_thread> threads_;
  int started_ = 0;
  int current_ = 0;
  std::uint32_t execution_ = 0;
  std::uint64_t seed_ = 0;
  unsigned steps_ = 0, idle_pauses_ = 0;
  std::uint64_t changes_ = 0;
  std::vector<int> candidates_;
  std::vector<event> events_;
  site where_;                        // the operation under way
  std::vector<site> strong_, heavy_;
  bool failed_ = false;
  std::string what_;
};

}  // namespace rove::model
