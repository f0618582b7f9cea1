// The code shown in docs/TRAPS.md, and in README.md.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cfenv>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include <rove/rove.hpp>

namespace {

void report(int error) { std::printf("error %d\n", error); }

// Wrong, and harmless only as long as nothing fails.
void keeps_the_address(int fd, rove::chan<int> ch, char* a, char* b, std::size_t size) {
  if (read(fd, a, size) < 0 && errno != EINTR) return;   // here the compiler finds out where errno is,
  ch.recv();                                             // this comes back on another thread,
  if (read(fd, b, size) < 0) report(errno);              // and this still looks at the first thread's errno
}

struct outcome {
  ssize_t size;
  int error;
};

[[gnu::noinline]] outcome read_some(int fd, char* to, std::size_t size) {
  const ssize_t got = read(fd, to, size);
  return {got, got < 0 ? errno : 0};
}

void errno_by_value() {
  const int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
  char a[4], b[4];
  auto ch = rove::make_chan<int>(1);
  ch.send(1);
  keeps_the_address(fd, ch, a, b, sizeof a);
  std::printf("read %zd, error %d\n", read_some(fd, a, sizeof a).size, read_some(fd, b, sizeof b).error);
  close(fd);
}

rove::goroutine_local<std::string> request;

void handle(const char* name) {
  *request = name;
  rove::yield();                           // comes back on another thread, perhaps
  if (*request != name) std::puts("somebody else's");
}

void a_variable_for_each_goroutine() {
  rove::wait_group wg;
  wg.go([] { handle("first"); });
  wg.go([] { handle("second"); });
  wg.wait();
  std::puts("each had its own");
}

void a_call_that_blocks() {
  const int status = rove::blocking([] { return std::system("exit 3"); });
  std::printf("the command's status is %d\n", WEXITSTATUS(status));
}

void room_on_the_stack() {
  rove::wait_group wg;
  wg.add(2);
  rove::go([&wg] {
    std::vector<char> line(1 << 20);       // on the heap, not on the stack
    line[0] = 'x';
    wg.done();
  });
  rove::go({.name = "parser", .stack_size = 4 << 20}, [&wg] {
    char table[1 << 20];                   // or with a stack that has room for it
    table[0] = 'x';
    std::printf("%c, and there is room left: %s\n", table[0],
                rove::this_goroutine::stack_left() > (1 << 20) ? "yes" : "no");
    wg.done();
  });
  wg.wait();
}

void log(const std::string& what) { std::printf("log: %s\n", what.c_str()); }

void exceptions() {
  auto t = rove::spawn([]() -> int { throw std::runtime_error("not there"); });
  try {
    t.get();                               // a task's exception comes out here
  } catch (const std::exception& e) {
    log(e.what());
  }

  rove::wait_group wg;
  wg.go([] {
    try {
      throw std::runtime_error("bad input");
    } catch (const std::exception& e) {    // in a goroutine without a task: here or nowhere
      log(e.what());
    }
  });
  wg.wait();
}

void cleanup_that_lets_the_end_pass() {
  auto never = rove::make_chan<int>();
  auto started = rove::make_chan<int>();
  rove::go([=] {
    try {
      started.send(1);
      never.recv();
    } catch (...) {
      log("cleaned up");
      throw;                               // the end of the runtime passes here, too
    }
  });
  started.recv();
}

class cache {
 public:
  explicit cache(rove::send_chan<int> changes) : changes_(changes) {}
  void set(int value) {
    {
      const std::lock_guard hold(guard_);
      value_ = value;
    }                                      // first give the lock back,
    changes_.send(value);                  // then wait
  }
  int get() {
    const std::lock_guard hold(guard_);
    return value_;
  }

 private:
  std::mutex guard_;                       // good enough: nothing parks while it is held
  int value_ = 0;
  rove::send_chan<int> changes_;
};

void no_lock_over_a_wait() {
  auto changes = rove::make_chan<int>();
  cache c(changes);
  auto t = rove::spawn([&c] { c.set(42); });
  std::printf("changed to %d\n", *changes.recv());
  t.wait();
  std::printf("now it is %d\n", c.get());
}

class session : public std::enable_shared_from_this<session> {
 public:
  explicit session(std::string name) : name_(std::move(name)) {}
  rove::task<void> start() {
    return rove::spawn([self = shared_from_this()] { std::printf("session of %s\n", self->name_.c_str()); });
  }

 private:
  std::string name_;
};

void kept_alive_by_its_goroutine() {
  auto t = std::make_shared<session>("Ann")->start();  // nobody else keeps the session
  t.wait();
}

class workers {
 public:
  void start() {
    wg_.go([] { std::puts("working"); });
  }
  void stop() { wg_.wait(); }              // to be called; the destructor waits only if it was forgotten
  ~workers() noexcept(false) { stop(); }   // it may park, so it may be ended: it must not be noexcept

 private:
  rove::wait_group wg_;
};

void destructors() {
  workers w;
  w.start();
  w.stop();
}

void floating_point() {
  rove::blocking([] {                      // nothing in here parks, so nobody else sees the mode
    std::fesetround(FE_UPWARD);
    std::fesetround(FE_TONEAREST);
  });
}

}  // namespace

int main() {
  rove::run([] {
    errno_by_value();
    a_variable_for_each_goroutine();
    a_call_that_blocks();
    room_on_the_stack();
    exceptions();
    no_lock_over_a_wait();
    kept_alive_by_its_goroutine();
    destructors();
    floating_point();
    cleanup_that_lets_the_end_pass();
  });
}
