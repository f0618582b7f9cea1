// Channels of channels: a request brings the channel for its reply.
#include <cstdio>

#include <rove/rove.hpp>

namespace {

struct request {
  int number;
  rove::chan<int> reply;
};

void square_server(rove::recv_chan<request> requests) {
  for (const request& r : requests) r.reply.send(r.number * r.number);
}

}  // namespace

int main() {
  rove::run([] {
    auto requests = rove::make_chan<request>();
    rove::go(square_server, requests);
    rove::wait_group wg;
    for (int i = 1; i <= 3; ++i)
      wg.go([=] {
        request mine{i, rove::make_chan<int>()};
        requests.send(mine);
        std::printf("%d squared is %d\n", i, *mine.reply.recv());
      });
    wg.wait();
    requests.close();
  });
}
