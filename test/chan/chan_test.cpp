// Channels: order, buffering, closing, nil, handles, iteration, misuse.
#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <ranges>
#include <vector>

#include "test/support/go_parked.hpp"

using namespace rove_test;

static_assert(std::ranges::input_range<rove::chan<int>>);
static_assert(std::ranges::input_range<const rove::recv_chan<std::string>>);
static_assert(std::ranges::input_range<rove::chan<std::unique_ptr<int>>>);
static_assert(!std::ranges::range<rove::send_chan<int>>);
static_assert(std::is_convertible_v<rove::chan<int>, rove::send_chan<int>>);
static_assert(std::is_convertible_v<rove::chan<int>, rove::recv_chan<int>>);
static_assert(!std::is_convertible_v<rove::send_chan<int>, rove::chan<int>>);
static_assert(!std::is_convertible_v<rove::recv_chan<int>, rove::send_chan<int>>);
static_assert(!std::is_convertible_v<rove::chan<int>, bool>);
static_assert(std::is_nothrow_move_constructible_v<rove::chan<int>>);

TEST_CASE("chan: buffered values come in order") {
  on_processors([] {
    auto ch = rove::make_chan<int>(5);
    CHECK(ch.cap() == 5);
    for (int round = 0; round < 4; ++round) {
      for (int i = 0; i < 3 + round % 3; ++i) ch.send(i);
      CHECK(ch.len() == 3 + static_cast<unsigned>(round) % 3);
      for (int i = 0; i < 3 + round % 3; ++i) CHECK(ch.recv() == i);
      CHECK(ch.len() == 0);
    }
  });
}

TEST_CASE("chan: unbuffered, a send returns when its value was taken") {
  on_processors([] {
    auto ch = rove::make_chan<int>();
    CHECK(ch.cap() == 0);
    std::atomic<int> sent{0};
    rove::go([&, ch] {
      for (int i = 1; i <= 10; ++i) {
        ch.send(i);
        sent = i;
      }
    });
    for (int i = 1; i <= 10; ++i) {
      for (int k = 0; k < 5; ++k) rove::yield();
      CHECK(sent == i - 1);
      CHECK(ch.len() == 0);
      CHECK(ch.recv() == i);
      eventually([&] { return sent == i; });
    }
  });
}

TEST_CASE("chan: those who wait are served first come, first served") {
  rove::runtime rt(with_procs(1));
  // One after the other, so that the order is known: each is parked before the next starts.
  rt.run([&] {
    auto in = rove::make_chan<int>();
    auto out = rove::make_chan<std::pair<int, int>>(100);
    for (int i = 0; i < 20; ++i) go_parked([=] { out.send({i, *in.recv()}); });
    for (int i = 0; i < 20; ++i) in.send(i);
    for (int i = 0; i < 20; ++i) {
      const auto [receiver, value] = *out.recv();
      CHECK(receiver == value);
    }
    for (int i = 0; i < 20; ++i) go_parked([=] { in.send(i); });
    for (int i = 0; i < 20; ++i) CHECK(in.recv() == i);

    auto full = rove::make_chan<int>(2);
    full.send(0);
    full.send(1);
    for (int i = 2; i < 20; ++i) go_parked([=] { full.send(i); });
    CHECK(full.len() == 2);
    for (int i = 0; i < 20; ++i) CHECK(full.recv() == i);
  });
}

TEST_CASE("chan: close, buffered values first, then nothing") {
  on_processors([] {
    auto ch = rove::make_chan<int>(3);
    ch.send(1);
    ch.send(2);
    ch.close();
    CHECK(ch.len() == 2);
    CHECK(ch.recv() == 1);
    const auto r = ch.try_recv();
    CHECK(r.value == 2);
    CHECK_FALSE(r.closed);
    CHECK(ch.recv() == std::nullopt);
    CHECK(ch.recv() == std::nullopt);
    CHECK(ch.try_recv().closed);
    CHECK_FALSE(ch.try_recv().value);
  });
}

