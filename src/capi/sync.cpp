// The C API: locks, wait group, once. Each of C's structs is the room of a C++ object, which is fresh when it is all
// zeros.
#include "src/capi/capi.hpp"

#include <chrono>
#include <new>

#include <rove/sync/mutex.hpp>
#include <rove/sync/once.hpp>
#include <rove/sync/shared_mutex.hpp>
#include <rove/sync/wait_group.hpp>

namespace {

template <class Object, class Room>
Object& in(Room* room) {
  static_assert(sizeof(Object) <= sizeof(Room) && alignof(Object) <= alignof(Room));
  return *std::launder(reinterpret_cast<Object*>(room));
}

rove::mutex& in(rove_mutex* m) { return in<rove::mutex>(m); }
rove::shared_mutex& in(rove_rwmutex* m) { return in<rove::shared_mutex>(m); }
rove::wait_group& in(rove_wait_group* wg) { return in<rove::wait_group>(wg); }

}  // namespace

extern "C" {

void rove_mutex_lock(rove_mutex* m) { in(m).lock(); }
int rove_mutex_try_lock(rove_mutex* m) { return in(m).try_lock() ? 0 : ROVE_AGAIN; }
int rove_mutex_lock_until(rove_mutex* m, int64_t deadline) {
  const std::chrono::steady_clock::time_point limit{std::chrono::nanoseconds(deadline)};
  return in(m).try_lock_until(limit) ? 0 : ROVE_TIMED_OUT;
}
void rove_mutex_unlock(rove_mutex* m) { in(m).unlock(); }

void rove_rwmutex_lock(rove_rwmutex* m) { in(m).lock(); }
int rove_rwmutex_try_lock(rove_rwmutex* m) { return in(m).try_lock() ? 0 : ROVE_AGAIN; }
void rove_rwmutex_unlock(rove_rwmutex* m) { in(m).unlock(); }
void rove_rwmutex_rlock(rove_rwmutex* m) { in(m).lock_shared(); }
int rove_rwmutex_try_rlock(rove_rwmutex* m) { return in(m).try_lock_shared() ? 0 : ROVE_AGAIN; }
void rove_rwmutex_runlock(rove_rwmutex* m) { in(m).unlock_shared(); }

void rove_wait_group_add(rove_wait_group* wg, int n) { in(wg).add(n); }
void rove_wait_group_done(rove_wait_group* wg) { in(wg).done(); }
void rove_wait_group_wait(rove_wait_group* wg) { in(wg).wait(); }
int rove_wait_group_go(rove_wait_group* wg, void (*f)(void*), void* argument) {
  const rove::capi::call made{f, argument, __builtin_return_address(0)};
  return rove::capi::has_memory([&] { in(wg).go(made); }) ? 0 : ROVE_NO_MEMORY;
}

void rove_once_call(rove_once* once, void (*f)(void*), void* argument) {
  in<rove::once>(once).call([=] { f(argument); });
}

}  // extern "C"
