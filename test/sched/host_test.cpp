// Hosts: goroutines on a thread of the program, how they come there and what they may do.
#include <sstream>

#include "test/support/fixture.hpp"

using namespace rove_test;

namespace {

// Polls until `over`; the thread does other things meanwhile.
template <class Condition>
void poll_until(rove::host& h, Condition over) {
  while (!over())
    if (!h.poll(1ms)) std::this_thread::yield();
}

// A thread that polls a host until the test is over.
class polling_thread {
 public:
  explicit polling_thread(rove::host& h) : thread_([this, &h] {
    id_ = thread_now();
    while (!over_)
      if (!h.poll(100us)) std::this_thread::yield();
  }) {
    while (id_ == 0) std::this_thread::yield();
  }
  ~polling_thread() { stop(); }
  void stop() {
    over_ = true;
    if (thread_.joinable()) thread_.join();
  }
  long id() const { return id_; }

 private:
  std::atomic<bool> over_{false};
  std::atomic<long> id_{0};
  std::thread thread_;
};

}  // namespace

TEST_CASE("host: what is started on it runs there, in order, and only while it polls") {
  for (const unsigned procs : {1u, 2u, 4u}) {
    rove::runtime rt(with_procs(procs));
    rove::host h(rt);
    const long here = thread_now();
    std::vector<int> order;
    int wrong = 0;
    for (int i = 0; i < 100; ++i)
      rove::go_on(h, [&, i] {
        if (thread_now() != here) ++wrong;
        order.push_back(i);
      });
    CHECK(h.runnable() == 100);
    CHECK(order.empty());
    CHECK(h.poll(1h));
    CHECK_FALSE(h.poll(1h));
    CHECK(order.size() == 100);
    CHECK(std::is_sorted(order.begin(), order.end()));
    CHECK(wrong == 0);

    auto result = rove::spawn_on(h, [&](std::string s) { return thread_now() == here ? s + "!" : s; }, "there");
    std::string text, big_text;
    std::array<char, 4000> big{};
    big[3999] = 'x';
    rt.go(rove::options{.name = "painter", .stack_size = 32 * 1024, .on = &h}, [&, big] {
      text = rove::this_goroutine::name();
      big_text = big[3999];
    });
    h.poll(1h);
    CHECK(result.get() == "there!");
    CHECK(text == "painter");
    CHECK(big_text == "x");
    check_nothing_left(rt);
  }
}

TEST_CASE("host: a goroutine on it stays there, whatever it waits for, and the host does not wait with it") {
  for (const unsigned procs : {1u, 2u, 4u}) {
    rove::runtime rt(with_procs(procs));
    rove::host h(rt);
    const long here = thread_now();
    std::atomic<bool> over{false};
    int good = 0;
    const auto ping = rove::make_chan<int>(), pong = rove::make_chan<int>(), turn = rove::make_chan<int>();
    rove::mutex m;
    rt.go([=, &m] {
      for (int x : ping) {
        const std::scoped_lock hold(m);
        pong.send(x + 1);
      }
    });
    rove::go_on(h, [&, ping, pong, turn] {
      const auto at_home = [&] { good += thread_now() == here; };
      for (int i = 0; i < 20; ++i) {
        good += turn.recv() == 7;  // sent by this very thread, while it does not poll
        ping.send(i);
        at_home();
        good += pong.recv() == i + 1;
        at_home();
        m.lock();
        m.unlock();
        rove::sleep_for(200us);
        at_home();
        rove::yield();
        at_home();
        rove::blocking(at_home);
        rove::select(pong.on_recv(), rove::on_timeout(50us));
        at_home();
        rove::lock_os_thread();
        rove::sleep_for(1us);
        at_home();
        rove::unlock_os_thread();
        good += rove::spawn([&] { return thread_now() != here; }).get();
        at_home();
        errno = i;
        try {
          throw i;
        } catch (int) {
          rove::sleep_for(1us);
          good += errno == i && std::current_exception() != nullptr;
        }
      }
      ping.close();
      over = true;
    });
    poll_until(h, [&] {
      (void)turn.try_send(7);
      return over.load();
    });
    CHECK(good == 20 * 12);
    check_nothing_left(rt);
  }
}

