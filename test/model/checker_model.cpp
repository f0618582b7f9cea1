// The model checker's own test: races, lifetimes, threads that wait, and that a failure can be had again.
#include <cstdlib>
#include <memory>
#include <string>

#include "test/model/mutations.hpp"

namespace model = rove::model;
using namespace model::short_names;

namespace {

bool found(const model::result& r, const char* what) {
  INFO(r.report);
  CHECK(r.failed);
  CHECK_THAT(r.what, Catch::Matchers::StartsWith(what));
  return r.failed;
}

void hand_over(std::memory_order store, std::memory_order load) {
  A::atomic<bool> there{false};
  model::plain<int> data{0};
  model::thread t([&] {
    data = 42;
    there.store(true, store);
  });
  if (there.load(load))
    model::check(data == 42, "the data came with the flag");
}

// Two threads that increase a plain number under a lock made of `enter` and `leave`.
template <class Enter, class Leave>
void count_under(Enter enter, Leave leave) {
  A::atomic<std::uint32_t> word{0};
  model::plain<int> count{0};
  const auto work = [&] {
    for (int i = 0; i < 2; ++i) {
      enter(word);
      count = count + 1;
      leave(word);
    }
  };
  {
    model::thread other(work);
    work();
  }
  model::check(count == 4, "nothing was lost");
}

void spin_enter(A::atomic<std::uint32_t>& word) {
  while (word.exchange(1, acq) != 0)
    A::pause();
}

}  // namespace

TEST_CASE("model: data races on plain variables") {
  model::holds({}, [] { hand_over(rel, acq); });
  found(model::explore({}, [] { hand_over(rlx, acq); }), "data race");
  found(model::explore({}, [] { hand_over(rel, rlx); }), "data race");
  found(model::explore({.exhaustive = true}, [] { hand_over(rel, rlx); }), "data race");
  found(model::explore({}, [] {
    model::plain<int> n{0};
    model::thread t([&] { n = 1; });
    n = 2;
  }), "data race");
  found(model::explore({}, [] {  // what comes after a release is not handed on, even if nothing happens in between
    A::atomic<bool> there{false};
    model::plain<int> data{0};
    model::thread t([&] {
      there.store(true, rel);
      data = 1;
    });
    if (there.load(acq))
      model::check(data >= 0, "seen");
  }), "data race");
  model::holds({}, [] {  // reads alone are none, and start and join order
    model::plain<int> n{1};
    {
      model::thread t([&] { model::check(n == 1, "seen"); });
      model::check(n == 1, "seen");
    }
    n = 2;
  });
}

TEST_CASE("model: a seq_cst fence alone does not order plain variables") {
  const auto body = [](bool fences) {
    A::atomic<int> flag{0};
    model::plain<int> data{0};
    model::thread t([&] {
      data = 1;
      if (fences)
        A::full_fence();
      flag.store(1, rlx);
    });
    const int seen = flag.load(rlx);
    A::full_fence();
    if (seen == 1)
      model::check(data == 1, "seen");
  };
  model::holds({}, [&] { body(true); });   // fence to fence by way of the flag
  found(model::explore({}, [&] { body(false); }), "data race");
}

TEST_CASE("model: locks") {
  const auto leave = [](A::atomic<std::uint32_t>& word) { word.store(0, rel); };
  model::holds({}, [&] { count_under(spin_enter, leave); });
  model::holds({.executions = 50000, .exhaustive = true}, [&] { count_under(spin_enter, leave); });
  found(model::explore({}, [&] {
    count_under(spin_enter, [](A::atomic<std::uint32_t>& word) { word.store(0, rlx); });
  }), "data race");
  found(model::explore({}, [&] {
    count_under([](A::atomic<std::uint32_t>& word) {
      while (word.load(acq) != 0)
        A::pause();
      word.store(1, rlx);
    }, leave);
  }), "data race");
}

namespace {

// The three-state futex lock (Drepper, "Futexes Are Tricky", mutex 2).
void futex_enter(A::atomic<std::uint32_t>& word) {
  std::uint32_t seen = 0;
  if (word.compare_exchange_strong(seen, 1, acq, rlx))
    return;
  while (word.exchange(2, acq) != 0)
    A::futex_wait(word, 2);
}
void futex_leave(A::atomic<std::uint32_t>& word) {
  if (word.exchange(0, rel) == 2)
    A::futex_wake(word, 1);
}

}  // namespace

TEST_CASE("model: a futex lock, and a wake-up that is lost") {
  model::holds({}, [] { count_under(futex_enter, futex_leave); });
  found(model::explore({}, [] {
    count_under(futex_enter, [](A::atomic<std::uint32_t>& word) { word.store(0, rel); });
  }), "deadlock");
  found(model::explore({}, [] {  // sleeps without having said so
    count_under([](A::atomic<std::uint32_t>& word) {
      std::uint32_t seen = 0;
      while (!word.compare_exchange_strong(seen, 1, acq, rlx)) {
        A::futex_wait(word, 1);
        seen = 0;
      }
    }, futex_leave);
  }), "deadlock");
}

