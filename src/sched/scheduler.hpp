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
//        PRIORITIES: release of priorities_ after the queues were made, acquire by who uses them.
//        POLL-SOURCE: release of source_ after the poller was made, acquire by who uses it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include <rove/detail/config.hpp>
#include <rove/run.hpp>

#include "src/arch/switch.hpp"
#include "src/base/random.hpp"
#include "src/os/lock.hpp"
#include "src/sched/host_gate.hpp"
#include "src/sched/idle.hpp"
#include "src/sched/machine.hpp"
#include "src/sched/poll_source.hpp"
#include "src/sched/processor.hpp"

namespace rove::sched {

// What a goroutine does that a callback started (home.cpp).
struct later_work {
  void (*body)(void* argument, bool run);
  void* argument;
};
class simulation;
class priority_queues;
class home_ref;
home_ref* make_home_ref(scheduler* s);
void leave_home_ref(home_ref* h);        // the scheduler goes away

// Most processors a runtime may have; ROVE_MAXPROCS above it is refused.
inline constexpr unsigned most_processors = 1024;

class scheduler {
 public:
  // `max_procs` is what config and environment come to; `is_run`: made by rove::run.
  scheduler(const rove::config& c, unsigned max_procs, bool is_run);
  ~scheduler();                               // ends what is left, joins its threads

  const rove::config& config() const { return config_; }
  bool abandons() const { return !ROVE_EXCEPTIONS || config_.at_end == at_end::abandon; }  // does its end not unwind?

  // ---- goroutines (birth.cpp)
  goroutine* new_goroutine();                           // dead, without a stack; null: no memory
  bool bind_stack(goroutine* g, std::size_t stack_size);  // at once rather than at its first dispatch; false: no memory
  void stillborn(goroutine* g);
  bool start_from_outside(goroutine* g, arch::fp_mode mode);  // by way of the global queue; false: this runtime ends
  bool start_later_work(void* started_at, void (*body)(void*, bool), void* argument);  // home.cpp
  home_ref* ref() const { return ref_; }
  void start(goroutine* g);                             // a new one becomes runnable
  void start_slow(machine* m, goroutine* g);
  void start_on(processor* p, goroutine* g, machine* traced);
  static void recycle(goroutine* g);                    // nobody is on its stack any more; any thread
  void note_death(machine* m, goroutine* g);            // its function returned and its stack was left
  void check_main_gone();
  static void finish_task(detail::task_state* task);    // it left its stack: wakes who joins
  std::uint64_t alive() const;                          // goroutines that exist

  // ---- queues (queues.cpp)
  void inject(goroutine* g);                            // runnable, by way of the global queue; any thread
  void inject(base::chain<goroutine> chain);
  void inject_from_outside(goroutine* g);               // by a thread that is none of our machines'
  void inject_new(base::chain<goroutine> chain);
  void queue_up(goroutine* g);                          // any goroutine, one that is `far`, too
  void queue_up(base::chain<goroutine> chain);
  priority_queues* priorities() const { return priorities_.load(std::memory_order_acquire); }  // PRIORITIES; null: none
  void use_priorities();                                // priority.cpp
  std::uint32_t number() const { return number_; }
  // One to run; a share of the others comes into p's lanes. Who searches has no claim to new ones: see idle.hpp.
  goroutine* take_global(processor* p, machine* searcher = nullptr);
  void wake_softly_if_wanted() {
    if (idle_.soft_wake_wanted()) [[unlikely]] wake_softly();
  }
  void run_soon(processor* p, goroutine* g);            // runnable, on the woken lane

  // Arms a timer for a goroutine of this runtime that has no processor (processors.cpp).
  void arm_from_outside(timer* t);
  // A descriptor was registered by a goroutine of this runtime that has no processor.
  void registered_from_outside();
  timer_heap* first_timers() { return &processors_[0]->timers; }

  // ---- the machine's loop, on its own stack (scheduler.cpp)
  void lend(machine* m, const std::atomic<std::uint32_t>& until);  // the calling thread works until then
  bool poll(os::nanoseconds until);                     // it works until then, or nothing is runnable; did anything run?

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

