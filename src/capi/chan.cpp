// The C API: channels. A rove_chan is a channel's untyped core (src/chan/core.hpp), whose elements are moved by copying
// their bytes.
#include "src/capi/capi.hpp"
#include "src/capi/chan.hpp"

#include <limits>

using namespace rove;
using capi::core_of;
using capi::place_of;
using detail::outcome;

extern "C" {

rove_chan* rove_chan_make(size_t element_size, size_t capacity) {
  constexpr auto most = static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max());
  if (element_size > std::numeric_limits<std::uint32_t>::max() || capacity > most)
    detail::throw_panic("makechan: size out of range");
  const detail::element_type bytes{static_cast<std::uint32_t>(element_size), 1, nullptr, nullptr};
  detail::chan_core* made = nullptr;
  capi::has_memory([&] { made = detail::make_chan_core(bytes, static_cast<std::ptrdiff_t>(capacity)); });
  return reinterpret_cast<rove_chan*>(made);
}

rove_chan* rove_chan_retain(rove_chan* c) {
  if (c) detail::retain_chan(core_of(c));
  return c;
}

void rove_chan_free(rove_chan* c) {
  if (c) detail::release_chan(core_of(c));
}

void rove_chan_send(rove_chan* c, const void* element) {
  detail::chan_send(core_of(c), static_cast<char*>(place_of(c, element)));
}

int rove_chan_try_send(rove_chan* c, const void* element) {
  return detail::chan_try_send(core_of(c), place_of(c, element)) == outcome::granted ? 0 : ROVE_AGAIN;
}

int rove_chan_send_until(rove_chan* c, const void* element, int64_t deadline) {
  void* const from = place_of(c, element);
  outcome how = detail::chan_send_soon(core_of(c), from);
  if (how == outcome::pending) how = detail::chan_send_until(core_of(c), from, deadline);
  return how == outcome::granted ? 0 : ROVE_TIMED_OUT;
}

int rove_chan_recv(rove_chan* c, void* element) {
  detail::waiter w;
  const detail::departure d = detail::chan_recv_begin(core_of(c), w, place_of(c, element));
  if (d.to) detail::depart(d);
  if (w.result == outcome::granted) [[likely]] return 0;
  detail::chan_recv_failed(w);
  return ROVE_CLOSED;
}

int rove_chan_try_recv(rove_chan* c, void* element) {
  switch (detail::chan_try_recv(core_of(c), place_of(c, element))) {
    case outcome::granted: return 0;
    case outcome::closed: return ROVE_CLOSED;
    default: return ROVE_AGAIN;
  }
}

int rove_chan_recv_until(rove_chan* c, void* element, int64_t deadline) {
  void* const to = place_of(c, element);
  outcome how = detail::chan_recv_soon(core_of(c), to);
  if (how == outcome::pending) how = detail::chan_recv_until(core_of(c), to, deadline);
  return how == outcome::granted ? 0 : how == outcome::closed ? ROVE_CLOSED : ROVE_TIMED_OUT;
}

void rove_chan_close(rove_chan* c) { detail::chan_close(core_of(c)); }
size_t rove_chan_len(const rove_chan* c) { return detail::chan_length(core_of(c)); }
size_t rove_chan_cap(const rove_chan* c) { return detail::chan_capacity(core_of(c)); }

}  // extern "C"
