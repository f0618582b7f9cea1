// The C API from C++: each function once at least, with what it promises, and misuse. examples/c is compiled as C.
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include <rove/rove.h>

#include "test/debug/child.hpp"
#include "test/support/fixture.hpp"

using namespace rove_test;

namespace {

// A C++ callable as a function and its argument.
template <class F>
void call(void* f) {
  (*static_cast<F*>(f))();
}
template <class F>
int run(F f, rove_config c = {}) {
  return rove_run(&c, [](void* p) -> int { return (*static_cast<F*>(p))(), 7; }, &f);
}
// Starts f in a goroutine that keeps a copy of it.
template <class F>
int go(F f, const rove_options* o = nullptr) {
  return rove_go_with(o, [](void* p) { std::unique_ptr<F>(static_cast<F*>(p))->operator()(); }, new F(std::move(f)));
}

rove_config procs(unsigned n) {
  unsetenv("ROVE_MAXPROCS");
  rove_config c{};
  c.max_procs = n;
  return c;
}

struct channel {
  explicit channel(std::size_t size, std::size_t capacity = 0) : c(rove_chan_make(size, capacity)) {}
  ~channel() { rove_chan_free(c); }
  operator rove_chan*() const { return c; }
  rove_chan* c;
};

}  // namespace

TEST_CASE("capi: a main function, goroutines, and what they know of themselves") {
  for (const unsigned n : {1u, 2u}) {
    std::atomic<int> sum{0};
    CHECK(rove_id() == 0);
    CHECK(rove_num_goroutines() == 0);
    const int result = run([&] {
      CHECK(rove_id() != 0);
      CHECK(rove_max_procs() == n);
      rove_wait_group wg = ROVE_WAIT_GROUP_INIT, all_counted = ROVE_WAIT_GROUP_INIT;
      rove_wait_group_add(&wg, 100);
      rove_wait_group_add(&all_counted, 1);
      for (int i = 1; i <= 100; ++i)
        go([&, i] {
          rove_yield();
          sum += i;
          rove_wait_group_wait(&all_counted);
          rove_wait_group_done(&wg);
        });
      CHECK(rove_num_goroutines() == 101);
      rove_wait_group_done(&all_counted);
      rove_wait_group_wait(&wg);
      CHECK(rove_set_max_procs(3) == n);
      CHECK(rove_max_procs() == 3);
    }, procs(n));
    CHECK(result == 7);
    CHECK(sum == 5050);
  }
  CHECK(rove_run(nullptr, [](void* p) { return *static_cast<int*>(p); }, std::array{41}.data()) == 41);
}

TEST_CASE("capi: names, stack sizes, the thread") {
  run([] {
    channel done(0);
    const rove_options o{"loader", 1 << 20};
    go([&] {
      CHECK(rove::this_goroutine::name() == "loader");
      CHECK(rove::this_goroutine::stack_left() > (1 << 19));
      rove_set_name("other");
      CHECK(rove::this_goroutine::name() == "other");
      rove_set_name(nullptr);
      CHECK(rove::this_goroutine::name().empty());
      rove_lock_os_thread();
      const long thread = thread_now();
      for (int i = 0; i < 20; ++i) rove_yield();
      CHECK(thread_now() == thread);
      rove_unlock_os_thread();
      int inside = 0;
      auto f = [&] { inside = 1; };
      rove_blocking(call<decltype(f)>, &f);
      CHECK(inside == 1);
      rove_chan_send(done, nullptr);
    }, &o);
    CHECK(rove_chan_recv(done, nullptr) == 0);
  }, procs(2));
}

TEST_CASE("capi: time") {
  CHECK(rove_in(ROVE_NEVER) == ROVE_NEVER);
  CHECK(rove_in(-5) <= rove_now());
  const std::int64_t start = rove_now();
  run([&] {
    rove_sleep(2 * ROVE_MILLISECOND);
    rove_sleep(-1);
    CHECK(rove_now() - start >= 2 * ROVE_MILLISECOND);
    rove_sleep_until(rove_in(ROVE_MILLISECOND));
    rove_sleep_until(0);
    CHECK(rove_now() - start >= 3 * ROVE_MILLISECOND);
  });
}

