// The host's hooks: each thread of the library is told of when it starts and ends, each mapping before it is made; and
// what is in a steady state takes nothing from the heap.
#include <algorithm>
#include <mutex>
#include <set>

#include "src/os/lock_rank.hpp"
#include "test/support/allocations.hpp"
#include "test/support/fixture.hpp"

using namespace rove_test;

namespace {

// What a hook saw.
struct thread_book {
  std::mutex lock;
  std::vector<rove::thread_info> events;
  std::vector<std::string> names;
  std::set<long> ids;

  static void note(void* self, const rove::thread_info& info) {
    auto& b = *static_cast<thread_book*>(self);
    const std::scoped_lock hold(b.lock);
    b.events.push_back(info);
    b.names.emplace_back(info.name);
    b.ids.insert(thread_now());
  }
  std::ptrdiff_t count(rove::thread_kind kind, bool starts) {
    const std::scoped_lock hold(lock);
    return std::count_if(events.begin(), events.end(), [&](auto& e) { return e.kind == kind && e.starts == starts; });
  }
};

struct memory_book {
  std::atomic<std::ptrdiff_t> bytes[3] = {};
  std::atomic<bool> refuse{false};
  std::atomic<int> refused{0};

  static bool note(void* self, rove::memory_kind kind, std::ptrdiff_t bytes) {
    auto& b = *static_cast<memory_book*>(self);
    if (bytes > 0 && b.refuse) {
      ++b.refused;
      return false;
    }
    b.bytes[static_cast<int>(kind)] += bytes;
    return true;
  }
};

}  // namespace

TEST_CASE("hooks: each of the library's threads is told of, with its kind, index and runtime") {
  static thread_book book;                 // a thread that serves the process may live longer than this test
  rove::set_thread_hook(thread_book::note, &book);
  std::uint32_t number = 0;
  {
    rove::runtime rt(with_procs(4));
    number = rt.number();
    rt.run([] {
      std::atomic<int> inside{0};
      rove::wait_group wg;
      for (int i = 0; i < 3; ++i)
        wg.go([&] {
          rove::blocking([&] {
            ++inside;
            while (inside < 3) std::this_thread::yield();
          });
        });
      wg.wait();
    });
  }
  rove::timer(1ms).c().recv();             // on a plain thread
  rove::set_thread_hook(nullptr, nullptr);
  using kind = rove::thread_kind;
  CHECK(book.count(kind::worker, true) >= 3);
  CHECK(book.count(kind::worker, false) == book.count(kind::worker, true));
  CHECK(book.count(kind::monitor, true) == 1);
  CHECK(book.count(kind::monitor, false) == 1);
  const std::scoped_lock hold(book.lock);
  CHECK(book.ids.count(thread_now()) == 0);
  std::set<unsigned> indices;
  for (std::size_t i = 0; i < book.events.size(); ++i) {
    const rove::thread_info& e = book.events[i];
    if (e.kind == kind::worker || e.kind == kind::monitor) CHECK(e.runtime == number);
    if (e.kind == kind::worker && e.starts) CHECK(indices.insert(e.index).second);
    CHECK(book.names[i].starts_with("rove"));
  }
  CHECK(*indices.rbegin() + 1 == indices.size());
  const rove::runtime another(with_procs(1));
  CHECK(another.number() > number);
}

TEST_CASE("hooks: memory is told of before it is mapped, and may be refused") {
  static memory_book book;
  rove::set_memory_hook(memory_book::note, &book);
  rove::runtime rt(with_procs(2));
  constexpr std::size_t odd_size = 8u << 20;           // that nobody else asks for
  rt.go(rove::options{.stack_size = odd_size}, [] {});
  check_nothing_left(rt);
  const std::ptrdiff_t first = book.bytes[0];
  CHECK(first >= static_cast<std::ptrdiff_t>(odd_size));
  CHECK((book.bytes[2] > 0 || ROVE_SANITIZED));          // a worker's signal stack; sanitizers bring their own
  book.refuse = true;
  int started = 0;
  bool out_of_memory = false;
  const auto gate = rove::make_chan<int>();
  while (!out_of_memory && started < 10'000) {
    try {
      rt.go(rove::options{.stack_size = odd_size}, [gate] { gate.recv(); });
      ++started;
    } catch (const std::bad_alloc&) {
      out_of_memory = true;
    }
  }
  CHECK(out_of_memory);
  CHECK(book.refused > 0);
  CHECK(book.bytes[0] == first);
  book.refuse = false;
  rt.go(rove::options{.stack_size = odd_size}, [gate] { gate.recv(); });
  CHECK(book.bytes[0] > first);
  gate.close();
  check_nothing_left(rt);
  rt.stop();
  rove::set_memory_hook(nullptr, nullptr);
}

