// select: waits for the first of several channel operations. selector: the same for a set that is known at run time.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <utility>

#include <rove/chan.hpp>
#include <rove/detail/deadline.hpp>
#include <rove/detail/select_case.hpp>

namespace rove {
namespace detail {

inline constexpr std::size_t no_case = static_cast<std::size_t>(-1);

// Each returns the index of the case taken, or no_case. They panic "send on closed channel", and throw what a move
// threw and when the goroutine is to end; then the select is over, and no value was moved. s.main.result says more:
// `closed` if a receive found its channel closed; `ended` if nothing was done, because the goroutine is being unwound
// already.
//
// Takes a case that is ready. no_case and `pending`: none was; the call must go on with select_until.
std::size_t select_ready(select_state& s, select_waiter* cases, std::size_t n);
// Takes a case that is ready. no_case: none was, at one moment during the call. Never waits. Who polls in a loop is
// ended here when its runtime ends.
std::size_t select_now(select_state& s, select_waiter* cases, std::size_t n);
// Waits until a case is ready or the limit (ns of the steady clock) is reached: no_case.
std::size_t select_until(select_state& s, select_waiter* cases, std::size_t n, std::int64_t when);
// Waits until a case is ready. Up to the switch; without a target it is over. And what comes after the switch back.
departure select_begin(select_state& s, select_waiter* cases, std::size_t n);
std::size_t select_end(select_state& s, select_waiter* cases);
// A select without cases.
departure select_nothing_begin(waiter& w);
void select_nothing_end(waiter& w);

template <class Handler>
class otherwise_case {
 public:
  static constexpr bool is_otherwise = true;
  explicit otherwise_case(Handler h) : handler_(std::move(h)) {}

 private:
  friend select_access;
  void run() const {
    if constexpr (!std::is_same_v<Handler, no_handler>) static_cast<void>(handler_());
  }
  [[no_unique_address]] mutable Handler handler_;
};

// `When` is a duration, which begins anew with each select, or a point of time.
template <class When, class Handler>
class timeout_case {
 public:
  static constexpr bool is_timeout = true;
  timeout_case(When when, Handler h) : when_(when), handler_(std::move(h)) {}

 private:
  friend select_access;
  std::int64_t deadline() const {
    if constexpr (requires { typename When::clock; })
      return deadline_at(when_);
    else
      return deadline_after(when_);
  }
  void run() const {
    if constexpr (!std::is_same_v<Handler, no_handler>) static_cast<void>(handler_());
  }
  When when_;
  [[no_unique_address]] mutable Handler handler_;
};

template <class C>
inline constexpr bool is_channel_case = requires { C::is_channel_case; };
template <class C>
inline constexpr bool is_receive_case = requires { requires C::receives; };
template <class C>
inline constexpr bool is_otherwise = requires { C::is_otherwise; };
template <class C>
inline constexpr bool is_timeout = requires { C::is_timeout; };
template <class C>
concept case_of_select = is_channel_case<std::remove_cvref_t<C>> || is_otherwise<std::remove_cvref_t<C>> ||
                         is_timeout<std::remove_cvref_t<C>>;

template <class... C>
concept at_most_one_otherwise = (std::size_t{is_otherwise<std::remove_cvref_t<C>>} + ... + 0) <= 1;
template <class... C>
concept at_most_one_timeout = (std::size_t{is_timeout<std::remove_cvref_t<C>>} + ... + 0) <= 1;

// What select and selector may do with a case.
class select_access {
 public:
  template <class C>
  static void fill(select_waiter& w, C& c, void* room) {
    using T = typename std::remove_const_t<C>::value_type;
    w.object = c.core();
    w.sends = !C::receives;
    if constexpr (C::receives) {
      w.value = room;
    } else {
      static_assert(!std::is_const_v<C>, "a sending case gives its value away, so it must not be const");
      w.value = const_cast<std::remove_const_t<T>*>(std::addressof(c.value_));
    }
  }
  template <class C>
  static std::int64_t deadline(const C& c) {
    return c.deadline();
  }
  // Runs the handler of the case that was taken.
  template <class C>
  static void run(C& c, void* room, bool closed) {
    if constexpr (is_receive_case<C>)
      c.run(room, closed);
    else
      c.run();
  }
  template <class C>
  static chan_core* core(const C& c) {
    return c.core();
  }
  // A handle of one's own.
  template <class C>
  static chan_handle handle(const C& c) {
    chan_core* const core = c.core();
    if (core) retain_chan(core);
    return chan_handle(core);
  }
  template <class C>
  static auto& value(C& c) {
    return c.value_;
  }
};

// What is known of a select when it is compiled.
template <class... C>
struct select_shape {
  static constexpr std::size_t size = sizeof...(C);
  static constexpr std::size_t channels = (std::size_t{is_channel_case<C>} + ... + 0);
  static constexpr std::size_t otherwises = (std::size_t{is_otherwise<C>} + ... + 0);
  static constexpr std::size_t timeouts = (std::size_t{is_timeout<C>} + ... + 0);

