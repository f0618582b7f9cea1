// goroutine_local: each goroutine its own, over parks and threads, destroyed after the closure.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "test/support/fixture.hpp"

using namespace rove_test;

namespace {

rove::goroutine_local<int> number;
rove::goroutine_local<std::string> text;

struct logged {
  std::vector<int>* to = nullptr;
  int what = 0;
  ~logged() {
    if (to) to->push_back(what);
  }
};
rove::goroutine_local<logged> first, second;

}  // namespace

TEST_CASE("goroutine_local: a T{} for each goroutine, on whichever thread") {
  on_processors([] {
    std::atomic<int> wrong{0};
    rove::wait_group wg;
    for (int i = 1; i <= 20; ++i)
      wg.go([&, i] {
        dice d(static_cast<std::uint64_t>(i));
        wrong += *number != 0;
        wrong += !text->empty();
        *number = i;
        *text = std::to_string(i);
        int* const where = &*number;
        for (int k = 0; k < 20; ++k) d.delay();
        wrong += *number != i || *text != std::to_string(i) || where != &*number;
      });
    wg.wait();
    CHECK(wrong == 0);
    CHECK(*number == 0);
  });
}

TEST_CASE("goroutine_local: goes along to another thread, and into blocking") {
  rove::runtime rt(with_procs(2));
  rt.run([] {
    *number = 5;
    migrate();
    CHECK(*number == 5);
    rove::blocking([] { *number += 1; });
    CHECK(*number == 6);
  });
}

TEST_CASE("goroutine_local: destroyed after the closure, the last one first, also at goexit and at the end") {
  on_processors([] {
    for (int how = 0; how < 3; ++how) {
      std::vector<int> order;
      struct closure {
        std::vector<int>* to;
        closure(std::vector<int>* t) : to(t) {}
        closure(closure&& other) noexcept : to(std::exchange(other.to, nullptr)) {}
        ~closure() {
          if (to) to->push_back(3);
        }
      };
      const auto body = [&order, how, c = closure(&order)] {
        first->to = &order;
        first->what = 1;
        second->to = &order;
        second->what = 2;
        if (how == 1) rove::goexit();
        if (how == 2) rove::chan<int>().recv();
      };
      using body_type = std::remove_const_t<decltype(body)>;
      rove::runtime inner(with_procs(1));
      inner.go(std::move(const_cast<body_type&>(body)));
      if (how < 2)
        eventually([&] { return inner.stats().goroutines == 0; });
      else
        eventually([&] { return inner.stats().parked == 1; });
      rove::blocking([&] { inner.stop(); });
      CHECK(order == std::vector<int>{3, 2, 1});
    }
  });
}

TEST_CASE("goroutine_local: many goroutines one after the other leave nothing") {
  counted::alive = 0;
  static rove::goroutine_local<counted> c;
  rove::runtime rt(with_procs(2));
  rt.run([] {
    rove::wait_group wg;
    for (int i = 0; i < 200 * load; ++i)
      wg.go([i] {
        if (i % 2) c->value = i;
        if (i % 8 == 0) rove::yield();
        if (c->value != (i % 2 ? i : 0)) FAIL("another's value");
      });
    wg.wait();
  });
  eventually([&] { return rt.stats().goroutines == 0; });
  CHECK(counted::alive == 0);
}

TEST_CASE("goroutine_local: outside of goroutines each thread has its own") {
  counted::alive = 0;
  rove::goroutine_local<counted> c;
  std::atomic<int> wrong{0};
  const auto use = [&](int i) {
    wrong += c->value != 0;
    c->value = i;
    std::this_thread::yield();
    wrong += c->value != i;
  };
  std::thread a(use, 1), b(use, 2);
  a.join();
  b.join();
  CHECK(wrong == 0);
  CHECK(counted::alive == 0);
}

TEST_CASE("goroutine_local: one that went away and another in its place") {
  on_processors([] {
    std::optional<rove::goroutine_local<int>> here;
    here.emplace();
    **here = 1;
    here.reset();
    here.emplace();
    CHECK(**here == 0);
  });
}

TEST_CASE("goroutine_local: a destructor that parks and makes another one") {
  on_processors([] {
    static std::atomic<int> done;
    done = 0;
    struct late {
      bool used = false;
      ~late() {
        if (!used) return;
        rove::yield();
        *number = 3;
        rove::sleep_for(10us);
        if (*number == 3) ++done;
      }
    };
    static rove::goroutine_local<late> l;
    rove::wait_group wg;
    for (int i = 0; i < 10; ++i) wg.go([] { l->used = true; });
    wg.wait();
    eventually([&] { return done == 10; });
  });
}
