// go: closures and arguments, options, ids and names.
#include <array>
#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "test/support/fixture.hpp"

using namespace rove_test;

namespace {

int free_function_result = 0;
void free_function(int a, const std::string& b, std::unique_ptr<int> c) {
  free_function_result = a + static_cast<int>(b.size()) + *c;
}

struct throws_when_copied {
  throws_when_copied() = default;
  throws_when_copied(const throws_when_copied&) { throw std::runtime_error("copied"); }
};

template <std::size_t Align>
struct alignas(Align) aligned {
  int value = 3;
  bool right() const { return reinterpret_cast<std::uintptr_t>(this) % Align == 0 && value == 3; }
};

// The callable, and a count that goes down when the callable was destroyed.
template <class F>
class announced {
 public:
  announced(F f, rove::wait_group& wg) : announce_{&wg}, f_(std::move(f)) { wg.add(1); }
  template <class... Args>
  decltype(auto) operator()(Args&&... args) && {
    return std::invoke(std::move(f_), std::forward<Args>(args)...);
  }

 private:
  struct announcement {
    rove::wait_group* wg;
    explicit announcement(rove::wait_group* w) : wg(w) {}
    announcement(announcement&& o) noexcept : wg(std::exchange(o.wg, nullptr)) {}
    ~announcement() {
      if (wg) wg->done();
    }
  };
  announcement announce_;
  F f_;
};

// Runs f(args...) on a goroutine and waits until it is over and the closure gone.
template <class F, class... Args>
void go_and_wait(F&& f, Args&&... args) {
  const std::size_t before = rove::num_goroutines();
  rove::wait_group wg;
  rove::go(announced<std::decay_t<F>>(std::forward<F>(f), wg), std::forward<Args>(args)...);
  wg.wait();
  eventually([&] { return rove::num_goroutines() == before; });
}

}  // namespace

TEST_CASE("go: functions, members, references, move-only arguments") {
  on_processors([] {
    go_and_wait(free_function, 1, "abc", std::make_unique<int>(5));
    CHECK(free_function_result == 9);

    struct object {
      int n = 0;
      void add(int k) { n += k; }
    } o;
    go_and_wait(&object::add, &o, 4);
    go_and_wait(&object::add, std::ref(o), 4);
    CHECK(o.n == 8);

    int value = 1;
    go_and_wait([](int& v) { v = 2; }, std::ref(value));
    CHECK(value == 2);
    const int copied = 1;
    go_and_wait([&](int&& v) { value = ++v; }, copied);
    CHECK(value == 2);
    CHECK(copied == 1);
    go_and_wait([&](const char* text) { value = text[1]; }, "xyz");
    CHECK(value == 'y');

    std::function<void()> f = [&] { value = 11; };
    go_and_wait(f);
    CHECK(value == 11);
    go_and_wait([p = std::make_unique<int>(13), &value]() mutable { value = *std::exchange(p, nullptr); });
    CHECK(value == 13);
  });
}

TEST_CASE("go: the callable is invoked as an rvalue, and destroyed on the goroutine") {
  on_processors([] {
    std::uint64_t by = 0;
    int calls = 0;
    struct callable {
      int* calls;
      std::uint64_t* by;
      callable(int* c, std::uint64_t* b) : calls(c), by(b) {}
      callable(callable&& o) : calls(o.calls), by(std::exchange(o.by, nullptr)) {}
      ~callable() {
        if (by) *by = rove::this_goroutine::id();
      }
      void operator()() & = delete;
      void operator()() && { *calls += 1; }
    };
    go_and_wait(callable(&calls, &by));
    CHECK(calls == 1);
    CHECK(by != 0);
    CHECK(by != rove::this_goroutine::id());
  });
}

TEST_CASE("go: what is returned is ignored") {
  on_processors([] {
    counted::alive = 0;
    go_and_wait([] { return counted(1); });
    CHECK(counted::alive == 0);
  });
}

TEST_CASE("go: a copy that throws leaves nothing behind") {
  on_processors([] {
    counted::alive = 0;
    const throws_when_copied t;
    for (int i = 0; i < 200; ++i) {
      CHECK_THROWS_AS(rove::go([](const counted&, const throws_when_copied&) {}, counted(1), t), std::runtime_error);
      CHECK_THROWS_AS(rove::go({.name = "n"}, [](const throws_when_copied&) {}, t), std::runtime_error);
      CHECK_THROWS_AS((void)rove::spawn([](const counted&, const throws_when_copied&) {}, counted(1), t),
                      std::runtime_error);
    }
    CHECK(counted::alive == 0);
    CHECK(rove::num_goroutines() == 1);
  });
}

