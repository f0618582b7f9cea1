// A context: one call tells everybody who works for it to stop.
#include <cstdio>

#include <rove/rove.hpp>

namespace {

void work(rove::context ctx, rove::send_chan<int> out) {
  for (int i = 1;; ++i) {
    bool stop = false;
    rove::select(out.on_send(i), ctx.done().on_recv([&] { stop = true; }));
    if (stop) break;
  }
  std::printf("stopped: %s\n", ctx.err().message().c_str());
}

}  // namespace

int main() {
  rove::run([] {
    const auto [ctx, cancel] = rove::with_cancel(rove::background());
    auto numbers = rove::make_chan<int>();
    rove::wait_group wg;
    wg.go([=, ctx = ctx] { work(ctx, numbers); });
    wg.go([=, ctx = ctx] { work(ctx, numbers); });
    int taken = 0;
    for (int i = 0; i < 10; ++i) taken += numbers.recv().has_value();
    std::printf("%d numbers are enough\n", taken);
    cancel();
    wg.wait();
  });
}
