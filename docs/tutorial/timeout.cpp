// Waiting, but not for ever; and not at all.
#include <chrono>
#include <cstdio>
#include <optional>

#include <rove/rove.hpp>

using namespace std::chrono_literals;

int main() {
  rove::run([] {
    auto answer = rove::make_chan<int>();

    rove::select(answer.on_recv([](std::optional<int> n) { std::printf("got %d\n", *n); }),
                 rove::on_timeout(20ms, [] { std::puts("nothing came in 20 ms"); }));

    rove::select(answer.on_recv([](std::optional<int> n) { std::printf("got %d\n", *n); }),
                 rove::otherwise([] { std::puts("nothing is there"); }));

    const auto soon = answer.recv_for(1ms);  // for one channel this is shorter
    std::printf("value: %s, closed: %s\n", soon.value ? "yes" : "no", soon.closed ? "yes" : "no");

    // A limit for several waits together: a timer's channel is made once, and is a case like any other.
    const auto limit = rove::after(1min);
    rove::ticker beat(10ms);
    int beats = 0;
    for (bool over = false; !over && beats < 3;)
      rove::select(beat.c().on_recv([&] { ++beats; }), limit.on_recv([&] { over = true; }));
    std::printf("%d beats\n", beats);
  });
}
