// The code shown in docs/FROM_GO.md.
#include <cstdio>
#include <optional>
#include <string>
#include <system_error>

#include <rove/rove.hpp>

namespace {

struct job {
  int id = 0;
};

void deferred() {
  struct at_exit {
    ~at_exit() { std::puts("deferred"); }
  } d;
  std::puts("first");
}

void loop_with_select(rove::recv_chan<job> jobs, rove::recv_chan<bool> quit) {
  for (;;) {
    std::optional<job> next;
    const std::size_t taken = rove::select(
        jobs.on_recv([&](std::optional<job> j) { next = j; }),
        quit.on_recv());
    if (taken == 1 || !next) return;       // by its number: `return` in a handler would leave only the handler
    std::printf("job %d\n", next->id);
  }
}

std::error_code check(int n) {
  if (n > 2) return std::make_error_code(std::errc::argument_out_of_domain);
  return {};
}

void errors() {
  rove::error_group group;
  for (int i = 0; i < 4; ++i) group.go([i] { return check(i); });
  if (const std::error_code e = group.wait()) std::printf("error: %s\n", e.message().c_str());
}

void results() {
  auto answer = rove::spawn([](int a, int b) { return a * b; }, 6, 7);
  std::printf("the answer is %d\n", answer.get());
}

}  // namespace

int main() {
  rove::run([] {
    deferred();
    auto jobs = rove::make_chan<job>();
    auto quit = rove::make_chan<bool>();
    auto worker = rove::spawn(loop_with_select, jobs, quit);
    jobs.send({1});
    jobs.send({2});
    quit.close();
    worker.wait();
    errors();
    results();
  });
}