TEST_CASE("chan: close wakes all receivers, and panics all senders with their values intact") {
  on_processors([] {
    auto ch = rove::make_chan<std::unique_ptr<int>>();
    std::atomic<int> nothing{0}, intact{0}, ready{0};
    rove::wait_group wg;
    for (int i = 0; i < 20; ++i)
      wg.go([&, ch] {
        ++ready;
        nothing += !ch.recv();
      });
    eventually([&] { return ready == 20; });
    for (int i = 0; i < 5; ++i) rove::yield();
    ch.close();
    wg.wait();
    CHECK(nothing == 20);

    auto full = rove::make_chan<std::unique_ptr<int>>(1);
    full.send(std::make_unique<int>(-1));
    ready = 0;
    for (int i = 0; i < 20; ++i)
      wg.go([&, full, i] {
        auto p = std::make_unique<int>(i);
        ++ready;
        const std::string text = panic_of([&] { full.send(std::move(p)); });
        intact += text == "send on closed channel" && p && *p == i;
      });
    eventually([&] { return ready == 20; });
    for (int i = 0; i < 5; ++i) rove::yield();
    full.close();
    wg.wait();
    CHECK(intact == 20);
    CHECK(**full.recv() == -1);
    CHECK_FALSE(full.recv());
  });
}

TEST_CASE("chan: misuse panics with Go's texts") {
  const auto all = [] {
    auto ch = rove::make_chan<int>(1);
    ch.close();
    CHECK(panic_of([&] { ch.close(); }) == "close of closed channel");
    CHECK(panic_of([&] { ch.send(1); }) == "send on closed channel");
    CHECK(panic_of([&] { (void)ch.try_send(1); }) == "send on closed channel");
    rove::send_chan<int> s = ch;
    CHECK(panic_of([&] { s.send(1); }) == "send on closed channel");
    CHECK(panic_of([&] { s.close(); }) == "close of closed channel");
    CHECK(panic_of([] { rove::chan<int>().close(); }) == "close of nil channel");
    CHECK(panic_of([] { rove::make_chan<int>(-1); }) == "makechan: size out of range");
    CHECK(panic_of([] { rove::make_chan<int>(PTRDIFF_MAX); }) == "makechan: size out of range");
    CHECK(panic_of([] { rove::make_chan<char>(PTRDIFF_MAX); }) == "makechan: size out of range");
    CHECK(panic_of([] { rove::make_chan<std::array<char, 4096>>(PTRDIFF_MAX / 4096); }) == "makechan: size out of range");
    auto pointers = rove::make_chan<std::unique_ptr<int>>();
    pointers.close();
    auto p = std::make_unique<int>(5);
    CHECK(panic_of([&] { pointers.send(std::move(p)); }) == "send on closed channel");
    CHECK(p);
    CHECK(panic_of([&] { (void)pointers.try_send(std::move(p)); }) == "send on closed channel");
    CHECK(p);
  };
  all();
  on_processors(all);
  CHECK_THROWS_AS(rove::make_chan<int>(-1), std::logic_error);
}

TEST_CASE("chan: try_send and try_recv") {
  on_processors([] {
    auto ch = rove::make_chan<int>(1);
    CHECK_FALSE(ch.try_recv().value);
    CHECK_FALSE(ch.try_recv().closed);
    CHECK(ch.try_send(1));
    CHECK_FALSE(ch.try_send(2));
    const int three = 3;
    CHECK_FALSE(ch.try_send(three));
    CHECK(ch.try_recv().value == 1);

    auto direct = rove::make_chan<std::unique_ptr<int>>();
    auto p = std::make_unique<int>(4);
    CHECK_FALSE(direct.try_send(std::move(p)));
    CHECK(p);
    auto t = rove::spawn([=] { return **direct.recv(); });
    while (!direct.try_send(std::move(p))) {
      CHECK(p);
      rove::yield();
    }
    CHECK_FALSE(p);
    CHECK(t.get() == 4);
    rove::go([=] { direct.send(std::make_unique<int>(6)); });
    for (;;) {
      auto r = direct.try_recv();
      if (r.value) {
        CHECK(**r.value == 6);
        break;
      }
      CHECK_FALSE(r.closed);
      rove::yield();
    }
  });
}

