// The C API: a runtime as an object.
#include "src/capi/capi.hpp"

#include <chrono>

#include <rove/run.hpp>
#include <rove/runtime.hpp>

using namespace rove;

struct rove_runtime {
  explicit rove_runtime(const rove_config* c) : cpp(capi::config_of(c)) {}
  runtime cpp;
};

extern "C" {

rove_runtime* rove_runtime_new(const rove_config* c) {
  rove_runtime* made = nullptr;
  capi::has_memory([&] { made = new rove_runtime(c); });
  return made;
}

void rove_runtime_free(rove_runtime* rt) { delete rt; }
void rove_runtime_stop(rove_runtime* rt) { rt->cpp.stop(); }

int rove_runtime_go(rove_runtime* rt, const rove_options* o, void (*f)(void*), void* argument) {
  const capi::call made{f, argument, __builtin_return_address(0)};
  return capi::has_memory([&] { rt->cpp.go(capi::options_of(o), made); }) ? 0 : ROVE_NO_MEMORY;
}

int rove_runtime_run(rove_runtime* rt, void (*f)(void*), void* argument) {
  task<void> started;
  const capi::call made{f, argument, __builtin_return_address(0)};
  if (!capi::has_memory([&] { started = rt->cpp.spawn(made); })) return ROVE_NO_MEMORY;
  started.get();
  return 0;
}

int rove_runtime_poll(rove_runtime* rt, int64_t budget) { return rt->cpp.poll(std::chrono::nanoseconds(budget)); }

size_t rove_runtime_num_goroutines(const rove_runtime* rt) { return rt->cpp.stats().goroutines; }

}  // extern "C"
