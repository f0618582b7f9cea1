// The code shown in docs/MEMORY_MODEL.md.
#include <atomic>
#include <cstdio>
#include <string>

#include <rove/rove.hpp>

namespace {

std::string text;

void by_a_channel() {
  auto ready = rove::make_chan<bool>(1);
  rove::go([=] {
    text = "hello";                        // 1
    ready.send(true);                      // 2, after 1
  });
  ready.recv();                            // 3, after 2
  std::puts(text.c_str());                 // 4, after 3: sees what 1 wrote
}

void a_buffer_as_a_lock() {
  auto lock = rove::make_chan<bool>(1);
  int counter = 0;
  rove::wait_group wg;
  for (int i = 0; i < 4; ++i)
    wg.go([&] {
      lock.send(true);                     // the 2nd send returns after the 1st receive
      ++counter;
      lock.recv();
    });
  wg.wait();
  std::printf("%d\n", counter);
}

void by_atomics() {
  std::atomic<bool> ready = false;
  rove::go([&] {
    text = "hello again";
    ready.store(true, std::memory_order_release);
  });
  while (!ready.load(std::memory_order_acquire)) rove::yield();
  std::puts(text.c_str());
}

}  // namespace

int main() {
  rove::run([] {
    by_a_channel();
    a_buffer_as_a_lock();
    by_atomics();
  });
}
