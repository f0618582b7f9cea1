// What the debugger is shown: goroutines that wait in functions with telling names and one that runs.
#include <cstdlib>
#include <sstream>
#include <string>

#include <rove/rove.hpp>

[[gnu::noinline]] void waits_for_value(const rove::chan<int>& ch, int depth) {
  if (depth > 0)
    waits_for_value(ch, depth - 1);
  else
    ch.recv();
  asm volatile("");
}

[[gnu::noinline]] void all_are_there() {
  asm volatile("");
  if (std::getenv("ROVE_TEST_ABORTS")) std::abort();  // leaves a core
}

static bool both_wait() {
  std::ostringstream out;
  rove::debug::dump(out);
  const std::string all = out.str();
  return all.find("[chan receive]") != std::string::npos && all.find("[sleep]") != std::string::npos;
}

int main() {
  rove::config c;
  c.max_procs = 1;
  rove::run(c, [] {
    auto ch = rove::make_chan<int>();
    rove::go({.name = "deep"}, [ch] { waits_for_value(ch, 3); });
    rove::go({.name = "sleeper"}, [] { rove::sleep_for(std::chrono::hours(1)); });
    while (!both_wait()) rove::yield();
    rove::this_goroutine::set_name("main");
    all_are_there();
  });
}