TEST_CASE("host: there and back, guards, two hosts, and workers that are all busy") {
  rove::runtime rt(with_procs(2));
  rove::host screen(rt), sound(rt);
  const polling_thread speaker(sound);
  const long here = thread_now();
  std::atomic<bool> over{false};
  int good = 0;
  const auto on_worker = [&] { good += thread_now() != here && thread_now() != speaker.id(); };
  rt.go([&] {
    for (int i = 0; i < 50; ++i) {
      on_worker();
      rove::switch_to(screen);
      good += thread_now() == here;
      rove::switch_to(screen);  // there already
      rove::switch_to(sound);
      good += thread_now() == speaker.id();
      rove::switch_back();
      on_worker();
      rove::switch_back();
      {
        const rove::on_host guard(screen);
        good += thread_now() == here;
        {
          const rove::on_host inner(sound);
          good += thread_now() == speaker.id();
          const rove::on_host again(sound);
        }
        good += thread_now() == here;
      }
      on_worker();
      try {
        const rove::on_host guard(screen);
        throw std::string("out of the guard");
      } catch (const std::string&) {
        on_worker();
      }
    }
    over = true;
  });
  poll_until(screen, [&] { return over.load(); });
  CHECK(good == 50 * 9);

  std::atomic<bool> busy{true};
  std::atomic<int> started{0};
  for (int i = 0; i < 2; ++i)
    rt.go([&] {
      ++started;
      while (busy) std::this_thread::yield();
    });
  while (started < 2) std::this_thread::yield();
  int turns = 0;
  rove::go_on(screen, [&] {  // needs no worker
    for (; turns < 10; ++turns) rove::yield();
  });
  CHECK(screen.poll(1h));
  CHECK(turns == 10);
  busy = false;
  check_nothing_left(rt);
}

TEST_CASE("host: the budget, and what the program is told") {
  rove::runtime rt(with_procs(2));
  std::atomic<int> told{0};
  rove::host h(rt, [&] { ++told; });
  std::atomic<bool> stop{false};
  int turns = 0;
  CHECK_FALSE(h.poll(0s));
  for (int i = 0; i < 2; ++i)
    rove::go_on(h, [&] {
      while (!stop) {
        ++turns;
        rove::yield();
      }
    });
  CHECK(told == 1);  // the queue was empty once
  CHECK(h.poll(0s));
  CHECK(turns == 1);
  CHECK(told == 2);  // its time was over, and there is more
  CHECK(h.poll(2ms));
  CHECK(turns > 1);
  CHECK(told == 3);
  stop = true;
  CHECK(h.poll(1h));
  CHECK(told == 3);
  const auto ch = rove::make_chan<int>();
  rove::go_on(h, [ch] { ch.recv(); });
  h.poll(1h);
  const int before = told;
  ch.send(1);  // by this thread, which polls later
  CHECK(told == before + 1);
  CHECK(h.poll(1h));
  check_nothing_left(rt);
}

TEST_CASE("host: misuse") {
  rove::runtime rt(with_procs(2)), other(with_procs(1));
  rove::host h(rt), foreign(other);
  const std::string outside = "rove: switch_to called outside a goroutine";
  CHECK(panic_of([&] { rove::switch_to(h); }) == outside);
  CHECK(panic_of([&] { rove::switch_back(); }) == outside);
  CHECK(panic_of([&] { const rove::on_host guard(h); }) == outside);
  rt.run([&] {
    CHECK(panic_of([&] { rove::blocking([&] { rove::switch_to(h); }); }) == "rove: switch_to inside blocking");
    rove::lock_os_thread();
    CHECK(panic_of([&] { rove::switch_to(h); }) == "rove: switch_to by a goroutine that is locked to its thread");
    rove::unlock_os_thread();
    CHECK(panic_of([&] { rove::switch_to(foreign); }) == "rove: switch_to a host of another runtime");
    CHECK(panic_of([&] { h.poll(1ms); }) == "rove: poll called inside a goroutine");
  });
  std::string locked, blocked;
  rove::go_on(h, [&] {
    rove::lock_os_thread();
    locked = panic_of([] { rove::switch_back(); });
    rove::unlock_os_thread();
    blocked = panic_of([] { rove::blocking([] { rove::switch_back(); }); });
  });
  CHECK(h.poll(1h));
  CHECK(locked == "rove: switch_to by a goroutine that is locked to its thread");
  CHECK(blocked == "rove: switch_to inside blocking");
  std::string second;
  std::thread([&] { second = panic_of([&] { h.poll(1ms); }); }).join();
  CHECK(second == "rove: host polled by another thread");
  struct no_copy {
    no_copy() = default;
    no_copy(const no_copy&) { throw 1; }
    void operator()() const {}
  } const unmade;
  CHECK_THROWS_AS(rove::go_on(h, unmade), int);  // and nobody is on the host
  {
    const auto gone = std::make_unique<rove::runtime>(with_procs(1));
    rove::host late(*gone);
    rove::go_on(late, [] {});
    late.poll(1h);
    const_cast<std::unique_ptr<rove::runtime>&>(gone).reset();
    CHECK_FALSE(late.poll(1ms));
    CHECK(panic_of([&] { rove::go_on(late, [] {}); }) == "rove: the host's runtime is gone");
  }
}

