// What Go's tests say of select: one moment's state, fairness, what waits and what does not, queues left in order.
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "test/conformance/support.hpp"

using namespace rove_test;

namespace {

using ints = rove::chan<int>;
constexpr auto unreachable = [] { FAIL("a case that cannot be ready was taken"); };

// One of two channels is ready at every moment, but which one changes: a select with a default finds one.
template <class Ready>
void one_is_always_ready(Ready make_second_ready) {
  on_processors([&] {
    auto done = rove::make_chan<bool>(1);
    for (int i = 0; i < 100 * load; ++i) {
      auto first = rove::make_chan<int>(1), second = rove::make_chan<int>(1);
      first.send(1);
      rove::go([=] {
        bool found = true;
        rove::select(first.on_recv(), second.on_recv(), rove::otherwise([&] { found = false; }));
        done.send(found);
      });
      make_second_ready(second);
      rove::select(first.on_recv(), rove::otherwise());
      if (!*done.recv()) FAIL("nothing was ready");
    }
  });
}

}  // namespace

TEST_CASE("select: looks at one moment: there is a second value before the first is taken") {
  one_is_always_ready([](const ints& ch) { ch.send(1); });
}

TEST_CASE("select: looks at one moment: the second is closed before the first's value is taken") {
  one_is_always_ready([](const ints& ch) { ch.close(); });
}

TEST_CASE("select: both directions of one channel never meet themselves") {
  on_processors([] {
    for (const int capacity : {0, 10}) {
      auto ch = rove::make_chan<int>(capacity);
      verdict v;
      rove::wait_group wg;
      for (int p = 0; p < 2; ++p)
        wg.go([&, ch, p] {
          const auto look = [&](std::optional<int> got) { v.expect(got && (capacity != 0 || *got != p)); };
          for (int i = 0; i < 50 * load; ++i) {
            if (p == 0 || i % 2 == 0)
              rove::select(ch.on_send(p), ch.on_recv(look));
            else
              rove::select(ch.on_recv(look), ch.on_send(p));
          }
        });
      wg.wait();
      CHECK(v.wrong() == 0);
    }
  });
}

TEST_CASE("select: plain operations and selects over four channels, each retired when it is done") {
  on_processors([] {
    const std::vector<ints> all{rove::make_chan<int>(), rove::make_chan<int>(), rove::make_chan<int>(2),
                                rove::make_chan<int>(3)};
    const int n = 100 * load;
    rove::wait_group wg;
    for (const ints& ch : all) {
      wg.go([=] {
        for (int i = 0; i < n; ++i) ch.send(0);
      });
      wg.go([=] {
        for (int i = 0; i < n; ++i) ch.recv();
      });
    }
    // Counts for channel k, which becomes nil after n of them.
    struct retiring {
      std::vector<ints> open;
      std::vector<int> count = std::vector<int>(4);
      int each;
      auto note(std::size_t k) {
        return [this, k] {
          if (++count[k] == each) open[k] = ints();
        };
      }
    };
    int sent = 0, received = 0;
    wg.go([&] {
      retiring r{all, std::vector<int>(4), n};
      auto& c = r.open;
      for (int i = 0; i < 4 * n; ++i)
        rove::select(c[3].on_send(0, r.note(3)), c[2].on_send(0, r.note(2)), c[0].on_send(0, r.note(0)),
                     c[1].on_send(0, r.note(1)));
      for (const int k : r.count) sent += k == n;
    });
    wg.go([&] {
      retiring r{all, std::vector<int>(4), n};
      auto& c = r.open;
      for (int i = 0; i < 4 * n; ++i)
        rove::select(c[0].on_recv(r.note(0)), c[1].on_recv(r.note(1)), c[2].on_recv(r.note(2)),
                     c[3].on_recv(r.note(3)));
      for (const int k : r.count) received += k == n;
    });
    wg.wait();
    CHECK(sent == 4);
    CHECK(received == 4);
    for (const ints& ch : all) CHECK(ch.len() == 0);
  });
}

