// rove for C11: goroutines, channels and select, on the same runtime as rove/rove.hpp. C++ may include it as well.
//
//   cc -std=c11 program.c $(pkg-config --cflags --libs rove) -lstdc++
//
// The library is written in C++, so the program is linked with C++'s library, or by c++.
//
// Any thread may call anything, where nothing else is said. In a goroutine a call that has to wait parks it; on a plain
// thread it blocks the thread. Goroutines and threads of C and of C++ can meet on the same objects.
//
// Errors. A function that can fail returns 0 or something positive if it worked, else a negative errno: one of the
// ROVE_ codes below, or one of the system's. `errno` itself is never set. A function that makes an object returns NULL
// if there is no memory.
//
// Misuse (a send on a closed channel, a negative wait group) is what Go calls a panic: since C has nothing to catch it
// with, it is reported on stderr, with a backtrace, and the process ends. (Between C++ functions it is the exception
// rove::panic, which passes through C functions that have unwind tables, as compilers make them by default.)
//
// The end. When the main function returns, or its runtime is stopped, the goroutines that are left end at once: those
// that are parked never go on, and those that run end at their next call that can park. Their stacks are freed as they
// are; what they owned is leaked, as in Go. So memory that a parked goroutine is to free belongs to somebody else.
//
// One trap: a goroutine may go on on another thread after a call that parks, but compilers keep the address of `errno`
// and of _Thread_local objects for as long as a function runs. Look at them in a function of their own that cannot
// park and is not inlined.
#pragma once

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include <rove/version.hpp>

