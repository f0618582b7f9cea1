// The code shown in docs/FROM_THREADS.md.
#include <chrono>
#include <cstdio>
#include <mutex>
#include <queue>
#include <string>
#include <thread>
#include <vector>

#include <rove/rove.hpp>

using namespace std::chrono_literals;

namespace {

// The same queue for both: only the types of the lock and of the condition variable differ.
template <class Mutex, class Condition>
class queue {
 public:
  void put(int n) {
    {
      const std::lock_guard hold(guard_);
      values_.push(n);
    }
    changed_.notify_one();
  }
  int take() {
    std::unique_lock hold(guard_);
    changed_.wait(hold, [this] { return !values_.empty(); });
    const int n = values_.front();
    values_.pop();
    return n;
  }

 private:
  Mutex guard_;
  Condition changed_;
  std::queue<int> values_;
};

using thread_queue = queue<std::mutex, std::condition_variable>;
using goroutine_queue = queue<rove::mutex, rove::condition_variable>;

int with_threads() {
  thread_queue q;
  std::vector<std::thread> all;
  for (int i = 1; i <= 4; ++i) all.emplace_back([&q, i] { q.put(i); });
  int sum = 0;
  for (int i = 1; i <= 4; ++i) sum += q.take();
  for (auto& t : all) t.join();
  return sum;
}

int with_goroutines() {
  goroutine_queue q;
  std::vector<rove::task<void>> all;
  for (int i = 1; i <= 4; ++i) all.push_back(rove::spawn([&q, i] { q.put(i); }));
  int sum = 0;
  for (int i = 1; i <= 4; ++i) sum += q.take();
  for (auto& t : all) t.wait();
  return sum;
}

int with_a_channel() {
  auto numbers = rove::make_chan<int>();
  for (int i = 1; i <= 4; ++i) rove::go([=] { numbers.send(i); });
  int sum = 0;
  for (int i = 1; i <= 4; ++i) sum += *numbers.recv();
  return sum;
}

// A thread of the program's own and a goroutine meet on one channel.
void both() {
  auto words = rove::make_chan<std::string>();
  std::thread t([=] { words.send("from a thread"); });  // blocks this thread until it is received
  std::printf("%s\n", words.recv()->c_str());            // parks the goroutine
  t.join();                                             // it has ended, or is about to: no need for `blocking`
}

// A runtime beside the program's threads.
void beside_threads() {
  rove::runtime rt;
  auto t = rt.spawn([] { return 6 * 7; });
  std::printf("a goroutine's result, on a plain thread: %d\n", t.get());
  rt.stop();
}

}  // namespace

int main() {
  std::printf("threads: %d\n", with_threads());
  rove::run([] {
    std::printf("goroutines: %d\n", with_goroutines());
    std::printf("a channel: %d\n", with_a_channel());
    both();
  });
  beside_threads();
}