TEST_CASE("select: two that are always ready are taken about equally often") {
  on_processors([] {
    const int trials = 400 * load;
    auto first = rove::make_chan<int>(trials + 1), second = rove::make_chan<int>(trials + 1);
    for (int i = 0; i < trials + 1; ++i) {
      first.send(1);
      second.send(2);
    }
    auto never_1 = rove::make_chan<int>(), never_2 = rove::make_chan<int>(), out = rove::make_chan<int>(),
         done = rove::make_chan<int>();
    auto chooser = rove::spawn([=] {
      for (bool over = false; !over;) {
        int b = 0;
        const auto take = [&](std::optional<int> v) { b = *v; };
        rove::select(never_1.on_recv(take), never_2.on_recv(take), first.on_recv(take), second.on_recv(take));
        rove::select(out.on_send(b), done.on_recv([&] { over = true; }));
      }
    });
    int firsts = 0, seconds = 0;
    for (int i = 0; i < trials; ++i) {
      const int b = *out.recv();
      firsts += b == 1;
      seconds += b == 2;
    }
    done.close();
    chooser.get();
    CHECK(firsts + seconds == trials);
    CHECK(std::abs(firsts - trials * 0.5) < 10 * std::sqrt(trials * 0.25));  // ten standard deviations
  });
}

TEST_CASE("select: two sends on one channel are chosen by chance") {
  on_processors([] {
    for (const int capacity : {0, 100}) {
      auto ch = rove::make_chan<int>(capacity);
      int ones = 0;
      auto reader = rove::spawn([&, ch] {
        for (int i = 0; i < 100; ++i) {
          rove::yield();
          ones += *ch.recv();
        }
      });
      for (int i = 0; i < 100; ++i) rove::select(ch.on_send(1), ch.on_send(0));
      reader.get();
      CHECK(ones > 10);
      CHECK(ones < 90);
    }
  });
}

TEST_CASE("select: a channel named twice leaves the queue in order") {
  on_processors([] {
    auto c = rove::make_chan<int>(), d = rove::make_chan<int>(), over = rove::make_chan<int>();
    std::atomic<int> got{0};
    go_parked([=] {
      rove::select(c.on_recv(), c.on_recv(), d.on_recv());
      over.send(9);
    });
    go_parked([&got, c] { got = *c.recv(); });
    d.send(7);  // wakes the first, whose places in c's queue are given up
    CHECK(over.recv() == 9);
    c.send(8);  // goes to the second
    eventually([&] { return got == 8; });
  });
}

TEST_CASE("select: the last in a queue leaves it in order") {
  on_processors([] {
    auto c1 = rove::make_chan<bool>(), c2 = rove::make_chan<bool>(), c3 = rove::make_chan<bool>();
    std::atomic<int> received{0};
    go_parked([&, c1] {
      c1.recv();
      ++received;
    });
    verdict v;
    go_parked([&, c1, c2, c3] {
      v.expect(rove::select(c1.on_recv(), c2.on_recv([&] { c3.send(true); })) == 1);
      c1.recv();
      ++received;
    });
    rove::go([c2] { c2.send(true); });
    c3.recv();
    c1.send(true);
    c1.send(true);
    eventually([&] { return received == 2; });
    CHECK(v.wrong() == 0);
  });
}

TEST_CASE("select: places in a queue are given up by a close, again and again") {
  on_runtimes([](rove::runtime& rt) {
    for (int round = 0; round < 20; ++round) {
      auto ch = rove::make_chan<int>();
      rove::wait_group wg;
      for (int i = 0; i < 10; ++i) wg.go([ch] { rove::select(ch.on_recv(), ch.on_recv(), ch.on_recv()); });
      eventually([&] { return rt.stats().parked == 10; });
      ch.close();
      wg.wait();
    }
    eventually([&] { return rt.stats().goroutines == 1; });
  });
}

TEST_CASE("select: no counter goes to two channels") {
  on_processors([] {
    std::vector<ints> in;
    for (int i = 0; i < 4; ++i) in.push_back(rove::make_chan<int>());
    auto joined = rove::make_chan<int>();
    const int n = 200 * load;
    rove::wait_group forwarding;
    for (const ints& ch : in)
      forwarding.go([=] {
        for (int v : ch) joined.send(v);
      });
    rove::go([=] {
      for (int i = 0; i < n; ++i)
        rove::select(in[0].on_send(i), in[1].on_send(i), in[2].on_send(i), in[3].on_send(i));
      for (const ints& ch : in) ch.close();
    });
    auto closer = rove::spawn([&, joined] {
      forwarding.wait();
      joined.close();
    });
    std::vector<int> seen(static_cast<std::size_t>(n));
    for (int v : joined) ++seen[static_cast<std::size_t>(v)];
    closer.get();
    int wrong = 0;
    for (const int times : seen) wrong += times != 1;
    CHECK(wrong == 0);
  });
}

