// Pipes, terminals and waiting for any descriptor: data, ends, closing and deadlines in the middle, from goroutines and
// plain threads.
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <termios.h>

#include "test/io/support.hpp"

using namespace rove_test;

namespace {

std::error_code read_error(io::file& f) {
  std::error_code ec;
  CHECK(read_some(f, ec).empty());
  return ec;
}

struct raw_pipe {
  int ends[2];
  explicit raw_pipe(int flags = 0) { REQUIRE(pipe2(ends, O_CLOEXEC | flags) == 0); }
  ~raw_pipe() {
    for (const int d : ends)
      if (d >= 0) close(d);
  }
};

}  // namespace

TEST_CASE("a pipe: data, its end, and nobody who reads") {
  everywhere([] {
    io::pipe_ends p = io::pipe();
    CHECK((fcntl(p.reader.descriptor(), F_GETFD) & FD_CLOEXEC) != 0);
    CHECK((fcntl(p.writer.descriptor(), F_GETFD) & FD_CLOEXEC) != 0);
    std::error_code ec;
    CHECK(p.writer.write("one") == 3);
    CHECK(read_some(p.reader, ec) == "one");
    p.writer.write("two");
    p.writer.close();
    CHECK(io::read_all(p.reader) == "two");
    CHECK(read_some(p.reader, ec).empty());
    CHECK_FALSE(ec);
    io::pipe_ends q = io::pipe();
    q.reader.close();
    CHECK(q.writer.write("x", ec) == 0);  // and no SIGPIPE
    CHECK(ec == std::errc::broken_pipe);
    CHECK(q.writer.write(std::string_view(), ec) == 0);
    CHECK(p.reader.size() == 0);
    p.reader.seek(0, SEEK_SET, ec);
    CHECK(ec == std::errc::invalid_seek);
    char byte[1];
    p.reader.read_at(room(byte), 0, ec);
    CHECK(ec == std::errc::invalid_seek);
  });
}

TEST_CASE("a broken pipe leaves SIGPIPE as it was") {
  const auto pending = [] {
    sigset_t set;
    sigpending(&set);
    return sigismember(&set, SIGPIPE) == 1;
  };
  io::pipe_ends p = io::pipe();
  p.reader.close();
  std::error_code ec;
  p.writer.write("x", ec);
  CHECK(ec == std::errc::broken_pipe);
  CHECK_FALSE(pending());
  sigset_t now;
  pthread_sigmask(SIG_SETMASK, nullptr, &now);
  CHECK(sigismember(&now, SIGPIPE) == 0);
}

TEST_CASE("a pipe: a reader waits for data, a writer for room; each write is whole") {
  for (const bool threads : {false, true})
    rove::run(with_procs(2), [&] {
      io::pipe_ends p = io::pipe();
      constexpr std::size_t size = 300'000;  // more than a pipe holds
      rove::wait_group wg;
      plain_threads plain;
      for (const char c : {'a', 'b'}) {
        const auto write = [&p, c] { p.writer.write(std::string(size, c)); };
        if (threads)
          plain.start(write);
        else
          wg.go(write);
      }
      std::string all;
      std::error_code ec;
      while (all.size() < 2 * size) all += read_some(p.reader, ec);
      wg.wait();
      rove::blocking([&] { plain.join(); });
      CHECK(all.find_first_not_of(all[0]) == size);
      CHECK(all.find_last_not_of(all[2 * size - 1]) == size - 1);
    });
}

TEST_CASE("a pipe: closing wakes who reads and who writes") {
  for (const bool on_thread : {false, true})
    rove::run(with_procs(2), [&] {
      io::pipe_ends p = io::pipe();
      std::error_code reads, writes;
      std::size_t written = 0;
      const auto start = [&](auto f) {
        if (on_thread) return std::thread(f);
        rove::go(f);
        return std::thread();
      };
      std::atomic<int> done{0};
      std::thread a = start([&] {
        char byte[1];
        p.reader.read(room(byte), reads);
        ++done;
      });
      rove::sleep_for(2ms);
      p.reader.close();
      eventually([&] { return done == 1; });
      CHECK(reads == rove::errc::closed);
      CHECK(reads.message() == "use of closed network connection");
      io::pipe_ends q = io::pipe();
      std::thread b = start([&] {
        written = q.writer.write(std::string(1'000'000, 'x'), writes);
        ++done;
      });
      rove::sleep_for(2ms);
      q.writer.close();
      eventually([&] { return done == 2; });
      CHECK(writes == rove::errc::closed);
      CHECK(written < 1'000'000);
      if (a.joinable()) a.join();
      if (b.joinable()) b.join();
    });
}

