// Contexts: who keeps whom alive, ends of runtimes, plain threads, stop tokens, sizes.
#include <memory>
#include <stop_token>
#include <vector>

#include "test/support/go_parked.hpp"

using namespace rove_test;

namespace {

// A value that tells when its context is gone.
struct witness {
  std::shared_ptr<int> of;
};

rove::context watched(const rove::context& parent, const std::shared_ptr<int>& w) {
  return rove::with_value(parent, witness{w});
}

}  // namespace

TEST_CASE("context: nobody has to call cancel for the memory's sake") {
  on_processors([] {
    auto w = std::make_shared<int>();
    auto [parent, cancel] = rove::with_cancel(rove::background());
    for (int i = 0; i < 100; ++i) {
      rove::context child = watched(parent, w);
      child = rove::with_cancel(child).ctx;
      child = rove::with_timeout(child, 1h).ctx;
      child = watched(rove::with_cancel_cause(child).ctx, w);
      child = rove::with_stop_token(child, {}).ctx;
      CHECK(w.use_count() == 3);
      CHECK(child.done());
      child = {};
      CHECK(w.use_count() == 1);
    }
    cancel();
  });
}

TEST_CASE("context: a child keeps what is above it, a cancel function its context") {
  on_processors([] {
    auto w = std::make_shared<int>();
    rove::context child;
    rove::cancel_function cancel, cancel_child;
    {
      auto a = rove::with_cancel(watched(rove::background(), w));
      auto b = rove::with_cancel(rove::with_timeout(a.ctx, 1h).ctx);
      child = b.ctx;
      cancel = a.cancel;
      cancel_child = b.cancel;
    }
    CHECK(child.value<witness>());
    cancel();
    CHECK(child.err() == rove::errc::canceled);
    child = {};
    cancel = {};
    CHECK(w.use_count() == 2);
    cancel_child();
    cancel_child = {};
    CHECK(w.use_count() == 1);
    cancel_child();  // of nothing
  });
}

TEST_CASE("context: a function that waits keeps its context as long as anybody can cancel that") {
  on_processors([] {
    auto w = std::make_shared<int>();
    std::atomic<int> ran{0};
    const auto wait_for = [&](const rove::context& c) { return rove::after_func(c, [&ran, w] { ++ran; }); };
    {
      rove::cancel_function cancel;
      {
        auto top = rove::with_cancel(rove::background());
        cancel = top.cancel;
        wait_for(rove::with_cancel(rove::with_timeout(top.ctx, 1h).ctx).ctx);  // nobody holds it, but for the top
      }
      CHECK(w.use_count() == 2);
      cancel();
    }
    eventually([&] { return ran == 1 && w.use_count() == 1; });
    wait_for(rove::with_timeout(rove::background(), 1ms).ctx);
    eventually([&] { return ran == 2 && w.use_count() == 1; });
    std::stop_source stop;
    wait_for(rove::with_stop_token(rove::background(), stop.get_token()).ctx);
    stop.request_stop();
    eventually([&] { return ran == 3 && w.use_count() == 1; });
    {
      auto top = rove::with_cancel(rove::background());
      auto middle = rove::with_cancel(rove::with_value(top.ctx, 1));
      wait_for(rove::with_cancel(middle.ctx).ctx);
      wait_for(middle.ctx);
      wait_for(top.ctx);
      top.cancel = {};
      CHECK(w.use_count() == 3);  // the top's is gone
      auto stop_late = wait_for(top.ctx);
      CHECK(stop_late());
      CHECK_FALSE(stop_late());
      middle.cancel = {};
      CHECK(w.use_count() == 1);
      CHECK_FALSE(middle.ctx.err());
    }
    wait_for(rove::background());
    CHECK(w.use_count() == 1);
    CHECK(ran == 3);
  });
}

TEST_CASE("context: a million children") {
  on_processors([] {
    constexpr int n = 50'000 * (load == 10 ? 4 : 1);
    auto [parent, cancel] = rove::with_cancel_cause(rove::background());
    std::vector<rove::cancelable> children;
    for (int i = 0; i < n; ++i) children.push_back(rove::with_cancel(parent));
    for (int i = 0; i < n; i += 3) children[static_cast<std::size_t>(i)] = {};
    cancel(std::make_error_code(std::errc::io_error));
    int right = 0;
    for (const auto& c : children)
      right += c.ctx.err() == rove::errc::canceled && c.ctx.cause() == std::errc::io_error;
    CHECK(right == n - (n + 2) / 3);
  });
}

TEST_CASE("context: a hundred thousand nested, in a goroutine with a small stack") {
  rove::runtime rt(with_procs(2));
  rt.spawn(rove::options{.stack_size = 32 << 10}, [] {
    for (int way = 0; way < 3; ++way) {
      auto top = rove::with_cancel(rove::background());
      rove::context last = top.ctx;
      std::vector<rove::cancel_function> all;
      for (int i = 0; i < 10'000 * load; ++i) {
        auto next = rove::with_cancel(last);
        last = rove::with_value(next.ctx, i);
        if (way == 1) all.push_back(next.cancel);
      }
      if (way != 2) top.cancel();  // else all give up, one after the other, and go
      CHECK(static_cast<bool>(last.err()) == (way != 2));
      top = {};
      all.clear();
      last = {};
    }
  }).get();
}