TEST_CASE("select: what is received is dropped if nobody wants it") {
  on_processors([] {
    using receiver = void (*)(const ints&);
    using sender = void (*)(const ints&);
    const receiver receivers[] = {
        [](const ints& c) { c.recv(); },
        [](const ints& c) { rove::select(c.on_recv()); },
        [](const ints& c) { rove::select(c.on_recv(), rove::make_chan<int>().on_recv()); },
    };
    const sender senders[] = {
        [](const ints& c) { c.send(1); },
        [](const ints& c) { rove::select(c.on_send(1)); },
        [](const ints& c) { rove::select(c.on_send(1), rove::make_chan<int>().on_send(1)); },
    };
    for (const receiver receive : receivers)
      for (const sender send : senders) {
        auto ch = rove::make_chan<int>();
        auto other = rove::spawn([=] { receive(ch); });
        rove::yield();
        send(ch);
        other.get();
        CHECK(ch.len() == 0);
      }
  });
}

TEST_CASE("select: only the case that is taken has any effect") {
  on_processors([] {
    auto ready = rove::make_chan<int>(1), never = rove::make_chan<int>();
    ready.send(42);
    int x = 0;
    CHECK(rove::select(never.on_recv(unreachable), ready.on_recv([&](std::optional<int> v) { x = *v; })) == 1);
    CHECK(x == 42);

    // What another case would have received into stays as it was, while the goroutine waited.
    auto c = rove::make_chan<int*>(), d = rove::make_chan<int*>();
    rove::wait_group wg;
    verdict v;
    for (const bool twice : {false, true})
      wg.go([&, c, d, twice] {
        int val = 42;
        int* cx = &val;
        const auto nil = rove::chan<int*>();
        rove::select(c.on_recv([&](std::optional<int*> p) { cx = *p; }), (twice ? c : nil).on_recv(), d.on_recv(),
                     (twice ? d : nil).on_recv());
        v.expect(cx == &val && *cx == 42);
      });
    let_others_run();
    d.close();
    wg.wait();
    CHECK(v.wrong() == 0);
  });
}

TEST_CASE("select: a case keeps the channel that it was made of") {
  on_processors([] {
    auto ch = rove::make_chan<int>();
    const auto kept = ch;  // a case does not keep the channel of a handle that lives on
    auto receive = ch.on_recv();
    ch.close();
    ch = ints();
    CHECK(rove::select(receive, ch.on_recv(unreachable)) == 0);

    auto room = rove::make_chan<int>(1);
    const auto other_handle = room;
    int x = 0;
    auto send = room.on_send(x);  // its value too
    x = 42;
    room = ints();
    CHECK(rove::select(send, room.on_send(1, unreachable)) == 0);
    CHECK(other_handle.recv() == 0);
  });
}

TEST_CASE("select: values of cases are made each time, taken or not; nil channels retire") {
  on_processors([] {
    unsigned counter = 0, shift = 0;
    const auto next = [&] {
      ++counter;
      return 1u << shift;
    };
    const auto send_both = [&](rove::chan<unsigned> a, rove::chan<unsigned> b) {
      int sent = 0;
      for (bool over = false; !over; ++shift)
        rove::select(a.on_send(next(), [&] { ++sent, a = {}; }), b.on_send(next(), [&] { ++sent, b = {}; }),
                     rove::otherwise([&] { over = true, --shift; }));
      return sent;
    };
    auto a = rove::make_chan<unsigned>(1), b = rove::make_chan<unsigned>(1);
    CHECK(send_both(a, b) == 2);
    CHECK((*a.recv() | *b.recv()) == 3);
    CHECK(send_both(a, {}) == 1);
    CHECK(counter == 10);
  });
}

TEST_CASE("select: a handler returns, the select is over") {
  on_ending_runtimes([](rove::runtime&) {
    auto ch = rove::make_chan<int>();
    rove::go([ch] {
      for (;;) ch.send(5);
    });
    int taken = 0;
    const auto early = [&] {
      ++taken;
      if (taken > 0) return;
      FAIL("behind a return");
    };
    rove::select(ch.on_recv(early));
    rove::select(rove::otherwise(early));
    rove::select(ch.on_recv(early), rove::otherwise(early));
    rove::select(ch.on_recv(early), ch.on_send(10, unreachable), rove::otherwise(early));
    CHECK(taken == 4);
  });
}
