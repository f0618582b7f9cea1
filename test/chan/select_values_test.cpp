// select: what becomes of values of every kind, when moves throw, and at the end of a runtime; and what it allocates.
#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <variant>
#include <vector>

#include "test/support/allocations.hpp"
#include "test/support/go_parked.hpp"

using namespace rove_test;

namespace {


// Its move throws when it is told to.
struct explosive {
  int value;
  static inline std::atomic<bool> armed{false};
  static inline std::atomic<int> alive{0};
  explicit explosive(int v) : value(v) { ++alive; }
  explosive(explosive&& o) : value(o.value) {
    if (armed.exchange(false)) throw std::runtime_error("moved");
    ++alive;
    o.value = -1;
  }
  ~explosive() { --alive; }
};

struct alignas(256) over_aligned {
  int value;
  explicit over_aligned(int v) : value(v) { check(); }
  over_aligned(over_aligned&& o) noexcept : value(o.value) { check(); }
  void check() const { misplaced += reinterpret_cast<std::uintptr_t>(this) % 256 != 0; }
  static inline std::atomic<int> misplaced{0};
};

// Until the other side has parked: then `attempt` throws.
template <class F>
std::string explode(F attempt) {
  for (;;) {
    explosive::armed = true;
    try {
      if (attempt()) return "";
    } catch (const std::runtime_error& e) {
      return e.what();
    }
    explosive::armed = false;
    rove::yield();
  }
}

}  // namespace

TEST_CASE("select values: of every kind, several in one select") {
  on_processors([] {
    auto bytes = rove::make_chan<char>();
    auto nothing = rove::make_chan<std::monostate>();
    auto aligned = rove::make_chan<over_aligned>();
    auto text = rove::make_chan<std::string>();
    auto large = rove::make_chan<std::array<long, 500>>();
    rove::go([=] {
      for (int i = 0; i < 20; ++i) {
        bytes.send('a');
        nothing.send({});
        aligned.send(over_aligned(i));
        text.send(std::string(50, 'b'));
        std::array<long, 500> all;
        all.fill(i);
        large.send(all);
      }
      bytes.close();
    });
    int n = 0, wrong = 0;
    bool more = true;
    while (more)
      rove::select(
          bytes.on_recv([&](std::optional<char> c) { more = c.has_value(), n += more, wrong += c.value_or('a') != 'a'; }),
          nothing.on_recv([&](std::optional<std::monostate> m) { n += m.has_value(); }),
          aligned.on_recv([&](std::optional<over_aligned> o) { n += o->value >= 0; }),
          text.on_recv([&](std::optional<std::string> s) { n += s->size() == 50; }),
          large.on_recv([&](auto a) { n += a->front() == a->back(); }));
    CHECK(n == 100);
    CHECK(wrong == 0);
    CHECK(over_aligned::misplaced == 0);
  });
}

TEST_CASE("select values: a move that throws at this select leaves the other side as it was") {
  on_processors([] {
    explosive::alive = 0;
    {
      auto ch = rove::make_chan<explosive>(1), never = rove::make_chan<explosive>();
      auto k = ch.on_send(explosive(1));
      explosive::armed = true;  // into the buffer
      CHECK_THROWS_WITH(rove::select(k, never.on_recv()), "moved");
      CHECK(k.value().value == 1);
      CHECK(ch.len() == 0);
      CHECK(rove::select(k, never.on_recv()) == 0);
      explosive::armed = true;  // out of it
      CHECK_THROWS_WITH(rove::select(ch.on_recv(), never.on_recv()), "moved");
      CHECK(ch.len() == 1);
      CHECK(rove::select(never.on_recv(), ch.on_recv()) == 1);

      auto direct = rove::make_chan<explosive>();
      auto receiver = rove::spawn([=] {
        int got = 0;
        rove::select(never.on_recv(), direct.on_recv([&](std::optional<explosive> e) { got = e->value; }));
        return got;
      });
      auto m = direct.on_send(explosive(2));
      CHECK(explode([&] { return rove::select(m, rove::otherwise()) == 0; }) == "moved");
      CHECK(m.value().value == 2);
      CHECK(rove::select(m, never.on_recv()) == 0);
      CHECK(receiver.get() == 2);
    }
    eventually([] { return rove::num_goroutines() == 1; });
    CHECK(explosive::alive == 0);
  });
}

TEST_CASE("select values: a move that throws at the other side leaves this select as it was") {
  on_processors([] {
    explosive::alive = 0;
    {
      auto ch = rove::make_chan<explosive>(), never = rove::make_chan<explosive>();
      std::atomic<int> got{0};
      auto receiver = rove::spawn([&, ch, never] {
        rove::select(never.on_recv(), ch.on_recv([&](std::optional<explosive> e) { got = e->value; }));
      });
      explosive a(3);
      CHECK(explode([&] { return ch.try_send(std::move(a)); }) == "moved");
      CHECK(a.value == 3);
      CHECK(got == 0);
      ch.send(std::move(a));
      receiver.get();
      CHECK(got == 3);

      auto four = ch.on_send(explosive(4));  // moved before `armed` is set, whenever the sender begins
      auto sender = rove::spawn([&four, never] { return rove::select(never.on_recv(), four); });
      CHECK(explode([&] { return ch.try_recv().value.has_value(); }) == "moved");
      CHECK_FALSE(sender.done());
      CHECK(ch.recv()->value == 4);
      CHECK(sender.get() == 1);

      // Into the place that was freed: the receiver of another value does not hear of it.
      auto full = rove::make_chan<explosive>(1);
      full.send(explosive(5));
      auto late = rove::spawn([=] { return rove::select(full.on_send(explosive(6)), never.on_recv()); });
      for (int i = 0; i < 10; ++i) rove::yield();
      CHECK(full.recv()->value == 5);
      CHECK(full.recv()->value == 6);
      CHECK(late.get() == 0);
    }
    eventually([] { return rove::num_goroutines() == 1; });
    CHECK(explosive::alive == 0);
  });
}

