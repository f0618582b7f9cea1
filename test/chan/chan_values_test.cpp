// What travels through channels: every kind of type, moves that throw, and each value destroyed once.
#include <array>
#include <memory>
#include <variant>
#include <vector>

#include "test/support/fixture.hpp"

using namespace rove_test;

namespace {

// Sends n values made by `make` through channels of several capacities and checks what arrives.
template <class T, class Make, class Right>
void through_channels(int n, Make make, Right right) {
  for (const std::ptrdiff_t capacity : {0, 1, 7}) {
    auto ch = rove::make_chan<T>(capacity);
    rove::go([=] {
      for (int i = 0; i < n; ++i) ch.send(make(i));
      ch.close();
    });
    int i = 0, wrong = 0;
    for (T& x : ch) wrong += !right(x, i++);
    CHECK(i == n);
    CHECK(wrong == 0);
  }
}

struct alignas(256) over_aligned {
  int value;
  std::uintptr_t where = 0;
  explicit over_aligned(int v) : value(v), where(address()) {}
  over_aligned(over_aligned&& o) noexcept : value(o.value), where(address()) { misplaced += address() % 256 != 0; }
  over_aligned& operator=(over_aligned&&) = default;
  std::uintptr_t address() const { return reinterpret_cast<std::uintptr_t>(this); }
  static inline std::atomic<int> misplaced{0};
};

struct alignas(64) plain_aligned {
  long value;
};

// Its move throws when it is told to.
struct explosive {
  int value;
  static inline std::atomic<bool> armed{false};
  explicit explosive(int v) : value(v) { ++alive; }
  explosive(explosive&& o) : value(o.value) {
    if (armed.exchange(false)) throw std::runtime_error("moved");
    ++alive;
    o.value = -1;
  }
  ~explosive() { --alive; }
  static inline std::atomic<int> alive{0};
};

}  // namespace

TEST_CASE("values: of every size and alignment") {
  on_processors([] {
    through_channels<char>(50, [](int i) { return static_cast<char>(i); }, [](char c, int i) { return c == i; });
    through_channels<short>(50, [](int i) { return static_cast<short>(i); }, [](short c, int i) { return c == i; });
    through_channels<double>(50, [](int i) { return i / 2.0; }, [](double d, int i) { return d == i / 2.0; });
    through_channels<std::array<char, 3>>(
        50, [](int i) { return std::array<char, 3>{static_cast<char>(i), 1, 2}; },
        [](auto& a, int i) { return a[0] == i && a[1] == 1 && a[2] == 2; });
    using large = std::array<long, 1000>;
    through_channels<large>(
        20,
        [](int i) {
          large a;
          a.fill(i);
          return a;
        },
        [](const large& a, int i) { return a.front() == i && a.back() == i && a[500] == i; });
    through_channels<plain_aligned>(
        50, [](int i) { return plain_aligned{i}; },
        [](const plain_aligned& p, int i) { return p.value == i && reinterpret_cast<std::uintptr_t>(&p) % 64 == 0; });
    through_channels<over_aligned>(
        50, [](int i) { return over_aligned(i); }, [](const over_aligned& o, int i) { return o.value == i; });
    CHECK(over_aligned::misplaced == 0);
  });
}

TEST_CASE("values: empty types, and as many as wanted of them") {
  on_processors([] {
    through_channels<std::monostate>(50, [](int) { return std::monostate{}; }, [](std::monostate, int) { return true; });
    auto many = rove::make_chan<std::monostate>(PTRDIFF_MAX);
    CHECK(many.cap() == PTRDIFF_MAX);
    for (int i = 0; i < 1000; ++i) many.send({});
    CHECK(many.len() == 1000);
    for (int i = 0; i < 1000; ++i) CHECK(many.recv());
    struct empty_but_counted : std::monostate {
      empty_but_counted() { ++n(); }
      empty_but_counted(empty_but_counted&&) noexcept { ++n(); }
      empty_but_counted& operator=(empty_but_counted&&) = default;
      ~empty_but_counted() { --n(); }
      static std::atomic<int>& n() {
        static std::atomic<int> count{0};
        return count;
      }
    };
    through_channels<empty_but_counted>(20, [](int) { return empty_but_counted{}; }, [](auto&, int) { return true; });
    {
      auto left = rove::make_chan<empty_but_counted>(5);
      for (int i = 0; i < 5; ++i) left.send({});
    }
    eventually([] { return empty_but_counted::n() == 0; });
  });
}

