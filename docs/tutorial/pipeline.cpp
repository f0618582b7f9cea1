// A pipeline: each stage is a goroutine, and gives away the channel on which its results come.
#include <cstdio>

#include <rove/rove.hpp>

namespace {

rove::recv_chan<int> numbers(int last) {
  auto out = rove::make_chan<int>();
  rove::go([=] {
    for (int i = 1; i <= last; ++i) out.send(i);
    out.close();
  });
  return out;
}

rove::recv_chan<int> squares(rove::recv_chan<int> in) {
  auto out = rove::make_chan<int>();
  rove::go([=] {
    for (const int i : in) out.send(i * i);
    out.close();                           // the end is passed on
  });
  return out;
}

rove::recv_chan<int> odd(rove::recv_chan<int> in) {
  auto out = rove::make_chan<int>();
  rove::go([=] {
    for (const int i : in)
      if (i % 2) out.send(i);
    out.close();
  });
  return out;
}

}  // namespace

int main() {
  rove::run([] {
    for (const int i : odd(squares(numbers(8)))) std::printf("%d\n", i);
  });
}
