// The code shown in docs/FROM_JOBS.md.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <thread>
#include <vector>

#include <rove/rove.hpp>

using namespace std::chrono_literals;

namespace {

void move_all(std::vector<float>& position, const std::vector<float>& velocity, float dt) {
  rove::parallel_for(std::size_t{0}, position.size(), 1024, [&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) position[i] += velocity[i] * dt;
  });
}

void quick_sort(int* first, int* last) {
  if (last - first < 1000) return std::sort(first, last);
  const int pivot = first[(last - first) / 2];
  int* const low = std::partition(first, last, [=](int x) { return x < pivot; });
  int* const high = std::partition(low, last, [=](int x) { return x == pivot; });
  rove::parallel_invoke([=] { quick_sort(first, low); }, [=] { quick_sort(high, last); });
}

int animate() { return 1; }
int collide() { return 2; }
int draw(int poses, int contacts) { return poses + contacts; }

// Dependencies: a job waits for what it needs.
int frame() {
  auto poses = rove::spawn(animate);
  auto contacts = rove::spawn(collide);
  return draw(poses.get(), contacts.get());
}

// What takes many frames is a loop that waits, not a state machine.
void streaming(rove::recv_chan<int> wanted, rove::send_chan<int> loaded) {
  for (const int asset : wanted) loaded.send(10 * asset);
}

// A runtime without threads of its own: goroutines run where the host polls.
void host_loop() {
  rove::runtime rt(rove::config{.own_threads = false});
  auto wanted = rove::make_chan<int>(8);
  auto loaded = rove::make_chan<int>(8);
  rt.go(streaming, wanted, loaded);
  wanted.send(7);
  int asset = 0;
  while (asset == 0) {
    rt.poll(2ms);                          // goroutines run here, for no longer than the budget if they park in time
    if (const auto r = loaded.try_recv(); r.value) asset = *r.value;
  }
  std::printf("asset %d is loaded\n", asset);
}

// Rendering calls belong on the main thread: the goroutine goes there for them, and back.
int render(rove::host& main_thread, pid_t main_id) {
  int on_main = 0;
  for (int i = 0; i < 3; ++i) {
    const int picture = frame();           // on the workers
    const rove::on_host here(main_thread); // on the main thread, to the end of the scope
    if (picture == 3 && gettid() == main_id) ++on_main;
  }
  return on_main;
}

void main_thread_loop() {
  rove::runtime rt;
  rove::host main_thread(rt);
  auto rendering = rt.spawn(render, std::ref(main_thread), gettid());
  while (!rendering.done()) {
    main_thread.poll(2ms);                 // what goroutines want from this thread
    std::this_thread::sleep_for(1ms);      // what else there is to do in a frame
  }
  std::printf("%d pictures were drawn by the main thread\n", rendering.get());
}

}  // namespace

int main() {
  rove::run([] {
    std::vector<float> position(100'000, 1.0f), velocity(100'000, 2.0f);
    move_all(position, velocity, 0.5f);
    const bool all = std::all_of(position.begin(), position.end(), [](float x) { return x == 2.0f; });
    std::printf("moved %s\n", all ? "all" : "some");

    std::vector<int> numbers(100'000);
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<int>(i * 7919 % 100'003);
    quick_sort(numbers.data(), numbers.data() + numbers.size());
    std::printf("sorted: %s\n", std::is_sorted(numbers.begin(), numbers.end()) ? "yes" : "no");

    std::printf("frame %d\n", frame());
  });
  host_loop();
  main_thread_loop();
}
