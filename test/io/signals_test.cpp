// Signals as values of channels: to goroutines and plain threads, several channels, full ones, stopping, what was
// before. Those with the tag [native] run a runtime in a child process, which no emulator can.
#include <signal.h>

#include "test/debug/child.hpp"
#include "test/io/support.hpp"

using namespace rove_test;
namespace signals = rove::signals;

namespace {

// A thread that takes signals, as a host's would: a runtime's own threads block them, and ThreadSanitizer hands out a
// signal only where a thread waits in the C library.
class target {
 public:
  target() : thread_([this] {
    for (; !over_; ++rounds_) usleep(500);
  }) {}
  ~target() {
    over_ = true;
    thread_.join();
  }
  void send(int signal) { pthread_kill(thread_.native_handle(), signal); }
  // What was sent has come: else it might come when its old disposition is back.
  void settle() {
    const int now = rounds_;
    eventually([&] { return rounds_ > now + 1; });
  }

 private:
  std::atomic<int> rounds_{0};
  std::atomic<bool> over_{false};
  std::thread thread_;
};

bool is_default(int signal) {
  struct sigaction now;
  return sigaction(signal, nullptr, &now) == 0 && (now.sa_flags & SA_SIGINFO) == 0 && now.sa_handler == SIG_DFL;
}

// Whoever started the tests may have had some of them ignored, as `nohup` does.
[[maybe_unused]] const bool all_are_default = [] {
  for (const int s : {SIGHUP, SIGUSR1, SIGUSR2}) signal(s, SIG_DFL);
  return true;
}();

// Threads of the library's that hand signals out; -1: that cannot be seen.
int count_distributors() {
  DIR* const tasks = opendir("/proc/self/task");
  if (tasks == nullptr) return -1;
  int count = 0;
  while (const dirent* const e = readdir(tasks)) {
    char name[64] = {};
    FILE* const f = fopen(("/proc/self/task/" + std::string(e->d_name) + "/comm").c_str(), "re");
    if (f == nullptr) continue;
    if (fgets(name, sizeof name, f) != nullptr && std::string(name) == "rove-signals\n") ++count;
    fclose(f);
  }
  closedir(tasks);
  return count;
}

std::atomic<int> handled{0};
void count_it(int) { ++handled; }

}  // namespace

TEST_CASE("a signal comes as a value") {
  target t;
  everywhere([&] {
    auto ch = rove::make_chan<int>(4);
    {
      auto s = signals::notify(ch, {SIGUSR1, SIGUSR2});
      t.send(SIGUSR1);
      CHECK(ch.recv() == SIGUSR1);
      t.send(SIGUSR2);
      CHECK(ch.recv() == SIGUSR2);
      s.stop();
      s.stop();
    }
    CHECK(is_default(SIGUSR1));
    CHECK(is_default(SIGUSR2));
    CHECK(ch.len() == 0);
  });
}

TEST_CASE("a signal that is sent to the process", "[native]") {
  const ending e = run_in_child([] {
    const target t;
    if (ROVE_TSAN) {  // else the system gives it to this thread, which does not wait in the C library
      sigset_t set;
      sigemptyset(&set);
      sigaddset(&set, SIGTERM);
      pthread_sigmask(SIG_BLOCK, &set, nullptr);
    }
    rove::run([] {
      auto ch = rove::make_chan<int>(1);
      auto s = signals::notify(ch, {SIGINT, SIGTERM});
      kill(getpid(), SIGTERM);
      const int got = ch.recv().value_or(0);
      s.stop();
      _exit(got == SIGTERM ? 3 : 4);
    });
  });
  CHECK(e.status == 3);
}

TEST_CASE("after the last subscription stops, a signal does what it did before") {
  const ending e = run_in_child([] {
    auto ch = rove::make_chan<int>(1);
    signals::notify(ch, {SIGTERM}).stop();
    raise(SIGTERM);
  });
  CHECK(e.signal == SIGTERM);
}

TEST_CASE("a handler that was there is there again, and is not called meanwhile") {
  struct sigaction mine = {}, before;
  mine.sa_handler = count_it;
  sigaction(SIGUSR1, &mine, &before);
  handled = 0;
  {
    auto ch = rove::make_chan<int>(1);
    const auto s = signals::notify(ch, {SIGUSR1});
    raise(SIGUSR1);
    CHECK(ch.recv() == SIGUSR1);
    CHECK(handled == 0);
  }
  raise(SIGUSR1);
  CHECK(handled == 1);
  {  // somebody else changes it while it is ours: that stays
    auto ch = rove::make_chan<int>(1);
    const auto s = signals::notify(ch, {SIGUSR1});
    signal(SIGUSR1, SIG_IGN);
  }
  struct sigaction now;
  sigaction(SIGUSR1, &before, &now);
  CHECK(now.sa_handler == SIG_IGN);
}