TEST_CASE("context: deadlines on plain threads, and after the end of the runtime that made them") {
  auto here = rove::with_timeout(rove::background(), 1ms);
  CHECK_FALSE(here.ctx.done().recv());
  CHECK(here.ctx.err() == rove::errc::deadline_exceeded);
  for (const unsigned n : {1u, 2u}) {
    rove::context soon, later, with_token;
    rove::cancel_function cancel;
    std::stop_token token;
    {
      rove::runtime rt(with_procs(n));
      rt.run([&] {
        soon = rove::with_timeout(rove::background(), 3ms).ctx;
        with_token = rove::with_timeout(rove::background(), 3ms).ctx;
        token = with_token.stop_token();
        auto l = rove::with_timeout(rove::background(), 1h);
        later = l.ctx;
        cancel = l.cancel;
      });
    }
    CHECK_FALSE(soon.done().recv());
    CHECK(soon.err() == rove::errc::deadline_exceeded);
    eventually([&] { return token.stop_requested(); });
    CHECK_FALSE(later.done().try_recv().closed);
    cancel();
    CHECK(later.err() == rove::errc::canceled);
    CHECK(later.deadline());
  }
}

TEST_CASE("context: functions of a runtime that is over are not called, but destroyed") {
  for (const unsigned n : {1u, 2u}) {
    auto w = std::make_shared<int>();
    std::atomic<int> ran{0};
    auto [ctx, cancel] = rove::with_cancel(rove::background());
    rove::stop_function stop;
    {
      rove::runtime rt(with_procs(n));
      rt.run([&, &ctx = ctx] {
        rove::after_func(ctx, [&ran, w] { ++ran; });
        stop = rove::after_func(ctx, [&ran, w] { ++ran; });
      });
      rt.stop();
    }
    CHECK(w.use_count() == 3);
    cancel();
    CHECK(w.use_count() == 1);
    CHECK_FALSE(stop());
    CHECK(ran == 0);
    CHECK(panic_of([&, &ctx = ctx] { rove::after_func(ctx, [] {}); }) == "rove: no runtime on this thread");
  }
}

TEST_CASE("context: cancelled from a plain thread and from another runtime") {
  rove::runtime rt(with_procs(2));
  auto a = rove::with_cancel(rove::background()), b = rove::with_cancel(a.ctx);
  auto waits = rt.spawn([&] { return !b.ctx.done().recv(); });
  eventually([&] { return rt.stats().parked == 1; });
  plain_threads threads;
  std::atomic<bool> seen{false};
  threads.start([&] { seen = !a.ctx.done().recv() && a.ctx.err(); });
  rove::run(with_procs(1), [&] { a.cancel(); });
  CHECK(waits.get());
  threads.join();
  CHECK(seen);
}

TEST_CASE("context: stop tokens, both ways and in a row") {
  on_processors([] {
    CHECK_FALSE(rove::background().stop_token().stop_possible());
    auto [ctx, cancel] = rove::with_cancel(rove::background());
    const std::stop_token token = ctx.stop_token();
    int called = 0;
    std::stop_callback count(token, [&] { ++called; });
    auto [next, cancel_next] = rove::with_stop_token(rove::background(), token);
    auto [last, cancel_last] = rove::with_stop_token(rove::with_value(rove::background(), 7), next.stop_token());
    CHECK(token.stop_possible());
    CHECK_FALSE(last.err());
    std::stop_callback again(last.stop_token(), [&, &cancel = cancel] { cancel(); ++called; });
    cancel();
    CHECK(called == 2);
    CHECK(token.stop_requested());
    for (const auto& c : {ctx, next, last}) CHECK(c.err() == rove::errc::canceled);
    CHECK(*last.value<int>() == 7);
    CHECK(ctx.stop_token().stop_requested());  // and so is a token that is asked for later
    auto [late, cancel_late] = rove::with_stop_token(rove::background(), token);
    CHECK(late.err() == rove::errc::canceled);
    auto after = rove::with_cancel(late);
    CHECK(after.ctx.stop_token().stop_requested());
  });
}

TEST_CASE("context: a token's callback may wait, when the deadline comes") {
  rove::run(with_procs(2), [] {
    auto [ctx, cancel] = rove::with_timeout(rove::background(), 1ms);
    auto done = rove::make_chan<std::uint64_t>();
    std::atomic<std::uint64_t> who{0};
    auto receiver = rove::spawn([&] {
      eventually([&] { return who != 0 && is_parked(who); });
      return done.recv();
    });
    // Where the deadline is over already it is called here, and waits here.
    std::stop_callback waits(ctx.stop_token(), [&] {
      who = rove::this_goroutine::id();
      done.send(who);
    });
    const auto received = receiver.get();
    CHECK(received == who.load());
    CHECK(ctx.err() == rove::errc::deadline_exceeded);
    eventually([] { return rove::num_goroutines() == 1; });  // a callback that has waited may be on another thread now
  });
}

TEST_CASE("context: far deadlines are never, past ones are now") {
  auto never = rove::with_timeout(rove::background(), std::chrono::hours::max());
  CHECK_FALSE(never.ctx.deadline());
  CHECK_FALSE(never.ctx.err());
  auto past = rove::with_deadline(never.ctx, std::chrono::steady_clock::time_point::min());
  CHECK(past.ctx.err() == rove::errc::deadline_exceeded);
  CHECK(past.ctx.deadline());
  auto wall = rove::with_deadline(rove::background(), std::chrono::system_clock::now() + 1h);
  CHECK(wall.ctx.deadline());
  CHECK_FALSE(wall.ctx.err());
}
