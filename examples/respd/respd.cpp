// respd: a small server of the Redis protocol, with all data in memory. One goroutine a connection, plain blocking
// code.
//
//   respd [ADDRESS]        127.0.0.1:0 if there is none; prints where it listens
//
// parser.*     requests out of bytes        session.*   one client
// commands.*   what each request does       channels.*  publish and subscribe
// database.*   the data                     reply.hpp   replies into bytes
//
// SIGTERM or Ctrl-C ends it, SIGUSR1 prints every goroutine.
#include <chrono>
#include <mutex>
#include <utility>

#include <rove/rove.hpp>

#include "../common/serving.hpp"
#include "session.hpp"

namespace {

using namespace std::chrono_literals;

// Keys that have expired are forgotten even if nobody asks for them.
void forget_expired(respd::shared_state& shared) {
  for (;;) {
    rove::sleep_for(100ms);
    std::lock_guard guard(shared.lock);
    while (shared.db.sweep(256, respd::now()) > 32) {
    }
  }
}

void serve(rove::net::conn client, respd::shared_state* shared) {
  respd::session(std::move(client), *shared).serve();
}

}  // namespace

int main(int argc, char** argv) {
  respd::shared_state shared;  // outlives the runtime, and with it all sessions
  rove::run([&, argc, argv] {
    serving::end_request end;
    rove::net::listener listener = serving::listen(argc > 1 ? argv[1] : "127.0.0.1:0");
    rove::go(forget_expired, std::ref(shared));
    const auto stopper = rove::spawn([&] {
      end.wait();
      listener.close();
    });
    serving::accept_all(listener, [&](rove::net::conn client) { rove::go(serve, std::move(client), &shared); });
  });
}
