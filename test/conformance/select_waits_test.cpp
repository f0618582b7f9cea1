// What Go's tests say of select: which ones wait and which do not; every shape of a select with one case that is ready.
#include <algorithm>
#include <atomic>
#include <ctime>
#include <string>
#include <tuple>
#include <vector>

#include "test/support/allocations.hpp"
#include "test/conformance/support.hpp"

using namespace rove_test;

namespace {

using ints = rove::chan<int>;

// Whether the call waits is seen in its goroutine's state; it is ended with its runtime.
template <class F>
void check_waits(F f) {
  on_ending_runtimes([&](rove::runtime&) {
    std::atomic<bool> came_back{false};
    go_parked([&] {
      f();
      came_back = true;
    });
    let_others_run();
    CHECK_FALSE(came_back);
  });
}

// The call comes back, and the runtime's only goroutine was never parked.
template <class F>
void check_does_not_wait(F f) {
  rove::runtime rt(with_procs(1));
  rt.run([&] {
    const std::uint64_t before = rt.stats().parks;
    f();
    CHECK(rt.stats().parks == before);
  });
}

constexpr auto unreachable = [] { FAIL("a case that cannot be ready was taken"); };

// A select in each shape: the case that is ready, and in front of it and behind it any of: a default, a send and a
// receive on a channel with nobody at the other end, and the same on a nil channel.
template <unsigned Shape, class Ready>
void in_shape(Ready& ready, const ints& nobody) {
  const auto chosen = [&] {
    const auto maybe = []<bool Yes>(std::bool_constant<Yes>, auto make) {
      if constexpr (Yes)
        return std::tuple(make());
      else
        return std::tuple();
    };
    const auto has = []<unsigned Bit>(std::integral_constant<unsigned, Bit>) {
      return std::bool_constant<(Shape >> Bit & 1) != 0>();
    };
    using std::integral_constant;
    return std::tuple_cat(
        maybe(has(integral_constant<unsigned, 0>()), [] { return rove::otherwise(unreachable); }),
        maybe(has(integral_constant<unsigned, 2>()), [&] { return nobody.on_send(1, unreachable); }),
        std::tuple<Ready&>(ready),
        maybe(has(integral_constant<unsigned, 3>()), [&] { return nobody.on_recv(unreachable); }),
        maybe(has(integral_constant<unsigned, 4>()), [] { return ints().on_send(1, unreachable); }),
        maybe(has(integral_constant<unsigned, 5>()), [] { return ints().on_recv(unreachable); }),
        maybe(std::bool_constant<(Shape & 3) == 2>(), [] { return rove::otherwise(unreachable); }));
  };
  const std::size_t index = (Shape & 1) + (Shape >> 2 & 1);
  CHECK(std::apply([](auto&&... cases) { return rove::select(std::forward<decltype(cases)>(cases)...); }, chosen()) ==
        index);
}

template <class Try>
void in_every_shape(Try attempt) {
  [&]<unsigned... Shape>(std::integer_sequence<unsigned, Shape...>) {
    (attempt(std::integral_constant<unsigned, Shape>()), ...);
  }(std::make_integer_sequence<unsigned, 64>());
}

}  // namespace

TEST_CASE("select: no case, nil channels, nobody at the other end: it waits") {
  check_waits([] { rove::select(); });
  check_waits([] { rove::select(ints().on_recv(unreachable)); });
  check_waits([] { rove::select(ints().on_send(7, unreachable)); });
  check_waits([] { rove::select(ints().on_recv(unreachable), ints().on_send(7, unreachable)); });
  check_waits([] { rove::select(rove::make_chan<int>().on_recv(unreachable)); });
  check_waits([] { rove::make_chan<int>().recv(); });
  check_waits([] {  // itself is nobody
    auto ch = rove::make_chan<int>();
    rove::select(ch.on_send(1, unreachable), ch.on_recv(unreachable));
  });
}

TEST_CASE("select: with a default, or something ready: it does not wait") {
  check_does_not_wait([] { CHECK(rove::select(rove::otherwise()) == 0); });
  check_does_not_wait([] { CHECK(rove::select(ints().on_recv(unreachable), rove::otherwise()) == 1); });
  check_does_not_wait([] { CHECK(rove::select(ints().on_send(7, unreachable), rove::otherwise()) == 1); });
  check_does_not_wait([] {
    auto ch = rove::make_chan<int>(1);
    CHECK(rove::select(ch.on_recv(unreachable), rove::otherwise()) == 1);
    CHECK(rove::select(ch.on_send(7), rove::otherwise(unreachable)) == 0);
    CHECK(rove::select(ch.on_send(8, unreachable), rove::otherwise()) == 1);
    CHECK(rove::select(ch.on_recv([](std::optional<int> v) { CHECK(v == 7); }), rove::otherwise(unreachable)) == 0);
  });
}

