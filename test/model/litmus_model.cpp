// The model checker's own test: litmus tests whose outcomes C++20 forbids or allows.
//
// For each shape an outcome is counted. Forbidden: no execution, seeded or exhaustive, shows it. Allowed (and seen on
// real processors): some execution does; a checker that is too strong would find no bug that depends on it.
#include "test/model/mutations.hpp"

namespace model = rove::model;
using namespace model::short_names;

namespace {

constexpr auto sc = std::memory_order_seq_cst;

struct cells {
  A::atomic<int> x{0}, y{0}, z{0};
  int a = -1, b = -1, c = -1, d = -1;

  cells() {
    x.name("x");
    y.name("y");
    z.name("z");
  }
};

// Runs two to four threads over the cells and looks at what they read.
using part = std::function<void(cells&)>;
std::function<void()> program(std::vector<part> parts, std::function<bool(const cells&)> outcome) {
  return [=] {
    cells all;
    {
      std::vector<model::thread> threads;
      threads.reserve(parts.size());
      for (const part& p : parts)
        threads.emplace_back([&all, &p] { p(all); });
    }
    model::check(!outcome(all), "the outcome");
  };
}

void forbidden(std::vector<part> parts, std::function<bool(const cells&)> outcome) {
  const auto body = program(std::move(parts), std::move(outcome));
  model::holds({.executions = 5000}, body);
  const model::result all = model::explore({.executions = 1000000, .exhaustive = true, .stale = 2}, body);
  INFO(all.report);
  CHECK(all);
  CHECK((all.exhausted || all.failed));
}

void allowed(std::vector<part> parts, std::function<bool(const cells&)> outcome) {
  const auto body = program(std::move(parts), std::move(outcome));
  CHECK(!model::explore({.executions = 5000}, body));
  CHECK(!model::explore({.executions = 1000000, .exhaustive = true}, body));
}

// ---- store buffering: x=1; a=y | y=1; b=x ----

std::vector<part> store_buffering(std::memory_order store, std::memory_order load, void (*fence1)(), void (*fence2)()) {
  return {[=](cells& s) { s.x.store(1, store); fence1(); s.a = s.y.load(load); },
          [=](cells& s) { s.y.store(1, store); fence2(); s.b = s.x.load(load); }};
}
bool both_zero(const cells& s) { return s.a == 0 && s.b == 0; }
void no_fence() {}
void light() { A::light_fence(); }
void heavy() { A::heavy_fence(); }
void full() { A::full_fence(); }

}  // namespace

TEST_CASE("model: store buffering") {
  allowed(store_buffering(rlx, rlx, no_fence, no_fence), both_zero);
  allowed(store_buffering(rel, acq, no_fence, no_fence), both_zero);
  forbidden(store_buffering(sc, sc, no_fence, no_fence), both_zero);
  forbidden(store_buffering(rlx, rlx, full, full), both_zero);
  allowed(store_buffering(rlx, rlx, full, no_fence), both_zero);
  allowed(store_buffering(sc, rlx, no_fence, no_fence), both_zero);
}

TEST_CASE("model: asymmetric fences") {
  forbidden(store_buffering(rlx, rlx, light, heavy), both_zero);
  forbidden(store_buffering(rlx, rlx, heavy, heavy), both_zero);
  allowed(store_buffering(rlx, rlx, light, light), both_zero);
  allowed(store_buffering(rlx, rlx, light, full), both_zero);
  // Without the light fence the compiler may delay the store past the load, and the heavy fence falls between them.
  allowed(store_buffering(rlx, rlx, no_fence, heavy), both_zero);
}

TEST_CASE("model: store buffering with an update on one side") {
  // The update may come before a store that already left its thread, in modification order.
  const auto outcome = [](const cells& s) { return s.a == 0 && s.b == 0; };
  allowed({[](cells& s) { s.x.store(1, rlx); s.a = s.y.load(rlx); },
           [](cells& s) { s.y.store(1, rlx); s.b = s.x.fetch_add(0, std::memory_order_acq_rel); }}, outcome);
  forbidden({[](cells& s) { s.x.fetch_add(1, std::memory_order_acq_rel); s.a = s.y.fetch_add(0, std::memory_order_acq_rel); },
             [](cells& s) { s.y.fetch_add(1, std::memory_order_acq_rel); s.b = s.x.fetch_add(0, std::memory_order_acq_rel); }},
            outcome);
}

TEST_CASE("model: message passing") {
  const auto shape = [](std::memory_order store, std::memory_order load) -> std::vector<part> {
    return {[=](cells& s) { s.x.store(1, rlx); s.y.store(1, store); },
            [=](cells& s) { s.a = s.y.load(load); s.b = s.x.load(rlx); }};
  };
  const auto outcome = [](const cells& s) { return s.a == 1 && s.b == 0; };
  forbidden(shape(rel, acq), outcome);
  allowed(shape(rlx, acq), outcome);
  allowed(shape(rel, rlx), outcome);
  allowed(shape(rlx, rlx), outcome);
  forbidden({[](cells& s) { s.x.store(1, rlx); A::full_fence(); s.y.store(1, rlx); },
             [](cells& s) { s.a = s.y.load(rlx); A::full_fence(); s.b = s.x.load(rlx); }}, outcome);
}