// ---- the steady state ----------------------------------------------------------------------------------------------

#if !ROVE_SANITIZED

namespace {

struct pair_of_channels {
  rove::chan<int> there = rove::make_chan<int>(), back = rove::make_chan<int>(), buffered = rove::make_chan<int>(8);
};

// Everything that a server or a frame does again and again.
void go_round(const pair_of_channels& c) {
  for (int i = 0; i < 20; ++i) {
    rove::wait_group wg;
    for (int k = 0; k < 10; ++k) wg.go([] { rove::yield(); });
    wg.wait();
    rove::spawn([] { return 1; }).get();
    rove::go([&c] {
      for (int k = 0; k < 5; ++k) c.back.send(*c.there.recv() + 1);
    });
    for (int k = 0; k < 5; ++k) {
      c.there.send(k);
      c.back.recv();
      c.buffered.send(k);
    }
    while (c.buffered.try_recv().value) {
    }
    rove::select(c.there.on_recv(), c.back.on_recv(), rove::on_timeout(10us));
    rove::select(c.buffered.on_send(1), c.back.on_recv());
    rove::select(c.buffered.on_recv(), rove::otherwise());
    c.back.recv_for(1us);
    rove::sleep_for(1us);
    rove::blocking([] {});
  }
}

void lock_round() {
  rove::mutex m;
  rove::shared_mutex s;
  rove::condition_variable ready;
  rove::semaphore tickets(2);
  rove::event done;
  bool set = false;
  for (int i = 0; i < 20; ++i) {
    rove::wait_group wg;
    set = false;
    for (int k = 0; k < 4; ++k)
      wg.go([&] {
        tickets.acquire();
        m.lock();
        rove::yield();
        m.unlock();
        tickets.release(1);
        s.lock_shared();
        rove::yield();
        s.unlock_shared();
        s.lock();
        s.unlock();
      });
    wg.go([&] {
      std::unique_lock hold(m);
      while (!set) ready.wait(hold);
      done.set();
    });
    rove::yield();
    m.lock();
    set = true;
    m.unlock();
    ready.notify_all();
    done.wait();
    wg.wait();
  }
}

}  // namespace

TEST_CASE("steady state: goroutines, channels, locks, time and sockets take nothing from the heap") {
  for (const unsigned procs : {1u, 2u}) {
    rove::run(with_procs(procs), [] {
      const pair_of_channels c;
      CHECK(allocations_of([&] { go_round(c); }) == 0);
      // With debug_checks each lock that is held is noted down.
      if (!rove::os::debug_checks) CHECK(allocations_of([] { lock_round(); }) == 0);

      rove::timer t(1h);
      CHECK(allocations_of([&] {
              for (int i = 0; i < 50; ++i) {
                t.reset(1us);
                t.c().recv();
                t.reset(1h);
                t.stop();
              }
            }) == 0);

      rove::net::listener listener = rove::net::listen("tcp", "127.0.0.1:0");
      rove::wait_group echo;
      echo.go([&] {
        rove::net::conn peer = listener.accept();
        char room[64];
        while (const std::size_t n = peer.read(std::span(room))) peer.write(std::string_view(room, n));
      });
      rove::net::conn near = rove::net::dial("tcp", listener.local_addr().to_string());
      CHECK(allocations_of([&] {
              char answer[8];
              for (int i = 0; i < 50; ++i) {
                near.write(std::string_view("hello"));
                near.read(std::span(answer));
              }
            }) == 0);
      near.close();
      echo.wait();
    });
  }
}

#endif
