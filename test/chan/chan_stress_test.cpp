// Channels under load: no value lost, none twice, order kept, between goroutines and plain threads.
#include <vector>

#include "test/support/fixture.hpp"

using namespace rove_test;

namespace {

// Which values came, and how often; and whether each producer's came in order (one consumer can tell).
class ledger {
 public:
  ledger(int producers, int each) : each_(each), seen_(static_cast<std::size_t>(producers * each)) {}
  void note(int value) { seen_[static_cast<std::size_t>(value)].fetch_add(1, std::memory_order_relaxed); }
  int wrong() const {
    int n = 0;
    for (auto& s : seen_) n += s.load() != 1;
    return n;
  }
  int value(int producer, int i) const { return producer * each_ + i; }

 private:
  const int each_;
  std::vector<std::atomic<int>> seen_;
};

// Producers and consumers on one channel, with delays; every consumer sees each producer's values in order.
void exchange(std::ptrdiff_t capacity, int producers, int consumers, int each, int threads) {
  auto ch = rove::make_chan<int>(capacity);
  ledger l(producers + threads, each);
  std::atomic<int> out_of_order{0};
  rove::wait_group senders, receivers;
  const auto produce = [&, ch](int p) {
    dice d(static_cast<std::uint64_t>(p));
    for (int i = 0; i < each; ++i) {
      if (d.below(8) != 0 || !ch.try_send(l.value(p, i))) ch.send(l.value(p, i));
      d.delay();
    }
  };
  const auto consume = [&, ch](int c) {
    dice d(static_cast<std::uint64_t>(1000 + c));
    std::vector<int> last(static_cast<std::size_t>(producers + threads), -1);
    for (;;) {
      int x;
      if (const auto r = ch.try_recv(); d.below(4) == 0 && r.value) {
        x = *r.value;
      } else if (r.value) {
        x = *r.value;
      } else {
        const auto v = ch.recv();
        if (!v) break;
        x = *v;
      }
      l.note(x);
      int& before = last[static_cast<std::size_t>(x / each)];
      out_of_order += x <= before;
      before = x;
      d.delay();
    }
  };
  for (int p = 0; p < producers; ++p) senders.go([&, p] { produce(p); });
  for (int c = 0; c < consumers; ++c) receivers.go([&, c] { consume(c); });
  plain_threads sending, receiving;
  for (int t = 0; t < threads; ++t) {
    sending.start([&, t] { produce(producers + t); });
    receiving.start([&, t] { consume(consumers + t); });
  }
  senders.wait();
  rove::blocking([&] { sending.join(); });
  ch.close();
  receivers.wait();
  rove::blocking([&] { receiving.join(); });
  CHECK(l.wrong() == 0);
  CHECK(out_of_order == 0);
  CHECK(ch.len() == 0);
}

}  // namespace

TEST_CASE("chan stress: goroutines only") {
  on_processors([] {
    for (const int capacity : {0, 1, 16}) exchange(capacity, 8, 8, 100 * load, 0);
    exchange(3, 1, 8, 300 * load, 0);
    exchange(3, 8, 1, 100 * load, 0);
  });
}

TEST_CASE("chan stress: goroutines and plain threads") {
  on_processors([] {
    for (const int capacity : {0, 1, 16}) exchange(capacity, 4, 4, 40 * load, 2);
    exchange(0, 0, 1, 50 * load, 2);
    exchange(2, 1, 0, 50 * load, 2);
  });
}

TEST_CASE("chan stress: plain threads alone need no runtime") {
  auto ch = rove::make_chan<int>(2);
  std::atomic<long> sum{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&] {
      for (int x : ch) sum += x;
    });
  std::vector<std::thread> senders;
  for (int t = 0; t < 3; ++t)
    senders.emplace_back([&] {
      for (int i = 1; i <= 200 * load; ++i) ch.send(i);
    });
  for (auto& t : senders) t.join();
  ch.close();
  for (auto& t : threads) t.join();
  const long n = 200 * load;
  CHECK(sum == 3 * n * (n + 1) / 2);
}

TEST_CASE("chan stress: a chain that passes each value on") {
  on_processors([] {
    constexpr int length = 100;
    auto first = rove::make_chan<int>();
    auto in = first;
    for (int i = 0; i < length; ++i) {
      auto out = rove::make_chan<int>(i % 3);
      rove::go([=] {
        for (int x : in) out.send(x + 1);
        out.close();
      });
      in = out;
    }
    rove::go([first] {
      for (int i = 0; i < 50 * load; ++i) first.send(i);
      first.close();
    });
    int n = 0, wrong = 0;
    for (int x : in) wrong += x != length + n++;
    CHECK(n == 50 * load);
    CHECK(wrong == 0);
  });
}

TEST_CASE("chan stress: closed while many send and receive") {
  on_processors([] {
    for (int round = 0; round < 10 * load; ++round) {
      auto ch = rove::make_chan<int>(round % 3);
      std::atomic<int> sent{0}, received{0}, strange{0};
      rove::wait_group wg;
      for (int i = 0; i < 4; ++i) {
        wg.go([&, ch, i] {
          dice d(static_cast<std::uint64_t>(100 * round + i));
          const std::string text = panic_of([&] {
            for (;;) {
              ch.send(1);
              ++sent;
              d.delay();
            }
          });
          strange += text != "send on closed channel";
        });
        wg.go([&, ch] {
          for (int x : ch) received += x;
        });
      }
      eventually([&] { return received > 20; });
      ch.close();
      wg.wait();
      if (sent != received || strange != 0) {
        CHECK(sent == received);
        CHECK(strange == 0);
      }
    }
  });
}

TEST_CASE("chan stress: runtimes end while goroutines hand values around") {
  // A value is with its sender, in the buffer or with its receiver: whoever ends, none is lost or twice.
  for (int round = 0; round < 10 * load; ++round) {
    counted::alive = 0;
    {
      auto ch = rove::make_chan<counted>(round % 3);
      rove::runtime a(with_procs(1 + round % 2)), b(with_procs(2));
      for (int i = 0; i < 4; ++i) {
        a.go([ch, i] {
          for (;;) ch.send(counted(i));
        });
        b.go([ch] {
          for (;;) ch.recv();
        });
      }
      eventually([&] { return b.stats().parks > 5; });
      (round % 2 ? a : b).stop();
    }
    if (counted::alive != 0) CHECK(counted::alive == 0);
  }
}
