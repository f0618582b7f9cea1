// Sends and receives with a time limit: the value is handed over or still there, and limits mean what they say.
#include <memory>
#include <vector>

#include "test/support/fixture.hpp"

using namespace rove_test;
using clock_type = std::chrono::steady_clock;

TEST_CASE("chan timed: nobody comes") {
  on_processors([] {
    rove::chan<int> nil;
    for (const auto& ch : {rove::make_chan<int>(), nil}) {
      const auto start = clock_type::now();
      CHECK_FALSE(ch.send_for(1, 2ms));
      const auto r = ch.recv_for(2ms);
      CHECK_FALSE(r.value);
      CHECK_FALSE(r.closed);
      CHECK_FALSE(ch.send_until(1, clock_type::now() + 2ms));
      CHECK_FALSE(ch.recv_until(std::chrono::system_clock::now() + 2ms).value);
      CHECK(clock_type::now() - start >= 7ms);
      CHECK_FALSE(ch.send_for(1, 0s));
      CHECK_FALSE(ch.send_for(1, -5s));
      CHECK_FALSE(ch.recv_for(std::chrono::hours::min()).value);
      CHECK_FALSE(ch.recv_until(clock_type::time_point::min()).value);
      CHECK_FALSE(ch.send_until(1, clock_type::time_point{}));
    }
  });
}

TEST_CASE("chan timed: what is there is taken, whatever the limit") {
  on_processors([] {
    auto ch = rove::make_chan<int>(1);
    CHECK(ch.send_for(1, 0s));
    CHECK_FALSE(ch.send_for(2, 1ms));
    CHECK(ch.recv_for(-1s).value == 1);
    const int x = 5;
    CHECK(ch.send_until(x, clock_type::time_point::min()));
    CHECK(ch.recv_until(clock_type::time_point::min()).value == 5);
    ch.close();
    CHECK(ch.recv_for(1h).closed);
    CHECK(ch.recv_until(clock_type::time_point::max()).closed);
    CHECK(panic_of([&] { ch.send_for(1, 1h); }) == "send on closed channel");
    CHECK(panic_of([&] { ch.send_for(1, 0s); }) == "send on closed channel");
  });
}

TEST_CASE("chan timed: somebody comes in time") {
  on_processors([] {
    auto ch = rove::make_chan<int>();
    rove::go([=] {
      for (int i = 0; i < 3; ++i) rove::yield();
      ch.send(3);
      ch.recv();
    });
    CHECK(ch.recv_for(std::chrono::hours::max()).value == 3);
    CHECK(ch.send_until(4, clock_type::time_point::max()));
    auto closes = rove::spawn([=] { return ch.recv_for(24h).closed; });
    auto panics = rove::make_chan<int>(1);
    panics.send(0);
    auto text = rove::spawn([=] { return panic_of([&] { panics.send_for(1, 24h); }); });
    for (int i = 0; i < 5; ++i) rove::yield();
    ch.close();
    panics.close();
    CHECK(closes.get());
    CHECK(text.get() == "send on closed channel");
  });
}

TEST_CASE("chan timed: a value that was not sent is untouched") {
  on_processors([] {
    auto ch = rove::make_chan<std::unique_ptr<int>>();
    auto p = std::make_unique<int>(7);
    CHECK_FALSE(ch.send_for(std::move(p), 1ms));
    REQUIRE(p);
    CHECK_FALSE(ch.send_for(std::move(p), 0s));
    REQUIRE(p);
    auto got = rove::spawn([=] { return **ch.recv(); });
    CHECK(ch.send_for(std::move(p), 1h));
    CHECK_FALSE(p);
    CHECK(got.get() == 7);
  });
}

TEST_CASE("chan timed: on a plain thread, and inside blocking") {
  auto ch = rove::make_chan<int>();
  CHECK_FALSE(ch.send_for(1, 2ms));
  CHECK_FALSE(ch.recv_for(2ms).value);
  std::thread t([=] { ch.send(9); });
  CHECK(ch.recv_for(1h).value == 9);
  t.join();
  on_processors([=] {
    rove::blocking([=] {
      CHECK_FALSE(ch.recv_for(1ms).value);
      CHECK(rove::select(ch.on_recv(), rove::on_timeout(1ms)) == 1);
    });
  });
}

// Senders and receivers with limits that end in the middle of it: each value arrives once or is still with its sender.
TEST_CASE("chan timed: a limit against a value that comes") {
  on_processors([] {
    for (const int capacity : {0, 1}) {
      auto ch = rove::make_chan<counted>(capacity);
      counted::alive = 0;
      std::atomic<int> sent{0}, kept{0}, received{0}, strange{0};
      rove::wait_group senders, receivers;
      const int each = 60 * load;
      for (int s = 0; s < 3; ++s) {
        senders.go([&, s] {
          dice d(static_cast<std::uint64_t>(s));
          for (int i = 0; i < each; ++i) {
            counted c(i);
            const bool done = ch.send_for(std::move(c), std::chrono::microseconds(d.below(40)));
            ++(done ? sent : kept);
            strange += !done && c.value != i;
          }
        });
        receivers.go([&, s] {
          dice d(static_cast<std::uint64_t>(100 + s));
          for (;;) {
            const auto r = ch.recv_for(std::chrono::microseconds(d.below(40)));
            received += r.value.has_value();
            if (r.closed) return;
          }
        });
      }
      senders.wait();
      ch.close();
      receivers.wait();
      CHECK(sent + kept == 3 * each);
      CHECK(sent == received);
      CHECK(strange == 0);
      CHECK(counted::alive == 0);
    }
  });
}
