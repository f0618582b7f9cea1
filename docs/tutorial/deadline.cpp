// A context with a time limit, and with values.
#include <chrono>
#include <cstdio>
#include <string>

#include <rove/rove.hpp>

using namespace std::chrono_literals;

namespace {

struct user {
  std::string name;
};

void slow_call(const rove::context& ctx) {
  std::printf("for %s\n", ctx.value<user>()->name.c_str());
  rove::select(ctx.done().on_recv([&] { std::printf("given up: %s\n", ctx.err().message().c_str()); }),
               rove::on_timeout(1h, [] { std::puts("done"); }));
}

}  // namespace

int main() {
  rove::run([] {
    const auto request = rove::with_value(rove::background(), user{"Ann"});
    const auto [ctx, cancel] = rove::with_timeout(request, 20ms);
    slow_call(ctx);
    std::printf("it was a time-out: %s\n", ctx.err() == std::errc::timed_out ? "yes" : "no");
    cancel();                              // always: it frees the timer if the work was done in time
  });
}
