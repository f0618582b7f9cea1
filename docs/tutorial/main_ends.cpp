// Main does not wait: when it returns, the goroutines that are left are ended.
#include <cstdio>

#include <rove/rove.hpp>

namespace {

struct goodbye {
  ~goodbye() { std::puts("the goroutine is unwound"); }
};

}  // namespace

int main() {
  rove::run([] {
    auto started = rove::make_chan<bool>();
    auto never = rove::make_chan<int>();
    rove::go([=] {
      const goodbye g;
      started.send(true);
      never.recv();                        // nobody sends
      std::puts("not printed");
    });
    started.recv();
    std::puts("main returns");
  });
  std::puts("nobody is left");
}
