// What the library asks of an operating system: the porting contract. One folder (src/os/<system>) implements it.
//
// Errors come back by value: 0 or a positive number is good, a negative one is -errno. Nothing here knows a goroutine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <rove/hooks.hpp>

namespace rove::os {

// ---- time ------------------------------------------------------------------------------------------------------
using nanoseconds = std::int64_t;                       // of the steady clock
inline constexpr nanoseconds never = INT64_MAX;
nanoseconds now();
std::uint64_t ticks();                                  // a cheap counter that runs evenly (rdtsc, cntvct)

// ---- sleeping and waking threads ---------------------------------------------------------------------------------
// Sleeps while *word == expected, until woken or until `deadline` (steady clock). Returns 0 when woken or the value
// differed, -ETIMEDOUT when the time is up. May return early without a reason.
int futex_wait(const std::uint32_t* word, std::uint32_t expected, nanoseconds deadline = never);
int futex_wake(const std::uint32_t* word, int count);   // how many were woken; the address may be gone already

// ---- threads -------------------------------------------------------------------------------------------------------
// Starts a thread; the name is cut to what the system allows. All signals are blocked in it but those that its own
// instructions raise (SIGSEGV, SIGFPE, ...) and a profiler's SIGPROF. 0 or -errno. join_thread wants the `handle`.
struct thread_handle { std::uint64_t value = 0; };
// The label is for the host's thread hook (rove/hooks.hpp), too.
struct thread_label {
  std::string_view name;
  thread_kind kind = thread_kind::service;
  unsigned index = 0;
  std::uint32_t runtime = 0;

  thread_label(const char* n) : name(n) {}
  thread_label(std::string_view n) : name(n) {}
  thread_label(const char* n, thread_kind k, unsigned i, std::uint32_t r) : name(n), kind(k), index(i), runtime(r) {}
};
int start_thread(thread_handle& handle, const thread_label& label, void (*body)(void*), void* argument);
void join_thread(thread_handle handle);
void detach_thread(thread_handle handle);               // nobody will join it: it ends by itself
void yield_thread();                                    // sched_yield
std::uint64_t thread_id();                              // of the calling thread, as the system's tools show it
std::string_view thread_name(char (&buffer)[16]);       // of the calling thread; "main": the process's first
int count_threads();                                    // of this process, by one system call; -errno if it is not told
void precise_timers(bool on);                           // asks for the calling thread's sleeps to end on time

// ---- processors ----------------------------------------------------------------------------------------------------
// CPUs this process may use: the least of the hardware, the affinity mask and the ceiling of the tightest cgroup CPU
// quota (v1 and v2, this group or an ancestor). At least 1.
int usable_processors();

// ---- memory --------------------------------------------------------------------------------------------------------
std::size_t page_size();
// Readable and writable, zero, committed by touch, a page at a time; null if the system or the host's hook refuses it.
void* reserve_memory(std::size_t bytes, memory_kind kind = memory_kind::stacks);
void release_memory(void* start, std::size_t bytes, memory_kind kind = memory_kind::stacks);
void discard_memory(void* start, std::size_t bytes);    // gives the pages back; guards survive
enum class guard_kind { none, lightweight, mapping };   // how install_guard works here
guard_kind probe_guards();                              // tried once, believed only when a write really faults
int install_guard(void* page, std::size_t bytes, guard_kind kind);  // 0 or -errno
std::size_t resident_memory(const void* start, std::size_t bytes);  // bytes of whole pages that are in memory; slow
std::size_t mapping_limit();                            // vm.max_map_count, or a large number

// ---- barriers ------------------------------------------------------------------------------------------------------
// Registers for asymmetric fences; sets base::asymmetric_fences if the system has them. Safe to call again. Until then,
// and without them, every fence is a real one.
void init_barriers();

// ---- memory faults -------------------------------------------------------------------------------------------------
// From now on a memory fault of any thread calls inspect(address), in a signal handler and on the thread's alternate
// stack if it has one; when it returns, the fault goes to the handler that was there before. The first call counts.
int catch_faults(void (*inspect)(const void* address));  // 0 or -errno

// While it lives, the calling thread has an alternate signal stack: one of ours unless it came with its own.
class alternate_stack {
 public:
  alternate_stack();
  ~alternate_stack();
  alternate_stack(const alternate_stack&) = delete;
  alternate_stack& operator=(const alternate_stack&) = delete;

 private:
  void* start_ = nullptr;
  std::size_t bytes_ = 0;
};

// ---- the process ---------------------------------------------------------------------------------------------------
void on_fork_in_child(void (*hook)());                  // called in the child of a fork()
[[noreturn]] void exit_now(int status);                 // _exit: no destructor, no atexit

// Output that works in a signal handler: all of it to stderr, short writes completed.
void write_stderr(std::string_view text);

}  // namespace rove::os
