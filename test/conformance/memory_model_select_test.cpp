// What happens before what when channels are used through select: the same orders as without.
#include <array>
#include <memory>
#include <variant>
#include <vector>

#include "test/conformance/memory_model.hpp"

using namespace rove_test;

namespace {

template <int Capacity>
struct with_chans {
  rove::chan<int> ch = rove::make_chan<int>(Capacity), never = rove::make_chan<int>();
  int x = 0;
};

constexpr auto sends = [](auto& s) { s.ch.send(1); };
constexpr auto receives = [](auto& s) { s.ch.recv(); };
constexpr auto closes = [](auto& s) { s.ch.close(); };
constexpr auto selects_send = [](auto& s) { rove::select(s.never.on_recv(), s.ch.on_send(1)); };
constexpr auto selects_recv = [](auto& s) { rove::select(s.ch.on_recv(), s.never.on_send(1)); };
constexpr auto selects_one = [](auto& s) { rove::select(s.ch.on_recv()); };
constexpr auto polls = [](auto& s) {
  while (rove::select(s.ch.on_recv(), s.never.on_recv(), rove::otherwise()) == 2) rove::yield();
};
constexpr auto selects_with_limit = [](auto& s) {
  while (rove::select(s.ch.on_recv(), rove::on_timeout(std::chrono::microseconds(50))) == 1) {
  }
};
constexpr auto uses_selector = [](auto& s) {
  rove::selector set;
  set.add(s.never.on_recv());
  const std::size_t mine = set.add(s.ch.on_recv());
  while (set.select() != mine) {
  }
};

}  // namespace

TEST_CASE("memory model: select, a send comes before its receive returns") {
  ordered<with_chans<0>>(selects_send, selects_recv);
  ordered<with_chans<0>>(selects_send, receives);
  ordered<with_chans<0>>(sends, selects_recv);
  ordered<with_chans<0>>(sends, selects_one);
  ordered<with_chans<10>>(selects_send, receives);
  ordered<with_chans<10>>(selects_send, selects_recv);
  ordered<with_chans<0>>(sends, polls);
  ordered<with_chans<1>>(selects_send, polls);
  ordered<with_chans<0>>(selects_send, selects_with_limit);
  ordered<with_chans<1>>(sends, uses_selector);
}

TEST_CASE("memory model: select, a receive comes before its unbuffered send returns") {
  ordered<with_chans<0>>(selects_recv, sends);
  ordered<with_chans<0>>(receives, selects_send);
  ordered<with_chans<0>>(selects_recv, selects_send);
  ordered<with_chans<0>>(polls, sends);
  ordered<with_chans<0>>(uses_selector, selects_send);
}

TEST_CASE("memory model: select, a close comes before the receive that sees it") {
  ordered<with_chans<0>>(closes, selects_recv);
  ordered<with_chans<3>>(closes, selects_recv);
  ordered<with_chans<0>>(closes, polls);
  ordered<with_chans<0>>(closes, selects_with_limit);
  ordered<with_chans<0>>(closes, uses_selector);
}

TEST_CASE("memory model: time limits, a send comes before its receive returns, and the other way round") {
  constexpr auto receives_in_time = [](auto& s) {
    while (!s.ch.recv_for(std::chrono::microseconds(200)).value) {
    }
  };
  constexpr auto sends_in_time = [](auto& s) {
    while (!s.ch.send_for(1, std::chrono::microseconds(200))) {
    }
  };
  ordered<with_chans<0>>(sends, receives_in_time);
  ordered<with_chans<1>>(sends_in_time, receives);
  ordered<with_chans<0>>(sends_in_time, receives_in_time);
  ordered<with_chans<0>>(receives_in_time, sends);
  ordered<with_chans<0>>(receives, sends_in_time);
}

TEST_CASE("memory model: select, a buffer of one is a mutex") {
  on_processors([] {
    auto lock = rove::make_chan<std::monostate>(1);
    auto never = rove::make_chan<bool>();
    long guarded = 0;
    rove::wait_group wg;
    for (int g = 0; g < 4; ++g)
      wg.go([&] {
        for (int i = 0; i < 20 * load; ++i) {
          rove::select(lock.on_send(std::monostate()), never.on_recv());
          ++guarded;
          rove::select(lock.on_recv(), never.on_recv());
        }
      });
    wg.wait();
    CHECK(guarded == 80L * load);
  });
}

TEST_CASE("memory model: select, the k-th receive comes before the k+C-th send returns") {
  on_processors([] {
    constexpr std::size_t n = 3;
    auto filled = rove::make_chan<std::size_t>(n);
    auto room = rove::make_chan<std::monostate>(n);
    auto never = rove::make_chan<bool>();
    std::array<long, n> slots{};
    auto reader = rove::spawn([&] {
      long sum = 0;
      for (bool open = true; open;)
        rove::select(never.on_recv(), filled.on_recv([&](std::optional<std::size_t> k) {
          open = k.has_value();
          if (!open) return;
          sum += slots[*k];
          rove::select(room.on_recv(), never.on_recv());
        }));
      return sum;
    });
    long sum = 0;
    for (std::size_t i = 0; i < 100 * load; ++i) {
      rove::select(room.on_send(std::monostate()), never.on_recv());
      slots[i % n] = static_cast<long>(i);
      sum += static_cast<long>(i);
      rove::select(never.on_recv(), filled.on_send(i % n));
    }
    filled.close();
    CHECK(reader.get() == sum);
  });
}

TEST_CASE("memory model: select, the order holds for a sender that had to wait") {
  on_processors([] {
    for (int i = 0; i < rounds / 2; ++i) {
      auto ch = rove::make_chan<int*>(1), never = rove::make_chan<int*>();
      ch.send(nullptr);
      int value = 0;
      go_parked([&, ch, never] {
        value = 42;
        if (i % 2)
          ch.send(&value);
        else
          rove::select(ch.on_send(&value), never.on_recv());
      });
      CHECK(*ch.recv() == nullptr);
      int got = 0;
      rove::select(ch.on_recv([&](std::optional<int*> p) { got = (**p)++; }), never.on_recv());
      CHECK(got == 42);
    }
  });
}

TEST_CASE("memory model: select, a case's value is read before it goes, the variable may be overwritten") {
  on_processors([] {
    for (int i = 0; i < rounds; ++i) {
      int x = 7;
      auto ch = rove::make_chan<int>(), never = rove::make_chan<int>();
      auto other = rove::spawn([&x, ch, never] { rove::select(ch.on_send(std::as_const(x)), never.on_send(1)); });
      rove::select(ch.on_recv([&](std::optional<int> v) { x = *v + 1; }), never.on_send(1));
      CHECK(x == 8);
      other.get();
    }
  });
}

TEST_CASE("memory model: select, requests are answered") {
  on_processors([] {
    struct request {
      int* where;
      rove::chan<bool> done;
    };
    auto requests = rove::make_chan<request>();
    auto dummy = rove::make_chan<bool>(), stop = rove::make_chan<bool>();
    auto server = rove::spawn([=] {
      for (bool over = false; !over;)
        rove::select(requests.on_recv([](std::optional<request> r) {
                       ++*r->where;
                       r->done.send(true);
                     }),
                     stop.on_recv([&] { over = true; }));
    });
    for (int i = 0; i < rounds; ++i) {
      int x = i;
      auto done = rove::make_chan<bool>(1);
      rove::select(requests.on_send({&x, done}), dummy.on_recv());
      rove::select(done.on_recv(), dummy.on_recv());
      CHECK(x++ == i + 1);
    }
    stop.close();
    server.get();
  });
}