TEST_CASE("capi: elements of every size come out as they went in, in order") {
  for (const std::size_t size : {1u, 4u, 8u, 24u, 1000u})
    for (const std::size_t capacity : {0u, 1u, 5u}) {
      INFO("size " << size << ", capacity " << capacity);
      bool right = true;
      run([&] {
        channel ch(size, capacity);
        go([&] {
          std::vector<unsigned char> v(size);
          for (int i = 0; i < 50; ++i) {
            std::iota(v.begin(), v.end(), static_cast<unsigned char>(i));
            rove_chan_send(ch, v.data());
          }
          rove_chan_close(ch);
        });
        std::vector<unsigned char> v(size + 1, 0xee);
        int n = 0;
        for (; rove_chan_recv(ch, v.data()) == 0; ++n)
          for (std::size_t k = 0; k < size; ++k) right &= v[k] == static_cast<unsigned char>(n + static_cast<int>(k));
        CHECK(n == 50);
        CHECK(v[size] == 0xee);
        CHECK(rove_chan_recv(ch, v.data()) == ROVE_CLOSED);
      }, procs(2));
      CHECK(right);
    }
}

TEST_CASE("capi: what a channel answers at once, and with a limit") {
  channel ch(sizeof(int), 2);
  int x = 5;
  CHECK(rove_chan_cap(ch) == 2);
  CHECK(rove_chan_try_recv(ch, &x) == ROVE_AGAIN);
  CHECK(rove_chan_recv_until(ch, &x, 0) == ROVE_TIMED_OUT);
  CHECK(rove_chan_recv_until(ch, &x, rove_in(ROVE_MILLISECOND)) == ROVE_TIMED_OUT);
  CHECK(x == 5);
  CHECK(rove_chan_try_send(ch, &x) == 0);
  x = 6;
  CHECK(rove_chan_send_until(ch, &x, ROVE_NEVER) == 0);
  CHECK(rove_chan_len(ch) == 2);
  CHECK(rove_chan_try_send(ch, &x) == ROVE_AGAIN);
  CHECK(rove_chan_send_until(ch, &x, rove_in(ROVE_MILLISECOND)) == ROVE_TIMED_OUT);
  CHECK(rove_chan_recv_until(ch, &x, ROVE_NEVER) == 0);
  CHECK(x == 5);
  rove_chan_close(ch);
  CHECK(rove_chan_try_recv(ch, &x) == 0);
  CHECK(x == 6);
  CHECK(rove_chan_try_recv(ch, &x) == ROVE_CLOSED);
  CHECK(rove_chan_recv_until(ch, &x, ROVE_NEVER) == ROVE_CLOSED);
  CHECK(x == 6);

  CHECK(rove_chan_len(nullptr) == 0);
  CHECK(rove_chan_cap(nullptr) == 0);
  CHECK(rove_chan_try_send(nullptr, &x) == ROVE_AGAIN);
  CHECK(rove_chan_try_recv(nullptr, nullptr) == ROVE_AGAIN);
  CHECK(rove_chan_recv_until(nullptr, &x, rove_in(1000)) == ROVE_TIMED_OUT);
  CHECK(rove_chan_retain(nullptr) == nullptr);
  rove_chan_free(nullptr);
}

TEST_CASE("capi: a channel lives as long as one owner does, and joins threads with goroutines") {
  rove_chan* const ch = rove_chan_make(sizeof(long), 0);
  std::thread sender([c = rove_chan_retain(ch)] {
    for (long i = 1; i <= 100; ++i) rove_chan_send(c, &i);
    rove_chan_close(c);
    rove_chan_free(c);
  });
  long sum = 0;
  run([&] {
    for (long x; rove_chan_recv(ch, &x) == 0;) sum += x;
  });
  sender.join();
  rove_chan_free(ch);
  CHECK(sum == 5050);
}

TEST_CASE("capi: select") {
  run([] {
    channel a(sizeof(int), 1), b(sizeof(int), 1), closed(0);
    rove_chan_close(closed);
    int in = 0;
    const int out = 9;
    rove_case cases[] = {rove_on_recv(a, &in), rove_on_send(b, &out), rove_on_recv(nullptr, &in), rove_otherwise()};
    CHECK(rove_select(cases, 4) == 1);
    CHECK(rove_select(cases, 4) == 3);
    CHECK(rove_chan_recv(b, &in) == 0);
    CHECK(in == 9);

    // The one that is ready, the limit, a closed channel.
    rove_case wait[] = {rove_on_timeout(rove_in(ROVE_MILLISECOND)), rove_on_recv(a, &in)};
    CHECK(rove_select(wait, 2) == 0);
    go([&] {
      const int x = 11;
      rove_chan_send(a, &x);
    });
    wait[0].deadline = ROVE_NEVER;
    CHECK(rove_select(wait, 2) == 1);
    CHECK(wait[1].status == 0);
    CHECK(in == 11);
    rove_case end[] = {rove_on_recv(closed, nullptr), rove_on_recv(a, &in)};
    CHECK(rove_select(end, 2) == 0);
    CHECK(end[0].status == ROVE_CLOSED);
    rove_case both[] = {rove_otherwise(), rove_on_timeout(ROVE_NEVER)};
    CHECK(rove_select(both, 2) == 0);

    // Parked, and served by a receive of its sending case.
    go([&] {
      int x = 0;
      rove_chan_recv(b, &x);
      rove_chan_recv(b, &x);
      rove_chan_send(a, &x);
    });
    const int full = 1, last = 12;
    rove_chan_send(b, &full);
    rove_case send[] = {rove_on_send(b, &last)};
    CHECK(rove_select(send, 1) == 0);
    rove_chan_recv(a, &in);
    CHECK(in == 12);
  }, procs(2));
}