  // ---- the poller (netpoll.cpp)
  poll_source* source() const { return source_.load(std::memory_order_acquire); }      // POLL-SOURCE; null: none yet
  poll_source* install(poll_source* made) {             // the first one stays, and is returned
    poll_source* first = nullptr;
    return source_.compare_exchange_strong(first, made, std::memory_order_acq_rel) ? made : first;  // POLL-SOURCE
  }
  // By a goroutine of this runtime, before and after it waits for a descriptor: nothing is a deadlock meanwhile.
  void count_io_wait(int n) {
    if (processor* const p = this_machine()->p)
      p->io_waits.add(static_cast<std::uint64_t>(n));
    else
      count_io_wait_elsewhere(n);
  }
  void count_io_wait_elsewhere(int n) { foreign_io_waits_.fetch_add(n, std::memory_order_relaxed); }  // relaxed: as count_blocked

  // ---- being watched (watch.cpp): while any of these is set, every dispatch goes through the machines' loops
  static constexpr std::uint32_t watch_ending = 1, watch_traced = 2, watch_dumped = 4;  // the last one counts
  void begin_watch(std::uint32_t why);                        // after it: who holds end_lock() keeps goroutines from being resumed
  void end_watch(std::uint32_t why);
  bool is_watched() const { return watched_for() != 0; }
  bool is_traced() const { return watched_for() & watch_traced; }
  bool is_dumped_slow();                                // false: and who did has given back lock_
  os::lock& end_lock() { return end_lock_; }
  void set_traced(bool on);                             // watch and unwatch, and machines take the long way to wake and start

  // ---- a deterministic run (simulator.hpp); null: none
  simulation* simulated() const { return simulation_; }

  // ---- looking inside
  struct statistics {
    std::uint64_t goroutines, running, runnable, parked, spawned, switches, steals, parks, threads, timers, polled;
  };
  statistics stats();
  statistics count();  // one look; what moves meanwhile is missed or seen twice
  // Who runs without a processor, or is about to on a host. BLOCKED-DONE: release when all that came of it is queued,
  // acquire by who looks for a deadlock.
  void count_blocked() { in_blocking_.fetch_add(1, std::memory_order_relaxed); }    // relaxed: see deadlock.cpp
  void uncount_blocked() { in_blocking_.fetch_sub(1, std::memory_order_release); }  // BLOCKED-DONE
  // Dies if there is one. True: all are stuck, and only the number of the process's threads speaks against it.
  bool check_deadlock();
  bool check_deadlock_elsewhere();                      // by a thread that is no machine of ours
  void look_for_deadlock();                             // if all processors are idle
  bool wants_deadlocks() const { return config_.detect_deadlock.value_or(is_run_); }
  // Nothing of this runtime can go on by itself. While it ends nobody sleeps: a timer is of use to others only.
  bool stuck_locked(bool timers_count = true) const;
  std::size_t thread_count_locked() const;
  unsigned stuck_seen() const { return wanted_.load(std::memory_order_relaxed) - max_procs(); }  // relaxed: numbers
  template <class F>
  void for_each_processor(F f) const {
    const unsigned n = processor_count_.load(std::memory_order_acquire);               // PROC-TABLE
    for (unsigned i = 0; i < n; ++i) f(*processors_[i]);
  }

 private:
  friend class system_monitor;
  friend class priority_scheduler;
  friend class ender;
  friend class simulator;

  // queues.cpp
  goroutine* take_local(machine* m);
  goroutine* take_one_global(bool new_one);
  void keep_new(processor* p, base::chain<goroutine> chain);
  bool global_empty_locked() const {
    return global_.empty() && global_new_.empty() && !priority_work_locked();
  }
  bool priority_work_locked() const;
  void publish_global_locked();
  bool serve_timers(processor& p, os::nanoseconds now);

  // hunt.cpp
  goroutine* hunt(machine* m);
  bool look_at_victims(machine* m, unsigned first, sample* samples, os::nanoseconds now, os::nanoseconds elapsed,
                       bool judge_now, goroutine*& found, bool& busy);
  goroutine* steal_from(machine* m, processor& victim);
  void note_theft(machine* m, std::size_t items);
  bool hold_back_locked() const;

  // scheduler.cpp
  void work(machine* m);
  goroutine* find_work(machine* m);
  void execute(machine* m, goroutine* g);
  void resume(machine* m, goroutine* g);
  void dispatch_watched(machine* m, goroutine* g);
  std::uint32_t watched_for() const { return watch_.load(std::memory_order_acquire); }  // WATCH
  bool retire(machine* m);
  void found_work(machine* m);
  bool leave_sleep(machine* m);
  void rest(machine* m);
  goroutine* rest_wired(machine* m);
  void hand_to_wired(machine* m, goroutine* g);
  bool take_grant_locked(machine* m);
  void sleep(machine* m);
  // Where and until when a machine without work sleeps.
  struct watch {
    os::nanoseconds until = os::never;
    poll_source* poller = nullptr;                      // null: on its note
  };
  watch become_keeper(machine* m);
  void sleep_on_note(machine* m, os::nanoseconds until);
  void sleep_in_poller(machine* m, const watch& w, base::chain<goroutine>& ready);
  bool look_at_poller(machine* m);
  void take_ready(machine* m, base::chain<goroutine> ready);
  bool io_waits() const;
  bool anything_queued() const;

