// What Go's tests say of context: causes, many cancels at the same time, after_func, and cancellation from elsewhere.
#include <algorithm>
#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <system_error>
#include <vector>

#include "test/conformance/support.hpp"

using namespace rove_test;

namespace {

constexpr auto very_long = 1000h;
const std::error_code none;
const std::error_code canceled = rove::errc::canceled;
const std::error_code deadline_exceeded = rove::errc::deadline_exceeded;
const std::error_code parents_cause(11, std::generic_category());
const std::error_code childs_cause(12, std::generic_category());

bool is_done(const rove::context& ctx) { return ctx.done().try_recv().closed; }

void check(const rove::context& ctx, std::error_code err, std::error_code cause) {
  CHECK(ctx.err() == err);
  CHECK(ctx.cause() == cause);
}

struct layer {
  int depth;
};

// Thirty contexts and more, one in the other, of kinds chosen by chance; the innermost ends when any of them does.
void layers(std::chrono::nanoseconds timeout, bool by_time, std::uint64_t index) {
  dice d(index);
  std::vector<rove::context> all{rove::background()};
  std::vector<std::function<void()>> cancels;
  int timers = 0, values = 0;
  for (int i = 0; i < 30 || timers == 0 || values == 0; ++i) {
    switch (d.below(3)) {
      case 0:
        all.push_back(rove::with_value(all.back(), layer{++values}));
        break;
      case 1: {
        auto [ctx, cancel] = rove::with_cancel(all.back());
        all.push_back(ctx);
        cancels.push_back(cancel);
        break;
      }
      default: {
        auto [ctx, cancel] = rove::with_timeout(all.back(), timeout);
        all.push_back(ctx);
        cancels.push_back(cancel);
        ++timers;
      }
    }
  }
  const rove::context innermost = all.back();
  const auto has_its_values = [&] { return innermost.value<layer>() && innermost.value<layer>()->depth == values; };
  CHECK(has_its_values());
  if (by_time) {
    innermost.done().recv();
    CHECK(innermost.err() == deadline_exceeded);
  } else {
    CHECK_FALSE(is_done(innermost));
    cancels[d.below(static_cast<unsigned>(cancels.size()))]();
    CHECK(is_done(innermost));
    CHECK(innermost.err() == canceled);
  }
  CHECK(has_its_values());
}

}  // namespace

TEST_CASE("context: causes, of parents and children, before and after") {
  const auto all = [] {
    check(rove::background(), none, none);
    {
      auto [ctx, cancel] = rove::with_cancel(rove::background());
      cancel();
      check(ctx, canceled, canceled);
    }
    for (const std::error_code cause : {parents_cause, none}) {
      auto [ctx, cancel] = rove::with_cancel_cause(rove::background());
      cancel(cause);
      check(ctx, canceled, cause ? cause : canceled);
    }
    for (const bool parent_first : {true, false}) {
      auto [p1, cancel_p1] = rove::with_cancel_cause(rove::background());
      auto [both, cancel_both] = rove::with_cancel_cause(p1);
      auto [p2, cancel_p2] = rove::with_cancel_cause(rove::background());
      auto [child_plain, cancel_plain] = rove::with_cancel(p2);
      auto [p3, cancel_p3] = rove::with_cancel(rove::background());
      auto [parent_plain, cancel_caused] = rove::with_cancel_cause(p3);
      if (parent_first) {
        cancel_p1(parents_cause);
        cancel_p2(parents_cause);
        cancel_p3();
      }
      cancel_both(childs_cause);
      cancel_plain();
      cancel_caused(childs_cause);
      if (!parent_first) {
        cancel_p1(parents_cause);
        cancel_p2(parents_cause);
        cancel_p3();
      }
      check(both, canceled, parent_first ? parents_cause : childs_cause);
      check(child_plain, canceled, parent_first ? parents_cause : canceled);
      check(parent_plain, canceled, parent_first ? canceled : childs_cause);
      check(p1, canceled, parents_cause);
    }
    {
      auto [ctx, cancel] = rove::with_timeout(rove::background(), 0s);
      cancel();
      check(ctx, deadline_exceeded, deadline_exceeded);
      auto [later, cancel_later] = rove::with_timeout(rove::background(), very_long);
      cancel_later();
      check(later, canceled, canceled);
    }
    for (const auto timeout : {std::chrono::nanoseconds(0), std::chrono::nanoseconds(very_long)}) {
      auto [parent, cancel] = rove::with_cancel_cause(rove::background());
      auto [ctx, cancel_ctx] = rove::with_timeout(parent, timeout);
      cancel(parents_cause);
      if (timeout.count() == 0)
        check(ctx, deadline_exceeded, deadline_exceeded);
      else
        check(ctx, canceled, parents_cause);
    }
    check(rove::without_cancel(rove::background()), none, none);
    {
      auto [parent, cancel] = rove::with_cancel_cause(rove::background());
      const rove::context ctx = rove::without_cancel(parent);
      cancel(parents_cause);
      check(ctx, none, none);
      auto [timed, cancel_timed] = rove::with_timeout(rove::background(), 0s);
      check(rove::without_cancel(timed), none, none);
    }
  };
  all();
  on_processors(all);
}

