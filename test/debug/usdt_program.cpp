// What the probes are looked for in: two goroutines, each of which does what has a probe, in an order known beforehand:
// each step waits until the other goroutine is where it should be, however long a debugger stops its thread.
#include <sstream>
#include <string>

#include <rove/rove.hpp>

static bool somebody_is_in(const char* reason) {
  std::ostringstream all;
  rove::debug::dump(all);
  return all.str().find(reason) != std::string::npos;
}

int main() {
  rove::config c;
  c.max_procs = 1;
  rove::run(c, [] {
    auto ch = rove::make_chan<int>();
    auto receiver = rove::spawn([ch] {
      const bool received = ch.recv().has_value();
      while (!somebody_is_in("[task join]")) rove::yield();
      return received;
    });
    while (!somebody_is_in("[chan receive]")) rove::yield();
    ch.send(1);
    receiver.wait();
    rove::blocking([] {});
  });
}
