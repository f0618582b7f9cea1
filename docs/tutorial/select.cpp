// select: whichever comes first.
#include <cstdio>
#include <optional>
#include <string>

#include <rove/rove.hpp>

int main() {
  rove::run([] {
    auto words = rove::make_chan<std::string>();
    auto numbers = rove::make_chan<int>();
    rove::go([=] { words.send("a word"); });
    rove::go([=] { numbers.send(42); });

    for (int i = 0; i < 2; ++i)
      rove::select(
          words.on_recv([](std::optional<std::string> w) { std::printf("got %s\n", w->c_str()); }),
          numbers.on_recv([](std::optional<int> n) { std::printf("got %d\n", *n); }));
  });
}
