// hello over a socket; what the netpoller and the net cost.
#include <cstdio>
#include <rove/rove.hpp>

int main() {
  return rove::run([] {
    auto listener = rove::net::listen("tcp", "127.0.0.1:0");
    rove::go([where = listener.local_addr().to_string()] { rove::net::dial("tcp", where).write("hello\n"); });
    rove::net::conn peer = listener.accept();
    char text[6];
    for (std::size_t n = 0; n < sizeof text;) n += peer.read(std::span<char>(text + n, sizeof text - n));
    std::fwrite(text, 1, sizeof text, stdout);
  });
}
