// What Go's tests say of context: cancelling down the tree, deadlines, values, causes.
#include <chrono>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "test/support/allocations.hpp"
#include "test/conformance/support.hpp"

using namespace rove_test;

namespace {

constexpr auto very_long = 1000h;
const std::error_code none;
const std::error_code canceled = rove::errc::canceled;
const std::error_code deadline_exceeded = rove::errc::deadline_exceeded;

bool is_done(const rove::context& ctx) { return ctx.done().try_recv().closed; }

void check_open(const rove::context& ctx) {
  CHECK_FALSE(is_done(ctx));
  CHECK(ctx.err() == none);
  CHECK(ctx.cause() == none);
}

void check_ended(const rove::context& ctx, std::error_code err) {
  CHECK(is_done(ctx));
  CHECK(ctx.err() == err);
}

// Waits for the deadline: the test's own time is the bound.
void check_deadline_comes(const rove::context& ctx) {
  CHECK_FALSE(ctx.done().recv());
  CHECK(ctx.err() == deadline_exceeded);
  CHECK(ctx.cause() == deadline_exceeded);
}

// The body in goroutines and on a plain thread.
template <class Body>
void everywhere(Body body) {
  body();
  on_processors(body);
}

struct key_1 {
  std::string text;
};
struct key_2 {
  std::string text;
};
struct key_3 {
  std::string text;
};
struct number {
  int value;
};

}  // namespace

TEST_CASE("context: the background never ends") {
  everywhere([] {
    const rove::context bg = rove::background();
    CHECK_FALSE(bg.done());
    CHECK(rove::select(bg.done().on_recv([] { FAIL("the background ended"); }), rove::otherwise()) == 1);
    CHECK(bg.err() == none);
    CHECK(bg.cause() == none);
    CHECK_FALSE(bg.deadline());
    CHECK(bg.value<number>() == nullptr);
  });
}

TEST_CASE("context: with_cancel, cancelling goes down at once") {
  everywhere([] {
    auto [c1, cancel] = rove::with_cancel(rove::background());
    const rove::context copy = c1;
    auto [c2, cancel_2] = rove::with_cancel(copy);
    for (const rove::context& c : {c1, copy, c2}) {
      CHECK(c.done());
      check_open(c);
    }
    cancel();
    for (const rove::context& c : {c1, copy, c2}) check_ended(c, canceled);
    cancel();
    cancel_2();
    check_ended(c1, canceled);
  });
}

TEST_CASE("context: a deadline, by time and by duration, past ones too") {
  using clock = std::chrono::steady_clock;
  everywhere([] {
    const auto soon = [] { return clock::now() + 1ms; };
    auto [a, cancel_a] = rove::with_deadline(rove::background(), soon());
    check_deadline_comes(a);
    auto [b, cancel_b] = rove::with_deadline(rove::background(), soon());
    auto [b2, cancel_b2] = rove::with_deadline(b, clock::now() + very_long);
    check_deadline_comes(b2);  // the parent's is earlier
    auto [c, cancel_c] = rove::with_deadline(rove::background(), clock::now() - 1ms);
    check_ended(c, deadline_exceeded);
    auto [d, cancel_d] = rove::with_deadline(rove::background(), clock::now());
    check_deadline_comes(d);
    auto [e, cancel_e] = rove::with_timeout(rove::background(), 1ms);
    check_deadline_comes(e);
    auto [f, cancel_f] = rove::with_timeout(rove::background(), 1ms);
    auto [f2, cancel_f2] = rove::with_timeout(f, very_long);
    CHECK(f2.deadline() == f.deadline());
    check_deadline_comes(f2);
  });
}

TEST_CASE("context: a cancelled timeout is cancelled, at once") {
  everywhere([] {
    auto [outer, cancel_outer] = rove::with_timeout(rove::background(), very_long);
    auto [ctx, cancel] = rove::with_timeout(outer, very_long);
    cancel();
    check_ended(ctx, canceled);
    check_open(outer);
  });
}

TEST_CASE("context: a parent ends its children of every kind, and those made later") {
  everywhere([] {
    auto [parent, cancel] = rove::with_cancel(rove::background());
    auto [child, cancel_child] = rove::with_cancel(parent);
    const rove::context with_key = rove::with_value(parent, key_1{"value"});
    auto [timed, cancel_timed] = rove::with_timeout(with_key, very_long);
    for (const rove::context& c : {parent, child, with_key, timed}) check_open(c);
    cancel();
    for (const rove::context& c : {parent, child, with_key, timed}) check_ended(c, canceled);
    check_ended(rove::with_value(parent, key_1{"value"}), canceled);
    auto [late, cancel_late] = rove::with_cancel(parent);
    check_ended(late, canceled);
    auto [late_timed, cancel_late_timed] = rove::with_timeout(parent, very_long);
    check_ended(late_timed, canceled);
  });
}