TEST_CASE("context: a hundred contexts of one tree are cancelled at the same time") {
  on_processors([] {
    for (int round = 0; round < load; ++round) {
      struct member {
        rove::context ctx;
        std::function<void()> cancel;
      };
      std::vector<member> all;
      auto [root, cancel_root] = rove::with_cancel(rove::background());
      all.push_back({root, cancel_root});
      for (std::size_t parent = 0; all.size() < 100; ++parent)
        for (int i = 0; i < 4; ++i) {
          auto [ctx, cancel] = rove::with_cancel(all[parent].ctx);
          all.push_back({ctx, cancel});
        }
      dice d(static_cast<std::uint64_t>(round));
      std::vector<std::size_t> order(all.size());
      for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
      for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[d.below(static_cast<unsigned>(i))]);
      rove::wait_group wg;
      for (const std::size_t i : order) wg.go([&, i] { all[i].cancel(); });
      for (const member& m : all) m.ctx.done().recv();
      wg.wait();
      for (const member& m : all) CHECK(m.ctx.err() == canceled);
    }
  });
}

TEST_CASE("context: the child's cancel function called because the parent ended") {
  on_processors([] {
    auto [parent, cancel_parent] = rove::with_cancel(rove::background());
    auto [child, cancel_child] = rove::with_cancel(parent);
    auto other = rove::spawn([parent = parent, cancel_child = cancel_child] {
      parent.done().recv();
      cancel_child();
    });
    cancel_parent();
    child.done().recv();
    other.get();
    CHECK(child.err() == canceled);
  });
}

TEST_CASE("context: layers of all kinds, one of them cancelled") {
  for (std::uint64_t i = 0; i < 5; ++i) layers(very_long, false, i);
  on_processors([] {
    for (std::uint64_t i = 0; i < 5; ++i) layers(very_long, false, i);
  });
}

TEST_CASE("context: layers of all kinds, one of them runs out of time") {
  on_processors([] { layers(1ms, true, 7); });
}

TEST_CASE("context: a child made while its parent is cancelled") {
  on_processors([] {
    for (int i = 0; i < 20 * load; ++i) {
      auto [parent, cancel_parent] = rove::with_cancel_cause(rove::background());
      auto other = rove::spawn([cancel = cancel_parent] { cancel(parents_cause); });
      auto [c, cancel] = rove::with_cancel(parent);
      c.done().recv();
      CHECK(c.err() == canceled);
      CHECK(c.cause() == parents_cause);
      other.get();
    }
  });
}

TEST_CASE("context: the cause is there as soon as it is seen, the channel as soon as the error") {
  on_processors([] {
    for (int i = 0; i < 20 * load; ++i) {
      auto [ctx, cancel] = rove::with_cancel_cause(rove::background());
      const auto done = ctx.done();
      auto other = rove::spawn([cancel = cancel] { cancel(parents_cause); });
      if (i % 2) {
        while (!ctx.cause()) rove::yield();
        CHECK(ctx.cause() == parents_cause);
      } else {
        while (!ctx.err()) rove::yield();
        CHECK(done.try_recv().closed);
      }
      other.get();
    }
  });
}

