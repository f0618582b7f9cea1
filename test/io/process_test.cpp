// Child processes: their streams, environment and folder, ends, signals, waiting with deadlines, and that nothing
// leaks. An emulator does not tell whether the program could be loaded, which [native] tests need.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <iterator>
#include <set>
#include <sstream>

#include "test/io/support.hpp"

using namespace rove_test;
using io::process;
using io::process_options;
using io::stream;
using arguments = std::vector<std::string>;

namespace {

arguments shell(const std::string& command) { return {"sh", "-c", command}; }

std::string output_of(const std::string& command, const process_options& o = {}) {
  return process::output(shell(command), o).out;
}

bool no_children() { return waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD; }

// No child of ours has that number: it was reaped. (Somebody else's process may have the number by now.)
bool is_gone(int id) {
  siginfo_t facts;
  return waitid(P_PID, static_cast<id_t>(id), &facts, WEXITED | WNOHANG | WNOWAIT) == -1 && errno == ECHILD;
}

template <class Call>
std::error_code error_of(Call call) {
  std::error_code ec;
  call(ec);
  return ec;
}

}  // namespace

TEST_CASE("a child's output and how it ended") {
  everywhere([] {
    const process::result r = process::output(shell("echo out; echo err >&2; exit 3"));
    CHECK(r.out == "out\n");
    CHECK(r.err == "err\n");
    CHECK(r.status.code == 3);
    CHECK_FALSE(r.status.success());
    CHECK(r.status.to_string() == "exit status 3");
    CHECK(process::output({"true"}).status.success());
    CHECK(process::output({"/bin/sh", "-c", "echo \"$0\" \"$1\"", "a b", "c\nd"}).out == "a b c\nd\n");
    const process::result killed = process::output(shell("kill -KILL $$"));
    CHECK(killed.status.signal == SIGKILL);
    CHECK(killed.status.code == -1);
    CHECK_FALSE(killed.status.success());
    CHECK(killed.status.to_string() == "signal 9");
    process_options together;
    together.err_to_out = true;
    const process::result both = process::output(shell("echo a; echo b >&2; echo c"), together);
    CHECK(both.out == "a\nb\nc\n");
    CHECK(both.err.empty());
    const std::string input(200'000, 'x');
    CHECK((process::output({"cat"}, {}, input).out == input));
    CHECK(process::output({"cat"}).out.empty());
    CHECK(no_children());
  });
}

TEST_CASE("a child is talked to through pipes") {
  everywhere([] {
    process_options o;
    o.in = o.out = o.err = stream::pipe;
    process p = process::start({"cat"}, o);
    CHECK(p.id() > 0);
    std::error_code ec;
    p.in().write("one\n");
    CHECK(read_some(p.out(), ec) == "one\n");
    p.in().write("two\n");
    CHECK(read_some(p.out(), ec) == "two\n");
    CHECK(error_of([&](auto& e) { p.wait(soon(2ms), e); }) == rove::errc::deadline_exceeded);
    p.out().set_read_deadline(soon(2ms));
    CHECK(error_of([&](auto& e) { read_some(p.out(), e); }) == rove::errc::deadline_exceeded);
    p.out().set_read_deadline(io::never);
    p.in().close();
    CHECK(io::read_all(p.out()).empty());
    CHECK(io::read_all(p.err()).empty());
    CHECK(p.wait().success());
    CHECK(p.wait().success());                         // again
    CHECK(error_of([&](auto& e) { p.kill(SIGTERM, e); }) == std::errc::no_such_process);
  });
}

TEST_CASE("a child's environment and folder") {
  const test_folder folder;
  setenv("ROVE_TEST_OURS", "inherited", 1);
  everywhere([&] {
    process_options o;
    CHECK(output_of("echo $ROVE_TEST_OURS") == "inherited\n");
    o.environment = arguments{"A=1", "B=two words", "PATH=" + std::string(getenv("PATH"))};
    CHECK(output_of("echo $A $B $ROVE_TEST_OURS", o) == "1 two words\n");
    process_options elsewhere;
    elsewhere.folder = folder / ".";
    CHECK(output_of("touch here; pwd -P", elsewhere).size() > 1);
    struct stat facts;
    CHECK(stat((folder / "here").c_str(), &facts) == 0);
  });
}

TEST_CASE("a child's streams: nothing, and files") {
  const test_folder folder;
  everywhere([&] {
    io::file in = io::file::create(folder / "in"), out = io::file::create(folder / "out");
    in.write("from a file");
    in.seek(0, SEEK_SET);
    process_options o;
    o.in = in;
    o.out = out;
    o.err = stream::null;
    CHECK(process::start(shell("cat; echo gone >&2"), o).wait().success());
    out.seek(0, SEEK_SET);
    CHECK(io::read_all(out) == "from a file");
    o.in = stream::null;
    o.out = stream::null;
    CHECK(process::start(shell("test -z \"$(cat)\""), o).wait().success());
    process p = process::start(shell("exit 0"), o);
    CHECK(error_of([&](auto& ec) { p.in().write("x", ec); }) == rove::errc::closed);  // it is no pipe
    p.wait();
  });
}

TEST_CASE("a child that cannot be started", "[native]") {
  everywhere([] {
    CHECK(error_of([](auto& ec) { process::start({"/no/such/program"}, {}, ec); }) ==
          std::errc::no_such_file_or_directory);
    CHECK(error_of([](auto& ec) { process::start({"no-such-program-anywhere"}, {}, ec); }) ==
          std::errc::no_such_file_or_directory);
    CHECK(error_of([](auto& ec) { process::start({"/tmp"}, {}, ec); }) == std::errc::permission_denied);
    CHECK(error_of([](auto& ec) { process::start({}, {}, ec); }) == std::errc::invalid_argument);
    CHECK(error_of([](auto& ec) { process::start({std::string("a\0b", 3)}, {}, ec); }) == std::errc::invalid_argument);
    process_options nowhere;
    nowhere.folder = "/no/such/folder";
    CHECK(error_of([&](auto& ec) { process::start({"true"}, nowhere, ec); }) == std::errc::no_such_file_or_directory);
    CHECK_THROWS_WITH(process::start({"/no/such/program"}), "rove::io::process::start: No such file or directory");
    CHECK_THROWS_AS(process::output({"/no/such/program"}), std::system_error);
    process none;
    CHECK_FALSE(none);
    CHECK(none.id() == -1);
    CHECK(error_of([&](auto& ec) { none.wait(ec); }) == std::errc::no_child_process);
    CHECK(error_of([&](auto& ec) { none.kill(SIGTERM, ec); }) == std::errc::no_such_process);
    CHECK(no_children());
  });
}

TEST_CASE("a child is killed, and several wait for it") {
  rove::run(with_procs(2), [] {
    process p = process::start({"sleep", "1000"});
    std::atomic<int> killed{0};
    rove::wait_group wg;
    plain_threads threads;
    const auto wait = [&] {
      if (p.wait().signal == SIGTERM) ++killed;
    };
    for (int i = 0; i < 3; ++i) wg.go(wait);
    threads.start(wait);
    rove::sleep_for(1ms);
    p.kill(SIGTERM);
    wg.wait();
    rove::blocking([&] { threads.join(); });
    CHECK(killed == 4);
  });
  CHECK(no_children());
}

TEST_CASE("a child that was forgotten is killed; one that was let go runs on") {
  everywhere([] {
    int id;
    {
      process p = process::start({"sleep", "1000"}), moved = std::move(p);
      CHECK_FALSE(p);
      id = moved.id();
      CHECK(kill(id, 0) == 0);
      moved = process::start({"true"});
      CHECK(is_gone(id));
    }
    CHECK(no_children());
    process_options o;
    o.out = stream::pipe;
    process p = process::start({"sleep", "1000"}, o);
    id = p.id();
    p.detach();
    CHECK_FALSE(p);
    CHECK(kill(id, SIGKILL) == 0);
    eventually([&] {
      process::start({"true"}).wait();  // takes note of it
      return is_gone(id);
    });
    CHECK(no_children());
  });
}

TEST_CASE("others go on while a child is waited for, and it is no deadlock") {
  rove::config c = with_procs(1);
  c.detect_deadlock = true;
  rove::run(c, [] {
    process p = process::start({"sleep", "0.02"});
    auto end = rove::spawn([&] { return p.wait(); });
    CHECK(rove::spawn([] { return 7; }).get() == 7);
    CHECK(end.get().success());
  });
}

TEST_CASE("a goroutine that is ended kills its child") {
  std::atomic<int> id{0};
  rove::run(with_procs(2), [&] {
    rove::go([&] {
      process p = process::start({"sleep", "1000"});
      id = p.id();
      p.wait();
    });
    eventually([&] { return id != 0; });
    rove::sleep_for(1ms);
  });
  CHECK(is_gone(id));
}

TEST_CASE("a child gets none of our descriptors, and our signals' ways not either") {
  const test_folder folder;
  const io::file f = io::file::create(folder / "a");
  const io::pipe_ends p = io::pipe();
  signal(SIGPIPE, SIG_IGN);
  rove::run(with_procs(1), [&] {
    process_options o;
    o.in = o.out = o.err = stream::pipe;
    process other = process::start({"cat"}, o);        // whose pipes must not be inherited either
    std::set<std::string> expected{"0", "1", "2"};     // and what whoever started us left open
    for (int d = 3; d < 1024; ++d)
      if (const int flags = fcntl(d, F_GETFD); flags >= 0 && (flags & FD_CLOEXEC) == 0)
        expected.insert(std::to_string(d));
    // The shell itself lists them, so that no other program's descriptors are among them.
    std::istringstream listed(output_of("for d in /proc/$$/fd/*; do test -e $d && echo ${d##*/}; done"));
    CHECK(std::set<std::string>(std::istream_iterator<std::string>(listed), {}) == expected);
    const std::string status = output_of("cat /proc/self/status");
    CHECK(status.find("SigBlk:\t0000000000000000") != std::string::npos);
    const std::uint64_t ignored = std::stoull(status.substr(status.find("SigIgn:") + 8, 16), nullptr, 16);
    CHECK((ignored & 1u << (SIGPIPE - 1)) == 0);
  });
  signal(SIGPIPE, SIG_DFL);
}

TEST_CASE("a child's streams when we have none of our own") {
  int saved[3];
  for (int d : {0, 1, 2}) saved[d] = fcntl(d, F_DUPFD_CLOEXEC, 10);
  for (int d : {0, 1, 2}) close(d);
  process_options o;
  o.in = o.out = o.err = stream::pipe;
  std::error_code ec;
  process p = process::start(shell("cat; echo err >&2"), o, ec);
  std::string out, err;
  if (!ec) {
    p.in().write("in", ec);
    p.in().close();
    out = io::read_all(p.out(), ec);
    err = io::read_all(p.err(), ec);
    p.wait();
  }
  p = process();
  for (int d : {0, 1, 2}) {
    dup2(saved[d], d);
    close(saved[d]);
  }
  CHECK_FALSE(ec);
  CHECK(out == "in");
  CHECK(err == "err\n");
}

TEST_CASE("many children at once, and nothing left") {
  leaves_nothing_open([] {
    rove::run(with_procs(2), [] {
      rove::wait_group wg;
      std::atomic<int> right{0};
      for (int i = 0; i < 2 * load; ++i)
        wg.go([&, i] {
          const process::result r = process::output(shell("echo " + std::to_string(i)));
          if (r.out == std::to_string(i) + "\n") ++right;
        });
      wg.wait();
      CHECK(right == 2 * load);
      process_options o;
      o.in = o.out = stream::pipe;
      process p = process::start({"cat"}, o);
      std::error_code ec;
      process::start({"/no/such/program"}, o, ec);
    });
  });
  CHECK(no_children());
}
