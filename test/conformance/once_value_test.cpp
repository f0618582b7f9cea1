// What Go's tests say of OnceFunc, OnceValue and OnceValues, for once_value.
#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "test/support/allocations.hpp"
#include "test/conformance/support.hpp"

using namespace rove_test;

TEST_CASE("once_value: one call, its value for ever, nothing allocated for it") {
  on_processors([] {
    int calls = 0;
    auto f = rove::once_value([&] { return ++calls; });
    CHECK(calls == 0);
    CHECK(f() == 1);
    int sum = 0;
    CHECK(allocations_of([&] { sum += f(); }) == 0);
    CHECK(sum >= 1);
    CHECK(calls == 1);
    CHECK(allocations_of([&] { rove::once_value([&] { return ++calls; }); }) <= 2);
    CHECK(calls == 1);
    CHECK(rove::once_value([&] { return ++calls; })() == 2);
  });
}

TEST_CASE("once_value: nothing, and two values") {
  on_processors([] {
    int calls = 0;
    auto nothing = rove::once_value([&] { ++calls; });
    nothing();
    nothing();
    CHECK(calls == 1);
    auto two = rove::once_value([&] {
      ++calls;
      return std::pair(calls, calls + 10);
    });
    two();
    const auto [a, b] = two();
    CHECK(a == 2);
    CHECK(b == 12);
    CHECK(calls == 2);
  });
}

TEST_CASE("once_value: what it threw is thrown each time, the call is not repeated") {
  on_processors([] {
    int calls = 0;
    auto f = rove::once_value([&]() -> int {
      ++calls;
      throw std::runtime_error("x");
    });
    for (int i = 0; i < 2; ++i) {
      std::string text;
      try {
        f();
      } catch (const std::runtime_error& e) {
        text = e.what();
      }
      CHECK(text == "x");
    }
    CHECK(calls == 1);
    auto odd = rove::once_value([&] { throw 42; });
    CHECK_THROWS_AS(odd(), int);
    CHECK_THROWS_AS(odd(), int);
  });
}

TEST_CASE("once_value: what the function held is let go after its call") {
  on_processors([] {
    for (const bool throws : {false, true}) {
      auto held = std::make_shared<int>(5);
      const std::weak_ptr<int> watch = held;
      auto f = rove::once_value([throws, held = std::move(held)] {
        if (throws) throw std::runtime_error("x");
        return *held;
      });
      CHECK_FALSE(watch.expired());
      for (int i = 0; i < 2; ++i) {
        if (throws)
          CHECK_THROWS_AS(f(), std::runtime_error);
        else
          CHECK(f() == 5);
        CHECK(watch.expired());
      }
    }
  });
}

TEST_CASE("once_value: a call that ends its goroutine has no value, the next one makes it") {
  on_processors([] {
    int calls = 0;
    auto f = rove::once_value([&] {
      if (++calls == 1) rove::goexit();
      return calls;
    });
    rove::spawn([&] { f(); }).wait();
    CHECK(f() == 2);
    CHECK(f() == 2);
  });
}

TEST_CASE("once_value: many call it at the same time") {
  on_processors([] {
    for (int round = 0; round < 10 * load; ++round) {
      int calls = 0;
      auto f = rove::once_value([&] {
        rove::yield();
        return std::string("made once, call ") + std::to_string(++calls);
      });
      verdict v;
      rove::wait_group wg;
      for (int g = 0; g < 5; ++g) wg.go([&] { v.expect(f() == "made once, call 1"); });
      wg.wait();
      CHECK(v.wrong() == 0);
    }
  });
}
