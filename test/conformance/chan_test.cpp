// What Go's tests say of channels: waiting, trying, order, closing, len and cap. docs/CONFORMANCE.md has the table.
#include <any>
#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "test/conformance/support.hpp"

using namespace rove_test;

namespace {

constexpr int capacities[] = {0, 1, 2, 7, 19};

// Four send 0 to n - 1 each, four receive n each: how often each value came.
std::map<int, int> crowd(const rove::chan<int>& ch, int n) {
  auto results = rove::make_chan<std::map<int, int>>();
  for (int p = 0; p < 4; ++p) {
    rove::go([=] {
      for (int i = 0; i < n; ++i) ch.send(i);
    });
    rove::go([=] {
      std::map<int, int> seen;
      for (int i = 0; i < n; ++i) ++seen[*ch.recv()];
      results.send(std::move(seen));
    });
  }
  std::map<int, int> all;
  for (int p = 0; p < 4; ++p) {
    const std::map<int, int> one = *results.recv();
    for (const auto& [value, times] : one) all[value] += times;
  }
  return all;
}

// Uses some kilobytes of stack, and gives what depends on all of it.
[[gnu::noinline]] int deep(int n) {
  volatile char room[512];
  for (char volatile& c : room) c = static_cast<char>(n);
  return n == 0 ? room[7] : deep(n - 1) + room[n % 512] - n % 128;
}

}  // namespace

TEST_CASE("chan: receiving from an empty one waits, trying to does not") {
  on_processors([] {
    for (const int capacity : capacities) {
      auto ch = rove::make_chan<int>(capacity);
      std::atomic<int> received{0};
      rove::wait_group over;
      over.add(2);
      const auto receive = [&, ch] {
        ch.recv();
        ++received;
        over.done();
      };
      go_parked(receive);
      go_parked(receive);
      let_others_run();
      CHECK(received == 0);
      const auto r = ch.try_recv();
      CHECK_FALSE(r.value);
      CHECK_FALSE(r.closed);
      ch.send(0);
      ch.send(0);
      over.wait();
      CHECK(received == 2);
    }
  });
}

TEST_CASE("chan: sending to a full one waits, trying to does not") {
  on_processors([] {
    for (const int capacity : capacities) {
      auto ch = rove::make_chan<int>(capacity);
      for (int i = 0; i < capacity; ++i) ch.send(i);
      std::atomic<bool> sent{false};
      go_parked([&sent, ch, capacity] {
        ch.send(capacity);
        sent = true;
      });
      let_others_run();
      CHECK_FALSE(sent);
      CHECK_FALSE(ch.try_send(-1));
      CHECK(ch.recv() == 0);
      eventually([&] { return sent.load(); });
      for (int i = 1; i <= capacity; ++i) CHECK(ch.recv() == i);
    }
  });
}

TEST_CASE("chan: a closed one gives what it has, then nothing") {
  on_processors([] {
    for (const int capacity : capacities) {
      auto ch = rove::make_chan<int>(capacity);
      for (int i = 0; i < capacity; ++i) ch.send(i);
      ch.close();
      for (int i = 0; i < capacity; ++i) CHECK(ch.recv() == i);
      CHECK(ch.recv() == std::nullopt);
      const auto r = ch.try_recv();
      CHECK_FALSE(r.value);
      CHECK(r.closed);
    }
  });
}

TEST_CASE("chan: close wakes a receiver that waits") {
  on_processors([] {
    for (const int capacity : capacities) {
      auto ch = rove::make_chan<int>(capacity);
      auto done = rove::make_chan<bool>(1);
      go_parked([=] { done.send(ch.recv() == std::nullopt); });
      CHECK(done.len() == 0);
      ch.close();
      CHECK(done.recv() == true);
    }
  });
}

TEST_CASE("chan: values arrive whole and in order") {
  on_processors([] {
    for (const int capacity : capacities) {
      auto ch = rove::make_chan<int>(capacity);
      rove::go([ch] {
        for (int i = 0; i < 100; ++i) ch.send(i);
      });
      int wrong = 0;
      for (int i = 0; i < 100; ++i) wrong += ch.recv() != i;
      CHECK(wrong == 0);
      rove::go([ch] {
        for (int i = 0; i < 100; ++i) ch.send(i);
      });
      for (int i = 0; i < 100; ++i) {
        auto r = ch.try_recv();
        for (; !r.value && !r.closed; r = ch.try_recv()) rove::yield();
        wrong += r.closed || r.value != i;
      }
      CHECK(wrong == 0);
    }
  });
}

TEST_CASE("chan: four senders and four receivers, each value as often as it was sent") {
  on_processors([] {
    for (const int capacity : capacities) {
      const int n = 50 * load;
      const auto seen = crowd(rove::make_chan<int>(capacity), n);
      CHECK(seen.size() == static_cast<std::size_t>(n));
      int wrong = 0;
      for (const auto& [value, times] : seen) wrong += times != 4;
      CHECK(wrong == 0);
    }
  });
}

TEST_CASE("chan: len and cap") {
  on_processors([] {
    for (const int capacity : capacities) {
      const auto n = static_cast<std::size_t>(capacity);
      auto ch = rove::make_chan<int>(capacity);
      CHECK(ch.len() == 0);
      CHECK(ch.cap() == n);
      for (std::size_t i = 0; i < n; ++i) {
        CHECK(ch.len() == i);
        ch.send(0);
      }
      CHECK(ch.len() == n);
      CHECK(ch.cap() == n);
    }
    auto ten = rove::make_chan<int>(10);
    for (int i = 0; i < 3; ++i) ten.send(i);
    CHECK(ten.len() == 3);
    CHECK(ten.cap() == 10);
  });
}

