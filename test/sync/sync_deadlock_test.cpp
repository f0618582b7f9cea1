// Deadlocks in each kind of wait: the report says what the goroutine waits for. Those tagged [native] need a
// process without threads but its own.
#include <mutex>
#include <string>

#include "test/debug/child.hpp"
#include "test/support/fixture.hpp"

using namespace rove_test;

namespace {

// The program's only goroutine waits for ever in `wait`.
template <class Wait>
void waits_in(const std::string& reason, Wait wait) {
  const ending e = run_in_child([wait] { rove::run(with_procs(2), wait); });
  INFO(e.error_output);
  CHECK(e.status == 2);
  const std::string expected = "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [" + reason + "]:\n";
  CHECK(e.error_output.substr(0, expected.size()) == expected);
}

}  // namespace

TEST_CASE("deadlock: shared_mutex, a writer", "[native]") {
  waits_in("sync.RWMutex.Lock", [] {
    rove::shared_mutex m;
    m.lock_shared();
    m.lock();
  });
}
TEST_CASE("deadlock: shared_mutex, a reader", "[native]") {
  waits_in("sync.RWMutex.RLock", [] {
    rove::shared_mutex m;
    m.lock();
    m.lock_shared();
  });
}
TEST_CASE("deadlock: condition_variable", "[native]") {
  waits_in("sync.Cond.Wait", [] {
    rove::mutex m;
    rove::condition_variable cv;
    std::unique_lock l(m);
    cv.wait(l);
  });
}
TEST_CASE("deadlock: condition_variable_any", "[native]") {
  waits_in("sync.Cond.Wait", [] {
    rove::mutex m;
    rove::condition_variable_any cv;
    m.lock();
    cv.wait(m, [] { return false; });
  });
}
TEST_CASE("deadlock: a condition variable that takes its mutex back", "[native]") {
  waits_in("sync.Mutex.Lock", [] {
    rove::mutex m;
    rove::condition_variable cv;
    std::unique_lock l(m);
    rove::go([&] {
      m.lock();  // and ends with it
      cv.notify_one();
    });
    cv.wait(l);
  });
}
TEST_CASE("deadlock: semaphore", "[native]") {
  waits_in("semacquire", [] {
    rove::semaphore s(1);
    s.acquire();
    s.acquire();
  });
}
TEST_CASE("deadlock: semaphore, more than there is", "[native]") {
  waits_in("semacquire", [] {
    rove::semaphore s(1);
    s.acquire(2);
  });
}
TEST_CASE("deadlock: semaphore with a context", "[native]") {
  waits_in("semacquire", [] {
    rove::semaphore s(0);
    auto [ctx, cancel] = rove::with_cancel(rove::background());
    static_cast<void>(s.acquire(ctx));
  });
}
TEST_CASE("deadlock: latch", "[native]") {
  waits_in("latch", [] { rove::latch(1).wait(); });
}
TEST_CASE("deadlock: barrier", "[native]") {
  waits_in("barrier", [] {
    rove::barrier b(2);
    b.arrive_and_wait();
  });
}
TEST_CASE("deadlock: event", "[native]") {
  waits_in("event", [] { rove::event().wait(); });
}
TEST_CASE("deadlock: once_value that asks itself", "[native]") {
  waits_in("sync.Mutex.Lock", [] {
    std::function<int()> again;
    const rove::once_value v([&] { return again(); });
    again = [&] { return v(); };
    v();
  });
}
TEST_CASE("deadlock: singleflight that asks itself", "[native]") {
  waits_in("sync.Mutex.Lock", [] {
    rove::singleflight<int, int> all;
    all.call(1, [&] { return all.call(1, [] { return 1; }); });
  });
}
TEST_CASE("deadlock: error_group, waiting", "[native]") {
  waits_in("sync.WaitGroup.Wait", [] {
    rove::error_group group;
    group.go([] { rove::chan<int>().recv(); });
    group.wait();
  });
}
TEST_CASE("deadlock: error_group, at its limit", "[native]") {
  waits_in("semacquire", [] {
    rove::error_group group;
    group.set_limit(1);
    group.go([] { rove::chan<int>().recv(); });
    group.go([] {});
  });
}
TEST_CASE("deadlock: none while a wait has a limit") {
  const ending e = run_in_child([] {
    rove::run(with_procs(2), [] {
      rove::mutex m;
      m.lock();
      rove::event event;
      rove::condition_variable cv;
      if (m.try_lock_for(5ms) || event.wait_for(5ms)) _exit(1);
      std::unique_lock l(m, std::adopt_lock);
      if (cv.wait_for(l, 5ms) != std::cv_status::timeout) _exit(1);
    });
    _exit(42);
  });
  INFO(e.error_output);
  CHECK(e.status == 42);
}