  // polling.cpp
  bool join_to_poll(machine& m);
  void leave_from_poll(machine& m);
  bool poll_is_over(const machine* m) const;
  void tell_host();
  void end_by_polling();
  bool drive_hosts(os::nanoseconds until);
  bool frames_wait() const;
  bool has_hosts();
  host_queue* visit_host(host_queue* before);
  host_queue* take_host();

  // host.cpp
  friend class host_thread;
  void add_host(host_queue* q);
  host_list<host_queue>::removed remove_host(host_queue* q);

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
  bool poller_needs_keeper_locked() const;
  bool keeper_wanted_locked() const;
  bool work_is_left_locked() const;
  const std::uint32_t* note_locked(machine* m);         // then os::futex_wake, unless it is null
  void stop_searching(machine* m);
  void give(processor* p, bool spinning);               // to a sleeping or a new machine
  processor* activate_processor_locked();
  void retire_idle_locked();
  void wake_one();                                      // hard
  void wake_softly();
  static void thread_body(void* m);
  void attach_thread(machine* m);
  void drain_locked(processor* p);

  static constexpr std::uint32_t least_fired = 32;      // timers at a slice's end, however much is queued

  const rove::config config_;
  const bool is_run_;
  const std::uint32_t number_;                          // of all runtimes of the process, this one's: never 0
  [[no_unique_address]] const arch::fp_mode mode_ = arch::current_fp_mode();  // of whoever made the runtime
  os::lock lock_{os::rank::scheduler};

  // ---- under lock_
  base::chain<goroutine> global_;                       // woken ones
  base::chain<goroutine> global_new_;                   // new ones that a processor's lane had no room for
  processor* idle_processors_ = nullptr;
  machine* idle_machines_ = nullptr;
  machine* machines_ = nullptr;
  unsigned machine_count_ = 0;
  unsigned workers_started_ = 0;
  host_list<host_queue> hosts_;
  machine* keeper_ = nullptr;                           // sleeps until the next timer
  os::nanoseconds keeper_until_ = os::never;
  machine* polling_ = nullptr;                          // sleeps in the poller
  unsigned stuck_ = 0;                                  // processors that one goroutine holds up (sysmon)
  counter foreign_spawned_;                             // started from threads without a processor of ours
  death_counter foreign_died_;

  // ---- read by anybody
  idle_counts<> idle_;
  reluctance reluctance_;
  std::atomic<std::size_t> global_size_{0};
  std::atomic<unsigned> processor_count_{0};
  std::atomic<unsigned> max_procs_{1};
  std::atomic<unsigned> active_{0};                     // processors not retired
  std::atomic<unsigned> wanted_{1};                     // max_procs and a spare for each that is stuck
  std::atomic<std::int64_t> in_blocking_{0};
  std::atomic<std::uint32_t> visitors_{0};              // threads in inject_from_outside
  std::atomic<std::int64_t> foreign_io_waits_{0};
  std::atomic<poll_source*> source_{nullptr};
  std::atomic<class priority_queues*> priorities_{nullptr};
  std::unique_ptr<std::unique_ptr<processor>[]> processors_;

  // ---- ending
  std::atomic<std::uint32_t> watch_{0};                 // watch_* above
  std::atomic<bool> ending_{false};
  std::atomic<bool> stop_machines_{false};
  std::atomic<std::uint32_t> finished_{0};              // 1: all goroutines are gone
  std::atomic<bool> main_gone_by_goexit_{false};
  os::lock end_lock_{os::rank::ending};                 // while watched: dispatch against sweeps and dumps
  bool shut_ = false;                                   // under end_lock_: nobody is resumed but under it

  const std::uint8_t default_class_;
  home_ref* const ref_;
  simulation* simulation_ = nullptr;                    // set before the first goroutine
  std::unique_ptr<class system_monitor> monitor_;
  scheduler* next_ = nullptr;                           // in the list of all runtimes (deadlock.cpp)
  friend class all_runtimes;
};

}  // namespace rove::sched