TEST_CASE("model: threads that never end") {
  found(model::explore({}, [] {
    A::atomic<int> never{0};
    while (never.load(rlx) == 0)
      A::pause();
  }), "livelock");
  found(model::explore({}, [] {
    A::atomic<int> never{0};
    while (never.load(rlx) == 0) {
    }
  }), "no end");
  model::holds({}, [] {  // what is stored is seen some day, however relaxed
    A::atomic<int> flag{0};
    model::thread t([&] { flag.store(1, rlx); });
    while (flag.load(rlx) == 0)
      A::pause();
  });
  model::holds({}, [] {  // a pause that gives up does give up
    A::atomic<int> flag{0};
    for (int i = 0; i < 5 && flag.load(rlx) == 0; ++i)
      A::pause();
  });
  const model::result both = model::explore({}, [] {  // both outcomes of a bounded spin are seen
    A::atomic<int> flag{0};
    model::thread t([&] { flag.store(1, rlx); });
    int i = 0;
    while (i < 3 && flag.load(rlx) == 0) {
      A::pause();
      ++i;
    }
    model::check(i < 3, "gave up");
  });
  found(both, "gave up");
}

TEST_CASE("model: lifetimes of atomics") {
  found(model::explore({}, [] {  // published before its construction is visible
    A::atomic<A::atomic<int>*> where{nullptr};
    model::thread t([&] {
      A::atomic<int> mine{1};
      where.store(&mine, rlx);
      while (mine.load(rlx) == 1)
        A::pause();
    });
    A::atomic<int>* there = nullptr;
    while ((there = where.load(rlx)) == nullptr)
      A::pause();
    there->store(2, rlx);
  }), "data race: an atomic is used before");
  found(model::explore({}, [] {  // a lock whose last touch comes after it was left
    A::atomic<int> left{0};
    auto lock = std::make_unique<A::atomic<int>>(1);
    model::thread t([&] {
      lock->store(0, rlx);
      left.store(1, rlx);
    });
    while (left.load(rlx) == 0)
      A::pause();
    lock.reset();
  }), "data race: an atomic is destroyed");
}

namespace {
A::atomic<int> static_cell{7};
}

TEST_CASE("model: static atomics start anew in each execution") {
  CHECK(static_cell.load() == 7);
  model::holds({}, [] {
    model::check(static_cell.load(rlx) == 7, "the first value");
    static_cell.store(8, rlx);
    model::check(static_cell.fetch_add(-2) == 8, "updates");
    model::check(static_cell == 6, "reads");
  });
  CHECK(static_cell.load() == 7);
}

TEST_CASE("model: the types an atomic can have") {
  model::holds({.executions = 3}, [] {
    int numbers[3] = {};
    A::atomic<int*> p{numbers};
    model::check(p.fetch_add(2) == numbers && p.load() == numbers + 2, "a pointer steps by its object");
    model::check(p.fetch_sub(1) == numbers + 2 && p.load() == numbers + 1, "and back");
    A::atomic<std::uint8_t> small{255};
    model::check(++small == 0 && small.fetch_sub(1) == 0 && small.load() == 255, "wraps at its width");
    A::atomic<std::int64_t> wide{-1};
    model::check(wide.fetch_add(-4) == -1 && wide == -5 && wide.fetch_and(0xff) == -5 && wide == 251, "signs");
    A::atomic<bool> flag;
    model::check(!flag.exchange(true) && flag, "bools");
  });
}

TEST_CASE("model: all choices are tried") {
  for (const bool exhaustive : {false, true})
    for (unsigned wanted = 0; wanted < 5; ++wanted)
      found(model::explore({.exhaustive = exhaustive}, [&] { model::check(model::choose(5) != wanted, "the one"); }), "the one");
  const model::result all = model::explore({.exhaustive = true}, [] { model::choose(3), model::choose(4); });
  CHECK(all.exhausted);
  CHECK(all.executions == 12);
}

TEST_CASE("model: a failure can be had again by what the report says") {
  const auto body = [] { hand_over(rlx, rlx); };
  for (const bool exhaustive : {false, true}) {
    const model::result first = model::explore({.exhaustive = exhaustive}, body);
    REQUIRE(first.failed);
    setenv("ROVE_SEED", first.replay.c_str(), 1);
    const model::result again = model::explore({}, body);
    unsetenv("ROVE_SEED");
    CHECK(again.failed);
    CHECK(again.executions == 1);
    CHECK(again.what == first.what);
    CHECK(again.report.find("T1 store") != std::string::npos);
  }
}