TEST_CASE("select: a closed channel's receive is ready, its send panics") {
  auto ch = rove::make_chan<int>();
  ch.close();
  check_does_not_wait([&] { CHECK(rove::select(ch.on_recv()) == 0); });
  check_does_not_wait([&] { CHECK(rove::select(ch.on_recv([](std::optional<int> v) { CHECK_FALSE(v); })) == 0); });
  check_does_not_wait([&] {
    auto other = rove::make_chan<int>();
    CHECK(rove::select(other.on_recv(unreachable), ch.on_recv()) == 1);
    CHECK(rove::select(ch.on_recv(), rove::otherwise(unreachable)) == 0);
    CHECK(panic_of([&] { rove::select(ch.on_send(7)); }) == "send on closed channel");
    CHECK(panic_of([&] { rove::select(other.on_recv(), ch.on_send(7)); }) == "send on closed channel");
    CHECK(panic_of([&] { rove::select(ch.on_send(7), rove::otherwise()); }) == "send on closed channel");
    CHECK_FALSE(ch.recv());
  });
}

TEST_CASE("select: closed while it waits: the receive is taken, the send panics") {
  on_processors([] {
    auto other = rove::make_chan<int>(), receiving = rove::make_chan<int>(), sending = rove::make_chan<int>();
    auto results = rove::make_chan<std::string>(1);
    go_parked([=] {
      rove::select(other.on_recv(),
                   receiving.on_recv([&](std::optional<int> v) { results.send(v ? "a value" : "closed"); }));
    });
    receiving.close();
    CHECK(results.recv() == "closed");
    go_parked([=] { results.send(panic_of([&] { rove::select(other.on_recv(), sending.on_send(1)); })); });
    sending.close();
    CHECK(results.recv() == "send on closed channel");
  });
}

TEST_CASE("select: a receive that is ready, in every shape") {
  on_processors([] {
    auto ch = rove::make_chan<int>(1), nobody = rove::make_chan<int>();
    int n = 0;
    in_every_shape([&](auto shape) {
      ch.send(++n);
      int x = 0;
      auto ready = ch.on_recv([&](std::optional<int> v) { x = *v; });
      in_shape<shape.value>(ready, nobody);
      CHECK(x == n);
    });
  });
}

TEST_CASE("select: a send that is ready, in every shape") {
  on_processors([] {
    auto ch = rove::make_chan<int>(1), nobody = rove::make_chan<int>();
    int n = 0;
    in_every_shape([&](auto shape) {
      auto ready = ch.on_send(++n);
      in_shape<shape.value>(ready, nobody);
      CHECK(ch.recv() == n);
    });
  });
}

TEST_CASE("select: a set known at run time, in every order") {
  on_processors([] {
    auto in = rove::make_chan<int>(1), out = rove::make_chan<int>(1), nobody = rove::make_chan<int>();
    std::vector<int> order{0, 1, 2, 3, 4};
    int n = 0;
    do {
      for (const bool receives : {false, true}) {
        int received = 0;
        std::size_t ready = 99;
        rove::selector s;
        for (const int kind : order) {
          std::size_t i = 0;
          switch (kind) {
            case 0: i = s.add(nobody.on_send(1, unreachable)); break;
            case 1: i = s.add(nobody.on_recv(unreachable)); break;
            case 2: i = s.add(ints().on_send(1, unreachable)); break;
            case 3: i = s.add(ints().on_recv(unreachable)); break;
            default:
              i = receives ? s.add(in.on_recv([&](std::optional<int> v) { received = *v; })) : s.add(out.on_send(n));
              ready = i;
          }
        }
        if (receives) in.send(n);
        if (s.select() != ready) FAIL("the wrong case");
        if (!receives) received = *out.recv();
        if (received != n++) FAIL("the wrong value");
      }
    } while (std::next_permutation(order.begin(), order.end()));
    CHECK(n == 240);
  });
}

TEST_CASE("select: many selects that wait do not cost memory") {
  rove::runtime rt(with_procs(2));
  rt.run([] {
    auto ch = rove::make_chan<int>(), dummy = rove::make_chan<int>();
    const auto exchange = [&](int n) {
      auto sender = rove::spawn([=] {
        for (int i = 0; i < n; ++i) ch.send(1);
      });
      for (int i = 0; i < n; ++i)
        if (rove::select(ch.on_recv(), dummy.on_recv()) != 0) FAIL("nobody sends there");
      sender.get();
    };
    exchange(100);
    const long before = allocations;
    exchange(200 * load);
    CHECK(allocations - before < 20 * load);  // not one a select; a thread of the library that starts takes some
  });
}

TEST_CASE("select: leaving a long queue does not take long") {
  // n goroutines queue on one channel and leave it again when their own is sent to. Time of the processor, not of the
  // clock; what grows with the square of n would take sixteen times as long.
  const auto cost = [](int n) {
    rove::runtime rt(with_procs(1));
    const std::clock_t start = std::clock();
    rt.run([n] {
      const auto common = rove::make_chan<bool>();
      std::vector<rove::chan<bool>> own;
      for (int i = 0; i < n; ++i) {
        own.push_back(rove::make_chan<bool>());
        rove::go([common, mine = own.back()] {
          for (int k = 0; k < 5; ++k) rove::select(common.on_recv(), mine.on_recv());
        });
      }
      for (int k = 0; k < 5; ++k)
        for (const auto& ch : own) ch.send(true);
      eventually([] { return rove::num_goroutines() == 1; });
    });
    return static_cast<double>(std::clock() - start);
  };
  const int n = 200 * load;
  double ratio = 0;
  for (int attempt = 0; attempt < 5 && (attempt == 0 || ratio > 10); ++attempt) {
    const double small = cost(n);
    ratio = cost(4 * n) / std::max(small, 1.0);
  }
  CHECK(ratio <= 10);
}
