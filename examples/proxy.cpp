// proxy: passes every connection on to another server, byte for byte, both ways at once.
//
//   proxy TARGET [ADDRESS]        the server to pass on to; where to listen (127.0.0.1:0 if it is not given)
//
// A connection is two goroutines, one for each direction. Each reads and writes as if there were nothing else to do;
// a slow reader on one side so holds back the writer on the other, and nothing piles up here.
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <rove/rove.hpp>

#include "common/serving.hpp"

namespace {

using namespace std::chrono_literals;

// Until one side has no more to say, which the other is told; a side that is broken takes the other with it.
void pass(rove::net::conn& from, rove::net::conn& to) {
  std::vector<char> buffer(1024);
  std::error_code error;
  while (const std::size_t n = from.read(std::span(buffer), error)) {
    to.write(std::span(buffer).first(n), error);
    if (error) break;
    if (n == buffer.size() && n < 64 * 1024) buffer.resize(2 * n);
  }
  if (!error) to.close_write(error);
  if (error) {
    std::error_code ignored;
    from.close(ignored);
    to.close(ignored);
  }
}

void serve(rove::net::conn client, std::string target) {
  std::error_code error;
  rove::net::dial_options in_time;
  in_time.deadline = std::chrono::steady_clock::now() + 5s;
  rove::net::conn server = rove::net::dial("tcp", target, in_time, error);
  if (error) {
    std::fprintf(stderr, "%s: %s\n", target.c_str(), error.message().c_str());
    return;
  }
  const auto back = rove::spawn([&] { pass(server, client); });
  pass(client, server);
}  // `back` is waited for, then both connections are closed

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "Usage: %s TARGET [ADDRESS]\n", argv[0]);
    return 2;
  }
  rove::run([=] {
    serving::end_request end;
    rove::net::listener listener = serving::listen(argc > 2 ? argv[2] : "127.0.0.1:0");
    const auto stopper = rove::spawn([&] {
      end.wait();
      listener.close();
    });
    serving::accept_all(listener, [target = std::string(argv[1])](rove::net::conn client) {
      rove::go(serve, std::move(client), target);
    });
  });
}
