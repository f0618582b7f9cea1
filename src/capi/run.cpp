// The C API: a main function under a runtime, goroutines, time.
#include "src/capi/capi.hpp"

#include <chrono>

#include <rove/run.hpp>
#include <rove/time.hpp>

namespace rove::capi {

config config_of(const rove_config* given) {
  config c;
  c.at_end = at_end::abandon;
  if (!given) return c;
  c.max_procs = given->max_procs;
  c.stack_size = given->stack_size;
  if (given->max_threads) c.max_threads = given->max_threads;
  if (given->detect_deadlock) c.detect_deadlock = given->detect_deadlock > 0;
  c.own_threads = !given->no_threads;
  if (given->unwind) c.at_end = at_end::unwind;
  void* const data = given->data;
  if (const auto f = given->on_thread_start) c.on_thread_start = [f, data] { f(data); };
  if (const auto f = given->on_thread_stop) c.on_thread_stop = [f, data] { f(data); };
  if (const auto f = given->on_work) c.on_work = [f, data] { f(data); };
  if (const auto f = given->on_fatal) c.on_fatal = [f, data](std::string_view r) { f(data, r.data(), r.size()); };
  return c;
}

}  // namespace rove::capi

using namespace rove;

extern "C" {

int rove_run(const rove_config* c, int (*f)(void*), void* argument) {
  return run(capi::config_of(c), [f, argument] { return f(argument); });
}

int rove_go(void (*f)(void*), void* argument) {
  const capi::call made{f, argument, __builtin_return_address(0)};
  return capi::has_memory([&] { go(made); }) ? 0 : ROVE_NO_MEMORY;
}

int rove_go_with(const rove_options* o, void (*f)(void*), void* argument) {
  const capi::call made{f, argument, __builtin_return_address(0)};
  return capi::has_memory([&] { go(capi::options_of(o), made); }) ? 0 : ROVE_NO_MEMORY;
}

void rove_yield() { yield(); }

int64_t rove_now() { return detail::steady_ns(); }
int64_t rove_in(int64_t ns) { return detail::deadline_after(std::chrono::nanoseconds(ns)); }
void rove_sleep(int64_t ns) { sleep_for(std::chrono::nanoseconds(ns)); }
void rove_sleep_until(int64_t when) { detail::sleep_until_ns(when); }

uint64_t rove_id() { return this_goroutine::id(); }
void rove_set_name(const char* name) { this_goroutine::set_name(name ? name : ""); }
size_t rove_num_goroutines() { return num_goroutines(); }
unsigned rove_max_procs() { return max_procs(); }
unsigned rove_set_max_procs(unsigned n) { return set_max_procs(n); }

void rove_blocking(void (*f)(void*), void* argument) { blocking([=] { f(argument); }); }
void rove_lock_os_thread() { lock_os_thread(); }
void rove_unlock_os_thread() { unlock_os_thread(); }

}  // extern "C"
