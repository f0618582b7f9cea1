// once_value, singleflight, error_group.
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "test/support/go_parked.hpp"

using namespace rove_test;

TEST_CASE("once_value: runs once, for all copies of it") {
  on_processors([] {
    std::atomic<int> runs{0};
    const auto value = rove::once_value([&runs] {
      ++runs;
      rove::yield();
      return std::make_unique<int>(42);
    });
    std::atomic<int> wrong{0};
    rove::wait_group wg;
    for (int i = 0; i < 20; ++i) wg.go([value, &wrong] { wrong += *value() != 42; });
    std::thread plain([&] { wrong += *value() != 42; });
    wg.wait();
    rove::blocking([&] { plain.join(); });
    CHECK(runs == 1);
    CHECK(wrong == 0);
  });
}

TEST_CASE("once_value: a throw is rethrown each time, goexit lets the next one try, nothing and references") {
  on_processors([] {
    int runs = 0;
    const rove::once_value throws([&]() -> int {
      ++runs;
      throw std::runtime_error("no");
    });
    for (int i = 0; i < 3; ++i) CHECK_THROWS_AS(throws(), std::runtime_error);
    CHECK(runs == 1);
    const rove::once_value nothing([&] { ++runs; });
    nothing();
    nothing();
    CHECK(runs == 2);
    const rove::once_value reference([&]() -> int& { return runs; });
    CHECK(&reference() == &runs);
    bool exits = true;
    const rove::once_value second([&] {
      if (std::exchange(exits, false)) rove::goexit();
      return 7;
    });
    rove::spawn([&] { second(); }).wait();
    CHECK(second() == 7);
    auto captured = std::make_shared<int>(1);
    const rove::once_value frees([captured] { return *captured; });
    CHECK(frees() == 1);
    CHECK(captured.use_count() == 1);
  });
}

TEST_CASE("once, once_value: a destructor at its runtime's end does not run f beside another one") {
  std::atomic<int> inside{0}, runs{0}, panics{0};
  std::atomic<bool> go_on{false};
  const auto f = [&] {
    rove::blocking([&] {
      ++inside;
      while (!go_on) std::this_thread::yield();  // without a call in which it would be ended
      ++runs;
    });
    return 1;
  };
  rove::once once;
  const auto value = rove::once_value(f);
  struct late {
    std::function<void()> at_end;
    ~late() { at_end(); }
  };
  rove::run(with_procs(1), [&] {
    rove::go([&] { once.call(f); });
    rove::go([&] { value(); });
    eventually([&] { return inside == 2; });
    go_parked([&] {
      const late l{[&] {
        once.call(f);                      // returns at once
        try {
          value();
        } catch (const rove::panic& p) {
          panics += std::string(p.what()) == "rove: once_value call ended";
        }
        go_on = true;
      }};
      rove::select();
    });
  });
  CHECK(panics == 1);
  CHECK(inside == 2);
  CHECK(runs == 2);
}

TEST_CASE("singleflight: one runs it for all who come meanwhile") {
  on_processors([] {
    rove::singleflight<std::string, int> all;
    int runs = 0;
    rove::event go_on(rove::event::manual_reset);
    std::atomic<int> sum{0};
    rove::wait_group wg;
    const auto ask = [&] {
      sum += all.call("key", [&] {
        ++runs;
        go_on.wait();
        return 3;
      });
    };
    wg.add(10);
    for (int i = 0; i < 10; ++i)
      go_parked([&] {
        ask();
        wg.done();
      });
    std::thread plain(ask);
    CHECK(all.call("other", [] { return 5; }) == 5);
    go_on.set();
    wg.wait();
    rove::blocking([&] { plain.join(); });
    CHECK(sum == 33);
    CHECK(runs >= 1);
    CHECK(runs <= 2);  // of those that were parked one runs it; the thread may come when they are done
    CHECK(all.call("key", [] { return 4; }) == 4);
  });
}

TEST_CASE("singleflight: what f throws reaches all, and nothing is kept") {
  on_processors([] {
    rove::singleflight<int, std::string> all;
    std::atomic<int> threw{0};
    rove::wait_group wg;
    for (int i = 0; i < 5; ++i)
      wg.go([&] {
        try {
          all.call(1, []() -> std::string {
            rove::yield();
            throw std::runtime_error("no");
          });
        } catch (const std::runtime_error&) {
          ++threw;
        }
      });
    wg.wait();
    CHECK(threw == 5);
    CHECK(all.call(1, [] { return "yes"; }) == "yes");
  });
}

TEST_CASE("singleflight: forget starts another one beside the one under way") {
  on_processors([] {
    rove::singleflight<int, int> all;
    rove::event inside, leave;
    auto first = rove::spawn([&] {
      return all.call(1, [&] {
        inside.set();
        leave.wait();
        return 1;
      });
    });
    inside.wait();
    all.forget(1);
    all.forget(2);
    auto second = rove::spawn([&] {
      return all.call(1, [&] {
        inside.set();
        leave.wait();
        return 2;
      });
    });
    inside.wait();
    leave.set();
    leave.set();
    eventually([&] {
      leave.set();
      return first.done() && second.done();
    });
    CHECK(first.get() == 1);
    CHECK(second.get() == 2);
  });
}