TEST_CASE("go: large closures") {
  const auto body = [] {
    std::array<char, 100> middle;
    middle.fill('m');
    std::array<char, 100'000> large;
    large.fill('l');
    int good = 0;
    const auto check = [&good](const auto& a, char c) {
      for (const char x : a)
        if (x != c) return;
      ++good;
    };
    go_and_wait([middle, &check] { check(middle, 'm'); });
    go_and_wait([large, &check] { check(large, 'l'); });
    go_and_wait([&check](const std::array<char, 100'000>& a) { check(a, 'l'); }, large);
    auto t = rove::spawn({.stack_size = 1 << 20}, [large] { return large; });
    check(t.get(), 'l');
    CHECK(good == 4);
    CHECK(large[0] == 'l');
  };
  // The frame above holds several of them at once.
  on_processors([&body] { rove::spawn({.stack_size = 4 << 20}, body).get(); });
}

TEST_CASE("go: over-aligned closures, arguments and results") {
  on_processors([] {
    int good = 0;
    const auto see = [&good](bool right) { good += right; };
    const aligned<32> a;
    const aligned<64> b;
    const aligned<512> c;
    const aligned<4096> d;
    go_and_wait([a, &see] { see(a.right()); });
    go_and_wait([b, &see] { see(b.right()); });
    go_and_wait([&see](const aligned<512>& x) { see(x.right()); }, c);
    go_and_wait([&see](const aligned<4096>& x) { see(x.right()); }, d);
    see(rove::spawn([b] { return b; }).get().right());
    see(rove::spawn([](const aligned<512>& x) { return x; }, c).get().right());
    CHECK(good == 6);
  });
}

TEST_CASE("ids are never reused, names are a goroutine's own") {
  on_processors([] {
    std::set<std::uint64_t> ids{rove::this_goroutine::id()};
    for (int i = 0; i < 500; ++i) ids.insert(rove::spawn([] { return rove::this_goroutine::id(); }).get());
    CHECK(ids.size() == 501);
    CHECK(ids.count(0) == 0);

    const auto name = [] { return std::string(rove::this_goroutine::name()); };
    CHECK(rove::spawn(name).get().empty());
    CHECK(rove::spawn({.name = "reader"}, name).get() == "reader");
    CHECK(rove::spawn(name).get().empty());  // on the same stack, most likely
    CHECK(rove::spawn([&] {
            rove::this_goroutine::set_name("first");
            rove::yield();
            rove::this_goroutine::set_name("second");
            return name();
          }).get() == "second");
    const std::string longest(63, 'x');
    CHECK(rove::spawn({.name = longest + "more"}, name).get() == longest);
    CHECK(rove::spawn([&] {
            rove::this_goroutine::set_name("gone");
            rove::this_goroutine::set_name("");
            return name();
          }).get().empty());
  });
}

TEST_CASE("one goroutine after the other, so that they use the same descriptor and the same stack") {
  rove::run(with_procs(1), [] {
    int started = 0;  // one processor, and each is waited for: no two run at once
    for (int i = 0; i < 150'000; ++i) {
      rove::wait_group wg;
      wg.go([&] { ++started; });
      wg.wait();
    }
    CHECK(started == 150'000);
  });
}

TEST_CASE("stack_left and options::stack_size") {
  on_processors([] {
    const auto left = [] { return rove::this_goroutine::stack_left(); };
    const std::size_t ordinary = rove::spawn(left).get();
    CHECK(ordinary > 16 * 1024);
    CHECK(rove::spawn({.stack_size = 4 << 20}, left).get() > 3 << 20);
    CHECK(rove::spawn({.stack_size = 4 << 20}, left).get() <= 4 << 20);
    // It can be used to the end, nearly.
    CHECK(rove::spawn({.stack_size = 2 << 20}, [] {
            volatile char room[1 << 20];
            for (std::size_t i = 0; i < sizeof room; i += 1024) room[i] = 1;
            return room[0] + rove::this_goroutine::stack_left() / (2 << 20);
          }).get() == 1);
    CHECK(rove::spawn([] {
            const std::size_t before = rove::this_goroutine::stack_left();
            volatile char room[4096];
            room[0] = 1;
            return before > 0 && room[0];
          }).get());
  });
}

TEST_CASE("config::stack_size is every goroutine's") {
  rove::config c = with_procs(2);
  c.stack_size = 1 << 20;
  rove::runtime rt(c);
  const auto left = [] { return rove::this_goroutine::stack_left(); };
  CHECK(rt.run(left) > 900'000);
  CHECK(rt.spawn({.stack_size = 64 * 1024}, left).get() < 64 * 1024);
}
