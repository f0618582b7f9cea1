// The code shown in docs/INSPECTING.md. What it writes into files and on stderr is looked at elsewhere.
#include <csignal>
#include <cstdio>
#include <iostream>
#include <sstream>
#include <string>

#include <rove/rove.hpp>

namespace {

void work() {
  rove::wait_group wg;
  for (int i = 0; i < 10; ++i) wg.go([] { rove::yield(); });
  wg.wait();
}

void dumps(std::ostream& out) {
  rove::debug::dump(out);                     // now, to a std::ostream
  rove::debug::dump_on_signal(SIGQUIT);       // at `kill -QUIT`, Ctrl-\ : to stderr, and the program goes on
}

void traces() {
  rove::trace::start("trace.json");
  work();                                     // what is to be seen
  rove::trace::stop();                        // writes the file
}

void flight_recorder() {
  rove::trace::record({.buffer = 4 << 20});   // bytes for each processor; 64 bytes are some event
  work();
  rove::trace::snapshot("odd.json");          // and goes on
  rove::trace::stop();
}

bool is_there(const char* path) {
  std::FILE* const file = std::fopen(path, "r");
  if (file) std::fclose(file);
  return file && std::remove(path) == 0;
}

}  // namespace

int main() {
  rove::run([] {
    std::ostringstream out;
    dumps(out);
    std::printf("dump: %s\n", out.str().starts_with("goroutine 1 [running]:") ? "main is there" : out.str().c_str());
    traces();
    std::printf("trace: %s\n", is_there("trace.json") ? "written" : "missing");
    flight_recorder();
    std::printf("snapshot: %s\n", is_there("odd.json") ? "written" : "missing");
  });
}
