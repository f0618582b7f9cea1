// The exact text of headers and reports.
#include "src/debug/report.hpp"

#include <string>
#include <vector>

#include "src/debug/backtrace.hpp"
#include "src/debug/text.hpp"
#include "test/catch.hpp"

using namespace rove::debug;

namespace market {
[[gnu::noinline]] int stall(int x) {
  asm volatile("" ::: "memory");
  return x;
}
[[gnu::noinline]] int gate(int x) {
  asm volatile("" ::: "memory");
  return x + 1;
}
}  // namespace market

static void* after(int (*function)(int)) { return reinterpret_cast<char*>(function) + 1; }

// The second line of a frame, as the loader sees it.
static std::string place(const void* pc) {
  symbolizer s;
  std::string out;
  put_place(out, s.find(pc).module, s.find(pc).address);
  return out;
}

static std::string stall_frame() { return "market::stall(int)\n" + place(after(market::stall)); }
static std::string gate_frame() { return "market::gate(int)\n" + place(after(market::gate)); }

TEST_CASE("a header names id, name, status and time") {
  CHECK(goroutine_header(1, "", "running") == "goroutine 1 [running]:\n");
  CHECK(goroutine_header(7, "printer", "chan receive", 3) == "goroutine 7 \"printer\" [chan receive, 3 minutes]:\n");
  CHECK(goroutine_header(7, "", "sleep", 0) == "goroutine 7 [sleep]:\n");
  CHECK(goroutine_header(7, "", "sleep", 1) == "goroutine 7 [sleep, 1 minutes]:\n");
  CHECK(goroutine_header(7, "", "sleep", -5) == "goroutine 7 [sleep]:\n");
  CHECK(goroutine_header(18446744073709551615u, "", "chan receive (nil chan)") ==
        "goroutine 18446744073709551615 [chan receive (nil chan)]:\n");
}

