// worker_pool: three workers share a queue of jobs; the results come back on another channel.
//
// A worker is a loop over the channel of jobs, and ends when that is closed and drained. Which worker takes which job
// is up to the scheduler, so the results are put in order before they are printed.
#include <chrono>
#include <cstdio>
#include <map>

#include <rove/rove.hpp>

namespace {

using namespace std::chrono_literals;

struct result {
  long job;
  int steps;
};

// How many steps the Collatz sequence takes from n to 1.
int collatz(long n) {
  int steps = 0;
  for (; n != 1; ++steps) n = n % 2 == 0 ? n / 2 : 3 * n + 1;
  return steps;
}

void worker(rove::recv_chan<long> jobs, rove::send_chan<result> results) {
  for (long job : jobs) {
    rove::sleep_for(5ms);  // stands for the slow part of a real job; only this goroutine waits
    results.send({job, collatz(job)});
  }
}

}  // namespace

int main() {
  rove::run([] {
    auto jobs = rove::make_chan<long>(10);
    auto results = rove::make_chan<result>(10);

    rove::wait_group workers;
    for (int i = 0; i < 3; ++i) {
      workers.go([=] { worker(jobs, results); });
    }
    rove::go([=] {
      for (long job = 1; job <= 12; ++job) jobs.send(job);
      jobs.close();
    });
    rove::go([=, &workers] {
      workers.wait();
      results.close();
    });

    std::map<long, int> in_order;
    for (result r : results) in_order[r.job] = r.steps;
    for (auto [job, steps] : in_order) std::printf("job %ld: %d steps\n", job, steps);
  });
}