TEST_CASE("a pipe: deadlines") {
  everywhere([] {
    io::pipe_ends p = io::pipe();
    p.reader.set_read_deadline(soon());
    CHECK(read_error(p.reader) == rove::errc::deadline_exceeded);
    CHECK(read_error(p.reader) == std::errc::timed_out);
    p.writer.write("there");
    CHECK(read_error(p.reader) == rove::errc::deadline_exceeded);  // too late is too late
    p.reader.set_deadline(io::never);
    std::error_code ec;
    CHECK(read_some(p.reader, ec) == "there");
    const std::string much(1'000'000, 'x');
    p.writer.set_write_deadline(soon());
    CHECK(p.writer.write(much, ec) < much.size());  // nothing at all, if the deadline is over before it begins
    CHECK(ec == rove::errc::deadline_exceeded);
    p.writer.set_write_deadline(io::never);
  });
  rove::run(with_procs(2), [] {  // one that is set while a read waits
    io::pipe_ends p = io::pipe();
    auto error = rove::spawn([&] {
      std::error_code ec;
      read_some(p.reader, ec);
      return ec;
    });
    rove::sleep_for(1ms);
    p.reader.set_deadline(std::chrono::steady_clock::time_point::min());
    CHECK(error.get() == rove::errc::deadline_exceeded);
  });
}

TEST_CASE("what is handed over stays as it was, and is read by the poller all the same") {
  everywhere([] {
    raw_pipe raw;
    io::file f = io::file::adopt(std::exchange(raw.ends[0], -1));
    CHECK((fcntl(f.descriptor(), F_GETFL) & O_NONBLOCK) == 0);
    f.set_read_deadline(soon());
    CHECK(read_error(f) == rove::errc::deadline_exceeded);
    f.set_read_deadline(io::never);
    std::thread later([&] {
      for (const char* text : {"one", "two"}) {
        std::this_thread::sleep_for(2ms);
        if (write(raw.ends[1], text, 3) != 3) std::abort();
      }
      std::this_thread::sleep_for(2ms);
      close(std::exchange(raw.ends[1], -1));
    });
    char some[2];  // a part of what is there: the rest is read without a new event
    std::string all;
    while (const std::size_t n = f.read(room(some))) all.append(some, n);
    CHECK(all == "onetwo");
    later.join();
    std::error_code ec;
    f.set_write_deadline(soon(), ec);
    CHECK(ec == std::errc::operation_not_supported);
  });
}

