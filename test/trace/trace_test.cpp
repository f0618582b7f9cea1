// Traces: what is in the file, judged by a Python program where there is one; start, stop and snapshot while all moves.
#include <unistd.h>

#include <fstream>
#include <sstream>

#include <rove/trace.hpp>

#include "test/support/fixture.hpp"
#include "test/support/go_parked.hpp"

using namespace rove_test;

#if defined(ROVE_TRACE)
namespace {

// A file name of this process's own; the file goes with it.
class temporary {
 public:
  temporary() : path_("/tmp/rove-trace-" + std::to_string(getpid()) + "-" + std::to_string(++count_) + ".json") {}
  ~temporary() { unlink(path_.c_str()); }
  const std::string& path() const { return path_; }
  std::string text() const {
    std::ostringstream out;
    out << std::ifstream(path_).rdbuf();
    return out.str();
  }

 private:
  static inline int count_ = 0;
  std::string path_;
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// What check_trace.py says of a file; empty: it found a fault.
std::string judged(const temporary& file) {
  const char* const script = std::getenv("ROVE_CHECK_TRACE");  // test/meson.build sets it
  REQUIRE(script);
  const std::string command = "python3 " + std::string(script) + " " + file.path() + " 2>&1";
  std::FILE* const pipe = popen(command.c_str(), "r");
  std::string out;
  char part[512];
  while (const std::size_t n = std::fread(part, 1, sizeof part, pipe)) out.append(part, n);
  INFO(out);
  const bool good = pclose(pipe) == 0;
  CHECK(good);
  return good ? out : std::string{};
}

void some_work(rove::host* on) {
  rove::this_goroutine::set_name("main \"one\"\n");
  auto ch = rove::make_chan<int>();
  rove::wait_group wg;
  wg.go([&] {
    rove::this_goroutine::set_name("receiver");
    for (const int x : ch) (void)x;
  });
  for (int i = 0; i < 100; ++i) ch.send(i);
  ch.close();
  for (int i = 0; i < 20; ++i) {
    wg.go([] {});
    rove::yield();
  }
  if (on) {
    const rove::on_host there(*on);
    rove::yield();
  }
  rove::blocking([] {});
  rove::sleep_for(1ms);
  wg.wait();
}

}  // namespace

TEST_CASE("trace: slices by goroutine, arrows, reasons, instants", "[native]") {
  const temporary file;
  rove::runtime rt(with_procs(2));
  REQUIRE_FALSE(rove::trace::start(file.path()));
  CHECK(rove::trace::start("/tmp/another") == std::errc::operation_in_progress);
  std::thread host([&] {
    rt.run([] {
      go_parked([] { rove::sleep_for(1h); });  // a short sleep may be over before it has begun
      some_work(nullptr);
    });
  });
  host.join();
  CHECK_FALSE(rove::trace::stop());
  CHECK_FALSE(rove::trace::stop());
  const std::string seen = judged(file);
  INFO(seen);
  CHECK(has(seen, "tracks: P"));
  CHECK(has(seen, "receiver"));
  CHECK(has(seen, "main \"one\""));
  CHECK(has(seen, "goroutine "));
  CHECK(has(seen, "chan receive"));
  CHECK(has(seen, "yield"));
  CHECK(has(seen, "sleep"));
  CHECK(has(seen, "syscall"));
  CHECK(has(seen, "ended"));
  CHECK(has(seen, "some_work"));
  CHECK(std::stoi(seen.substr(seen.find("arrows: ") + 8)) > 20);
}

TEST_CASE("trace: a host has a track, named after its thread; a poll uses a processor's", "[native]") {
  const temporary file;
  rove::runtime rt(with_procs(1));
  rove::host ui(rt), other(rt);
  rove::runtime guest({.max_procs = 1, .own_threads = false});
  REQUIRE_FALSE(rove::trace::start(file.path()));
  std::atomic<bool> over{false};
  auto frames = rove::make_chan<int>();
  rt.go(rove::options{.name = "draws", .on = &ui}, [=] {
    for (const int frame : frames) (void)frame;
  });
  ui.poll(10s);                               // it waits now, so the first to send wakes it
  rt.go(rove::options{.name = "travels"}, [&, frames] {
    for (int i = 0; i < 3; ++i) frames.send(i);
    rove::switch_to(ui);
    rove::yield();
    rove::switch_to(other);
    rove::switch_back();
    frames.close();
    over = true;
  });
  guest.go(rove::options{.name = "visits"}, [] { rove::yield(); });
  std::thread second([&] {
    pthread_setname_np(pthread_self(), "second");
    while (!over) other.poll(100us);
  });
  while (!over) ui.poll(100us);
  second.join();
  while (guest.stats().goroutines > 0) guest.poll(10s);
  rt.stop();
  CHECK_FALSE(rove::trace::stop());
  const std::string seen = judged(file);
  INFO(seen);
  CHECK(has(seen, "\non host main: draws travels\n"));
  CHECK(has(seen, "\non host second: travels\n"));
  CHECK(has(seen, "\non P: travels visits\n"));
  CHECK(has(seen, "arrow: travels on P -> draws on host main\n"));          // a channel's
  CHECK(has(seen, "arrow: travels on P -> travels on host main\n"));        // switch_to
  CHECK(has(seen, "arrow: travels on host main -> travels on host second\n"));
  CHECK(has(seen, "arrow: travels on host second -> travels on P\n"));      // switch_back
  CHECK(has(seen, ", switch_to"));
}

TEST_CASE("trace: the flight recorder keeps the last events", "[native]") {
  const temporary file;
  CHECK(rove::trace::snapshot(file.path()) == std::errc::invalid_argument);
  REQUIRE_FALSE(rove::trace::record({.buffer = 64 * 200}));
  rove::run(with_procs(1), [&] {
    for (int i = 0; i < 500; ++i) rove::spawn([] {}).wait();
    rove::spawn({.name = "late"}, [] {}).wait();
    CHECK_FALSE(rove::trace::snapshot(file.path()));
  });
  const std::string seen = judged(file);
  CHECK(has(seen, "late"));
  CHECK_FALSE(has(file.text(), "\"lost events\":\"0\""));
  CHECK_FALSE(rove::trace::stop());
}

TEST_CASE("trace: files that cannot be written") {
  CHECK(rove::trace::start("/nowhere/at/all") == std::errc::no_such_file_or_directory);
  REQUIRE_FALSE(rove::trace::record());
  CHECK(rove::trace::snapshot("/nowhere/at/all") == std::errc::no_such_file_or_directory);
  CHECK_FALSE(rove::trace::stop());
}

// On and off, again and again, while goroutines run, runtimes come and go and somebody dumps.
TEST_CASE("trace: on and off while everything moves") {
  std::atomic<bool> over{false};
  std::thread switches([&] {
    const temporary file;
    for (int i = 0; i < 3 * load; ++i) {
      rove::trace::record({.buffer = 64 * 1000});
      std::this_thread::yield();
      if (i % 3 == 0) rove::trace::snapshot(file.path());
      std::ostringstream out;
      rove::debug::dump(out);
      rove::trace::stop();
    }
    over = true;
  });
  int rounds = 0;
  while (!over || rounds == 0) {
    rove::runtime rt(with_procs(1 + static_cast<unsigned>(++rounds) % 3));
    rove::host ui(rt);
    std::atomic<bool> done{false};
    std::thread polls([&] {
      while (!done) {
        ui.poll(100us);
        std::this_thread::yield();
      }
    });
    rt.run([&] { some_work(&ui); });
    done = true;
    polls.join();
    check_nothing_left(rt);
  }
  switches.join();
  CHECK_FALSE(rove::trace::stop());
}
#else
TEST_CASE("trace: a library without it says so") {
  CHECK(rove::trace::start("/tmp/trace") == std::errc::not_supported);
  CHECK_FALSE(rove::trace::stop());
}
#endif
