// echo: sends back to each client what it sent. One goroutine a connection, plain blocking code.
//
//   echo [ADDRESS]        127.0.0.1:0 if there is none; prints where it listens
//
// SIGTERM or Ctrl-C ends it, SIGUSR1 prints every goroutine.
#include <cstddef>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include <rove/rove.hpp>

#include "common/serving.hpp"

namespace {

constexpr std::size_t largest_buffer = 64 * 1024;

void echo(rove::net::conn client) {
  std::vector<char> buffer(512);  // small, as most connections are idle; it grows for those that send much
  std::error_code error;
  while (const std::size_t n = client.read(std::span(buffer), error)) {
    client.write(std::span(buffer).first(n), error);
    if (error) return;
    if (n == buffer.size() && n < largest_buffer) buffer.resize(2 * n);
  }
}

}  // namespace

int main(int argc, char** argv) {
  rove::run([=] {
    serving::end_request end;
    rove::net::listener listener = serving::listen(argc > 1 ? argv[1] : "127.0.0.1:0");
    const auto stopper = rove::spawn([&] {
      end.wait();
      listener.close();
    });
    serving::accept_all(listener, [](rove::net::conn client) { rove::go(echo, std::move(client)); });
  });  // the connections that are left end with the runtime
}