TEST_CASE("capi: select among many, fairly") {
  std::vector<channel*> all;
  for (int i = 0; i < 40; ++i) all.push_back(new channel(sizeof(int), 1));
  std::vector<int> in(40);
  std::vector<rove_case> cases;
  for (std::size_t i = 0; i < 40; ++i) cases.push_back(rove_on_recv(*all[i], &in[i]));
  run([&] {
    for (int i = 0; i < 40; i += 3) {
      go([&, i] { rove_chan_send(*all[static_cast<std::size_t>(i)], &i); });
      CHECK(rove_select(cases.data(), 40) == i);
      CHECK(in[static_cast<std::size_t>(i)] == i);
    }
    int taken[2] = {};
    for (int i = 0; i < 200; ++i) {
      rove_chan_try_send(*all[0], &i);
      rove_chan_try_send(*all[1], &i);
      const int k = rove_select(cases.data(), 2);
      ++taken[k];
    }
    CHECK(taken[0] > 20);
    CHECK(taken[1] > 20);
  }, procs(2));
  for (channel* c : all) delete c;
}

TEST_CASE("capi: mutexes, once, wait group") {
  run([] {
    rove_mutex m = ROVE_MUTEX_INIT;
    rove_rwmutex rw = ROVE_RWMUTEX_INIT;
    static rove_once once;
    rove_wait_group wg = ROVE_WAIT_GROUP_INIT;
    long count = 0, slow = 0;
    std::atomic<int> first{0};
    std::atomic<bool> early{false};
    auto work = [&] {
      auto begin = [&] {
        rove_yield();
        ++first;
      };
      rove_once_call(&once, call<decltype(begin)>, &begin);
      if (first != 1) early = true;
      for (int i = 0; i < 200; ++i) {
        rove_mutex_lock(&m);
        ++count;
        if (i % 16 == 0) rove_yield();
        rove_mutex_unlock(&m);
        rove_rwmutex_lock(&rw);
        ++slow;
        rove_rwmutex_unlock(&rw);
        rove_rwmutex_rlock(&rw);
        rove_rwmutex_runlock(&rw);
      }
    };
    for (int i = 0; i < 8; ++i) REQUIRE(rove_wait_group_go(&wg, call<decltype(work)>, &work) == 0);
    rove_wait_group_wait(&wg);
    CHECK(count == 1600);
    CHECK(slow == 1600);
    CHECK(first == 1);
    CHECK(!early);

    CHECK(rove_mutex_try_lock(&m) == 0);
    CHECK(rove_mutex_try_lock(&m) == ROVE_AGAIN);
    CHECK(rove_mutex_lock_until(&m, rove_in(ROVE_MILLISECOND)) == ROVE_TIMED_OUT);
    rove_mutex_unlock(&m);
    CHECK(rove_mutex_lock_until(&m, 0) == 0);
    rove_mutex_unlock(&m);
    CHECK(rove_rwmutex_try_rlock(&rw) == 0);
    CHECK(rove_rwmutex_try_rlock(&rw) == 0);
    CHECK(rove_rwmutex_try_lock(&rw) == ROVE_AGAIN);
    rove_rwmutex_runlock(&rw);
    rove_rwmutex_runlock(&rw);
    CHECK(rove_rwmutex_try_lock(&rw) == 0);
    CHECK(rove_rwmutex_try_rlock(&rw) == ROVE_AGAIN);
    rove_rwmutex_unlock(&rw);
  }, procs(2));
}