TEST_CASE("context: a child's end is not its parent's") {
  everywhere([] {
    auto [cancelable, stop] = rove::with_cancel(rove::background());
    for (const rove::context& parent : {rove::background(), cancelable}) {
      auto [child, cancel] = rove::with_cancel(parent);
      check_open(parent);
      check_open(child);
      cancel();
      check_ended(child, canceled);
      check_open(parent);
    }
  });
}

TEST_CASE("context: an ended child is let go by its parent") {
  everywhere([] {
    auto [parent, cancel_parent] = rove::with_cancel(rove::background());
    const auto owned = std::make_shared<int>(1);  // by a context that the child keeps
    {
      const rove::context valued = rove::with_value(parent, std::shared_ptr<int>(owned));
      auto [a, cancel_a] = rove::with_cancel(valued);
      auto [b, cancel_b] = rove::with_timeout(valued, very_long);
      CHECK(owned.use_count() == 2);
      cancel_a();
      cancel_b();
    }
    CHECK(owned.use_count() == 1);
    check_open(parent);
  });
}

TEST_CASE("context: values, found by type, the nearest first") {
  everywhere([] {
    const auto text = [](const auto* key) { return key ? key->text : "-"; };
    const auto check = [&](const rove::context& c, const std::string& one, const std::string& two,
                           const std::string& three) {
      CHECK(text(c.value<key_1>()) == one);
      CHECK(text(c.value<key_2>()) == two);
      CHECK(text(c.value<key_3>()) == three);
    };
    const rove::context c0 = rove::background();
    check(c0, "-", "-", "-");
    const rove::context c1 = rove::with_value(c0, key_1{"c1k1"});
    check(c1, "c1k1", "-", "-");
    const rove::context c2 = rove::with_value(c1, key_2{"c2k2"});
    check(c2, "c1k1", "c2k2", "-");
    const rove::context c3 = rove::with_value(c2, key_3{"c3k3"});
    check(c3, "c1k1", "c2k2", "c3k3");
    const rove::context c4 = rove::with_value(c3, key_1{""});
    check(c4, "", "c2k2", "c3k3");
    check(c3, "c1k1", "c2k2", "c3k3");
    check(c0, "-", "-", "-");
    auto [cancelable, cancel] = rove::with_cancel(c4);
    auto [timed, cancel_timed] = rove::with_timeout(cancelable, very_long);
    check(timed, "", "c2k2", "c3k3");
    cancel();
    check(timed, "", "c2k2", "c3k3");
    CHECK(timed.value<key_2>() == c2.value<key_2>());
  });
}

TEST_CASE("context: making them allocates little") {
  const auto allocated = [](auto make) {
    make();  // what is made once
    return allocations_of(make);
  };
  on_processors([&] {
    const rove::context bg = rove::background();
    CHECK(allocated([] { rove::background(); }) == 0);
    CHECK(allocated([&] { static_cast<void>(rove::with_value(bg, number{1}).value<number>()); }) <= 3);
    CHECK(allocated([&] {
            auto [ctx, cancel] = rove::with_cancel(bg);
            cancel();
            ctx.done().recv();
          }) <= 5);
    CHECK(allocated([&] {
            auto [ctx, cancel] = rove::with_timeout(bg, 1ns);
            ctx.done().recv();
          }) <= 12);
    CHECK(allocated([&] {
            auto [ctx, cancel] = rove::with_timeout(bg, 5ms);
            cancel();
            ctx.done().recv();
          }) <= 8);
  });
}

TEST_CASE("context: a child of a cancelled parent has its error and its cause") {
  everywhere([] {
    const std::error_code because(17, std::generic_category());
    auto [parent, cancel_parent] = rove::with_cancel_cause(rove::background());
    cancel_parent(because);
    auto [c, cancel] = rove::with_cancel(parent);
    check_ended(c, canceled);
    CHECK(c.cause() == because);
  });
}

TEST_CASE("context: values must be movable objects; a default context is the background") {
  // Go panics for a nil parent and for a key that cannot be compared: here there is neither.
  everywhere([] {
    const rove::context empty{};
    CHECK_FALSE(empty.done());
    auto [ctx, cancel] = rove::with_cancel(empty);
    check_open(ctx);
    cancel();
    check_ended(ctx, canceled);
  });
}

TEST_CASE("context: the errors' texts, and what they equal") {
  CHECK(canceled.message() == "context canceled");
  CHECK(deadline_exceeded.message() == "context deadline exceeded");
  CHECK(deadline_exceeded == std::errc::timed_out);
  CHECK(canceled == std::errc::operation_canceled);
  CHECK(canceled != std::errc::timed_out);
}

TEST_CASE("context: without_cancel keeps the values, and nothing else") {
  everywhere([] {
    auto [parent, cancel] = rove::with_timeout(rove::with_value(rove::background(), number{5}), very_long);
    const rove::context ctx = rove::without_cancel(parent);
    CHECK_FALSE(ctx.deadline());
    CHECK_FALSE(ctx.done());
    cancel();
    CHECK(ctx.err() == none);
    REQUIRE(ctx.value<number>());
    CHECK(ctx.value<number>()->value == 5);
    auto [child, cancel_child] = rove::with_cancel(ctx);
    check_open(child);
  });
}
