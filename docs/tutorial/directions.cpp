// Who may send and who may receive is said by the parameter's type. Who closes a channel is its sender.
#include <cstdio>

#include <rove/rove.hpp>

namespace {

void count_down(rove::send_chan<int> out) {
  for (int i = 3; i > 0; --i) out.send(i);
  out.close();
}

void print_all(rove::recv_chan<int> in) {
  for (const int i : in) std::printf("%d\n", i);  // until the channel is closed and empty
  std::puts("closed");
}

}  // namespace

int main() {
  rove::run([] {
    auto numbers = rove::make_chan<int>();
    rove::go(count_down, numbers);                // a chan converts to either end
    print_all(numbers);
    const auto nothing = numbers.recv();          // what is closed gives nothing, at once
    std::printf("after the end: %s\n", nothing ? "a value" : "nothing");
  });
}