TEST_CASE("capi: waiting for a descriptor") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const auto body = [&] {
    CHECK(rove_wait_fd(ends[0], ROVE_READABLE, 0) == ROVE_TIMED_OUT);
    CHECK(rove_wait_fd(ends[0], ROVE_READABLE, rove_in(ROVE_MILLISECOND)) == ROVE_TIMED_OUT);
    CHECK(rove_wait_fd(ends[1], ROVE_READABLE | ROVE_WRITABLE, ROVE_NEVER) == ROVE_WRITABLE);
    CHECK(rove_wait_fd(-1, ROVE_READABLE, ROVE_NEVER) == -EBADF);
  };
  body();
  run([&] {
    body();
    go([&] { static_cast<void>(!write(ends[1], "x", 1)); });
    CHECK(rove_wait_fd(ends[0], ROVE_READABLE, ROVE_NEVER) == ROVE_READABLE);
  });
  close(ends[0]);
  close(ends[1]);
}

TEST_CASE("capi: a runtime of a host's threads") {
  rove_config c = procs(2);
  std::atomic<int> threads{0};
  c.data = &threads;
  c.on_thread_start = [](void* n) { ++*static_cast<std::atomic<int>*>(n); };
  c.on_thread_stop = [](void* n) { --*static_cast<std::atomic<int>*>(n); };
  rove_runtime* const rt = rove_runtime_new(&c);
  REQUIRE(rt);
  std::uint64_t id = 0;
  auto body = [&] { id = rove_id(); };
  CHECK(rove_runtime_run(rt, call<decltype(body)>, &body) == 0);
  CHECK(id != 0);
  CHECK(threads > 0);

  rove_chan* const never = rove_chan_make(0, 0);
  const rove_options o{"waiter", 0};
  CHECK(rove_runtime_go(rt, &o, [](void* ch) { rove_chan_recv(static_cast<rove_chan*>(ch), nullptr); }, never) == 0);
  CHECK(rove_runtime_num_goroutines(rt) == 1);
  rove_runtime_stop(rt);
  CHECK(rove_runtime_num_goroutines(rt) == 0);
  CHECK(rove_runtime_go(rt, nullptr, [](void* p) { *static_cast<std::uint64_t*>(p) = 0; }, &id) == 0);
  CHECK(id != 0);
  rove_runtime_free(rt);
  rove_runtime_free(nullptr);
  rove_chan_free(never);
  CHECK(threads == 0);
}

TEST_CASE("capi: a runtime that runs in poll alone") {
  rove_config c = procs(2);
  std::atomic<int> told{0};
  c.no_threads = 1;
  c.data = &told;
  c.on_work = [](void* n) { ++*static_cast<std::atomic<int>*>(n); };
  rove_runtime* const rt = rove_runtime_new(&c);
  CHECK(rove_runtime_poll(rt, 0) == 0);
  std::thread::id ran;
  auto body = [&] { ran = std::this_thread::get_id(); };
  CHECK(rove_runtime_go(rt, nullptr, call<decltype(body)>, &body) == 0);
  CHECK(told > 0);
  CHECK(rove_runtime_poll(rt, ROVE_SECOND) == 1);
  CHECK(ran == std::this_thread::get_id());
  CHECK(rove_runtime_poll(rt, ROVE_MILLISECOND) == 0);
  rove_runtime_free(rt);
}

TEST_CASE("capi: at the end goroutines are abandoned, or unwound if that is asked for") {
  for (const int unwind : {0, 1}) {
    rove_config c = procs(2);
    c.unwind = unwind;
    static std::atomic<int> unwound;
    unwound = 0;
    channel never(0);
    run([&] {
      rove_wait_group started = ROVE_WAIT_GROUP_INIT;
      rove_wait_group_add(&started, 3);
      std::pair<rove_chan*, rove_wait_group*> shared(never, &started);
      for (int i = 0; i < 3; ++i)
        rove_go([](void* p) {
          struct witness {
            ~witness() { ++unwound; }
          } w;
          const auto [ch, wg] = *static_cast<std::pair<rove_chan*, rove_wait_group*>*>(p);
          rove_wait_group_done(wg);
          rove_case k = rove_on_recv(ch, nullptr);
          rove_select(&k, 1);
        }, &shared);
      rove_wait_group_wait(&started);
    }, c);
    CHECK(unwound == (unwind ? 3 : 0));
  }
}

