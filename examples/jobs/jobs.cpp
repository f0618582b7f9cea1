// jobs: a cloth falls on a ball, simulated by a job system on goroutines, with 1, 2 and 4 processors and without jobs.
// The result is the same to the last bit. job_system.hpp and range_tasks.hpp are what an engine would be given.
//
//   jobs [STEPS]
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "cloth.hpp"

namespace {

constexpr int side = 48;

jobs::cloth simulate(unsigned processors, int steps) {
  jobs::cloth c(side);
  if (processors == 0) {
    for (int i = 0; i < steps; ++i) c.step_alone();
    return c;
  }
  rove::runtime rt(rove::config{.max_procs = processors});
  jobs::job_system system(rt);
  jobs::range_tasks tasks(rt, system.max_concurrency());
  for (int i = 0; i < steps; ++i) c.step(system, tasks);  // on this thread, which is the engine's own
  return c;
}

}  // namespace

int main(int count, char** arguments) {
  const int steps = count > 1 ? std::atoi(arguments[1]) : 120;
  const std::uint64_t expected = simulate(0, steps).hash();
  bool same = true;
  for (const unsigned processors : {0u, 1u, 2u, 4u}) {
    const auto start = std::chrono::steady_clock::now();
    const jobs::cloth c = simulate(processors, steps);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    if (processors == 0)
      std::printf("no jobs: ");
    else
      std::printf("%u processors: ", processors);
    std::printf("%016llx, %llu contacts, %.2f ms a step\n", static_cast<unsigned long long>(c.hash()),
                static_cast<unsigned long long>(c.contacts()), took.count() / steps);
    same &= c.hash() == expected;
  }
  std::printf("%s\n", same ? "all the same" : "they differ");
  return same ? 0 : 1;
}