TEST_CASE("context: after_func runs after the end, in a goroutine of its own") {
  on_processors([] {
    auto [ctx, cancel] = rove::with_cancel(rove::background());
    auto done = rove::make_chan<int>();
    auto stop = rove::after_func(ctx, [done] {
      done.send(1);  // waits for who calls cancel
      done.close();
    });
    let_others_run();
    CHECK_FALSE(done.try_recv().value);
    cancel();
    CHECK(done.recv() == 1);
    done.recv();
    CHECK_FALSE(stop());

    auto [timed, cancel_timed] = rove::with_timeout(rove::background(), 1ms);
    auto timed_out = rove::make_chan<int>();
    rove::after_func(timed, [timed_out] { timed_out.close(); });
    timed_out.recv();
    CHECK(timed.err() == deadline_exceeded);

    auto at_once = rove::make_chan<int>();
    rove::after_func(ctx, [at_once] { at_once.close(); });
    CHECK_FALSE(at_once.recv());
  });
}

TEST_CASE("context: after_func that was stopped does not run") {
  on_processors([] {
    auto [ctx, cancel] = rove::with_cancel(rove::background());
    std::atomic<bool> ran{false};
    auto stop = rove::after_func(ctx, [&] { ran = true; });
    CHECK(stop());
    cancel();
    CHECK_FALSE(stop());
    let_others_run();
    CHECK_FALSE(ran);
  });
}

TEST_CASE("context: after_func that was stopped is let go by its context") {
  on_processors([] {
    auto [ctx, cancel] = rove::with_cancel(rove::background());
    const auto owned = std::make_shared<int>(1);
    {
      auto stop = rove::after_func(ctx, [owned] {});
      CHECK(stop());
    }
    CHECK(owned.use_count() == 1);
    cancel();
  });
}

TEST_CASE("context: cancelled from elsewhere, by a stop_source") {
  const auto all = [] {
    for (const bool before : {true, false}) {
      std::stop_source source;
      if (before) source.request_stop();
      auto [joined, cancel] = rove::with_stop_token(rove::background(), source.get_token());
      auto [child, cancel_child] = rove::with_cancel(joined);
      auto [timed, cancel_timed] = rove::with_timeout(joined, very_long);
      CHECK(is_done(child) == before);
      source.request_stop();
      timed.done().recv();
      for (const rove::context& c : {joined, child, timed}) check(c, canceled, canceled);
    }
    {  // a child's cancel with a cause stays its own; the source may stop later
      std::stop_source source;
      auto [joined, cancel] = rove::with_stop_token(rove::background(), source.get_token());
      auto [child, cancel_child] = rove::with_cancel_cause(joined);
      cancel_child(childs_cause);
      check(child, canceled, childs_cause);
      check(joined, none, none);
      CHECK_FALSE(source.stop_requested());
      source.request_stop();
      check(child, canceled, childs_cause);
      check(joined, canceled, canceled);
    }
    {  // an ended one has left its source
      std::stop_source source;
      const auto owned = std::make_shared<int>(1);
      {
        const rove::context valued = rove::with_value(rove::background(), std::shared_ptr<int>(owned));
        auto [joined, cancel] = rove::with_stop_token(valued, source.get_token());
        cancel();
        check(joined, canceled, canceled);
      }
      CHECK(owned.use_count() == 1);
      source.request_stop();
    }
    {  // and the other way round
      auto [ctx, cancel] = rove::with_cancel(rove::background());
      const std::stop_token token = ctx.stop_token();
      CHECK_FALSE(token.stop_requested());
      int called = 0;
      const std::stop_callback callback(token, [&] { ++called; });
      cancel();
      CHECK(token.stop_requested());
      CHECK(called == 1);
    }
  };
  all();
  on_processors(all);
}

TEST_CASE("context: cancelled by a stop_source and by its parent at the same time") {
  on_processors([] {
    for (int i = 0; i < 10 * load; ++i) {
      std::stop_source source;
      auto [parent, cancel_parent] = rove::with_cancel_cause(rove::background());
      auto [joined, cancel] = rove::with_stop_token(parent, source.get_token());
      auto other = rove::spawn([&] { source.request_stop(); });
      cancel_parent(parents_cause);
      other.get();
      joined.done().recv();
      CHECK(joined.err() == canceled);
      CHECK((joined.cause() == canceled || joined.cause() == parents_cause));
    }
  });
}