TEST_CASE("chan: an impossible size panics") {
  const std::string text = "makechan: size out of range";
  CHECK(panic_of([] { rove::make_chan<int>(-1); }) == text);
  CHECK(panic_of([] { rove::make_chan<int>(PTRDIFF_MIN); }) == text);
  CHECK(panic_of([] { rove::make_chan<int>(std::ptrdiff_t{1} << 59); }) == text);  // more memory than there can be
  CHECK(panic_of([] { rove::make_chan<int>(PTRDIFF_MAX); }) == text);              // the product overflows
}

TEST_CASE("chan: a value or the close, a try finds one of them") {
  on_processors([] {
    for (int i = 0; i < 100 * load; ++i) {
      auto ch = rove::make_chan<int>(1);
      ch.send(1);
      auto other = rove::spawn([ch] {
        const auto r = ch.try_recv();
        return r.value.has_value() || r.closed;
      });
      ch.close();
      ch.recv();
      if (!other.get()) FAIL("neither a value nor the end");
    }
  });
}

TEST_CASE("chan: many consumers between two queues lose nothing") {
  on_processors([] {
    constexpr int workers = 23;
    const std::vector<int> primes{2, 3, 7, 11, 13, 17, 19, 23, 27, 31};
    auto in = rove::make_chan<int>(workers * 3), out = rove::make_chan<int>(workers * 3);
    rove::wait_group wg;
    for (std::size_t w = 0; w < workers; ++w)
      wg.go([&, in, out, odd_one = primes[w % primes.size()]] {
        for (int v : in) {
          if (v == odd_one) rove::yield();
          out.send(v);
        }
      });
    const int n = 500 * load;
    long expected = 0;
    auto feeder = rove::spawn([&] {
      for (int i = 0; i < n; ++i) {
        const int v = primes[static_cast<std::size_t>(i) % primes.size()];
        expected += v;
        in.send(v);
      }
      in.close();
      wg.wait();
      out.close();
    });
    int count = 0;
    long sum = 0;
    for (int v : out) {
      ++count;
      sum += v;
    }
    feeder.get();
    CHECK(count == n);
    CHECK(sum == expected);
  });
}

TEST_CASE("chan: values of any type, tried on a full one") {
  on_processors([] {
    auto value = std::make_shared<int>(5);
    auto ch = rove::make_chan<std::any>(1);
    ch.send(value);
    CHECK_FALSE(ch.try_send(std::any(value)));
    CHECK(value.use_count() == 2);
    CHECK(*std::any_cast<std::shared_ptr<int>>(*ch.recv()) == 5);
    CHECK(value.use_count() == 1);
  });
}

TEST_CASE("chan: what is sent lives on after its sender has ended") {
  on_processors([] {
    counted::alive = 0;
    int wrong = 0;
    rove::wait_group wg;
    for (int i = 0; i < 10 * load; ++i) {
      auto ch = rove::make_chan<std::unique_ptr<counted>>();
      wg.go([ch, i] { ch.send(std::make_unique<counted>(i)); });
      const auto p = ch.recv();
      rove::yield();
      wrong += !p || (*p)->value != i;
    }
    wg.wait();
    CHECK(wrong == 0);
    CHECK(counted::alive == 0);
  });
}

TEST_CASE("chan: senders and receivers that use much stack in between") {
  on_processors([] {
    auto ch = rove::make_chan<int>();
    auto done = rove::make_chan<int>();
    for (int round = 0; round < 20; ++round) {
      rove::go([=] {
        int sum = 0;
        for (int i = 0; i < 10; ++i) {
          ch.send(i);
          sum += deep(40);
        }
        done.send(sum);
      });
      for (int i = 0; i < 10; ++i) {
        CHECK(ch.recv() == i);
        if (i % 3 == 0) rove::sleep_for(10us);
      }
      CHECK(done.recv() == 10 * deep(40));
    }
  });
}

TEST_CASE("chan: a buffer gives in the order of sending, waiting receivers take in theirs") {
  on_processors([] {
    auto buffered = rove::make_chan<int>(10);
    for (int i = 0; i < 10; ++i) buffered.send(i);
    for (int i = 0; i < 10; ++i) CHECK(buffered.recv() == i);

    // A chain: each receives from `ch` only when the one before it has done so.
    auto ch = rove::make_chan<int>();
    verdict v;
    const auto first = rove::make_chan<int>();
    auto in = first;
    for (int i = 0; i < 10; ++i) {
      auto out = rove::make_chan<int>();
      go_parked([&v, ch, in, out, i] {
        in.recv();
        v.expect(ch.recv() == i);
        out.send(1);
      });
      in = out;
    }
    first.send(0);
    for (int i = 0; i < 10; ++i) ch.send(i);
    in.recv();
    CHECK(v.wrong() == 0);
  });
}

TEST_CASE("chan: a chain of thousands of goroutines passes one value through") {
  on_processors([] {
    const auto leftmost = rove::make_chan<int>();
    auto left = leftmost;
    for (int i = 0; i < 300 * load; ++i) {
      auto right = rove::make_chan<int>();
      rove::go([left, right] { left.send(*right.recv() + 1); });
      left = right;
    }
    rove::go([left] { left.send(0); });
    CHECK(leftmost.recv() == 300 * load);
  });
}
