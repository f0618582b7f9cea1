// selector: a set of cases known at run time; and what the language checks of select.
#include <memory>
#include <string>
#include <vector>

#include "test/support/fixture.hpp"

using namespace rove_test;

TEST_CASE("selector: waits for the first of its cases, again and again") {
  on_processors([] {
    std::vector<rove::chan<int>> channels;
    rove::selector set;
    std::vector<int> got(10, 0);
    for (std::size_t i = 0; i < 10; ++i) {
      channels.push_back(rove::make_chan<int>(i % 3));
      CHECK(set.add(channels[i].on_recv([&got, i](std::optional<int> v) { got[i] += *v; })) == i);
    }
    CHECK(set.size() == 10);
    rove::go([channels] {
      for (int round = 1; round <= 20; ++round)
        for (const auto& c : channels) c.send(round);
    });
    std::vector<int> taken(10, 0);
    for (int i = 0; i < 200; ++i) ++taken[set.select()];
    CHECK(taken == std::vector<int>(10, 20));
    CHECK(got == std::vector<int>(10, 210));
  });
}

TEST_CASE("selector: keeps channels alive, and what it sends") {
  on_processors([] {
    rove::selector set;
    rove::recv_chan<std::string> out;
    {
      auto ch = rove::make_chan<std::string>();
      out = ch;
      set.add(ch.on_send(std::string(100, 'x')));  // a copy each time
      set.add(rove::make_chan<int>().on_recv());
    }
    auto reader = rove::spawn([out] {
      std::size_t n = 0;
      for (int i = 0; i < 3; ++i) n += out.recv()->size();
      return n;
    });
    for (int i = 0; i < 3; ++i) CHECK(set.select() == 0);
    CHECK(reader.get() == 300);

    rove::selector once;
    auto moved = rove::make_chan<std::unique_ptr<int>>(5);
    int ran = 0;
    CHECK(once.add(moved.on_send(std::make_unique<int>(3), [&] { ++ran; })) == 0);
    CHECK(once.add(rove::otherwise()) == 1);
    CHECK(once.select() == 0);
    CHECK(once.select() == 1);
    CHECK(moved.len() == 1);
    CHECK(**moved.recv() == 3);
    CHECK(ran == 1);

    auto numbers = rove::make_chan<int>(3);
    auto k = numbers.on_send(8);
    rove::selector copies;
    copies.add(k);
    for (int i = 0; i < 3; ++i) CHECK(copies.select() == 0);
    for (int i = 0; i < 3; ++i) CHECK(numbers.recv() == 8);
  });
}

TEST_CASE("selector: otherwise, time limits, panics, nothing") {
  on_processors([] {
    auto ch = rove::make_chan<int>();
    rove::selector set;
    int ran = 0;
    set.add(ch.on_recv());
    CHECK(set.add(rove::on_timeout(1ms, [&] { ++ran; })) == 1);
    CHECK(panic_of([&] { set.add(rove::on_timeout(1ms)); }) == "rove: selector has a timeout");
    CHECK(set.select() == 1);
    CHECK(set.select() == 1);
    CHECK(ran == 2);
    CHECK(set.add(rove::otherwise([&] { ran += 10; })) == 2);
    CHECK(panic_of([&] { set.add(rove::otherwise()); }) == "rove: selector has a default case");
    CHECK(set.size() == 3);
    CHECK(set.select() == 2);
    CHECK(ran == 12);
    set.clear();
    CHECK(set.size() == 0);
    CHECK(set.add(ch.on_send(1)) == 0);
    rove::go([ch] { ch.recv(); });
    CHECK(set.select() == 0);
    ch.close();
    CHECK(panic_of([&] { set.select(); }) == "send on closed channel");
    set.clear();
    bool closed = false;
    set.add(ch.on_recv([&](std::optional<int> v) { closed = !v; }));
    set.add(rove::otherwise());
    CHECK(set.select() == 0);
    CHECK(closed);
  });
}

TEST_CASE("selector: a handler may change the set") {
  on_processors([] {
    auto a = rove::make_chan<std::string>(1);
    auto b = rove::make_chan<std::array<char, 500>>(1);
    rove::selector set;
    std::string got;
    set.add(a.on_recv([&](std::optional<std::string> s) {
      set.clear();
      set.add(b.on_recv());
      set.add(rove::otherwise());
      CHECK(set.select() == 1);
      got = *s;
    }));
    a.send("a string too long for the small buffer");
    CHECK(set.select() == 0);
    CHECK(got.size() > 20);
    CHECK(set.size() == 2);
  });
}

TEST_CASE("selector: as many cases as it takes") {
  on_processors([] {
    constexpr std::size_t n = rove::selector::max_cases;
    auto quiet = rove::make_chan<int>(), last = rove::make_chan<int>();
    rove::selector set;
    for (std::size_t i = 0; i + 1 < n; ++i) set.add(quiet.on_recv());
    CHECK(set.add(last.on_recv()) == n - 1);
    CHECK(panic_of([&] { set.add(quiet.on_recv()); }) == "rove: selector has too many cases (max 65536)");
    rove::go([=] { last.send(1); });
    CHECK(set.select() == n - 1);
    CHECK_FALSE(quiet.try_send(1));
    rove::go([=] { quiet.send(1); });
    CHECK(set.select() < n - 1);
  });
}

namespace {

template <class... Cases>
concept selectable = requires(Cases&... c) { rove::select(c...); };

using receive = decltype(rove::make_chan<int>().on_recv());
static_assert(selectable<receive, receive>);
static_assert(!selectable<int>);
static_assert(!selectable<receive, rove::chan<int>>);

using other = decltype(rove::otherwise());
using limit = decltype(rove::on_timeout(1s));
using moment = decltype(rove::on_timeout(std::chrono::steady_clock::now()));
static_assert(selectable<other, limit, receive>);
static_assert(!selectable<other, other>);
static_assert(!selectable<other, receive, const other>);
static_assert(!selectable<limit, receive, limit>);
static_assert(!selectable<limit, moment>);

}  // namespace
