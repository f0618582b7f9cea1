// hello when a context is cancelled; what contexts cost.
#include <cstdio>
#include <rove/rove.hpp>

int main() {
  return rove::run([] {
    auto [ctx, cancel] = rove::with_timeout(rove::background(), std::chrono::seconds(10));
    rove::go([cancel] { cancel(); });
    ctx.done().recv();
    std::puts("hello");
  });
}
