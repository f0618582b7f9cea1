// httpd: a web server. One goroutine a connection, plain blocking code.
//
//   httpd [--listen ADDRESS] [--root DIRECTORY] [--idle MS] [--head MS] [--stall MS] [--grace MS]
//
// request.*     a request's head        connection.*  the protocol: requests, bodies, responses, time limits
// chunked.*     bodies in chunks        site.*        what is answered to which path
// response.*    a response's text       server.*      all connections, and their end
//
// At SIGTERM or Ctrl-C no more connections are taken, and those that are there are finished. SIGUSR1 prints every
// goroutine.
#include <charconv>
#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include <rove/rove.hpp>

#include "../common/serving.hpp"
#include "server.hpp"

namespace {

struct arguments {
  std::string address = "127.0.0.1:0";
  std::string root = {};
  httpd::settings settings = {};
  std::chrono::milliseconds grace{10'000};
};

bool parse_time(std::string_view text, std::chrono::milliseconds& time) {
  unsigned ms = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ms);
  time = std::chrono::milliseconds(ms);
  return error == std::errc() && end == text.data() + text.size();
}

bool parse(int argc, char** argv, arguments& a) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i], value = argv[i + 1];
    bool good = true;
    if (name == "--listen") a.address = value;
    else if (name == "--root") a.root = value;
    else if (name == "--idle") good = parse_time(value, a.settings.idle_time);
    else if (name == "--head") good = parse_time(value, a.settings.head_time);
    else if (name == "--stall") good = parse_time(value, a.settings.stall_time);
    else if (name == "--grace") good = parse_time(value, a.grace);
    else good = false;
    if (!good) return false;
  }
  return argc % 2 == 1;
}

void run_server(const arguments& a) {
  serving::end_request end;
  rove::net::listener listener = serving::listen(a.address);
  httpd::server server(a.settings, httpd::site(a.root));
  const auto stopper = rove::spawn([&] {
    end.wait();
    listener.close();
  });
  serving::accept_all(listener, [&server](rove::net::conn client) { server.start(std::move(client)); });
  server.shut_down(a.grace);
}

}  // namespace

int main(int argc, char** argv) {
  arguments a;
  if (!parse(argc, argv, a)) {
    std::fprintf(stderr,
                 "Usage: %s [--listen ADDRESS] [--root DIRECTORY] [--idle MS] [--head MS] [--stall MS] [--grace MS]\n",
                 argv[0]);
    return 2;
  }
  rove::run([&a] { run_server(a); });
}