TEST_CASE("several channels get the same signal, each until it stops") {
  target t;
  rove::run(with_procs(2), [&] {
    auto a = rove::make_chan<int>(4), b = rove::make_chan<int>(4);
    auto sa = signals::notify(a, {SIGUSR1});
    auto sb = signals::notify(b, {SIGUSR1, SIGUSR2});
    t.send(SIGUSR1);
    CHECK(a.recv() == SIGUSR1);
    CHECK(b.recv() == SIGUSR1);
    sa.stop();
    t.send(SIGUSR1);
    CHECK(b.recv() == SIGUSR1);
    CHECK(a.len() == 0);
    CHECK_FALSE(is_default(SIGUSR1));
    t.send(SIGUSR2);
    CHECK(b.recv() == SIGUSR2);
    sb.stop();
    CHECK(is_default(SIGUSR1));
  });
}

TEST_CASE("a full channel drops; nobody waits for it") {
  auto full = rove::make_chan<int>(1), other = rove::make_chan<int>(8);
  const auto a = signals::notify(full, {SIGUSR1});
  const auto b = signals::notify(other, {SIGUSR1});
  auto unbuffered = rove::make_chan<int>();
  const auto c = signals::notify(unbuffered, {SIGUSR1});
  for (int i = 0; i < 3; ++i) {
    raise(SIGUSR1);
    CHECK(other.recv() == SIGUSR1);
  }
  CHECK(full.len() == 1);
}

TEST_CASE("what came before stop is in the channel") {
  for (int i = 0; i < 50; ++i) {
    auto ch = rove::make_chan<int>(1);
    auto s = signals::notify(ch, {SIGUSR1});
    raise(SIGUSR1);
    s.stop();
    CHECK(ch.try_recv().value == SIGUSR1);
  }
}

TEST_CASE("signals that cannot be had, and a channel that is none") {
  auto ch = rove::make_chan<int>(1);
  for (const int wrong : {SIGKILL, SIGSTOP, SIGSEGV, SIGFPE, 0, -1, 65, 1000}) {
    std::error_code ec;
    const auto s = signals::notify(ch, {SIGUSR1, wrong}, ec);
    CHECK(ec == std::errc::invalid_argument);
    CHECK(is_default(SIGUSR1));
  }
  CHECK_THROWS_AS(signals::notify(ch, {SIGKILL}), std::system_error);
  CHECK(panic_of([] { const auto s = signals::notify(rove::chan<int>(), {SIGUSR1}); }) ==
        "os/signal: Notify using nil channel");
  std::error_code ec;
  const auto none = signals::notify(ch, {}, ec);
  CHECK_FALSE(ec);
}

TEST_CASE("a subscription moves") {
  target t;
  auto ch = rove::make_chan<int>(1), other = rove::make_chan<int>(1);
  signals::subscription s;
  s = signals::notify(ch, {SIGUSR1});
  signals::subscription moved = std::move(s);
  s.stop();
  t.send(SIGUSR1);
  CHECK(ch.recv() == SIGUSR1);
  moved = signals::notify(other, {SIGUSR1});
  t.send(SIGUSR1);
  CHECK(other.recv() == SIGUSR1);
  CHECK(ch.len() == 0);
}

TEST_CASE("waiting for a signal is no deadlock") {
  target t;
  rove::config c = with_procs(1);
  c.detect_deadlock = true;
  rove::run(c, [&] {
    auto ch = rove::make_chan<int>(1);
    const auto s = signals::notify(ch, {SIGUSR1});
    std::thread later([&] {
      usleep(20'000);
      t.send(SIGUSR1);
    });
    CHECK(ch.recv() == SIGUSR1);
    later.join();
  });
}

TEST_CASE("when nobody is notified any more, waiting for a signal is a deadlock", "[native]") {
  const ending e = run_in_child([] {
    rove::config c = with_procs(1);
    c.detect_deadlock = true;
    rove::run(c, [] {
      auto ch = rove::make_chan<int>(1);
      signals::notify(ch, {SIGUSR1}).stop();
      ch.recv();
    });
  });
  CHECK(e.status == 2);
  CHECK(e.error_output.find("all goroutines are asleep - deadlock!") != std::string::npos);
}

TEST_CASE("signals come while subscriptions come and go") {
  target t;
  auto always = rove::make_chan<int>(1);
  const auto keep = signals::notify(always, {SIGUSR1, SIGUSR2});
  std::atomic<bool> over{false};
  rove::run(with_procs(2), [&] {
    rove::wait_group wg;
    for (int i = 0; i < 3; ++i)
      wg.go([&, i] {
        for (int n = 0; n < 20 * load; ++n) {
          auto ch = rove::make_chan<int>(1);
          auto s = signals::notify(ch, {i == 0 ? SIGUSR1 : SIGUSR2, SIGHUP});
          if (n % 4 == 0) rove::yield();
          if (n % 2 == 0) s.stop();
        }
      });
    auto sender = rove::spawn([&] {
      do {
        t.send(SIGUSR1);
        t.send(SIGUSR2);
        rove::sleep_for(100us);
      } while (!over);
    });
    wg.wait();
    over = true;
    sender.wait();
    t.settle();
    CHECK(always.recv().has_value());
  });
  CHECK(is_default(SIGHUP));
}

TEST_CASE("signals leave no descriptors and no threads") {
  leaves_nothing_open([] {
    auto ch = rove::make_chan<int>(1);
    const auto s = signals::notify(ch, {SIGUSR1});
    raise(SIGUSR1);
    ch.recv();
  });
  eventually([] { return count_distributors() == 0; });  // who has been joined is in the list for a moment yet
}
