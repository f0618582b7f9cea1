// What the probes are looked for in: two goroutines, each of which does what has a probe, in an order known beforehand.
#include <rove/rove.hpp>

int main() {
  rove::config c;
  c.max_procs = 1;
  rove::run(c, [] {
    auto ch = rove::make_chan<int>();
    auto receiver = rove::spawn([ch] { return ch.recv().has_value(); });
    rove::yield();
    ch.send(1);
    receiver.wait();
    rove::blocking([] {});
  });
}
