// A nil channel is never ready: so a case can be switched off.
#include <cstdio>
#include <optional>

#include <rove/rove.hpp>

namespace {

rove::recv_chan<int> range(int from, int to) {
  auto out = rove::make_chan<int>();
  rove::go([=] {
    for (int i = from; i < to; ++i) out.send(i);
    out.close();
  });
  return out;
}

}  // namespace

int main() {
  rove::run([] {
    auto small = range(1, 4), large = range(100, 105);
    int sum = 0, closed = 0;
    const auto take = [&](rove::recv_chan<int>& from) {
      return [&](std::optional<int> n) {
        if (n) {
          sum += *n;
        } else {
          from = {};                       // a closed channel would be ready for ever; a nil one never is
          ++closed;
        }
      };
    };
    while (small || large) rove::select(small.on_recv(take(small)), large.on_recv(take(large)));
    std::printf("the sum is %d, after %d ends\n", sum, closed);
  });
}
