// The job system of examples/jobs: dependencies, barriers, ranges, and a solver that comes to the same result each
// time.
#include <atomic>
#include <numeric>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

#include "examples/jobs/cloth.hpp"
#include "test/catch.hpp"

using namespace jobs;

namespace {

rove::config with_procs(unsigned n) {
  unsetenv("ROVE_MAXPROCS");
  rove::config c;
  c.max_procs = n;
  return c;
}

// With 1, 2 and 4 processors; from a plain thread and from a goroutine.
template <class Body>
void everywhere(Body body) {
  for (const unsigned n : {1u, 2u, 4u})
    for (const bool inside : {false, true}) {
      INFO(n << " processors, " << (inside ? "in a goroutine" : "on a plain thread"));
      rove::runtime rt(with_procs(n));
      job_system s(rt);
      CHECK(s.max_concurrency() == n);
      if (inside)
        rt.run([&] { body(rt, s); });
      else
        body(rt, s);
    }
}

}  // namespace

TEST_CASE("jobs: one runs when its last dependency is gone, and not before") {
  everywhere([](rove::runtime&, job_system& s) {
    std::atomic<int> ran{0};
    barrier* const b = s.create_barrier();
    const handle free = s.create_job("free", 1, [&] { ran += 1; });
    b->add(free);
    s.wait(b);
    CHECK(ran == 1);
    CHECK(free->done());

    const handle held = s.create_job("held", 2, [&] { ran += 10; }, 2);
    b->add(held);
    held->add_dependency();
    held->remove_dependency(2);
    const handle other = s.create_job("other", 3, [&] { ran += 100; });
    barrier* const c = s.create_barrier();
    c->add(other);
    s.wait(c);
    CHECK(ran == 101);
    CHECK(!held->done());
    held->remove_dependency();
    s.wait(b);
    CHECK(ran == 111);
    CHECK(std::string_view(held->name()) == "held");
    CHECK(held->colour() == 2);
    s.destroy_barrier(b);
    s.destroy_barrier(c);
  });
}

TEST_CASE("jobs: in a graph each job sees what all those before it did") {
  constexpr std::size_t count = 300;
  everywhere([&](rove::runtime&, job_system& s) {
    std::minstd_rand dice(42);
    std::vector<std::vector<std::size_t>> before(count), after(count);
    for (std::size_t i = 1; i < count; ++i)
      for (int k = 0; k < 3; ++k) {
        const std::size_t from = dice() % i;
        before[i].push_back(from);
        after[from].push_back(i);
      }
    std::vector<int> done(count, 0);  // plain: the dependencies are what orders them
    std::atomic<int> early{0}, total{0};
    std::vector<handle> all(count);
    barrier* const b = s.create_barrier();
    for (std::size_t i = count; i-- > 0;) {
      all[i] = s.create_job("node", 0, [&, i] {
        for (const std::size_t k : before[i]) early += done[k] != 1;
        if (i % 7 == 0) rove::yield();
        ++done[i];
        ++total;
        for (const std::size_t k : after[i]) all[k]->remove_dependency();
      }, static_cast<std::uint32_t>(before[i].size()) + 1);
      b->add(all[i]);
    }
    for (std::size_t i = 0; i < count; ++i) all[i]->remove_dependency();
    s.wait(b);
    s.destroy_barrier(b);
    CHECK(early == 0);
    CHECK(total == static_cast<int>(count));
    CHECK(std::accumulate(done.begin(), done.end(), 0) == static_cast<int>(count));
  });
}

