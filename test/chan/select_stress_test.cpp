// select under load: selects against selects, plain operations, limits, closes and ends of runtimes; goroutines that
// are moved from thread to thread, and plain threads. Every value arrives once or is still with its sender.
#include <array>
#include <vector>

#include "test/support/fixture.hpp"

using namespace rove_test;

namespace {

constexpr std::size_t width = 3;

struct exchange {
  std::array<rove::chan<counted>, width> channels;
  std::atomic<long> sent{0}, received{0}, sum_sent{0}, sum_received{0}, wrong{0};
  std::atomic<bool> stop{false};

  exchange() {
    for (std::size_t i = 0; i < width; ++i) channels[i] = rove::make_chan<counted>(static_cast<std::ptrdiff_t>(i));
  }
  void note_sent(int value) { ++sent, sum_sent += value; }
  void note_received(const counted& c) {
    ++received, sum_received += c.value;
    wrong += c.value <= 0;
  }
};

auto receiver(exchange& x) {
  return [&x](std::optional<counted> c) {
    if (c) x.note_received(*c);
  };
}

// One select or plain operation; false when it saw that the channels are closed.
void step(exchange& x, dice& d) {
  const auto& a = x.channels[d.below(width)];
  const auto& b = x.channels[d.below(width)];
  const int value = 1 + static_cast<int>(d.below(1000));
  auto k = a.on_send(counted(value));
  const auto limit = rove::on_timeout(std::chrono::microseconds(d.below(30)));
  bool taken = false;
  switch (d.below(9)) {
    case 0: taken = rove::select(k, b.on_recv(receiver(x)), limit) == 0; break;
    case 1: taken = rove::select(b.on_recv(receiver(x)), k, rove::otherwise()) == 1; break;
    case 2: taken = rove::select(k, a.on_recv(receiver(x)), b.on_recv(receiver(x)), limit) == 0; break;
    case 3: taken = rove::select(k, limit) == 0; break;
    case 4: rove::select(a.on_recv(receiver(x)), b.on_recv(receiver(x)), a.on_recv(receiver(x)), limit); break;
    case 5: taken = rove::select(k, rove::otherwise()) == 0; break;
    case 6: receiver(x)(a.recv_for(std::chrono::microseconds(d.below(30))).value); break;
    case 7: receiver(x)(a.try_recv().value); break;
    default: taken = a.send_for(std::move(k.value()), std::chrono::microseconds(d.below(30)));
  }
  if (taken)
    x.note_sent(value);
  else
    x.wrong += k.value().value != value;
  d.delay();
}

void check(exchange& x) {
  for (const auto& ch : x.channels)
    while (auto v = ch.try_recv().value) x.note_received(*v);
  CHECK(x.sent == x.received);
  CHECK(x.sum_sent == x.sum_received);
  CHECK(x.wrong == 0);
  CHECK(counted::alive == 0);
}

}  // namespace

TEST_CASE("select stress: selects meet selects") {
  on_processors([] {
    counted::alive = 0;
    exchange x;
    rove::wait_group wg;
    plain_threads threads;
    for (int i = 0; i < 8; ++i)
      wg.go([&, i] {
        dice d(static_cast<std::uint64_t>(i));
        for (int n = 0; n < 60 * load; ++n) step(x, d);
      });
    for (int i = 0; i < 2; ++i)
      threads.start([&, i] {
        dice d(static_cast<std::uint64_t>(100 + i));
        for (int n = 0; n < 20 * load; ++n) step(x, d);
      });
    wg.wait();
    rove::blocking([&] { threads.join(); });
    check(x);
  });
}

TEST_CASE("select stress: without limits, each value has its receiver") {
  on_processors([] {
    counted::alive = 0;
    exchange x;
    rove::wait_group wg;
    const int each = 50 * load;
    const auto& c = x.channels;
    for (int i = 0; i < 4; ++i) {
      wg.go([&, i] {
        dice d(static_cast<std::uint64_t>(i));
        for (int n = 1; n <= each; ++n) {
          rove::select(c[0].on_send(counted(n)), c[1].on_send(counted(n)), c[2].on_send(counted(n)));
          x.note_sent(n);
          if (d.below(64) == 0) migrate();
          d.delay();
        }
      });
      wg.go([&, i] {
        dice d(static_cast<std::uint64_t>(10 + i));
        for (int n = 0; n < each; ++n) {
          const auto got = receiver(x);
          d.below(4) == 0 ? static_cast<void>(rove::select(c[0].on_recv(got), c[1].on_recv(got), c[2].on_recv(got)))
                          : static_cast<void>(rove::select(c[2].on_recv(got), c[0].on_recv(got), c[1].on_recv(got)));
          d.delay();
        }
      });
    }
    wg.wait();
    CHECK(x.sent == 4 * each);
    check(x);
  });
}