TEST_CASE("singleflight: if f calls goexit, those who wait end too") {
  rove::runtime rt(with_procs(1));
  rt.run([&] {
    rove::singleflight<int, int> all;
    rove::event leave;
    std::atomic<int> after{0};
    rove::wait_group wg;
    for (int i = 0; i < 3; ++i)
      wg.go([&] {
        all.call(1, [&] {
          leave.wait();
          rove::goexit();
          return 1;
        });
        ++after;
      });
    eventually([&] { return rt.stats().parked == 3; });
    leave.set();
    wg.wait();
    CHECK(after == 0);
    CHECK(all.call(1, [] { return 1; }) == 1);
  });
}

TEST_CASE("singleflight: if f's runtime ends, another one runs its own") {
  rove::singleflight<int, int> all;
  rove::runtime stays(with_procs(1));
  rove::event inside;
  rove::task<int> waits;
  {
    rove::runtime ends(with_procs(1));
    ends.go([&] {
      all.call(1, [&] {
        inside.set();
        rove::chan<int>().recv();
        return 1;
      });
    });
    inside.wait();
    waits = stays.spawn([&] { return all.call(1, [] { return 2; }); });
    eventually([&] { return stays.stats().parked == 1; });
  }
  CHECK(waits.get() == 2);
}

TEST_CASE("error_group: the first error, which cancels the context") {
  on_processors([] {
    rove::error_group group;
    const std::error_code first = std::make_error_code(std::errc::io_error);
    std::atomic<int> canceled{0};
    for (int i = 0; i < 4; ++i)
      group.go([&] {
        group.context().done().recv();
        canceled += group.context().err() == rove::errc::canceled;
        return group.context().err();
      });
    group.go([] {});
    group.go([&] { return first; });
    CHECK(group.wait() == first);
    CHECK(canceled == 4);
    CHECK(group.context().cause() == first);
    CHECK(group.wait() == first);
  });
}

TEST_CASE("error_group: none, an exception, goexit, the parent's cancellation") {
  on_processors([] {
    rove::error_group fine;
    int n = 0;
    fine.go([&] { ++n; });
    CHECK_FALSE(fine.wait());
    CHECK(n == 1);
    CHECK(fine.context().err() == rove::errc::canceled);
    CHECK(fine.context().cause() == rove::errc::canceled);

    rove::error_group throws;
    throws.go([] { throw std::runtime_error("no"); });
    throws.go([&] {
      throws.context().done().recv();
      return std::make_error_code(std::errc::io_error);
    });
    CHECK_THROWS_AS(throws.wait(), std::runtime_error);

    rove::error_group exits;
    exits.go([] { rove::goexit(); });
    CHECK_FALSE(exits.wait());

    auto [ctx, cancel] = rove::with_cancel(rove::background());
    rove::error_group child(ctx);
    child.go([&] {
      child.context().done().recv();
      return child.context().err();
    });
    cancel();
    CHECK(child.wait() == rove::errc::canceled);
  });
  rove::error_group outside;
  CHECK(panic_of([&] { outside.go([] {}); }) == "rove: no runtime on this thread");
  CHECK_FALSE(outside.wait());
}

TEST_CASE("error_group: no more at the same time than the limit allows") {
  on_processors([] {
    rove::error_group group;
    group.set_limit(2);
    std::atomic<int> running{0}, most{0};
    for (int i = 0; i < 20; ++i)
      group.go([&] {
        const int now = ++running;
        if (now > most) most = now;
        rove::yield();
        --running;
      });
    CHECK_FALSE(group.wait());
    CHECK(most <= 2);
    rove::event leave(rove::event::manual_reset);
    CHECK(group.try_go([&] { leave.wait(); }));
    CHECK(group.try_go([&] { leave.wait(); }));
    CHECK_FALSE(group.try_go([] {}));
    CHECK(panic_of([&] { group.set_limit(3); }) ==
          "errgroup: modify limit while 2 goroutines in the group are still active");
    leave.set();
    group.wait();
    group.set_limit(0);
    CHECK_FALSE(group.try_go([] {}));
    group.set_limit(-1);
    CHECK(group.try_go([] {}));
    group.wait();
  });
}

TEST_CASE("error_group: the destructor ends what still runs") {
  on_processors([] {
    std::atomic<int> ended{0};
    {
      rove::error_group group;
      for (int i = 0; i < 3; ++i)
        group.go([&] {
          group.context().done().recv();
          ++ended;
        });
    }
    CHECK(ended == 3);
  });
}

TEST_CASE("error_group: destroyed while its last goroutine leaves") {
  on_processors([] {
    for (int i = 0; i < 100 * load; ++i) {
      auto group = std::make_unique<rove::error_group>();
      group->go([] {});
      dice(static_cast<std::uint64_t>(i)).delay();
    }
  });
}