TEST_CASE("odd characters in names are escaped") {
  const auto quoted = [](std::string_view name) {
    std::string out;
    put_quoted(out, name);
    return out;
  };
  CHECK(quoted("a b") == R"("a b")");
  CHECK(quoted(R"(say "hi" \ bye)") == R"("say \"hi\" \\ bye")");
  CHECK(quoted("a\nb\tc\rd") == R"("a\nb\tc\x0dd")");
  CHECK(quoted(std::string_view("\0\x1b[31m\x7f", 7)) == R"("\x00\x1b[31m\x7f")");
  CHECK(quoted("größe 漢字 \xf0\x9f\x90\xb9") == "\"größe 漢字 \xf0\x9f\x90\xb9\"");
  CHECK(quoted("\xff\xc3") == R"("\xff\xc3")");
  CHECK(quoted("\xc0\xaf") == R"("\xc0\xaf")");                    // overlong
  CHECK(quoted("\xe0\x80\xaf") == R"("\xe0\x80\xaf")");            // overlong
  CHECK(quoted("\xed\xa0\x80") == R"("\xed\xa0\x80")");            // surrogate
  CHECK(quoted("\xf4\x90\x80\x80") == R"("\xf4\x90\x80\x80")");    // beyond Unicode
  CHECK(quoted("\xc2\x9b" "31m") == R"("\xc2\x9b31m")");           // a terminal's command
  CHECK(quoted("\xe2\x80\xae" "abc") == R"("\xe2\x80\xaeabc")");   // right to left
  CHECK(quoted("") == R"("")");
}

TEST_CASE("numbers and places") {
  std::string out;
  put_number(out, 0);
  put_number(out, 255, 16);
  CHECK(out == "0ff");
  out.clear();
  put_place(out, "/bin/x", 0x1f);
  put_place(out, "", 0xabc);
  CHECK(out == "\t/bin/x+0x1f\n\t0xabc\n");
}

TEST_CASE("a panic's report") {
  const goroutine_snapshot g{.id = 4, .name = {}, .status = "running", .minutes = 0,
                             .frames = {after(market::stall), after(market::gate)}, .created_pc = nullptr, .thread = 0};
  CHECK(failure_report("panic: ", "send on closed channel", g) ==
        "panic: send on closed channel\n\ngoroutine 4 [running]:\n" + stall_frame() + gate_frame());
}

TEST_CASE("a fatal error's report, with where the goroutine was started") {
  const goroutine_snapshot g{.id = 4, .name = "taxi", .status = "running", .minutes = 0,
                             .frames = {after(market::stall)}, .created_pc = after(market::gate), .thread = 0};
  CHECK(failure_report("fatal error: ", "sync: unlock of unlocked mutex", g) ==
        "fatal error: sync: unlock of unlocked mutex\n\ngoroutine 4 \"taxi\" [running]:\n" + stall_frame() +
            "created by " + gate_frame());
}

TEST_CASE("outside of goroutines the thread is named, with the library's frames if there are no others") {
  goroutine_snapshot thread;
  thread.thread = 4711;
  thread.frames = {after(market::stall)};
  CHECK(failure_report("fatal error: ", "x", thread) == "fatal error: x\n\nthread 4711 [running]:\n" + stall_frame());
  thread.frames = {reinterpret_cast<char*>(&rove::debug::goroutines_report) + 1};
  CHECK(failure_report("fatal error: ", "x", thread).find("rove::debug::") != std::string::npos);
  thread.id = 1;
  thread.status = "running";
  CHECK(failure_report("fatal error: ", "x", thread) == "fatal error: x\n\ngoroutine 1 [running]:\n");
}

TEST_CASE("a deadlock's report") {
  std::vector<goroutine_snapshot> all(2);
  all[0] = {1, "", "chan receive", 0, {after(market::stall)}, nullptr, 0};
  all[1] = {9, "w", "sync.WaitGroup.Wait", 12, {after(market::gate)}, after(market::stall), 0};
  const std::string listed = "goroutine 1 [chan receive]:\n" + stall_frame() +
                             "\ngoroutine 9 \"w\" [sync.WaitGroup.Wait, 12 minutes]:\n" + gate_frame() + "created by " +
                             stall_frame();
  CHECK(deadlock_report(all) == "fatal error: all goroutines are asleep - deadlock!\n\n" + listed);
  CHECK(deadlock_report({}, "no goroutines (main called rove::goexit) - deadlock!") ==
        "fatal error: no goroutines (main called rove::goexit) - deadlock!\n\n");
  CHECK(goroutines_report(all) == listed);
  CHECK(goroutines_report({}).empty());
}

TEST_CASE("the library's own frames are left out, or all shown for its own bug") {
  const auto internal = reinterpret_cast<char*>(&rove::debug::goroutines_report) + 4;
  const std::vector<void*> frames = {internal, after(market::stall), internal, after(market::gate), internal};
  const goroutine_snapshot g{1, "", "running", 0, frames, nullptr, 0};
  symbolizer s;
  std::string out;
  put_goroutine(out, s, g);
  CHECK(out == "goroutine 1 [running]:\n" + stall_frame() + gate_frame());
  out.clear();
  put_goroutine(out, s, g, frames_shown::all);
  CHECK(out.find("rove::debug::goroutines_report") != std::string::npos);
  out.clear();
  CHECK_FALSE(put_frames(out, s, g.frames.data(), 1, frames_shown::user));
  CHECK(out.empty());
  CHECK(put_frames(out, s, g.frames.data(), 1, frames_shown::all));
}

TEST_CASE("very deep stacks are cut") {
  const std::vector<void*> frames(capture_limit, after(market::stall));
  symbolizer s;
  std::string out;
  put_frames(out, s, frames.data(), max_frames, frames_shown::user);
  CHECK(out.find("elided") == std::string::npos);
  CHECK(out.size() == max_frames * stall_frame().size());
  out.clear();
  put_frames(out, s, frames.data(), capture_limit, frames_shown::user);
  CHECK(out.size() > max_frames * stall_frame().size());
  CHECK(out.substr(max_frames * stall_frame().size()) == "...additional frames elided...\n");
}

TEST_CASE("a frame of no module is its bare address") {
  symbolizer s;
  std::string out;
  void* const pc = reinterpret_cast<void*>(0x1001);
  put_frames(out, s, &pc, 1, frames_shown::user);
  CHECK(out == "??\n\t0x1000\n");
}
