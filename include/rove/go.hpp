// Starting goroutines: go, spawn, task, and what a goroutine may know of itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <rove/detail/task_state.hpp>
#include <rove/error.hpp>

namespace rove::sched {
class scheduler;
}

namespace rove {

class host;                       // rove/host.hpp

namespace detail {
struct priority_class {
  void (*mark)(sched::goroutine* g);
};
extern const priority_class frame_class, background_class;
}  // namespace detail

// Who is dispatched first when more goroutines are runnable than there are workers. A goroutine is never interrupted.
//   frame       before all others, but for one dispatch of a worker in 64, which is a normal one's
//   normal      what all others are; in the order of docs/ARCHITECTURE.md
//   background  when a worker has nothing else to do, and never on the last one of several workers. While the others
//               keep all workers busy, one of the background is dispatched every 10 ms at a slice's end (64 dispatches)
// Goroutines that a goroutine starts are normal ones again. On a host, and in a deterministic run, all are equal.
class priority {
 public:
  static const priority frame;       // what a frame, or a user, waits for
  static const priority normal;      // the default
  static const priority background;  // what may take its time
  const detail::priority_class* what() const { return what_; }  // null: normal

  constexpr priority() = default;

 private:
  constexpr explicit priority(const detail::priority_class* what) : what_(what) {}
  const detail::priority_class* what_ = nullptr;
};
inline constexpr priority priority::frame{&detail::frame_class};
inline constexpr priority priority::normal{};
inline constexpr priority priority::background{&detail::background_class};

// How a goroutine is to be.
struct options {
  std::string_view name = {};     // for reports and the debugger; at most 63 bytes are kept
  std::size_t stack_size = 0;     // bytes of reserved address space, rounded up to a power of two; 0: the runtime's
  rove::priority priority = {};   // priority::frame, normal or background
  host* on = nullptr;             // it runs on this host's thread alone, in the host's runtime; see rove/host.hpp
};

namespace detail {

// A goroutine that is being made: its descriptor, and room for the closure on its stack.
struct birth {
  sched::goroutine* g;
  void* closure;
};
// `home` null: the runtime of the calling thread; a panic if there is none. `o` null: as all others. Throws
// std::bad_alloc.
birth begin_birth(const options* o, std::size_t closure_size, std::size_t closure_align, sched::scheduler* home);
void end_birth(birth b, void (*body)(void* closure, bool run), task_state* task);
void cancel_birth(birth b);       // the closure could not be made
void set_birthplace(void* pc);    // the running goroutine was started there, reports are to say
[[noreturn]] void throw_no_memory();
bool current_is_ending();         // the running goroutine is being unwound: exceptions pass untouched

// What a new goroutine calls: decayed copies, invoked as rvalues, destroyed on the goroutine.
template <class F, class... Args>
struct closure {
  std::tuple<F, Args...> call;

  static void body(void* self, bool run) {
    struct guard {
      closure* c;
      ~guard() { c->~closure(); }
    } g{static_cast<closure*>(self)};
    if (run) [[likely]]
      std::apply([](auto&&... x) { static_cast<void>(std::invoke(std::move(x)...)); }, std::move(g.c->call));
  }
};

template <class F, class... Args>
ROVE_ALWAYS_INLINE void start_goroutine(const options* o, sched::scheduler* home, F&& f,
                                        Args&&... args) {
  using closure_type = closure<std::decay_t<F>, std::decay_t<Args>...>;
  const birth b = begin_birth(o, sizeof(closure_type), alignof(closure_type), home);
#if ROVE_EXCEPTIONS
  if constexpr (!std::is_nothrow_constructible_v<std::decay_t<F>, F> ||
                !(std::is_nothrow_constructible_v<std::decay_t<Args>, Args> && ...)) {
    try {
      ::new (b.closure) closure_type{{std::forward<F>(f), std::forward<Args>(args)...}};
    } catch (...) {
      cancel_birth(b);
      throw;
    }
  } else
#endif
    ::new (b.closure) closure_type{{std::forward<F>(f), std::forward<Args>(args)...}};
  end_birth(b, &closure_type::body, nullptr);
}

}  // namespace detail

// Starts a goroutine that calls f(args...) on decayed copies; what it returns is ignored. Parks nothing. An exception
// that leaves f ends the program with a panic report. From a goroutine of any runtime; on a plain thread a panic
// ("rove: no runtime on this thread"): use runtime::go there. Throws std::bad_alloc if there is no memory for a stack.
template <class F, class... Args>
  requires std::invocable<std::decay_t<F>, std::decay_t<Args>...>
ROVE_ALWAYS_INLINE void go(F&& f, Args&&... args) {
  detail::start_goroutine(nullptr, nullptr, std::forward<F>(f), std::forward<Args>(args)...);
}

// The same with a name, a stack size, a priority or a host of its own.
template <class F, class... Args>
  requires std::invocable<std::decay_t<F>, std::decay_t<Args>...>
ROVE_ALWAYS_INLINE void go(const options& o, F&& f, Args&&... args) {
  detail::start_goroutine(&o, nullptr, std::forward<F>(f), std::forward<Args>(args)...);
}

namespace detail {

template <class R>
struct task_result : task_state {
  union {
    R value;
  };
  task_result() { destroy_value = [](task_state* s) { static_cast<task_result*>(s)->value.~R(); }; }
  ~task_result() {}
  template <class Call>
  void fill(Call&& call) {
    ::new (static_cast<void*>(std::addressof(value))) R(call());
  }
};

template <class R>
struct task_result<R&> : task_state {
  R* value = nullptr;
  template <class Call>
  void fill(Call&& call) {
    value = std::addressof(call());
  }
};

template <>
struct task_result<void> : task_state {
  template <class Call>
  void fill(Call&& call) {
    call();
  }
};

// The closure of a goroutine with a result. The call is destroyed on the goroutine, the result by who joins.
template <class R, class F, class... Args>
struct task_closure : task_result<R> {
  union {
    std::tuple<F, Args...> call;
  };
  template <class... T>
  explicit task_closure(T&&... x) : call(std::forward<T>(x)...) {}
  ~task_closure() {}

