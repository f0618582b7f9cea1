// The code shown in docs/TESTING.md. It writes to stderr, where the lines about failed seeds go.
#include <chrono>
#include <cstdio>
#include <mutex>
#include <optional>
#include <stdexcept>

#include <rove/rove.hpp>
#include <rove/test.hpp>

using namespace std::chrono_literals;

namespace {

class account {
 public:
  bool withdraw(int amount) {
    if (balance() < amount) return false;      // looks,
    const std::unique_lock l(m_);              // and takes later: somebody else may have taken meanwhile
    balance_ -= amount;
    return true;
  }
  int balance() {
    const std::unique_lock l(m_);
    return balance_;
  }

 private:
  rove::mutex m_;
  int balance_ = 100;
};

void two_customers() {
  account a;
  rove::wait_group wg;
  for (int i = 0; i < 2; ++i) wg.go([&] { a.withdraw(80); });
  wg.wait();
  if (a.balance() < 0) throw std::runtime_error("overdrawn");
}

void find_the_race() {
  try {
    rove::test::explore(100, two_customers);
    std::fprintf(stderr, "nothing found\n");
  } catch (const std::runtime_error& e) {
    std::fprintf(stderr, "found: %s\n", e.what());
  }
}

// The answer of `ask`, or nothing after a second.
std::optional<int> ask_for_a_second(int (*ask)()) {
  auto answer = rove::make_chan<int>();
  rove::go([=] { answer.send(ask()); });
  std::optional<int> got;
  rove::select(answer.on_recv([&](std::optional<int> a) { got = a; }), rove::on_timeout(1s));
  return got;
}

void find_the_leak() {
  try {
    rove::test::run(1, [] {
      ask_for_a_second([] {
        rove::sleep_for(2s);                   // who answers too late waits for ever: nobody receives any more
        return 42;
      });
      rove::sleep_for(10s);
    });
  } catch (const rove::test::failure& f) {
    std::fprintf(stderr, "%s", f.what());
  }
}

void test_the_clock() {
  rove::test::run(1, [] {
    const rove::time_point start = rove::now();
    auto [ctx, cancel] = rove::with_timeout(rove::background(), 1h);
    int called = 0;
    rove::after_func(ctx, [&] { ++called; });
    rove::sleep_for(1h - 1ns);
    rove::test::wait();                        // the others have done what they can do by now
    std::fprintf(stderr, "before: %d\n", called);
    rove::sleep_for(1ns);
    rove::test::wait();
    std::fprintf(stderr, "then: %d, %lld s\n", called, static_cast<long long>((rove::now() - start) / 1s));
    cancel();
  });
}

}  // namespace

int main() {
  find_the_race();
  find_the_leak();
  test_the_clock();
}
