// The C API: select over an array of cases.
#include <rove/select.hpp>

#include <memory>

#include "src/capi/capi.hpp"
#include "src/capi/chan.hpp"

namespace rove::capi {
namespace {

constexpr std::size_t few = 16;                  // their waiters lie on the stack
constexpr std::size_t max_cases = 65'536;        // as selector

// Which of the cases are no operations on a channel.
struct exits {
  std::size_t otherwise = detail::no_case;
  std::size_t timeout = detail::no_case;
};

void note(std::size_t& place, std::size_t index, const char* twice) {
  if (place != detail::no_case) detail::throw_panic(twice);
  place = index;
}

// Those without a channel are to select what a case on a nil channel is.
exits fill(detail::select_waiter* waiters, const rove_case* cases, std::size_t n) {
  exits e;
  for (std::size_t i = 0; i < n; ++i) {
    const rove_case& c = cases[i];
    waiters[i].object = nullptr;
    switch (c.kind) {
      case ROVE_CASE_TIMEOUT: note(e.timeout, i, "rove: select has two timeouts"); break;
      case ROVE_CASE_DEFAULT: note(e.otherwise, i, "rove: select has two default cases"); break;
      case ROVE_CASE_SEND:
      case ROVE_CASE_RECV:
        waiters[i].object = core_of(c.channel);
        waiters[i].sends = c.kind == ROVE_CASE_SEND;
        waiters[i].value = place_of(c.channel, c.element);
        break;
      default: detail::throw_panic("rove: select has a case of no known kind");
    }
  }
  return e;
}

std::size_t wait(detail::select_state& s, detail::select_waiter* waiters, std::size_t n, const exits& e,
                 const rove_case* cases) {
  if (e.otherwise != detail::no_case) return detail::select_now(s, waiters, n);
  if (e.timeout != detail::no_case) {
    const std::size_t ready = detail::select_ready(s, waiters, n);
    if (ready != detail::no_case || s.main.result != detail::outcome::pending) return ready;
    return detail::select_until(s, waiters, n, cases[e.timeout].deadline);
  }
  const detail::departure d = detail::select_begin(s, waiters, n);
  if (d.to) detail::depart(d);
  return detail::select_end(s, waiters);
}

int select_with(detail::select_waiter* waiters, rove_case* cases, std::size_t n) {
  const exits e = fill(waiters, cases, n);
  detail::select_state s;
  std::size_t index = wait(s, waiters, n, e, cases);
  if (index == detail::no_case) index = e.otherwise != detail::no_case ? e.otherwise : e.timeout;
  if (index == detail::no_case) return static_cast<int>(n);  // the goroutine is being unwound already
  cases[index].status = s.main.result == detail::outcome::closed ? ROVE_CLOSED : 0;
  return static_cast<int>(index);
}

[[gnu::noinline]] int select_few(rove_case* cases, std::size_t n) {
  detail::select_waiter waiters[few];
  return select_with(waiters, cases, n);
}

[[gnu::noinline]] int select_many(rove_case* cases, std::size_t n) {
  if (n > max_cases) detail::throw_panic("rove: select has too many cases (max 65536)");
  const std::unique_ptr<detail::select_waiter[]> waiters(new (std::nothrow) detail::select_waiter[n]);
  return waiters ? select_with(waiters.get(), cases, n) : ROVE_NO_MEMORY;
}

}  // namespace
}  // namespace rove::capi

extern "C" int rove_select(rove_case* cases, size_t n) {
  if (n == 0) return static_cast<int>(rove::select());
  return n <= rove::capi::few ? rove::capi::select_few(cases, n) : rove::capi::select_many(cases, n);
}