TEST_CASE("values: strings, move-only, channels") {
  on_processors([] {
    through_channels<std::string>(
        50, [](int i) { return std::string(static_cast<std::size_t>(i), 'a'); },
        [](const std::string& s, int i) { return s == std::string(static_cast<std::size_t>(i), 'a'); });
    through_channels<std::unique_ptr<int>>(
        50, [](int i) { return std::make_unique<int>(i); }, [](const auto& p, int i) { return *p == i; });
    through_channels<rove::chan<int>>(
        20,
        [](int i) {
          auto c = rove::make_chan<int>(1);
          c.send(i);
          return c;
        },
        [](const rove::chan<int>& c, int i) { return c.recv() == i; });
    through_channels<std::function<int()>>(
        20, [](int i) { return [i] { return i; }; }, [](const auto& f, int i) { return f() == i; });
  });
}

TEST_CASE("values: an lvalue is copied, an rvalue moved") {
  on_processors([] {
    auto ch = rove::make_chan<std::string>(3);
    std::string kept = "a string too long for the small buffer";
    ch.send(kept);
    CHECK(kept.size() > 20);
    CHECK(ch.try_send(kept));
    CHECK(kept.size() > 20);
    ch.send(std::move(kept));
    CHECK(kept.empty());
    for (int i = 0; i < 3; ++i) CHECK(ch.recv()->size() > 20);
  });
}

TEST_CASE("values: each is destroyed once") {
  on_processors([] {
    counted::alive = 0;
    through_channels<counted>(100, [](int i) { return counted(i); }, [](const counted& c, int i) { return c.value == i; });
    eventually([] { return rove::num_goroutines() == 1; });
    CHECK(counted::alive == 0);
    {
      // Parked senders whose channel is closed keep their values.
      auto ch = rove::make_chan<counted>(1);
      rove::wait_group wg;
      std::atomic<int> ready{0}, panics{0};
      for (int i = 0; i < 10; ++i)
        wg.go([&, ch] {
          ++ready;
          panics += panic_of([&] { ch.send(counted(5)); }) != "";
        });
      eventually([&] { return ready == 10; });
      for (int i = 0; i < 10; ++i) rove::yield();
      ch.close();
      wg.wait();
      CHECK(panics >= 9);
    }
    eventually([] { return rove::num_goroutines() == 1; });
    CHECK(counted::alive == 0);
  });
}

TEST_CASE("values: a move that throws leaves the channel and the other side as they were") {
  on_processors([] {
    {
      auto ch = rove::make_chan<explosive>(2);
      explosive a(1);
      explosive::armed = true;  // into the buffer
      CHECK_THROWS_WITH(ch.send(std::move(a)), "moved");
      CHECK(a.value == 1);
      CHECK(ch.len() == 0);
      CHECK_FALSE(ch.try_recv().value);
      ch.send(std::move(a));
      explosive::armed = true;  // out of the buffer
      CHECK_THROWS_WITH(ch.recv(), "moved");
      CHECK(ch.len() == 1);
      CHECK(ch.recv()->value == 1);
    }
    {
      // To a receiver that waits: it goes on waiting, for the next value.
      auto ch = rove::make_chan<explosive>();
      auto receiver = rove::spawn([ch] { return ch.recv()->value; });
      for (int i = 0; i < 20; ++i) rove::yield();
      explosive b(2);
      std::string text;
      while (text.empty()) {  // until it has parked, try_send has nobody to move to
        explosive::armed = true;
        try {
          if (ch.try_send(std::move(b))) break;
        } catch (const std::runtime_error& e) {
          text = e.what();
        }
        rove::yield();
      }
      explosive::armed = false;
      CHECK(text == "moved");
      CHECK(b.value == 2);
      ch.send(explosive(3));
      CHECK(receiver.get() == 3);
    }
    {
      // From a sender that waits: it goes on waiting, and its value comes with the next receive.
      auto ch = rove::make_chan<explosive>();
      std::atomic<bool> sent{false};
      rove::go([&, ch] {
        ch.send(explosive(4));
        sent = true;
      });
      std::string text;
      while (text.empty()) {
        explosive::armed = true;
        try {
          if (ch.try_recv().value) break;
        } catch (const std::runtime_error& e) {
          text = e.what();
        }
        rove::yield();
      }
      explosive::armed = false;
      CHECK(text == "moved");
      CHECK_FALSE(sent);
      CHECK(ch.recv()->value == 4);
      eventually([&] { return sent.load(); });
    }
    eventually([] { return rove::num_goroutines() == 1; });
    CHECK(explosive::alive == 0);
  });
}

TEST_CASE("values: a waiting sender's move that throws does not lose what was received") {
  on_processors([] {
    auto ch = rove::make_chan<explosive>(1);
    ch.send(explosive(1));
    std::atomic<bool> sent{false};
    rove::go([&, ch] {
      ch.send(explosive(2));
      sent = true;
    });
    for (int i = 0; i < 20; ++i) rove::yield();
    auto first = ch.recv();
    CHECK(first->value == 1);
    CHECK(ch.recv()->value == 2);
    eventually([&] { return sent.load(); });
  });
}
