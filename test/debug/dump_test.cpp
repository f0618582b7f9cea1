// The dump of all goroutines while they run, on demand and by a signal.
#include <signal.h>

#include <sstream>
#include <vector>

#include <rove/debug.hpp>

#include "test/debug/child.hpp"
#include "test/support/fixture.hpp"

using namespace rove_test;

namespace {

std::string dumped() {
  std::ostringstream out;
  rove::debug::dump(out);
  return out.str();
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// The part of a dump that is about the goroutine with this name.
std::string of(const std::string& dump, const std::string& name) {
  const std::size_t quoted = dump.find('"' + name + '"');
  if (quoted == std::string::npos) return {};
  const std::size_t begin = dump.rfind("goroutine ", quoted);
  return dump.substr(begin, dump.find("\n\n", begin) - begin);
}

[[gnu::noinline]] void waits_in_here(const rove::chan<int>& ch) {
  ch.recv();
  asm volatile("");
}

}  // namespace

TEST_CASE("dump: parked ones with their stack, running ones without, the caller with its own") {
  std::atomic<bool> spins{false}, over{false};  // outlive the runtime: nobody waits for the spinner
  rove::runtime rt(with_procs(2));
  auto ch = rove::make_chan<int>();
  std::string text;
  rt.run([&] {
    rove::wait_group wg;
    wg.go([&] {
      rove::this_goroutine::set_name("receiver");
      waits_in_here(ch);
    });
    eventually([&] { return rt.stats().parked == 1; });
    rt.go({.name = "spinner"}, [&] {
      spins = true;
      while (!over) std::this_thread::yield();
    });
    eventually([&] { return spins.load(); });
    rove::this_goroutine::set_name("caller");
    text = dumped();
    over = true;
    ch.send(1);
    wg.wait();
  });
  INFO(text);
  CHECK(has(of(text, "receiver"), "\"receiver\" [chan receive]:\n"));
  CHECK(has(of(text, "receiver"), "waits_in_here"));
  CHECK(has(of(text, "receiver"), "\ncreated by "));
  CHECK(has(of(text, "spinner"), "\"spinner\" [running]:\n\tgoroutine running on other thread; stack unavailable\n"));
  CHECK(has(of(text, "caller"), "\"caller\" [running]:\n"));
  CHECK(has(of(text, "caller"), "dumped"));
  CHECK_FALSE(has(text, "\n\n\n"));
  CHECK(text.back() == '\n');
}

TEST_CASE("dump: from a plain thread; what is new, what sleeps, what is in blocking; main was started by nobody") {
  std::atomic<bool> blocks{false}, over{false};
  std::string text;
  std::thread host([&] {
    eventually([&] { return blocks.load(); });
    eventually([&] {
      text = dumped();
      return has(text, "[sleep]") && has(text, "[syscall]") && has(text, "[sync.WaitGroup.Wait]");
    });
    over = true;
  });
  rove::run(with_procs(2), [&] {
    rove::this_goroutine::set_name("main");
    rove::go({.name = "sleeper"}, [] { rove::sleep_for(1h); });
    rove::wait_group wg;
    wg.go([&] {
      rove::this_goroutine::set_name("blocker");
      rove::blocking([&] {
        blocks = true;
        while (!over) std::this_thread::yield();
      });
    });
    wg.wait();
  });
  host.join();
  INFO(text);
  CHECK(has(of(text, "sleeper"), "[sleep]:\n"));
  CHECK(has(of(text, "blocker"), "[syscall]:\n\tgoroutine running on other thread"));
  CHECK_FALSE(has(of(text, "main"), "created by"));
  CHECK(has(of(text, "main"), "[sync.WaitGroup.Wait]:\n"));
  CHECK(has(of(text, "main"), "\n\t"));
}

TEST_CASE("dump: goroutines of two runtimes, and none at all") {
  CHECK(dumped().empty());
  rove::runtime one(with_procs(1)), two(with_procs(1));
  auto ch = rove::make_chan<int>();
  one.go({.name = "first"}, [ch] { ch.recv(); });
  two.go({.name = "second"}, [ch] { ch.recv(); });
  eventually([&] { return one.stats().parked == 1 && two.stats().parked == 1; });
  const std::string text = dumped();
  CHECK(has(of(text, "first"), "[chan receive]"));
  CHECK(has(of(text, "second"), "[chan receive]"));
  ch.close();
}

// Goroutines park, yield, start, end, change their names and go into `blocking` while two others dump all the time.
TEST_CASE("dump: while everything moves") {
  for (const unsigned procs : {1u, 3u}) {
    rove::runtime rt(with_procs(procs));
    std::atomic<bool> over{false};
    std::atomic<int> wrong{0};
    const auto dumps = [&] {
      for (int i = 0; i < 30 * load; ++i) {
        const std::string text = dumped();
        if (!has(text, "goroutine ") || has(text, "\n\n\n")) ++wrong;
      }
      over = true;
    };
    auto there = rove::make_chan<int>(), back = rove::make_chan<int>();
    rove::mutex mutex;
    rt.go([=] {
      for (const int x : there) back.send(x);
      back.close();
    });
    std::vector<rove::task<void>> movers;
    for (int i = 0; i < 4; ++i)
      movers.push_back(rt.spawn([&, there, back, i] {
        dice d(static_cast<std::uint64_t>(i));
        while (!over) {
          switch (d.below(6)) {
            case 0: there.send(1), back.recv(); break;
            case 1: rove::yield(); break;
            case 2: rove::spawn({.name = "short"}, [] { rove::yield(); }).get(); break;
            case 3: rove::this_goroutine::set_name(d.below(2) ? "a name" : "another, longer name"); break;
            case 4: rove::blocking([] {}); break;
            default: rove::sleep_for(1us);
          }
          const std::lock_guard hold(mutex);
          rove::yield();
        }
      }));
    std::thread host(dumps);
    auto inside = rt.spawn(dumps);
    host.join();
    inside.get();
    for (rove::task<void>& m : movers) m.get();  // nobody sends any more
    CHECK(wrong == 0);
    there.close();
    rt.stop();
    CHECK(rt.stats().goroutines == 0);
  }
}

TEST_CASE("dump: runtimes come and go meanwhile") {
  std::atomic<bool> over{false};
  std::thread host([&] {
    while (!over) dumped();
  });
  for (int i = 0; i < 5 * load; ++i)
    rove::run(with_procs(2), [] {
      for (int k = 0; k < 5; ++k) rove::go([] { rove::make_chan<int>().recv(); });
      rove::go([] { rove::chan<int>().recv(); });
      rove::yield();
    });
  over = true;
  host.join();
  CHECK(dumped().empty());
}

TEST_CASE("dump: a signal asks for it, and the program goes on", "[native]") {
  const ending e = run_in_child([] {
    const int real = dup(STDERR_FILENO);
    int ends[2];
    if (pipe(ends) != 0 || dup2(ends[1], STDERR_FILENO) < 0) _exit(1);
    if (rove::debug::dump_on_signal(SIGQUIT) || !rove::debug::dump_on_signal(SIGKILL)) _exit(2);
    rove::runtime rt(with_procs(2));
    rt.go({.name = "waiting"}, [] { rove::make_chan<int>().recv(); });
    eventually([&] { return rt.stats().parked == 1; });
    raise(SIGQUIT);
    std::string text;
    char part[512];
    while (!has(text, "created by")) text.append(part, static_cast<std::size_t>(read(ends[0], part, sizeof part)));
    if (write(real, text.data(), text.size()) < 0) _exit(3);
    _exit(42);
  });
  INFO(e.error_output);
  CHECK(e.status == 42);
  CHECK(has(of(e.error_output, "waiting"), "[chan receive]:\n"));
}

TEST_CASE("dump: the thread that waits for the signal hides no deadlock", "[native]") {
  const ending e = run_in_child([] {
    if (rove::debug::dump_on_signal()) _exit(1);
    rove::run([] { rove::make_chan<int>().recv(); });
  });
  INFO(e.error_output);
  CHECK(e.status == 2);
  CHECK(has(e.error_output, "all goroutines are asleep"));
}