  static void body(void* self, bool run) {
    struct guard {
      task_closure* c;
      ~guard() { std::destroy_at(&c->call); }
    } g{static_cast<task_closure*>(self)};
    if (!run) return;
#if ROVE_EXCEPTIONS
    try {
      g.c->run();
    } catch (...) {
      if (current_is_ending()) throw;
      g.c->error = std::current_exception();
    }
#else
    g.c->run();
#endif
  }

  void run() {
    this->fill([this]() -> decltype(auto) {
      return std::apply([](auto&&... x) -> decltype(auto) { return std::invoke(std::move(x)...); }, std::move(call));
    });
    this->has_value = true;
  }
};

}  // namespace detail

// A goroutine's result, to be waited for. Move-only; the destructor waits, and drops an exception nobody asked for.
template <class R>
class task {
 public:
  task() = default;
  explicit task(detail::task_result<R>* s) : state_(s) {}
  task(task&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  task& operator=(task&& other) noexcept {
    task(std::move(other)).swap(*this);
    return *this;
  }
  ~task() {
    if (state_) detail::task_drop(state_);
  }

  // Is there a goroutine? Not if it was default-built, moved from, or after get().
  bool valid() const noexcept { return state_ != nullptr; }
  void swap(task& other) noexcept { std::swap(state_, other.state_); }

  // Has the goroutine ended? Any thread, never parks.
  bool done() const noexcept { return state_->done.load(std::memory_order_acquire); }  // TASK-DONE

  // Parks until the goroutine has ended.
  void wait() { join(); }

  // Parks until the goroutine has ended; gives its result, or rethrows what it threw. Once. Panics if it called goexit
  // or was ended by its runtime ("rove: task ended by goexit").
  R get() {
    join();
    const task keep(std::move(*this));
    detail::task_result<R>* const s = keep.state_;
    if (!s->done.load(std::memory_order_acquire)) detail::task_no_value();  // TASK-DONE
#if ROVE_EXCEPTIONS
    if (s->error) std::rethrow_exception(s->error);
#endif
    if (!s->has_value) detail::task_no_value();
    if constexpr (std::is_reference_v<R>)
      return *s->value;
    else if constexpr (!std::is_void_v<R>)
      return std::move(s->value);
  }

 private:
  void join() {
    detail::waiter w;
    const detail::departure d = detail::task_join_begin(state_, w);
    if (d.to) {
      detail::depart(d);
      detail::task_join_end(state_, w);
    }
  }

  detail::task_result<R>* state_ = nullptr;
};

namespace detail {

template <class F, class... Args>
ROVE_ALWAYS_INLINE auto spawn_task(const options* o, sched::scheduler* home, F&& f, Args&&... args) {
  using result = std::invoke_result_t<std::decay_t<F>, std::decay_t<Args>...>;
  using closure_type = task_closure<result, std::decay_t<F>, std::decay_t<Args>...>;
  if (ending.load(std::memory_order_relaxed)) [[unlikely]] end_check();  // relaxed: end_check looks closer
  const birth b = begin_birth(o, sizeof(closure_type), alignof(closure_type), home);
  closure_type* c;
#if ROVE_EXCEPTIONS
  try {
    c = ::new (b.closure) closure_type(std::forward<F>(f), std::forward<Args>(args)...);
  } catch (...) {
    cancel_birth(b);
    throw;
  }
#else
  c = ::new (b.closure) closure_type(std::forward<F>(f), std::forward<Args>(args)...);
#endif
  end_birth(b, &closure_type::body, c);
  return task<result>(c);
}

}  // namespace detail

// Starts a goroutine with a result. An exception that leaves f goes to whoever calls get().
template <class F, class... Args>
  requires std::invocable<std::decay_t<F>, std::decay_t<Args>...>
[[nodiscard]] ROVE_ALWAYS_INLINE auto spawn(F&& f, Args&&... args) {
  return detail::spawn_task(nullptr, nullptr, std::forward<F>(f), std::forward<Args>(args)...);
}

// The same with a name, a stack size, a priority or a host of its own.
template <class F, class... Args>
  requires std::invocable<std::decay_t<F>, std::decay_t<Args>...>
[[nodiscard]] ROVE_ALWAYS_INLINE auto spawn(const options& o, F&& f, Args&&... args) {
  return detail::spawn_task(&o, nullptr, std::forward<F>(f), std::forward<Args>(args)...);
}

// What a goroutine may know of itself.
namespace this_goroutine {

// Never reused; 0 on a plain thread. The first main goroutine of a process is 1.
std::uint64_t id();
// Empty if it has none, and on a plain thread. Valid until set_name.
std::string_view name();
void set_name(std::string_view name);
// Bytes of stack left below the caller; on a plain thread 0.
std::size_t stack_left();

}  // namespace this_goroutine

}  // namespace rove