TEST_CASE("host: a runtime without threads, driven by its host alone") {
  rove::config c = with_procs(1);
  c.own_threads = false;
  rove::runtime rt(c);
  rove::host h(rt);
  int sum = 0;
  bool over = false;
  rove::go_on(h, [&] {
    const auto ch = rove::make_chan<int>(3);
    rove::go([ch] {
      for (int i = 0; i < 10; ++i) ch.send(i);
      ch.close();
    });
    for (int x : ch) sum += x;
    rove::sleep_for(1ms);
    over = true;
  });
  while (!over) {
    h.poll(1ms);
    rt.poll(1ms);
  }
  CHECK(sum == 45);
}

TEST_CASE("host: a dump finds who is there, and a trace does no harm") {
  rove::runtime rt(with_procs(2));
  rove::host h(rt);
  const auto ch = rove::make_chan<int>();
  rove::go_on(h, [ch] {
    rove::this_goroutine::set_name("resident");
    ch.recv();
  });
  h.poll(1h);
  std::ostringstream text;
  rove::debug::dump(text);
  CHECK(text.str().find("\"resident\" [chan receive]") != std::string::npos);
  ch.send(1);
  h.poll(1h);
  check_nothing_left(rt);
}

TEST_CASE("host: goroutines that move to and fro, wake each other and are ended on the way") {
  for (int round = 0; round < load + 2; ++round) {
    rove::config c = with_procs(1 + static_cast<unsigned>(round) % 3);
    auto rt = std::make_unique<rove::runtime>(c);
    std::atomic<int> told{0};
    rove::host first(*rt, [&] { ++told; }), second(*rt);
    polling_thread other(second);
    const long here = thread_now();
    std::atomic<int> done{0}, wrong{0};
    std::atomic<bool> ends{false};  // from then on whoever stops the runtime runs what is left
    const auto ch = rove::make_chan<int>(4);
    constexpr int all = 12;
    for (int i = 0; i < all; ++i)
      rt->go([&, ch, i] {
        dice d(static_cast<std::uint64_t>(round * all + i));
        for (int k = 0; k < 30; ++k) {
          d.delay();
          switch (d.below(6)) {
            case 0: {
              const rove::on_host guard(first);
              if (thread_now() != here && !ends) ++wrong;
              if (!ch.try_send(k)) ch.try_recv();
              break;
            }
            case 1:
              rove::switch_to(second);
              rove::yield();
              if (thread_now() != other.id() && !ends) ++wrong;
              break;
            case 2: rove::switch_back(); break;
            case 3: ch.send_for(k, 50us); break;
            case 4: ch.recv_for(50us); break;
            default: rove::go_on(d.below(2) ? first : second, [ch] { ch.recv_for(20us); });
          }
        }
        ++done;
      });
    if (round % 2 == 0) {
      poll_until(first, [&] { return done == all; });
    } else {
      for (int k = 0; k < 20; ++k) first.poll(20us);
      ends = true;
      other.stop();
    }
    rt->stop();
    CHECK((done == all || round % 2 == 1));
    CHECK(wrong == 0);
  }
}
