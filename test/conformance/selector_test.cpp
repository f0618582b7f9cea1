// What Go's tests say of reflect.Select, for selector: every set of cases of every kind, and very many cases.
#include <algorithm>
#include <string>
#include <vector>

#include "test/conformance/support.hpp"

using namespace rove_test;

namespace {

using ints = rove::chan<int>;

enum kind : unsigned {
  ready_send, ready_recv,    // there is room, there is a value
  helped_send, helped_recv,  // somebody comes to the other end while the select waits
  lone_send, lone_recv,      // nobody does
  nil_send, nil_recv,
  closed_send, closed_recv,  // panics, gives nothing
  by_default,
  kinds
};

bool in(unsigned set, kind k) { return set >> k & 1; }
constexpr unsigned bits(auto... k) { return (0u | ... | (1u << k)); }

constexpr unsigned at_once = bits(ready_send, ready_recv, closed_send, closed_recv);
constexpr unsigned sending = bits(ready_send, helped_send, lone_send, nil_send, closed_send);

// One select over the kinds of `set`; what came out must be what could.
void select_among(unsigned set) {
  std::vector<ints> channels(kinds);
  std::vector<std::size_t> index(kinds, 999);
  std::optional<int> received;
  bool handled = false;
  rove::selector s;
  rove::wait_group helpers;
  for (unsigned i = 0; i < kinds; ++i) {
    const auto k = static_cast<kind>(i);
    if (!in(set, k)) continue;
    if (k == by_default) {
      index[k] = s.add(rove::otherwise([&] { handled = true; }));
      continue;
    }
    ints ch;
    if (k != nil_send && k != nil_recv) ch = rove::make_chan<int>(k == ready_send || k == ready_recv ? 1 : 0);
    if (k == ready_recv) ch.send(static_cast<int>(k));
    if (k == closed_send || k == closed_recv) ch.close();
    channels[k] = ch;
    if (sending >> k & 1)
      index[k] = s.add(ch.on_send(static_cast<int>(k), [&] { handled = true; }));
    else
      index[k] = s.add(ch.on_recv([&](std::optional<int> v) {
        received = v;
        handled = true;
      }));
  }
  unsigned possible = set & at_once;
  if (possible == 0 && in(set, by_default)) possible = bits(by_default);
  if (possible == 0) {
    const bool helps_send = in(set, helped_send);
    const kind helped = helps_send ? helped_send : helped_recv;
    possible = bits(helped);
    helpers.go([ch = channels[helped], helps_send] {
      for (int i = 0; i < 3; ++i) rove::yield();
      if (helps_send)
        ch.recv();
      else
        ch.send(helped_recv);
    });
  }
  std::size_t taken = 999;
  const std::string text = panic_of([&] { taken = s.select(); });
  helpers.wait();
  if (!text.empty()) {
    if (text != "send on closed channel" || !in(possible, closed_send) || handled) FAIL("a panic: " << text);
    return;
  }
  const auto k = static_cast<unsigned>(std::find(index.begin(), index.end(), taken) - index.begin());
  if (k >= kinds || !in(possible, static_cast<kind>(k))) FAIL("set " << set << ": case " << taken << " was taken");
  if (k == closed_send || !handled) FAIL("no handler, or a send on a closed channel");
  if (k == ready_recv || k == helped_recv) {
    if (received != static_cast<int>(k)) FAIL("the wrong value");
  } else if (received) {
    FAIL("a value out of nowhere");
  }
  if (k == ready_send && channels[k].recv() != static_cast<int>(k)) FAIL("what was sent is not there");
}

}  // namespace

TEST_CASE("selector: every set of cases of every kind that can come to an end") {
  on_processors([] {
    constexpr unsigned ends = at_once | bits(by_default, helped_send, helped_recv);
    int n = 0;
    for (unsigned set = 1; set < 1u << kinds; set += load == 10 ? 1 : 7) {
      if ((set & ends) == 0) continue;
      select_among(set);
      ++n;
    }
    CHECK(n > 200);
  });
}

TEST_CASE("selector: sixty-five thousand cases, the last one is ready") {
  on_processors([] {
    constexpr std::size_t n = 65'536;
    auto nobody = rove::make_chan<int>(), ready = rove::make_chan<int>(1);
    rove::selector s;
    for (std::size_t i = 0; i < n - 1; ++i) s.add((i % 2 ? nobody : ints()).on_recv());
    s.add(ready.on_recv());
    CHECK(panic_of([&] { s.add(nobody.on_recv()); }) == "rove: selector has too many cases (max 65536)");
    ready.send(1);
    CHECK(s.select() == n - 1);
    std::atomic<std::size_t> taken{0};
    go_parked([&] { taken = s.select(); });
    ready.send(2);
    eventually([&] { return taken == n - 1; });
  });
}

TEST_CASE("selector: nothing but a default does not wait, nothing at all does") {
  on_ending_runtimes([](rove::runtime&) {
    rove::selector s;
    s.add(rove::otherwise());
    CHECK(s.select() == 0);
    s.clear();
    std::atomic<bool> came_back{false};
    go_parked([&] {
      rove::selector().select();
      came_back = true;
    });
    let_others_run();
    CHECK_FALSE(came_back);
  });
}
