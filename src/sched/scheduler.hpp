// One runtime's scheduler: its processors, machines, global queue, and the ways between them.
//
// Lock order: lock_ may be taken with a channel's or any object's lock held; under it are taken owner sections, the
// registry's and the stack pools' locks. `ready` is never called with an object's lock held. docs/HACKING.md has it all.
//
// Pairs. PROC-TABLE: release of processor_count_ after a processor was made, acquire by who walks the table.
//        STOP: release of stop_machines_ with the loop's acquire: the machines go home.
//        FINISHED: release of finished_ when the last goroutine is gone, acquire by who waits for it, a lent
//        thread among them: its effects are seen.
//        NOTE: release of a machine's note by its waker, acquire by the sleeper: it sees the grant.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include <rove/run.hpp>

#include "src/base/random.hpp"
#include "src/os/lock.hpp"
#include "src/sched/idle.hpp"
#include "src/sched/machine.hpp"
#include "src/sched/processor.hpp"

namespace rove::sched {

// Most processors a runtime may have; ROVE_MAXPROCS above it is refused.
inline constexpr unsigned most_processors = 1024;

class scheduler {
 public:
  // `max_procs` is what config and environment come to; `is_run`: made by rove::run.
  scheduler(const rove::config& c, unsigned max_procs, bool is_run);
  ~scheduler();                               // ends what is left, joins its threads

  const rove::config& config() const { return config_; }
  bool abandons() const { return config_.at_end == at_end::abandon; }

  // ---- goroutines (birth.cpp)
  goroutine* new_goroutine();                           // dead, without a stack; null: no memory
  bool bind_stack(goroutine* g, std::size_t stack_size);  // at once rather than at its first dispatch; false: no memory
  void stillborn(goroutine* g);
  void start(goroutine* g);                             // a new one becomes runnable
  static void recycle(goroutine* g);                    // nobody is on its stack any more; any thread
  void note_death(machine* m, goroutine* g);            // its function returned and its stack was left
  void check_main_gone();
  static void finish_task(detail::task_state* task);    // it left its stack: wakes who joins
  std::uint64_t alive() const;                          // goroutines that exist

  // ---- queues
  void inject(goroutine* g);                            // runnable, by way of the global queue; any thread
  void inject(base::chain<goroutine> chain);
  void inject_new(base::chain<goroutine> chain);
  // One to run; a share of the others comes into p's lanes. Who searches has no claim to new ones: see idle.hpp.
  goroutine* take_global(processor* p, machine* searcher = nullptr);
  void wake_softly_if_wanted() {
    if (idle_.soft_wake_wanted()) [[unlikely]] wake_softly();
  }
  void run_soon(processor* p, goroutine* g);            // runnable, on the woken lane

  // Arms a timer for a goroutine of this runtime that has no processor (processors.cpp).
  void arm_from_outside(timer* t);

  // ---- the machine's loop, on its own stack (scheduler.cpp)
  void lend(machine* m, const std::atomic<std::uint32_t>& until);  // the calling thread works until then

  // ---- processors changing hands
  void release_processor(machine* m);                   // before `blocking`
  bool regain_processor(machine* m);                    // after it: the old one, else any idle one
  void hand_over(processor* p);                         // to a sleeping or a new machine
  unsigned set_max_procs(unsigned n);
  unsigned max_procs() const { return max_procs_.load(std::memory_order_relaxed); }  // relaxed: a number


  // ---- ending (ending.cpp)
  void begin_end();                                     // every goroutine ends at its next call that can park
  void end_and_wait();                                  // the same, returns when all are gone; not from a goroutine of its own
  bool is_ending() const { return ending_.load(std::memory_order_acquire); }  // ENDING
  void main_called_goexit() { main_gone_by_goexit_.store(true, std::memory_order_relaxed); }  // relaxed: a word for a report
  const std::atomic<std::uint32_t>& finished() const { return finished_; }

  // ---- looking inside
  struct statistics {
    std::uint64_t goroutines, running, runnable, parked, spawned, switches, steals, parks, threads, timers;
  };
  statistics stats();
  // relaxed: changes while the goroutine holds a processor or before it gives it away under the lock (deadlock.cpp)
  void count_blocked(int n) { in_blocking_.fetch_add(n, std::memory_order_relaxed); }
  void check_deadlock();
  bool stuck_locked() const;                            // nothing of this runtime can go on by itself
  std::size_t thread_count_locked() const;
  unsigned stuck_seen() const { return wanted_.load(std::memory_order_relaxed) - max_procs(); }  // relaxed: numbers
  template <class F>
  void for_each_processor(F f) const {
    const unsigned n = processor_count_.load(std::memory_order_acquire);               // PROC-TABLE
    for (unsigned i = 0; i < n; ++i) f(*processors_[i]);
  }

