// million: a million goroutines parked at once, and what each of them costs. `million 50000` takes fewer.
//
// Every goroutine says that it is there and waits on a channel that nobody sends on; closing it lets them all go. While
// they wait, memory is measured and a sample of the stacks is checked: below each there must be a guard page, which
// turns an overflow into a report instead of someone else's data.
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <variant>
#include <vector>

#include <rove/rove.hpp>

namespace {

using steady = std::chrono::steady_clock;

double microseconds_since(steady::time_point start) {
  return std::chrono::duration<double, std::micro>(steady::now() - start).count();
}

struct memory {
  double resident = 0;     // bytes
  double page_tables = 0;  // bytes, not part of `resident`
};

memory memory_now() {
  memory now;
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    double kilobytes = 0;
    if (word == "VmRSS:" && status >> kilobytes) now.resident = kilobytes * 1024;
    if (word == "VmPTE:" && status >> kilobytes) now.page_tables = kilobytes * 1024;
  }
  return now;
}

// An address in the page below the calling goroutine's stack.
[[gnu::noinline]] const char* below_this_stack() {
  const char* const here = static_cast<const char*>(__builtin_frame_address(0));
  return here - rove::this_goroutine::stack_left() - 2048;
}

// Whether reading there would fault. The kernel is asked, by having it copy a byte from there into a pipe.
std::size_t count_guards(const std::vector<const char*>& addresses) {
  int pipe_ends[2];
  if (pipe(pipe_ends) != 0) return 0;
  std::size_t guarded = 0;
  for (const char* address : addresses) {
    if (write(pipe_ends[1], address, 1) < 0) {
      ++guarded;
    } else {
      char byte;
      if (read(pipe_ends[0], &byte, 1) != 1) break;
    }
  }
  close(pipe_ends[0]);
  close(pipe_ends[1]);
  return guarded;
}

int million(std::size_t count) {
  const std::size_t stride = count < 1000 ? 1 : count / 1000;
  std::vector<const char*> sample((count + stride - 1) / stride);
  std::atomic<std::size_t> awake = 0;
  auto gate = rove::make_chan<std::monostate>();
  rove::wait_group arrived;
  rove::wait_group ended;
  arrived.add(static_cast<std::ptrdiff_t>(count));
  ended.add(static_cast<std::ptrdiff_t>(count));

  const memory before = memory_now();
  auto start = steady::now();
  for (std::size_t i = 0; i < count; ++i) {
    rove::go([&, i] {
      if (i % stride == 0) sample[i / stride] = below_this_stack();
      arrived.done();
      gate.recv();  // parks until the gate is closed
      awake.fetch_add(1, std::memory_order_relaxed);
      ended.done();
    });
  }
  arrived.wait();
  const double created = microseconds_since(start);
  const memory after = memory_now();
  const std::size_t guarded = count_guards(sample);

  std::printf("%zu goroutines are parked at once\n", count);
  const auto each = [count](double total) { return total / static_cast<double>(count); };
  std::printf("  to create one, run it and park it: %.2f us\n", each(created));
  std::printf("  memory each: %.0f bytes, and %.0f of page tables\n", each(after.resident - before.resident),
              each(after.page_tables - before.page_tables));
  std::printf("  guard pages found: %zu of %zu looked for\n", guarded, sample.size());

  start = steady::now();
  gate.close();
  ended.wait();
  std::printf("  to wake one and end it: %.2f us\n", each(microseconds_since(start)));
  std::printf("%zu woke up\n", awake.load());
  return awake == count ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t count = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1'000'000;
  return rove::run([count] { return million(count); });
}
