// The list of connections, and how they are brought to an end.
#include "server.hpp"

#include <mutex>
#include <variant>

namespace httpd {

void server::start(rove::net::conn client) {
  serving_.go([this, c = std::move(client)]() mutable { serve(std::move(c)); });
}

void server::serve(rove::net::conn client) {
  connection c(std::move(client), settings_);
  {
    std::lock_guard guard(lock_);
    connections_.insert(&c);
    if (retiring_) c.retire();
  }
  c.serve([this](connection& asking) { site_.answer(asking); });
  std::lock_guard guard(lock_);
  connections_.erase(&c);
}

void server::shut_down(std::chrono::milliseconds grace) {
  const auto all_ended = rove::make_chan<std::monostate>();
  const auto waiter = rove::spawn([&] {
    serving_.wait();
    all_ended.close();
  });
  {
    std::lock_guard guard(lock_);
    retiring_ = true;
    for (connection* c : connections_) c->retire();
  }
  if (all_ended.recv_for(grace).closed) return;
  std::lock_guard guard(lock_);
  for (connection* c : connections_) c->break_off();
}  // the waiter is waited for

}  // namespace httpd