 private:
  friend class system_monitor;
  friend class ender;

  // scheduler.cpp
  void work(machine* m);
  goroutine* find_work(machine* m);
  goroutine* take_local(machine* m);
  goroutine* take_one_global(bool new_one);
  void keep_new(processor* p, base::chain<goroutine> chain);
  void note_theft(machine* m, std::size_t items);
  bool hold_back_locked() const;
  bool global_empty_locked() const { return global_.empty() && global_new_.empty(); }
  void publish_global_locked();
  bool serve_timers(os::nanoseconds now);
  goroutine* hunt(machine* m);
  goroutine* steal_from(machine* m, processor& victim);
  bool look_at_victims(machine* m, unsigned first, sample* samples, os::nanoseconds now, os::nanoseconds elapsed,
                       bool judge_now, goroutine*& found, bool& busy);
  void execute(machine* m, goroutine* g);
  bool retire(machine* m);
  void found_work(machine* m);
  bool leave_sleep(machine* m);
  void rest(machine* m);
  goroutine* rest_wired(machine* m);
  void hand_to_wired(machine* m, goroutine* g);
  bool take_grant_locked(machine* m);
  void sleep(machine* m);
  os::nanoseconds become_keeper(machine* m);
  bool anything_queued() const;

  // processors.cpp
  processor* new_processor_locked();
  processor* pop_idle_processor_locked(processor* preferred = nullptr);
  void push_idle_processor_locked(processor* p);
  bool retire_if_too_many_locked(processor* p);
  void push_idle_machine_locked(machine* m);
  void remove_idle_machine_locked(machine* m);
  void start_machine(processor* p, bool spinning);
  void do_without_locked(processor* p, bool spinning);
  os::nanoseconds next_due() const;
  bool timers_need_keeper_locked() const;
  static const std::uint32_t* note_locked(machine* m);  // then os::futex_wake
  void stop_searching(machine* m);
  void give(processor* p, bool spinning);               // to a sleeping or a new machine
  processor* activate_processor_locked();
  void retire_idle_locked();
  void wake_one();                                      // hard
  void wake_softly();
  static void thread_body(void* m);
  void attach_thread(machine* m);
  void drain_locked(processor* p);

  const rove::config config_;
  const bool is_run_;
  os::lock lock_{os::rank::scheduler};

  // ---- under lock_
  base::chain<goroutine> global_;                       // woken ones
  base::chain<goroutine> global_new_;                   // new ones that a processor's lane had no room for
  processor* idle_processors_ = nullptr;
  machine* idle_machines_ = nullptr;
  machine* machines_ = nullptr;
  unsigned machine_count_ = 0;
  machine* keeper_ = nullptr;                           // sleeps until the next timer
  os::nanoseconds keeper_until_ = os::never;
  unsigned stuck_ = 0;                                  // processors that one goroutine holds up (sysmon)
  counter foreign_spawned_;                             // started from threads without a processor of ours
  counter foreign_died_;

  // ---- read by anybody
  idle_counts<> idle_;
  reluctance reluctance_;
  std::atomic<std::size_t> global_size_{0};
  std::atomic<unsigned> processor_count_{0};
  std::atomic<unsigned> max_procs_{1};
  std::atomic<unsigned> active_{0};                     // processors not retired
  std::atomic<unsigned> wanted_{1};                     // max_procs and a spare for each that is stuck
  std::atomic<std::int64_t> in_blocking_{0};
  std::unique_ptr<std::unique_ptr<processor>[]> processors_;

  // ---- ending
  std::atomic<bool> ending_{false};
  std::atomic<bool> stop_machines_{false};
  std::atomic<std::uint32_t> finished_{0};              // 1: all goroutines are gone
  std::atomic<bool> main_gone_by_goexit_{false};
  os::lock end_lock_{os::rank::ending};                 // ENDING: dispatch against sweep
  bool shut_ = false;                                   // under end_lock_: nobody is resumed but under it

  const std::uint8_t default_class_;
  std::unique_ptr<class system_monitor> monitor_;
  scheduler* next_ = nullptr;                           // in the list of all runtimes (deadlock.cpp)
  friend class all_runtimes;
};

}  // namespace rove::sched