TEST_CASE("capi: misuse is a panic") {
  channel ch(sizeof(int), 1), signal(0, 1);
  int x = 0;
  CHECK(panic_of([] { rove_chan_make(std::size_t{1} << 32, 0); }) == "makechan: size out of range");
  CHECK(panic_of([] { rove_chan_make(1, SIZE_MAX); }) == "makechan: size out of range");
  CHECK(panic_of([] { rove_chan_make(1 << 20, std::size_t{1} << 60); }) == "makechan: size out of range");
  CHECK(panic_of([&] { rove_chan_send(ch, nullptr); }) == "rove: NULL for an element that has a size");
  CHECK(panic_of([&] { rove_chan_try_recv(ch, nullptr); }) == "rove: NULL for an element that has a size");
  CHECK(panic_of([] { rove_chan_close(nullptr); }) == "close of nil channel");
  rove_chan_close(ch);
  CHECK(panic_of([&] { rove_chan_close(ch); }) == "close of closed channel");
  CHECK(panic_of([&] { rove_chan_send(ch, &x); }) == "send on closed channel");
  CHECK(panic_of([&] { rove_chan_try_send(ch, &x); }) == "send on closed channel");
  CHECK(panic_of([&] { rove_chan_send_until(ch, &x, 0); }) == "send on closed channel");
  CHECK(panic_of([&] {
          rove_case k[] = {rove_on_send(ch, &x), rove_on_recv(signal, nullptr)};
          rove_select(k, 2);
        }) == "send on closed channel");
  CHECK(panic_of([] {
          rove_case k[] = {rove_otherwise(), rove_otherwise()};
          rove_select(k, 2);
        }) == "rove: select has two default cases");
  CHECK(panic_of([] {
          rove_case k[] = {rove_on_timeout(0), rove_on_timeout(0)};
          rove_select(k, 2);
        }) == "rove: select has two timeouts");
  CHECK(panic_of([] {
          std::vector<rove_case> k(65'537, rove_otherwise());
          rove_select(k.data(), k.size());
        }) == "rove: select has too many cases (max 65536)");
  rove_wait_group wg = ROVE_WAIT_GROUP_INIT;
  CHECK(panic_of([&] { rove_wait_group_done(&wg); }) == "sync: negative WaitGroup counter");
  CHECK(panic_of([] { rove_go([](void*) {}, nullptr); }) == "rove: no runtime on this thread");
  CHECK(panic_of([] { rove_set_max_procs(2); }) == "rove: no runtime on this thread");
  run([] {
    CHECK(panic_of([] { rove_run(nullptr, [](void*) { return 0; }, nullptr); }) ==
          "rove: run called inside a goroutine");
    CHECK(panic_of([] { rove_set_max_procs(0); }) == "rove: max_procs out of range");
  });
}

TEST_CASE("capi: a panic that nobody catches is reported, with who started the goroutine; on_fatal sees it first") {
  const ending e = run_in_child([] {
    rove_config c = procs(2);
    c.data = const_cast<char*>("hook: ");
    c.on_fatal = [](void* prefix, const char* report, std::size_t size) {
      std::string line(static_cast<const char*>(prefix) + std::string(report, std::min<std::size_t>(size, 29)) + "\n");
      static_cast<void>(!write(STDERR_FILENO, line.data(), line.size()));
    };
    rove_run(&c, [](void*) {
      rove_go([](void*) { rove_chan_close(nullptr); }, nullptr);
      rove_sleep(ROVE_NEVER);
      return 0;
    }, nullptr);
  });
  INFO(e.error_output);
  CHECK(e.signal == SIGABRT);
  const std::string beginning = "hook: panic: close of nil channel\n\n\npanic: close of nil channel\n\ngoroutine ";
  CHECK(e.error_output.substr(0, beginning.size()) == beginning);
  const std::size_t created = e.error_output.find("created by ");
  REQUIRE(created != std::string::npos);
  CHECK(e.error_output.find("rove_go", created) == std::string::npos);
}

TEST_CASE("capi: unlocking an unlocked mutex is fatal") {
  const ending e = run_in_child([] {
    rove_mutex m = ROVE_MUTEX_INIT;
    rove_mutex_unlock(&m);
  });
  CHECK(e.status == 2);
  CHECK(e.error_output.find("fatal error: sync: unlock of unlocked mutex") == 0);
}

TEST_CASE("capi: a deadlock is reported", "[native]") {
  const ending e = run_in_child([] {
    rove_run(nullptr, [](void*) { return rove_select(nullptr, 0); }, nullptr);
  });
  INFO(e.error_output);
  CHECK(e.status == 2);
  const std::string expected = "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [select (no cases)]:";
  CHECK(e.error_output.substr(0, expected.size()) == expected);
}