TEST_CASE("chan: nil") {
  on_processors([] {
    const rove::chan<int> nil;
    CHECK_FALSE(nil);
    CHECK(nil.len() == 0);
    CHECK(nil.cap() == 0);
    CHECK_FALSE(nil.try_send(1));
    CHECK_FALSE(nil.try_recv().value);
    CHECK_FALSE(nil.try_recv().closed);
    CHECK(nil == rove::chan<int>());
    CHECK(rove::make_chan<int>() != nil);
  });
  // Sending and receiving wait for ever: the runtime's end is what ends them.
  std::atomic<int> ended{0}, after{0};
  struct at_exit {
    std::atomic<int>& n;
    ~at_exit() { ++n; }
  };
  rove::run(with_procs(2), [&] {
    std::atomic<int> started{0};
    const auto wait = [&](auto f) {
      rove::go([&, f] {
        at_exit e{ended};
        ++started;
        f();
        ++after;
      });
    };
    wait([] { rove::chan<int>().recv(); });
    wait([] { rove::chan<int>().send(1); });
    wait([] { rove::recv_chan<int>().recv(); });
    wait([] { rove::send_chan<int>().send(1); });
    eventually([&] { return started == 4; });
    for (int i = 0; i < 10; ++i) rove::yield();
  });
  CHECK(ended == 4);
  CHECK(after == 0);
}

TEST_CASE("chan: iteration") {
  on_processors([] {
    auto ch = rove::make_chan<int>(2);
    rove::go([ch] {
      for (int i = 0; i < 100; ++i) ch.send(i);
      ch.close();
    });
    int n = 0;
    for (const int x : ch) CHECK(x == n++);
    CHECK(n == 100);
    for (int x : ch) n += x + 1;
    CHECK(n == 100);

    auto pointers = rove::make_chan<std::unique_ptr<int>>();
    rove::recv_chan<std::unique_ptr<int>> end = pointers;
    rove::go([pointers] {
      for (int i = 0; i < 10; ++i) pointers.send(std::make_unique<int>(i));
      pointers.close();
    });
    int sum = 0;
    for (auto& p : end) sum += *std::move(p);
    CHECK(sum == 45);

    auto numbers = rove::make_chan<int>(100);
    for (int i = 0; i < 100; ++i) numbers.send(i);
    numbers.close();
    std::vector<int> even;
    std::ranges::copy_if(numbers, std::back_inserter(even), [](int v) { return v % 2 == 0; });
    CHECK(even.size() == 50);
    CHECK(even.back() == 98);
  });
}

TEST_CASE("chan: handles are the same channel, compared and converted") {
  on_processors([] {
    auto a = rove::make_chan<int>(1);
    auto b = a;
    auto c = rove::make_chan<int>(1);
    rove::send_chan<int> s = a;
    rove::recv_chan<int> r = a;
    CHECK(a == b);
    CHECK(a != c);
    CHECK(s == a);
    CHECK(a == r);
    CHECK(s == r);
    CHECK(r != c);
    CHECK(static_cast<bool>(s));
    s.send(1);
    CHECK(b.len() == 1);
    CHECK(s.len() == 1);
    CHECK(r.cap() == 1);
    CHECK(r.recv() == 1);
    c = a;
    CHECK(c == b);
    a = rove::chan<int>();
    CHECK_FALSE(a);
    CHECK(a != b);
    auto moved = std::move(b);
    CHECK_FALSE(b);
    CHECK(moved == c);
    s = rove::send_chan<int>();
    CHECK(s == a);
  });
}

TEST_CASE("chan: what is left in a buffer is destroyed with the last handle") {
  on_processors([] {
    counted::alive = 0;
    {
      auto ch = rove::make_chan<counted>(4);
      rove::recv_chan<counted> r = ch;
      for (int i = 0; i < 3; ++i) ch.send(counted(i));
      ch.recv();
      ch.send(counted(9));
      ch = {};
      CHECK(counted::alive == 3);
      CHECK(r.recv()->value == 1);
    }
    CHECK(counted::alive == 0);
    {
      auto outer = rove::make_chan<rove::chan<counted>>(1);
      outer.send(rove::make_chan<counted>(1));
      outer.recv()->send(counted(1));
    }
    CHECK(counted::alive == 0);
  });
}

TEST_CASE("chan: a handle may go away as soon as the call returned") {
  on_processors([] {
    for (int i = 0; i < 200 * load; ++i) {
      auto ch = rove::make_chan<int>();
      rove::go([ch = ch] { ch.send(1); });
      const auto v = ch.recv();
      ch = {};
      if (v != 1) FAIL("wrong value");
    }
    eventually([] { return rove::num_goroutines() == 1; });
  });
}