// Two selects that offer each other what the other wants, on both channels at once: one of the two pairs is made.
TEST_CASE("select stress: two selects meet twice") {
  on_processors([] {
    for (int round = 0; round < 100 * load; ++round) {
      auto a = rove::make_chan<int>(), b = rove::make_chan<int>();
      auto other = rove::spawn([=] { return rove::select(a.on_recv(), b.on_send(1)); });
      const std::size_t mine = rove::select(a.on_send(2), b.on_recv());
      if (other.get() != mine) CHECK(other.get() == mine);
    }
  });
}

// One of two channels is ready at every moment: a select with `otherwise` must not say that none was.
TEST_CASE("select stress: no moment when nothing is ready") {
  on_processors([] {
    for (int round = 0; round < 300 * load; ++round) {
      const int kind = round % 3;
      auto a = rove::make_chan<int>(1), b = rove::make_chan<int>(kind == 1 ? 0 : 1);
      auto poll = [=] {
        if (kind == 2) return rove::select(a.on_send(2), b.on_send(2), rove::otherwise()) != 2;
        return rove::select(a.on_recv(), b.on_recv(), rove::otherwise()) != 2;
      };
      kind == 2 ? b.send(0) : a.send(1);
      auto got = rove::spawn(poll);
      dice(static_cast<std::uint64_t>(round)).delay();
      if (kind == 0) {          // a value in the second, then none in the first
        b.send(1);
        a.try_recv();
      } else if (kind == 1) {   // the second is closed, then nothing in the first
        b.close();
        a.try_recv();
      } else {                  // room in the second, then none in the first
        b.try_recv();
        a.try_send(1);
      }
      const bool found = got.get();
      if (!found) CHECK(found);
    }
  });
}

TEST_CASE("select stress: closed while many select") {
  on_processors([] {
    for (int round = 0; round < 5 * load; ++round) {
      counted::alive = 0;
      exchange x;
      rove::wait_group wg;
      for (int i = 0; i < 6; ++i)
        wg.go([&, i] {
          dice d(static_cast<std::uint64_t>(10 * round + i));
          bool open = true;
          while (open && i % 2) {
            const auto got = [&](std::optional<counted> c) {
              open = open && c.has_value();
              receiver(x)(std::move(c));
            };
            rove::select(x.channels[0].on_recv(got), x.channels[1].on_recv(got), x.channels[2].on_recv(got));
          }
          while (open) {
            auto k = x.channels[0].on_send(counted(5)), l = x.channels[2].on_send(counted(5));
            const std::string text = panic_of([&] {
              rove::select(k, l);
              x.note_sent(5);
            });
            if (text.empty()) continue;
            open = false;
            x.wrong += text != "send on closed channel" || k.value().value != 5 || l.value().value != 5;
          }
        });
      eventually([&] { return x.received > 10; });
      for (const auto& ch : x.channels) ch.close();
      wg.wait();
      check(x);
    }
  });
}

TEST_CASE("select stress: runtimes end while goroutines select") {
  for (int round = 0; round < 6 * load; ++round) {
    counted::alive = 0;
    {
      exchange x;
      rove::runtime a(with_procs(1 + round % 2)), b(with_procs(2));
      for (int i = 0; i < 6; ++i)
        (i % 2 ? a : b).go([&x, i] {
          dice d(static_cast<std::uint64_t>(i));
          for (;;) {
            const auto& c = x.channels;
            rove::select(c[0].on_send(counted(i)), c[1].on_recv(), c[2].on_recv(), c[0].on_recv(), c[1].on_send(counted(i)));
            d.delay();
          }
        });
      eventually([&] { return b.stats().parks > 5; });
      (round % 4 < 2 ? a : b).stop();
    }
    if (counted::alive != 0) CHECK(counted::alive == 0);
  }
}