TEST_CASE("select values: nothing is allocated, with 64 cases too") {
  const auto ch = rove::make_chan<int>(), back = rove::make_chan<int>();
  rove::runtime rt(with_procs(1));
  rt.run([=] {
    rove::go([=] {
      for (int x : ch) back.send(x);
    });
    const auto wait_for_one = [&]<std::size_t... I>(std::index_sequence<I...>) {
      return rove::select((static_cast<void>(I), back.on_recv())...);
    };
    const auto work = [&] {
      ch.send(1);
      wait_for_one(std::make_index_sequence<64>());
      ch.send(2);
      rove::select(back.on_recv(), rove::on_timeout(1h));
      rove::select(back.on_recv(), ch.on_recv(), rove::otherwise());
      rove::select(back.on_recv(), rove::otherwise());
    };
    work();
    CHECK(allocations_of(work) == 0);

    rove::selector set;
    for (int i = 0; i < 100; ++i) set.add(back.on_recv());
    const auto work_of_set = [&] {
      ch.send(1);
      set.select();
    };
    work_of_set();
    CHECK(allocations_of(work_of_set) == 0);
    ch.close();
  });
}

TEST_CASE("select values: a runtime ends while others select") {
  for (const unsigned procs : {1u, 2u}) {
    counted::alive = 0;
    std::atomic<int> unwound{0}, ran{0};
    struct at_end {
      std::atomic<int>& n;
      ~at_end() { ++n; }
    };
    auto a = rove::make_chan<counted>(), b = rove::make_chan<counted>(1);
    b.send(counted(0));
    rove::runtime rt(with_procs(procs));
    rt.run([&] {
      for (int i = 0; i < 4; ++i) {
        rove::go([&] {
          at_end e{unwound};
          rove::select(a.on_recv([&] { ++ran; }), b.on_send(counted(1), [&] { ++ran; }));
        });
        rove::go([&] {
          at_end e{unwound};
          rove::select(a.on_recv([&] { ++ran; }), rove::on_timeout(24h, [&] { ++ran; }));
        });
        rove::go([&] {
          at_end e{unwound};
          rove::select();
        });
      }
      eventually([&] { return rt.stats().parked == 12; });
    });
    rt.stop();
    CHECK(unwound == 12);
    CHECK(ran == 0);
    CHECK(counted::alive == 1);
    CHECK_FALSE(a.try_send(counted(2)));  // nobody is left in a queue
    CHECK(b.try_recv().value);
    CHECK(b.len() == 0);
  }
}

TEST_CASE("select values: who polls is ended with its runtime") {
  std::atomic<int> rounds{0};
  rove::runtime rt(with_procs(1));
  rt.run([&] {
    rove::go([&] {
      const auto a = rove::make_chan<int>(), b = rove::make_chan<int>();
      for (;; ++rounds) rove::select(a.on_recv(), rove::otherwise());
    });
    rove::go([&] {
      const auto a = rove::make_chan<int>(), b = rove::make_chan<int>();
      for (;; ++rounds) rove::select(a.on_recv(), b.on_send(1), rove::on_timeout(0s));
    });
    eventually([&] { return rounds > 10; });
  });
  rt.stop();
  CHECK(rounds > 10);
}

TEST_CASE("select values: goroutines that are abandoned are in no queue") {
  const auto a = rove::make_chan<int>(), b = rove::make_chan<int>();
  rove::config c = with_procs(2);
  c.at_end = rove::at_end::abandon;
  {
    rove::runtime rt(c);
    rt.run([&] {
      for (int i = 0; i < 4; ++i) rove::go([&] { rove::select(a.on_recv(), b.on_send(1)); });
      for (int i = 0; i < 4; ++i) rove::go([&] { rove::select(a.on_recv(), b.on_recv(), rove::on_timeout(24h)); });
      for (int i = 0; i < 4; ++i) rove::go([&] { a.recv_for(24h); });
      for (int i = 0; i < 30; ++i) rove::yield();
    });
  }
  CHECK_FALSE(a.try_send(1));
  CHECK_FALSE(b.try_send(1));
  CHECK_FALSE(b.try_recv().value);
}

TEST_CASE("select values: at a runtime's end a select in a destructor returns at once and runs no handler") {
  std::atomic<int> ran{0};
  std::vector<std::size_t> indexes;
  struct selects_at_end {
    std::atomic<int>& ran;
    std::vector<std::size_t>& indexes;
    ~selects_at_end() {
      rove::chan<int> nil;
      const auto ch = rove::make_chan<int>();
      const auto count = [this] { ++ran; };
      indexes.push_back(rove::select(ch.on_recv(count), rove::on_timeout(24h, count)));
      indexes.push_back(rove::select(rove::on_timeout(24h, count), ch.on_recv(count)));
      indexes.push_back(rove::select(ch.on_recv(count), ch.on_send(1, count), nil.on_recv()));
      indexes.push_back(rove::select());
      rove::selector set;
      set.add(ch.on_recv(count));
      indexes.push_back(set.select());
      indexes.push_back(ch.send_for(1, 1h) + 10u);
      indexes.push_back(ch.recv_for(1h).value.has_value() + 20u);
    }
  };
  rove::runtime rt(with_procs(1));
  rt.run([&] {
    go_parked([&] {
      selects_at_end s{ran, indexes};
      rove::make_chan<int>().recv();
    });
  });
  rt.stop();
  CHECK(indexes == std::vector<std::size_t>{1, 0, 3, 0, 1, 10, 20});
  CHECK(ran == 0);
}