  // Where the n-th channel case stands among the arguments; where the first argument of the kind does.
  static constexpr std::array<std::size_t, channels + 1> places() {
    constexpr bool kinds[] = {is_channel_case<C>..., false};
    std::array<std::size_t, channels + 1> all{};
    for (std::size_t i = 0, n = 0; i < size; ++i)
      if (kinds[i]) all[n++] = i;
    return all;
  }
  static constexpr std::size_t place_of(std::array<bool, size + 1> kinds) {
    return static_cast<std::size_t>(std::find(kinds.begin(), kinds.end() - 1, true) - kinds.begin());
  }
  static constexpr std::size_t otherwise_at = place_of({is_otherwise<C>..., false});
  static constexpr std::size_t timeout_at = place_of({is_timeout<C>..., false});

  template <class T>
  static constexpr std::size_t received_size() {
    if constexpr (is_receive_case<T>) return sizeof(typename T::value_type);
    return 1;
  }
  template <class T>
  static constexpr std::size_t received_align() {
    if constexpr (is_receive_case<T>) return alignof(typename T::value_type);
    return 1;
  }
  using room = select_room<std::max({std::size_t{1}, received_size<C>()...}),
                           std::max({std::size_t{1}, received_align<C>()...})>;
};

template <class Shape, class... C>
ROVE_ALWAYS_INLINE void fill_cases(select_waiter* waiters, void* room, C&... cases) {
  std::size_t n = 0;
  const auto fill = [&](auto& c) {
    if constexpr (is_channel_case<std::remove_cvref_t<decltype(c)>>) select_access::fill(waiters[n++], c, room);
  };
  (fill(cases), ...);
}

template <class... C>
ROVE_ALWAYS_INLINE void run_case(std::size_t index, void* room, bool closed, C&... cases) {
  std::size_t i = 0;
  static_cast<void>(((i++ == index ? (select_access::run(cases, room, closed), true) : false) || ...));
}

template <class... C>
std::int64_t deadline_of(const C&... cases) {
  std::int64_t when = never_ns;
  const auto look = [&](const auto& c) {
    if constexpr (is_timeout<std::remove_cvref_t<decltype(c)>>) when = select_access::deadline(c);
  };
  (look(cases), ...);
  return when;
}

// One channel case and `otherwise`: a try, without the machinery.
template <class C>
ROVE_ALWAYS_INLINE outcome try_case(C& c, void* room) {
  if constexpr (C::receives)
    return chan_try_recv(select_access::core(c), room);
  else
    return chan_try_send(select_access::core(c), std::addressof(select_access::value(c)));
}

template <class Shape, class... C>
ROVE_ALWAYS_INLINE std::size_t select_of_two(C&... cases) {
  if (ending.load(std::memory_order_relaxed)) [[unlikely]] end_check();  // relaxed: end_check looks closer
  typename Shape::room room;
  outcome how = outcome::pending;
  const auto attempt = [&](auto& c) {
    if constexpr (is_channel_case<std::remove_cvref_t<decltype(c)>>) how = try_case(c, &room);
  };
  (attempt(cases), ...);
  const std::size_t index = how == outcome::pending ? Shape::otherwise_at : 1 - Shape::otherwise_at;
  run_case(index, &room, how == outcome::closed, cases...);
  return index;
}

template <class Shape, class... C>
ROVE_ALWAYS_INLINE std::size_t select_of_many(C&... cases) {
  constexpr std::size_t n = Shape::channels;
  typename Shape::room room;
  select_waiter waiters[n > 0 ? n : 1];
  select_state state;
  fill_cases<Shape>(waiters, &room, cases...);
  std::size_t taken;
  if constexpr (Shape::otherwises > 0) {
    taken = select_now(state, waiters, n);
  } else if constexpr (Shape::timeouts > 0) {
    taken = select_ready(state, waiters, n);
    if (taken == no_case && state.main.result == outcome::pending)
      taken = select_until(state, waiters, n, deadline_of(cases...));
  } else {
    const departure d = select_begin(state, waiters, n);
    if (d.to) depart(d);
    taken = select_end(state, waiters);
  }
  constexpr std::array<std::size_t, n + 1> places = Shape::places();
  constexpr std::size_t none = Shape::otherwises > 0 ? Shape::otherwise_at : Shape::timeout_at;
  const std::size_t index = taken == no_case ? none : places[taken];
  if (state.main.result != outcome::ended) run_case(index, &room, state.main.result == outcome::closed, cases...);
  return index;
}

}  // namespace detail

// The case that is taken if no other is ready at once. At most one in a select.
template <class Handler = detail::no_handler>
  requires std::invocable<std::decay_t<Handler>&> || std::same_as<Handler, detail::no_handler>
auto otherwise(Handler&& handler = {}) {
  return detail::otherwise_case<std::decay_t<Handler>>(std::forward<Handler>(handler));
}

// The case that is taken when no other was ready for so long, counted from the beginning of each select; zero or less:
// as `otherwise`. Too long to count: never. At most one in a select.
template <class Rep, class Period, class Handler = detail::no_handler>
  requires std::invocable<std::decay_t<Handler>&> || std::same_as<Handler, detail::no_handler>
auto on_timeout(const std::chrono::duration<Rep, Period>& d, Handler&& handler = {}) {
  using when = std::chrono::duration<Rep, Period>;
  return detail::timeout_case<when, std::decay_t<Handler>>(d, std::forward<Handler>(handler));
}

// The same with a point of time, of any clock.
template <class Clock, class Duration, class Handler = detail::no_handler>
  requires std::invocable<std::decay_t<Handler>&> || std::same_as<Handler, detail::no_handler>
auto on_timeout(const std::chrono::time_point<Clock, Duration>& t, Handler&& handler = {}) {
  using when = std::chrono::time_point<Clock, Duration>;
  return detail::timeout_case<when, std::decay_t<Handler>>(t, std::forward<Handler>(handler));
}

// Waits until one of the cases can be done, does it, and returns its index among the arguments. Of several that are
// ready one is taken uniformly at random. Parks the goroutine (blocks a plain thread) unless there is an `otherwise`; a
// case on a nil channel is never ready. Then the handler of the case runs; what it throws leaves select.
// Cases are made by on_recv and on_send of a channel's handles, on_timeout and otherwise. They may be lvalues: a value
// stays in its sending case unless that case was taken. Allocates nothing.
// Panics "send on closed channel". A move of a value that throws leaves select, and nothing was done; on the other side
// of a channel it reaches whoever moves.
template <detail::case_of_select... Cases>
  requires(sizeof...(Cases) > 0) && detail::at_most_one_otherwise<Cases...> && detail::at_most_one_timeout<Cases...>
ROVE_ALWAYS_INLINE std::size_t select(Cases&&... cases) {
  using shape = detail::select_shape<std::remove_cvref_t<Cases>...>;
  if constexpr (shape::size == 2 && shape::channels == 1 && shape::otherwises == 1)
    return detail::select_of_two<shape>(cases...);
  else
    return detail::select_of_many<shape>(cases...);
}

// Parks for ever. (Returns 0 in a goroutine that its runtime's end unwinds already.)
ROVE_ALWAYS_INLINE std::size_t select() {
  detail::waiter w;
  const detail::departure d = detail::select_nothing_begin(w);
  if (d.to) detail::depart(d);
  detail::select_nothing_end(w);
  return 0;
}

}  // namespace rove

#include <rove/selector.hpp>