#ifdef __cplusplus
#define ROVE_ALIGNED_8 alignas(8)   // the library's own
extern "C" {
#else
#define ROVE_ALIGNED_8 _Alignas(8)  // the library's own
#endif

// ---- error codes ----

#define ROVE_AGAIN (-EAGAIN)        // it would have to wait
#define ROVE_TIMED_OUT (-ETIMEDOUT) // the deadline came first
#define ROVE_CLOSED (-EPIPE)        // the channel is closed, and drained
#define ROVE_NO_MEMORY (-ENOMEM)    // there is none, or no address space for a stack

// ---- time: nanoseconds ----

#define ROVE_MICROSECOND INT64_C(1000)         // as many nanoseconds
#define ROVE_MILLISECOND INT64_C(1000000)      // as many nanoseconds
#define ROVE_SECOND INT64_C(1000000000)        // as many nanoseconds
// A deadline is a point of time as rove_now tells it. One that is past, 0 for one: the call does not wait.
#define ROVE_NEVER INT64_MAX

// Now, by the system's monotonic clock.
int64_t rove_now(void);
// A deadline: `ns` from now. Negative: past. Too long to count: never.
int64_t rove_in(int64_t ns);

// ---- running ----

// What a runtime is like. All zeros is what one wants; NULL is taken for that.
typedef struct rove_config {
  unsigned max_procs;      // goroutines that run at the same time; 0: the CPUs this process may use
  size_t stack_size;       // bytes of address space a goroutine; 0: as built (256 KiB)
  unsigned max_threads;    // more is a fatal error; 0: 10,000
  int detect_deadlock;     // 1: report it, -1: never, 0: by rove_run, while no thread but the library's own exists
  int no_threads;          // 1: goroutines run in rove_runtime_poll only
  int unwind;              // 1: goroutines that are left are unwound, for programs with C++ functions on their stacks
  void *data;              // given to these functions:
  void (*on_thread_start)(void *data);  // on each thread that the runtime starts
  void (*on_thread_stop)(void *data);   // on each of them, before it ends
  // With no_threads: goroutines were started or woken, poll. Not for timers and descriptors, which a poll looks at. On
  // any thread; must not call rove.
  void (*on_work)(void *data);
  void (*on_fatal)(void *data, const char *report, size_t size);  // sees a fatal report first; must not call rove
} rove_config;

// Starts a runtime, runs f(arg) as its main goroutine, and when f returns ends all others; returns what f returned. The
// calling thread works for the runtime meanwhile. May be called again. Panics in a goroutine.
int rove_run(const rove_config *config, int (*f)(void *arg), void *arg);

// How a goroutine is to be. All zeros, or NULL for it: as all others.
typedef struct rove_options {
  const char *name;        // for reports and the debugger; at most 63 bytes are kept; may be NULL
  size_t stack_size;       // bytes of address space; 0: the runtime's
} rove_options;

// Starts a goroutine that calls f(arg). Never parks. ROVE_NO_MEMORY: there is none for a stack. Panics on a plain
// thread, which has rove_runtime_go. (In a runtime that is ending f is not called.)
int rove_go(void (*f)(void *arg), void *arg);
// The same with a name or a stack size; `options` may be NULL.
int rove_go_with(const rove_options *options, void (*f)(void *arg), void *arg);

// Lets others run.
void rove_yield(void);
// Parks for at least so long. Zero or less: yields.
void rove_sleep(int64_t ns);
void rove_sleep_until(int64_t when);

// The running goroutine's number, never reused; the first main goroutine of a process is 1; 0 on a plain thread.
uint64_t rove_id(void);
// Names the running goroutine. On a plain thread: nothing.
void rove_set_name(const char *name);
// Goroutines of this runtime that have not ended; 0 on a plain thread.
size_t rove_num_goroutines(void);
// How many goroutines of this runtime run at the same time. On a plain thread: what a new runtime would get.
unsigned rove_max_procs(void);
// Sets it, 1 to 1024, and gives the old value. Panics on a plain thread, and if n is out of range.
unsigned rove_set_max_procs(unsigned n);

// Calls f(arg), which may block its thread (a system call, a foreign library), while other goroutines go on. On a plain
// thread it just calls f.
void rove_blocking(void (*f)(void *arg), void *arg);

// From here on this goroutine runs on the thread it is on, and nothing else does. Nests; may end locked.
void rove_lock_os_thread(void);
void rove_unlock_os_thread(void);

// ---- a runtime as an object, for a host that owns its threads ----

// Processors, threads and goroutines that belong together. Several can live in one process, and goroutines of two of
// them can meet on one channel.
typedef struct rove_runtime rove_runtime;

// NULL: no memory. On a plain thread.
rove_runtime *rove_runtime_new(const rove_config *config);
// Stops it and frees it. NULL is allowed. On a plain thread.
void rove_runtime_free(rove_runtime *rt);
// Ends every goroutine and waits until all are gone; afterwards goroutines are not started. Panics in one of its own
// goroutines.
void rove_runtime_stop(rove_runtime *rt);
// As rove_go_with, from any thread.
int rove_runtime_go(rove_runtime *rt, const rove_options *options, void (*f)(void *arg), void *arg);
// Runs f(arg) in a goroutine and waits for it; 0, or ROVE_NO_MEMORY. Panics if the runtime ended it.
int rove_runtime_run(rove_runtime *rt, void (*f)(void *arg), void *arg);
// Lends the calling thread as a worker for `budget` nanoseconds, or until nothing is runnable; 0: one look. Returns 1
// if anything ran, else 0. A goroutine is not interrupted. Panics in a goroutine.
int rove_runtime_poll(rove_runtime *rt, int64_t budget);
// Its goroutines that have not ended.
size_t rove_runtime_num_goroutines(const rove_runtime *rt);

// ---- channels ----

// A channel of elements of one size, copied as bytes. First in, first out, for elements and for those who wait. NULL is
// Go's nil channel: sending and receiving wait for ever, a case of a select is never ready.
typedef struct rove_chan rove_chan;

// With room for `capacity` elements; 0: a send meets its receive. An element_size of 0 is allowed: a mere signal.
// NULL: no memory. Panics "makechan: size out of range".
rove_chan *rove_chan_make(size_t element_size, size_t capacity);
// One more owner, and one less: the last one frees the channel, when nobody waits on it any more. NULL is allowed.
rove_chan *rove_chan_retain(rove_chan *c);
void rove_chan_free(rove_chan *c);

// Copies an element into the channel, or straight to who receives. `element` may be NULL if elements have no size; else
// a NULL panics. send waits while there is no room. All panic "send on closed channel", also if it is closed meanwhile.
void rove_chan_send(rove_chan *c, const void *element);
// 0 or ROVE_AGAIN.
int rove_chan_try_send(rove_chan *c, const void *element);
// 0 or ROVE_TIMED_OUT.
int rove_chan_send_until(rove_chan *c, const void *element, int64_t deadline);

// Copies the next element to `element`. 0, or ROVE_CLOSED if the channel is closed and drained; `element` is untouched
// then. recv waits while there is nothing: `while (rove_chan_recv(c, &x) == 0)` takes all there is until the close.
int rove_chan_recv(rove_chan *c, void *element);
// 0, ROVE_CLOSED or ROVE_AGAIN.
int rove_chan_try_recv(rove_chan *c, void *element);
// 0, ROVE_CLOSED or ROVE_TIMED_OUT.
int rove_chan_recv_until(rove_chan *c, void *element, int64_t deadline);

// No more elements will come. Panics "close of closed channel", "close of nil channel".
void rove_chan_close(rove_chan *c);
// Elements in the buffer, and how many it has room for.
size_t rove_chan_len(const rove_chan *c);
size_t rove_chan_cap(const rove_chan *c);

// ---- select ----

// What a case of a select does.
typedef enum rove_case_kind {
  ROVE_CASE_SEND,          // ready when its channel has room, or somebody receives; closed: a panic
  ROVE_CASE_RECV,          // ready when its channel has something, or is closed
  ROVE_CASE_TIMEOUT,       // taken when no other was ready until then
  ROVE_CASE_DEFAULT        // taken if no other is ready at once
} rove_case_kind;

// One case of a select. Made by the functions below.
typedef struct rove_case {
  rove_case_kind kind;     // what it does
  int status;              // out, of the case that was taken: 0, or ROVE_CLOSED for a receive that got nothing
  rove_chan *channel;      // NULL: never ready
  void *element;           // to send, or room for what is received
  int64_t deadline;        // of a timeout, as rove_now tells it
} rove_case;

// Makes a case; it may be used for several selects. What `element` points to is read (send) or written (receive) by
// rove_select, and is to live until then.
static inline rove_case rove_on_recv(rove_chan *c, void *element) {
  rove_case made = {ROVE_CASE_RECV, 0, c, element, 0};
  return made;
}
static inline rove_case rove_on_send(rove_chan *c, const void *element) {
  rove_case made = {ROVE_CASE_SEND, 0, c, (void *)(uintptr_t)element, 0};
  return made;
}
static inline rove_case rove_on_timeout(int64_t deadline) {
  rove_case made = {ROVE_CASE_TIMEOUT, 0, NULL, NULL, deadline};
  return made;
}
static inline rove_case rove_otherwise(void) {
  rove_case made = {ROVE_CASE_DEFAULT, 0, NULL, NULL, 0};
  return made;
}

// Waits until one of the cases can be done, does it, notes its status, and returns its index; of several that are ready
// one is taken at random. No case at all: waits for ever. At most one timeout and one default (more panic); with both,
// the default counts. Up to 16 cases nothing is allocated; beyond that ROVE_NO_MEMORY is possible. Panics "send on
// closed channel".
int rove_select(rove_case *cases, size_t count);

// ---- locks and waiting: all zeros is a fresh one, nothing needs to be freed; must not be copied once in use ----

// A lock; {0} or ROVE_MUTEX_INIT.
typedef struct rove_mutex {
  ROVE_ALIGNED_8 unsigned char state[8];   // the library's own
} rove_mutex;
#define ROVE_MUTEX_INIT {{0}}        // unlocked

// Not recursive; belongs to no goroutine. unlock is fatal if it is not locked. try_lock: 0 or ROVE_AGAIN; lock_until: 0
// or ROVE_TIMED_OUT.
void rove_mutex_lock(rove_mutex *m);
int rove_mutex_try_lock(rove_mutex *m);
int rove_mutex_lock_until(rove_mutex *m, int64_t deadline);
void rove_mutex_unlock(rove_mutex *m);

// A lock for many readers or one writer; {0} or ROVE_RWMUTEX_INIT.
typedef struct rove_rwmutex {
  ROVE_ALIGNED_8 unsigned char state[8];   // the library's own
} rove_rwmutex;
#define ROVE_RWMUTEX_INIT {{0}}      // unlocked

// Many readers or one writer. A waiting writer holds new readers back, so readers must not nest. As for mutex.
void rove_rwmutex_lock(rove_rwmutex *m);
int rove_rwmutex_try_lock(rove_rwmutex *m);
void rove_rwmutex_unlock(rove_rwmutex *m);
void rove_rwmutex_rlock(rove_rwmutex *m);
int rove_rwmutex_try_rlock(rove_rwmutex *m);
void rove_rwmutex_runlock(rove_rwmutex *m);

// A counter to wait for; {0} or ROVE_WAIT_GROUP_INIT.
typedef struct rove_wait_group {
  ROVE_ALIGNED_8 unsigned char state[8];   // the library's own
} rove_wait_group;
#define ROVE_WAIT_GROUP_INIT {{0}}   // zero

// Adds to the counter; when it becomes zero all who wait go on. Panics "sync: negative WaitGroup counter".
void rove_wait_group_add(rove_wait_group *wg, int n);
void rove_wait_group_done(rove_wait_group *wg);
// Parks until the counter is zero.
void rove_wait_group_wait(rove_wait_group *wg);
// Adds 1 and starts a goroutine that calls f(arg) and then done. ROVE_NO_MEMORY: nothing was added or started.
int rove_wait_group_go(rove_wait_group *wg, void (*f)(void *arg), void *arg);

// Whether something was done; {0} or ROVE_ONCE_INIT.
typedef struct rove_once {
  ROVE_ALIGNED_8 unsigned char state[16];  // the library's own
} rove_once;
#define ROVE_ONCE_INIT {{0}}         // not done

// Calls f(arg) the first time. Returns when f has returned, in this call or another one.
void rove_once_call(rove_once *once, void (*f)(void *arg), void *arg);

// ---- descriptors ----

#define ROVE_READABLE 1    // there is something to read, or the end
#define ROVE_WRITABLE 2    // there is room

// Parks the goroutine (blocks a plain thread) until the descriptor is ready for some of `events` (| of the two), and
// returns for which; at once if it is ready, as a regular file always is. A descriptor that is broken or at its end is
// ready: the call that is tried then tells. It must stay open meanwhile, and ought to be non-blocking. ROVE_TIMED_OUT,
// or the system's error: -EBADF for one.
int rove_wait_fd(int descriptor, int events, int64_t deadline);

#ifdef __cplusplus
}
#endif
