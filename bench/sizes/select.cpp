// hello by a select; what select costs.
#include <cstdio>
#include <rove/rove.hpp>

int main() {
  return rove::run([] {
    const auto words = rove::make_chan<const char*>();
    rove::go([words] { words.send("hello"); });
    rove::select(words.on_recv([](std::optional<const char*> w) { std::puts(*w); }),
                 rove::on_timeout(std::chrono::seconds(10)));
  });
}
