// A program of somebody who uses rove as a package: does it find headers, archive, options and version?
#include <rove/rove.hpp>

#include <cstdio>

static_assert(ROVE_VERSION >= 100 && ROVE_VERSION_MAJOR * 10000 <= ROVE_VERSION);

int main() {
  return rove::run([] {
    auto ch = rove::make_chan<int>();
    rove::go([ch] {
      for (int i = 1; i <= 10; ++i) ch.send(i);
      ch.close();
    });
    int sum = 0;
    for (const int x : ch) sum += x;
    std::printf("rove " ROVE_VERSION_STRING ": %d\n", sum);
    return sum == 55 ? 0 : 1;
  });
}