TEST_CASE("model: a chain of three hands everything on") {
  const auto shape = [](std::memory_order middle) -> std::vector<part> {
    return {[](cells& s) { s.x.store(1, rlx); s.y.store(1, rel); },
            [=](cells& s) { s.a = s.y.load(middle); s.z.store(1, rel); },
            [](cells& s) { s.b = s.z.load(acq); s.c = s.x.load(rlx); }};
  };
  const auto outcome = [](const cells& s) { return s.a == 1 && s.b == 1 && s.c == 0; };
  forbidden(shape(acq), outcome);
  allowed(shape(rlx), outcome);
}

TEST_CASE("model: independent reads of independent writes") {
  const auto shape = [](std::memory_order store, std::memory_order load) -> std::vector<part> {
    return {[=](cells& s) { s.x.store(1, store); }, [=](cells& s) { s.y.store(1, store); },
            [=](cells& s) { s.a = s.x.load(load); s.b = s.y.load(load); },
            [=](cells& s) { s.c = s.y.load(load); s.d = s.x.load(load); }};
  };
  const auto outcome = [](const cells& s) { return s.a == 1 && s.b == 0 && s.c == 1 && s.d == 0; };
  forbidden(shape(sc, sc), outcome);
  allowed(shape(rel, acq), outcome);
}

TEST_CASE("model: coherence") {
  // One location: two reads never go backwards, a thread sees its own store, two threads agree on the order.
  forbidden({[](cells& s) { s.x.store(1, rlx); s.x.store(2, rlx); },
             [](cells& s) { s.a = s.x.load(rlx); s.b = s.x.load(rlx); }},
            [](const cells& s) { return s.b < s.a; });
  forbidden({[](cells& s) { s.x.store(1, rlx); s.a = s.x.load(rlx); }, [](cells& s) { s.x.store(2, rlx); }},
            [](const cells& s) { return s.a == 0; });
  forbidden({[](cells& s) { s.x.store(1, rlx); }, [](cells& s) { s.x.store(2, rlx); },
             [](cells& s) { s.a = s.x.load(rlx); s.b = s.x.load(rlx); },
             [](cells& s) { s.c = s.x.load(rlx); s.d = s.x.load(rlx); }},
            [](const cells& s) { return s.a == 1 && s.b == 2 && s.c == 2 && s.d == 1; });
}

TEST_CASE("model: stores out of order") {
  // 2+2W: both locations end with the value that was stored first by its thread.
  const auto shape = [](std::memory_order first, std::memory_order second) -> std::vector<part> {
    return {[=](cells& s) { s.x.store(1, first); s.y.store(2, second); },
            [=](cells& s) { s.y.store(1, first); s.x.store(2, second); }};
  };
  const auto outcome = [](const cells& s) { return s.x.load(rlx) == 1 && s.y.load(rlx) == 1; };
  allowed(shape(rlx, rlx), outcome);
  allowed(shape(rlx, rel), outcome);
  forbidden(shape(sc, sc), outcome);
}

TEST_CASE("model: updates are indivisible and continue a release sequence") {
  forbidden({[](cells& s) { s.a = s.x.fetch_add(1, rlx); }, [](cells& s) { s.b = s.x.fetch_add(1, rlx); },
             [](cells& s) { s.c = s.x.exchange(10, rlx); }},
            [](const cells& s) { return s.a == s.b || s.b == s.c || s.a == s.c; });
  const auto shape = [](part middle) -> std::vector<part> {
    return {[](cells& s) { s.x.store(1, rlx); s.y.store(1, rel); }, std::move(middle),
            [](cells& s) { s.a = s.y.load(acq); s.b = s.x.load(rlx); }};
  };
  const auto outcome = [](const cells& s) { return s.c == 1 && s.a == 2 && s.b == 0; };
  forbidden(shape([](cells& s) { s.c = s.y.fetch_add(1, rlx); }), outcome);
  allowed(shape([](cells& s) { s.c = s.y.load(rlx); s.y.store(2, rlx); }), outcome);
}

TEST_CASE("model: compare and exchange") {
  // Of two that expect the same value one wins, and only a weak one fails without a reason.
  forbidden({[](cells& s) { int e = 0; s.a = s.x.compare_exchange_strong(e, 1, rlx); },
             [](cells& s) { int e = 0; s.b = s.x.compare_exchange_strong(e, 2, rlx); }},
            [](const cells& s) { return s.a == s.b; });
  allowed({[](cells& s) { int e = 0; s.a = s.x.compare_exchange_weak(e, 1, rlx); }}, [](const cells& s) { return s.a == 0; });
  forbidden({[](cells& s) { int e = 0; s.a = s.x.compare_exchange_strong(e, 1, rlx); }}, [](const cells& s) { return s.a == 0; });
}

TEST_CASE("model: fences and accesses that are sequentially consistent together") {
  forbidden({[](cells& s) { s.x.store(1, sc); s.a = s.y.load(sc); }, [](cells& s) { s.y.store(1, sc); A::full_fence(); s.b = s.x.load(rlx); }},
            both_zero);
  forbidden({[](cells& s) { s.x.store(1, rlx); A::full_fence(); s.a = s.y.load(sc); }, [](cells& s) { s.y.store(1, sc); s.b = s.x.load(sc); }},
            both_zero);
}