TEST_CASE("a blocking pipe that was handed over: closing wakes its reader; writing holds up no processor") {
  rove::run(with_procs(1), [] {
    raw_pipe raw;
    io::file f = io::file::adopt(std::exchange(raw.ends[0], -1));
    auto error = rove::spawn([&] {
      std::error_code ec;
      read_some(f, ec);
      return ec;
    });
    rove::sleep_for(1ms);
    f.close();
    CHECK(error.get() == rove::errc::closed);
    raw_pipe second;
    io::file writer = io::file::adopt(std::exchange(second.ends[1], -1));
    auto written = rove::spawn([&] { return writer.write(std::string(200'000, 'x')); });
    rove::sleep_for(1ms);
    io::file reader = io::file::adopt(std::exchange(second.ends[0], -1));
    std::size_t got = 0;
    char bytes[4096];
    while (got < 200'000) got += reader.read(room(bytes));
    CHECK(written.get() == 200'000);
  });
}

TEST_CASE("a terminal") {
  int master, slave;
  char name[128];
  if (openpty(&master, &slave, name, nullptr, nullptr) != 0) return;  // a system without terminals
  termios mode;
  tcgetattr(slave, &mode);
  cfmakeraw(&mode);
  tcsetattr(slave, TCSANOW, &mode);
  rove::run(with_procs(1), [&] {
    io::file keyboard = io::file::adopt(master);
    io::file shared = io::file::adopt(slave);          // blocks, as standard input does
    io::file opened = io::file::open(name, O_RDWR | O_NOCTTY);
    CHECK((fcntl(shared.descriptor(), F_GETFL) & O_NONBLOCK) == 0);
    for (io::file* terminal : {&shared, &opened}) {
      auto line = rove::spawn([&] {
        std::error_code ec;
        return read_some(*terminal, ec);
      });
      rove::sleep_for(1ms);
      keyboard.write("typed");
      CHECK(line.get() == "typed");
      terminal->write("shown");
      std::error_code ec;
      CHECK(read_some(keyboard, ec) == "shown");
    }
    auto error = rove::spawn([&] {
      std::error_code ec;
      read_some(shared, ec);
      return ec;
    });
    rove::sleep_for(1ms);
    shared.close();
    CHECK(error.get() == rove::errc::closed);
  });
}

TEST_CASE("wait: what is ready, at once or later") {
  everywhere([] {
    raw_pipe raw(O_NONBLOCK);
    CHECK(io::wait(raw.ends[1], io::readable | io::writable) == io::writable);
    std::error_code ec;
    CHECK_FALSE(io::wait(raw.ends[0], io::readable, soon(), ec));
    CHECK(ec == rove::errc::deadline_exceeded);
    CHECK_FALSE(io::wait(raw.ends[0], io::readable, std::chrono::steady_clock::time_point::min(), ec));
    CHECK(ec == rove::errc::deadline_exceeded);
    CHECK_THROWS_AS(io::wait(raw.ends[0], io::readable, soon(1ms)), std::system_error);
    std::thread later([&] {
      std::this_thread::sleep_for(2ms);
      if (write(raw.ends[1], "x", 1) != 1) std::abort();
    });
    CHECK(io::wait(raw.ends[0], io::readable, ec) == io::readable);
    CHECK_FALSE(ec);
    later.join();
    CHECK(io::wait(raw.ends[0], io::readable, soon(), ec) == io::readable);  // it still is
    close(std::exchange(raw.ends[1], -1));
    char byte;
    REQUIRE(read(raw.ends[0], &byte, 1) == 1);
    CHECK(io::wait(raw.ends[0], io::readable) == io::readable);              // the end
    io::wait(-1, io::readable, ec);
    CHECK(ec == std::errc::bad_file_descriptor);
  });
}

TEST_CASE("wait: a file is always ready") {
  everywhere([] {
    const test_folder folder;
    io::file f = io::file::create(folder / "a");
    CHECK(io::wait(f.descriptor(), io::readable | io::writable) == (io::readable | io::writable));
    CHECK(io::wait(f.descriptor(), io::readable) == io::readable);
  });
}

TEST_CASE("wait: for either of two things, and many for the same descriptor") {
  rove::run(with_procs(2), [] {
    int pair[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
    const std::string much(1'000'000, 'x');
    while (write(pair[0], much.data(), much.size()) > 0) {
    }
    std::atomic<int> writers{0}, readers{0};
    rove::wait_group wg;
    for (int i = 0; i < 4; ++i)
      wg.go([&] {
        const io::events ready = io::wait(pair[0], io::readable | io::writable);
        if (ready == io::readable) ++readers;
        if (ready == io::writable) ++writers;
      });
    plain_threads threads;
    threads.start([&] {
      if (io::wait(pair[0], io::readable | io::writable)) ++readers;
    });
    rove::sleep_for(2ms);
    CHECK(readers + writers == 0);
    REQUIRE(write(pair[1], "x", 1) == 1);
    wg.wait();
    rove::blocking([&] { threads.join(); });
    CHECK(readers == 5);
    close(pair[0]);
    close(pair[1]);
  });
}

TEST_CASE("wait: a foreign library's loop, and no deadlock while somebody waits") {
  rove::config c = with_procs(1);
  c.detect_deadlock = true;
  const int counter = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  rove::run(c, [&] {
    std::thread later([&] {
      for (int i = 0; i < 20; ++i) {
        std::this_thread::sleep_for(200us);
        eventfd_write(counter, 1);
      }
    });
    std::uint64_t sum = 0;
    while (sum < 20) {
      eventfd_t n;
      if (eventfd_read(counter, &n) == 0)
        sum += n;
      else
        io::wait(counter, io::readable);
    }
    CHECK(sum == 20);
    later.join();
  });
  close(counter);
}

TEST_CASE("wait: the goroutine is ended meanwhile") {
  raw_pipe raw(O_NONBLOCK);
  bool unwound = false;
  rove::run(with_procs(2), [&] {
    std::atomic<bool> there{false};
    rove::go([&] {
      struct note {
        bool& flag;
        ~note() { flag = true; }
      } n{unwound};
      there = true;
      io::wait(raw.ends[0], io::readable);
    });
    eventually([&] { return there.load(); });
    rove::sleep_for(1ms);
  });
  CHECK(unwound);
}

TEST_CASE("pipes and waits leave no descriptors") {
  leaves_nothing_open([] {
    everywhere([] {
      io::pipe_ends p = io::pipe();
      std::error_code ec;
      io::wait(p.reader.descriptor(), io::readable, soon(1ms), ec);
      p.reader.set_deadline(soon(1ms), ec);
      read_some(p.reader, ec);
      raw_pipe raw;
      io::file f = io::file::adopt(std::exchange(raw.ends[0], -1));
      f.set_deadline(soon(1ms), ec);
      f.set_read_deadline(soon(1ms), ec);
      read_some(f, ec);
      p.reader.close();
    });
  });
}
