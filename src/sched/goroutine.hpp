// The goroutine: what is kept of it while it does not run, in four cache lines beside others of its kind.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include <rove/detail/local.hpp>
#include <rove/detail/switch.hpp>
#include <rove/detail/task_state.hpp>
#include <rove/detail/waiter.hpp>

#include "src/arch/stack.hpp"

namespace rove::sched {

struct machine;
struct processor;
class scheduler;
class host_queue;
struct goroutine;

// Where a goroutine is. Only the transitions below happen; the goroutine's stack belongs to the machine that runs it
// in `running` and `syscall`, and to nobody otherwise.
//   dead -> runnable (go) -> running (dispatch) -> leaving (park) -> waiting (park's commit) -> runnable (ready) -> ...
//   running -> runnable (yield), running <-> syscall (blocking), running -> dead (its function returned)
// In `waiting` its stack was left; in `leaving` it waits, but a thread may still be on its stack.
enum class goroutine_state : std::uint8_t { dead, runnable, running, waiting, syscall, leaving };

using wait_reason = detail::wait_reason;

struct alignas(64) goroutine : detail::context {
  // ---- first line, with the saved registers: what a switch touches
  void* caught = nullptr;                 // __cxa_eh_globals of this goroutine while it does not run
  unsigned uncaught = 0;
  int saved_errno = 0;
  std::uint32_t flags = 0;                // flag_*; written by the goroutine itself, or while nobody runs it
  std::uint32_t near = 0;                 // its runtime's number: machines whose `quick` it is wake it by the short way; or `far`

  // ---- parking
  machine* m = nullptr;                   // who runs it, or ran it last
  void* commit_argument = nullptr;
  detail::waiter* waiting_on = nullptr;   // while it waits and may be ended
  goroutine* link = nullptr;              // in the queue it is runnable in, or in a list of dead ones
  std::atomic<std::int64_t> parked_at{0}; // relaxed: for reports; coarse. Negative: an arrow's number, see trace.cpp
  std::atomic<goroutine_state> state{goroutine_state::dead};
  wait_reason reason{};
  std::uint8_t blocking_depth = 0;
  std::uint8_t promised_class = 0;        // the size of stack that it was promised
  std::uint16_t wire_depth = 0;           // lock_os_thread nests
  arch::stack* stack = nullptr;           // from the first dispatch on
  std::atomic<scheduler*> home_word{nullptr};  // set while dead; a sweep of another runtime may look meanwhile

  // ---- birth
  std::atomic<std::uint64_t> id{0};       // 0 while dead
  std::atomic<void*> started_at{nullptr}; // relaxed: for reports; the pc of the `go`, null: the main goroutine
  void (*body)(void* closure, bool run) = nullptr;  // runs and destroys the closure, or only destroys it
  void* closure = nullptr;                // in small_closure or on top of the stack
  detail::task_state* task = nullptr;     // its result is waited for: who joins gives this descriptor back
  std::atomic<const char*> name{nullptr}; // relaxed: for reports; on top of its stack, see copy_name; null: none
  union {
    machine* wire = nullptr;              // the machine it is wired to
    host_queue* host;                     // with flag_hosted: where it runs
  };
  detail::local_node* locals = nullptr;   // its goroutine_locals
  alignas(16) char small_closure[64];

  static constexpr std::uint32_t flag_wired = 1;      // lock_os_thread
  static constexpr std::uint32_t flag_unwinding = 2;  // ended by goexit or by its runtime, destructors run
  static constexpr std::uint32_t flag_main = 4;
  static constexpr std::uint32_t flag_blocking = 8;   // inside `blocking`: runs without a processor
  static constexpr std::uint32_t flag_unborn = 16;    // never dispatched: has no first frame yet
  static constexpr std::uint32_t flag_hosted = 32;    // runs on a host's thread; flag_blocking is set, too (host.cpp)

  static constexpr std::uint32_t flag_frame = 64;       // runs before others (priority.cpp)
  static constexpr std::uint32_t flag_background = 128; // runs when others do not

  static constexpr std::uint32_t far = UINT32_MAX;    // in `near`: who wakes or starts it has to look at its flags

  scheduler* home() const { return home_word.load(std::memory_order_relaxed); }  // relaxed: its own life's, or a hint
  scheduler* home_now() const { return home_word.load(std::memory_order_acquire); }  // HOME: of one that may have ended
  void set_home(scheduler* s) { home_word.store(s, std::memory_order_release); }  // HOME
  bool wired() const { return flags & flag_wired; }
};

inline goroutine* as_goroutine(detail::context* c) { return static_cast<goroutine*>(c); }

// Is it parked, its stack left? Waits for one that is about to leave it. watch.cpp
bool has_parked(const goroutine* g);

// On top of every stack: the goroutine's name, if it has one, with a 0 behind it.
inline constexpr std::size_t name_room = 64;
// Copies the name of any goroutine, one that runs and changes it too; "" if it has none. True: it still is who `id`
// says, so the name is its own.
bool copy_name(const goroutine* g, std::uint64_t id, char (&name)[name_room]);
void name_goroutine(goroutine* g, std::string_view name);  // its stack is bound; the goroutine's own, or unborn

}  // namespace rove::sched