TEST_CASE("jobs: a barrier waits for all of its jobs, for those that they add, and not for those that are done") {
  everywhere([](rove::runtime& rt, job_system& s) {
    barrier* const b = s.create_barrier();
    s.wait(b);  // of nobody
    std::atomic<int> ran{0};
    for (int round = 0; round < 3; ++round) {
      ran = 0;
      for (int i = 0; i < 20; ++i)
        b->add(s.create_job("parent", 0, [&] {
          rove::yield();
          b->add(s.create_job("child", 0, [&] {
            rove::sleep_for(std::chrono::microseconds(50));
            ++ran;
          }));
          ++ran;
        }));
      s.wait(b);
      CHECK(ran == 40);
    }
    const handle late = s.create_job("late", 0, [] {});
    while (!late->done()) {
      rove::yield();
      std::this_thread::yield();
    }
    b->add(late);
    s.wait(b);

    // Held back: nobody passes.
    std::atomic<bool> passed{false};
    const handle held = s.create_job("held", 0, [&] { ran = 1; }, 1);
    b->add(held);
    rove::task<void> waits = rt.spawn([&] {
      s.wait(b);
      passed = true;
    });
    for (int i = 0; i < 20; ++i) rove::yield();
    CHECK(!passed);
    held->remove_dependency();
    waits.get();
    CHECK(ran == 1);
    s.destroy_barrier(b);
  });
}

TEST_CASE("jobs: misuse") {
  rove::runtime rt(with_procs(1));
  job_system s(rt);
  const handle h = s.create_job("never", 0, [] {}, 1);
  CHECK_THROWS_AS(h->remove_dependency(2), std::logic_error);
  const handle other = s.create_job("other", 0, [] {}, 1);
  barrier *const a = s.create_barrier(), *const b = s.create_barrier();
  a->add(other);
  CHECK_THROWS_AS(b->add(other), std::logic_error);
  s.wait(b);  // is not left with somebody to wait for
  other->remove_dependency();
  s.wait(a);
  s.destroy_barrier(a);
  s.destroy_barrier(b);
}

TEST_CASE("jobs: ranges are all items, each once, with a worker of their own") {
  struct watch {
    std::vector<std::atomic<int>> items = std::vector<std::atomic<int>>(1000);
    std::vector<std::atomic<int>> busy = std::vector<std::atomic<int>>(8);
    std::atomic<int> shared{0}, small{0}, calls{0};
    int least = 0;
  };
  const auto look = [](int first, int last, std::uint32_t worker, void* context) {
    auto& w = *static_cast<watch*>(context);
    w.shared += w.busy.at(worker)++ != 0;
    for (int i = first; i < last; ++i) ++w.items[static_cast<std::size_t>(i)];
    w.small += last - first < w.least;
    ++w.calls;
    if (first % 3 == 0) rove::yield();
    --w.busy[worker];
  };
  everywhere([&](rove::runtime& rt, job_system& s) {
    range_tasks tasks(rt, s.max_concurrency());
    CHECK(range_tasks::enqueue(look, 0, 1, nullptr, &tasks) == nullptr);
    range_tasks::finish(nullptr, &tasks);
    for (const int items : {1, 7, 64, 1000})
      for (const int least : {1, 10, 64, 5000}) {
        watch w;
        w.least = std::min(least, items);
        void* const first = range_tasks::enqueue(look, items, least, &w, &tasks);
        void* const second = range_tasks::enqueue(look, items, least, &w, &tasks);  // at the same time
        range_tasks::finish(second, &tasks);
        range_tasks::finish(first, &tasks);
        int wrong = 0;
        for (int i = 0; i < 1000; ++i) wrong += w.items[static_cast<std::size_t>(i)] != (i < items ? 2 : 0);
        INFO(items << " items, " << least << " at least");
        CHECK(wrong == 0);
        CHECK(w.shared == 0);
        CHECK(w.small == 0);
        CHECK(w.calls >= 2);
      }
  });
}

TEST_CASE("jobs: a solver comes to the same result, whoever does what when") {
  constexpr int steps = 40;
  cloth expected(24);
  for (int i = 0; i < steps; ++i) expected.step_alone();
  CHECK(expected.contacts() > 0);
  everywhere([&](rove::runtime& rt, job_system& s) {
    cloth c(24);
    range_tasks tasks(rt, s.max_concurrency());
    for (int i = 0; i < steps; ++i) c.step(s, tasks);
    CHECK(c.hash() == expected.hash());
    CHECK(c.contacts() == expected.contacts());
  });
}
