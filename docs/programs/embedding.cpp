// The code shown in docs/EMBEDDING.md.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cfenv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <new>
#include <string_view>
#include <thread>
#include <vector>

#include <rove/rove.hpp>

using namespace std::chrono_literals;

// What the heap is asked for, in all of the program.
namespace {
std::atomic<long> allocations{0};
}
void* operator new(std::size_t size) {
  ++allocations;
  if (void* const p = std::malloc(size)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }

namespace {

// What a host does to each of its threads; here it is seen by the rounding.
std::atomic<int> workers_set_up{0};

void set_up_thread(std::string_view) { std::fesetround(FE_DOWNWARD); }

void on_thread(void*, const rove::thread_info& t) {
  if (!t.starts || t.kind != rove::thread_kind::worker) return;
  set_up_thread(t.name);                   // priority, affinity, the profiler's name, the floating-point mode
  ++workers_set_up;
}

// Address space for stacks, up to a limit.
struct budget {
  const std::ptrdiff_t limit;
  std::atomic<std::ptrdiff_t> used{0};
};

bool on_memory(void* data, rove::memory_kind kind, std::ptrdiff_t bytes) {
  budget& b = *static_cast<budget*>(data);
  if (kind != rove::memory_kind::stacks || b.used.fetch_add(bytes) + bytes <= b.limit) return true;
  b.used -= bytes;
  return false;                            // what would have started a goroutine throws std::bad_alloc
}

void set_hooks() {
  static budget stacks{.limit = std::ptrdiff_t{1} << 36};  // they have to live as long as the process
  rove::set_thread_hook(on_thread, nullptr);
  rove::set_memory_hook(on_memory, &stacks);
}

bool rounds_down() { return std::fegetround() == FE_DOWNWARD; }

// ---- a frame -------------------------------------------------------------------------------------------------------

constexpr rove::options frame{.name = "frame", .priority = rove::priority::frame};
constexpr rove::options background{.name = "streaming", .priority = rove::priority::background};

struct world {
  std::vector<float> position = std::vector<float>(20'000, 0.0f);
  std::atomic<int> assets{0};
  int pictures = 0;

  void step() {
    rove::parallel_for(std::size_t{0}, position.size(), 1024, [&](std::size_t from, std::size_t to) {
      for (std::size_t i = from; i < to; ++i) position[i] += 1;
    });
  }
};

// On the frame's thread, which is no goroutine: it works with the others until the step is done.
void step(rove::runtime& rt, world& w) {
  auto stepped = rt.spawn(frame, [&w] { w.step(); });
  while (!stepped.done() && rt.poll(1ms)) {
  }
  stepped.get();                           // the others have the rest: this thread sleeps until it is done
}

void load_assets(rove::runtime& rt, world& w) {
  for (int i = 0; i < 10; ++i)
    rt.go(background, [&w] { ++w.assets; });
}

// The fewest allocations of some frames: a thread that starts meanwhile takes some as well.
long allocations_of_a_frame(rove::runtime& rt, world& w) {
  long fewest = std::numeric_limits<long>::max();
  for (int i = 0; i < 100; ++i) {
    const long before = allocations;
    step(rt, w);
    fewest = std::min(fewest, allocations - before);
  }
  return fewest;
}

// ---- the thread that owns the window -------------------------------------------------------------------------------

struct window {
  const pid_t thread = gettid();
  int drawn = 0, titles = 0;

  void draw() { drawn += gettid() == thread; }
  void set_title() { titles += gettid() == thread; }
};

void play(rove::runtime& rt, rove::host& main_thread, window& screen) {
  auto game = rt.spawn([&] {
    for (int i = 0; i < 3; ++i) {
      // on the workers: what the frame needs
      rove::switch_to(main_thread);        // on the main thread, with the window
      screen.draw();
      rove::switch_back();                 // on the workers again
    }
  });
  rove::go_on(main_thread, [&] { screen.set_title(); });  // nothing else than that, from any thread
  while (!game.done() || main_thread.runnable() > 0) {
    // the system's events, and whatever else there is in a frame
    main_thread.poll(2ms);
  }
  game.get();
}

// ---- a runtime without threads -------------------------------------------------------------------------------------

// Sleeps until it is rung.
class doorbell {
 public:
  void ring() {
    rung_.store(true);
    rung_.notify_one();
  }
  void wait() {
    rung_.wait(false);
    rung_.store(false);
  }

 private:
  std::atomic<bool> rung_{false};
};

int read_slowly() {
  std::this_thread::sleep_for(2ms);
  return 42;
}

int run_scripts(rove::runtime& workers) {
  doorbell bell;
  rove::runtime scripts(rove::config{.max_procs = 1, .own_threads = false, .on_work = [&] { bell.ring(); }});
  int answer = 0;
  scripts.go([&] {
    // It may not block here: the thread is the host's. So the workers do, and this goroutine waits for them.
    auto read = workers.spawn([] { return rove::blocking(read_slowly); });
    answer = read.get();
  });
  while (answer == 0) {
    bell.wait();                           // this thread has nothing else to do, another one would go on with its frame
    while (scripts.poll(1ms)) {
    }
  }
  return answer;
}

}  // namespace

int main() {
  set_hooks();                             // before the first runtime
  std::fesetround(FE_DOWNWARD);            // the host's own threads are its own business
  rove::runtime workers(rove::config{.max_procs = 3});

  const bool mode = workers.spawn(rounds_down).get();
  std::printf("workers are set up: %s\n", mode && workers_set_up > 0 ? "yes" : "no");

  world w;
  load_assets(workers, w);
  const long fewest = allocations_of_a_frame(workers, w);
  std::printf("a frame takes %s from the heap\n", fewest == 0 ? "nothing" : "something");
  std::printf("steps: %.0f\n", static_cast<double>(w.position.back()));

  window screen;
  {
    rove::host main_thread(workers);
    play(workers, main_thread, screen);
  }
  std::printf("drawn by the main thread: %d, titles: %d\n", screen.drawn, screen.titles);
  std::printf("the scripts' answer: %d\n", run_scripts(workers));

  while (w.assets < 10) std::this_thread::sleep_for(1ms);
  workers.stop();                          // what is left is unwound, on threads of the runtime
  std::printf("assets: %d\n", w.assets.load());
}
