// What Go's tests say of errgroup (golang.org/x/sync), for error_group.
#include <atomic>
#include <system_error>
#include <vector>

#include "test/conformance/support.hpp"

using namespace rove_test;

namespace {

const std::error_code none;
const std::error_code canceled = rove::errc::canceled;
const std::error_code doomed(71, std::generic_category());
const std::error_code later(72, std::generic_category());

bool is_done(const rove::context& ctx) { return ctx.done().try_recv().closed; }

}  // namespace

TEST_CASE("error_group: wait gives the first error, also when it is called again") {
  on_processors([] {
    const std::vector<std::vector<std::error_code>> lists{{}, {none}, {doomed}, {doomed, none}, {doomed, none, later}};
    for (const auto& errors : lists) {
      rove::error_group g;
      std::error_code first;
      CHECK(g.wait() == none);
      for (const std::error_code e : errors) {
        g.go([e] { return e; });
        if (!first) first = e;
        CHECK(g.wait() == first);
      }
    }
  });
}

TEST_CASE("error_group: its context ends with the first error as the cause, or with wait") {
  on_processors([] {
    const std::vector<std::pair<std::vector<std::error_code>, std::error_code>> lists{
        {{}, none}, {{none}, none}, {{doomed}, doomed}, {{doomed, none}, doomed}};
    for (const bool by_trying : {false, true})
      for (const auto& [errors, expected] : lists) {
        auto [parent, cancel] = rove::with_cancel(rove::background());
        rove::error_group g(parent);
        const rove::context ctx = g.context();
        CHECK_FALSE(is_done(ctx));
        for (const std::error_code e : errors)
          if (by_trying)
            CHECK(g.try_go([e] { return e; }));
          else
            g.go([e] { return e; });
        CHECK(g.wait() == expected);
        CHECK(is_done(ctx));
        CHECK(ctx.err() == canceled);
        CHECK(ctx.cause() == (expected ? expected : canceled));
        CHECK(parent.err() == none);
      }
  });
}

TEST_CASE("error_group: an error ends the context while others still run") {
  on_processors([] {
    rove::error_group g;
    std::error_code seen;
    const rove::context ctx = g.context();
    g.go([&] {
      ctx.done().recv();
      seen = ctx.cause();
    });
    g.go([] { return doomed; });
    CHECK(g.wait() == doomed);
    CHECK(seen == doomed);
  });
}

TEST_CASE("error_group: try_go up to the limit, which may be changed when all are done") {
  on_processors([] {
    rove::error_group g;
    constexpr int n = 42;
    g.set_limit(n);
    auto ch = rove::make_chan<int>();
    const auto member = [ch] {
      ch.send(1);
      return none;
    };
    const auto release = [ch](int count) {
      for (int i = 0; i < count; ++i) ch.recv();
    };
    for (int i = 0; i < n; ++i) CHECK(g.try_go(member));
    CHECK_FALSE(g.try_go(member));
    CHECK(panic_of([&] { g.set_limit(1); }) ==
          "errgroup: modify limit while 42 goroutines in the group are still active");
    release(n);
    CHECK(g.wait() == none);

    CHECK(g.try_go(member));
    release(1);
    g.wait();

    g.set_limit(1);
    CHECK(g.try_go(member));
    CHECK_FALSE(g.try_go(member));
    release(1);
    g.wait();

    g.set_limit(0);
    for (int i = 0; i < 100; ++i) CHECK_FALSE(g.try_go(member));
    CHECK(g.wait() == none);
  });
}

TEST_CASE("error_group: go waits at the limit") {
  on_processors([] {
    constexpr int limit = 10;
    rove::error_group g;
    g.set_limit(limit);
    std::atomic<int> active{0};
    for (int i = 0; i <= 100 * load; ++i)
      g.go([&] {
        const int n = ++active;
        rove::sleep_for(1us);
        --active;
        return n > limit ? doomed : none;
      });
    CHECK(g.wait() == none);
    CHECK(active == 0);
  });
}

TEST_CASE("error_group: a pipeline of three stages, and one that fails in the middle") {
  on_processors([] {
    for (const bool fails : {false, true}) {
      rove::error_group g;
      const rove::context ctx = g.context();
      auto numbers = rove::make_chan<int>();
      auto squares = rove::make_chan<long>();
      g.go([=] {
        std::error_code e;
        for (int i = 0; i < 100 && !e; ++i)
          rove::select(numbers.on_send(i), ctx.done().on_recv([&] { e = ctx.err(); }));
        numbers.close();
        return e;
      });
      for (int w = 0; w < 5; ++w)
        g.go([=] {
          std::error_code e;
          for (const int i : numbers) {
            if (fails && i == 50) return doomed;
            rove::select(squares.on_send(long{i} * i), ctx.done().on_recv([&] { e = ctx.err(); }));
            if (e) break;
          }
          return e;
        });
      auto closer = rove::spawn([&g, squares] {
        g.wait();
        squares.close();
      });
      long sum = 0;
      for (const long s : squares) sum += s;
      closer.get();
      CHECK(g.wait() == (fails ? doomed : none));
      if (!fails) CHECK(sum == 328350);
    }
  });
}
