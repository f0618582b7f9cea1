// What Go's tests say of channels: types of elements, directions, closed and nil ones by every kind of operation.
#include <array>
#include <concepts>
#include <memory>
#include <ranges>
#include <string>
#include <variant>

#include "test/conformance/support.hpp"

using namespace rove_test;

namespace {

// Which operations a handle has.
template <class C>
concept sends = requires(const C& c) { c.send(0); };
template <class C>
concept tries_to_send = requires(const C& c) { c.try_send(0); };
template <class C>
concept receives = requires(const C& c) { c.recv(); };
template <class C>
concept tries_to_receive = requires(const C& c) { c.try_recv(); };
template <class C>
concept closes = requires(const C& c) { c.close(); };

using both = rove::chan<int>;
using out_only = rove::send_chan<int>;
using in_only = rove::recv_chan<int>;

template <class T>
concept can_be_a_channels_size = requires(T n) { rove::make_chan<int>(n); };

// Sends by trying and receives by trying, on both sides of an empty and a full channel.
template <class T>
void meet_by_trying(const T& to_them, const T& from_them) {
  for (const int capacity : {0, 1}) {
    auto ch = rove::make_chan<T>(capacity);
    auto strobe = rove::make_chan<bool>();
    CHECK_FALSE(ch.try_recv().value);
    verdict v;
    rove::go([&, ch, strobe] {
      v.expect(ch.recv() == to_them);
      strobe.send(true);
    });
    while (!ch.try_send(to_them)) rove::yield();
    strobe.recv();
    rove::go([&, ch, strobe] {
      ch.send(from_them);
      strobe.send(true);
    });
    if (capacity > 0) strobe.recv();
    auto r = ch.try_recv();
    for (; !r.value; r = ch.try_recv()) rove::yield();
    CHECK(*r.value == from_them);
    if (capacity == 0) strobe.recv();
    CHECK(v.wrong() == 0);
  }
}

// The closed channel's answers, three times each; a send does not change them.
void check_closed(const rove::chan<int>& ch) {
  for (int i = 0; i < 3; ++i) {
    CHECK_FALSE(ch.recv());
    const auto r = ch.try_recv();
    CHECK_FALSE(r.value);
    CHECK(r.closed);
  }
  CHECK(panic_of([&] { static_cast<void>(ch.try_send(1)); }) == "send on closed channel");
  CHECK_FALSE(ch.recv());
  CHECK(panic_of([&] { ch.send(2); }) == "send on closed channel");
  CHECK_FALSE(ch.recv());
  CHECK(ch.len() == 0);
}

}  // namespace

TEST_CASE("chan: what may be converted to what, and do what") {
  STATIC_REQUIRE(std::convertible_to<both, in_only>);
  STATIC_REQUIRE(std::convertible_to<both, out_only>);
  STATIC_REQUIRE_FALSE(std::convertible_to<in_only, both>);
  STATIC_REQUIRE_FALSE(std::convertible_to<out_only, both>);
  STATIC_REQUIRE_FALSE(std::convertible_to<out_only, in_only>);
  STATIC_REQUIRE_FALSE(std::convertible_to<in_only, out_only>);
  STATIC_REQUIRE_FALSE(std::convertible_to<both, rove::recv_chan<long>>);

  STATIC_REQUIRE((sends<both> && tries_to_send<both> && receives<both> && tries_to_receive<both> && closes<both>));
  STATIC_REQUIRE((sends<out_only> && tries_to_send<out_only> && closes<out_only>));
  STATIC_REQUIRE_FALSE((receives<out_only> || tries_to_receive<out_only> || std::ranges::range<out_only>));
  STATIC_REQUIRE((receives<in_only> && tries_to_receive<in_only> && std::ranges::input_range<in_only>));
  STATIC_REQUIRE_FALSE((sends<in_only> || tries_to_send<in_only> || closes<in_only>));
  STATIC_REQUIRE_FALSE((sends<int> || receives<int> || closes<int>));

  STATIC_REQUIRE(can_be_a_channels_size<int>);
  STATIC_REQUIRE(can_be_a_channels_size<std::ptrdiff_t>);
  STATIC_REQUIRE_FALSE(can_be_a_channels_size<const char*>);
}

TEST_CASE("chan: trying, with elements of several types") {
  on_processors([] {
    meet_by_trying<std::int32_t>(123, 234);
    meet_by_trying<std::int64_t>(1234567890123, -234567);
    meet_by_trying<bool>(true, true);
    meet_by_trying<std::string>("hello", "hello again, and longer than a short string");
    meet_by_trying<std::array<int, 100>>({1, 2, 3}, {4, 5, 6});
  });
}

TEST_CASE("chan: elements without a size") {
  on_processors([] {
    struct nothing {};
    CHECK_NOTHROW(rove::make_chan<nothing>());
    CHECK_NOTHROW(rove::make_chan<nothing>(1));
    auto ch = rove::make_chan<std::monostate>(2);
    ch.send({});
    ch.send({});
    CHECK_FALSE(ch.try_send({}));
    CHECK(ch.len() == 2);
    CHECK(ch.recv());
    ch.close();
    CHECK(ch.recv());
    CHECK_FALSE(ch.recv());
  });
}

TEST_CASE("chan: closed, unbuffered or drained") {
  on_processors([] {
    auto unbuffered = rove::make_chan<int>();
    unbuffered.close();
    check_closed(unbuffered);
    for (const bool by_trying : {false, true}) {
      auto ch = rove::make_chan<int>(2);
      ch.send(1);
      ch.close();
      if (by_trying) {
        const auto last = ch.try_recv();
        CHECK(last.value == 1);
        CHECK_FALSE(last.closed);
      } else {
        CHECK(ch.recv() == 1);
      }
      check_closed(ch);
    }
    CHECK(panic_of([] { both().close(); }) == "close of nil channel");
    CHECK(panic_of([&] { unbuffered.close(); }) == "close of closed channel");
  });
}

TEST_CASE("chan: a nil one makes who sends and who receives wait") {
  on_ending_runtimes([](rove::runtime&) {
    std::atomic<int> came_back{0};
    go_parked([&] {
      both().send(7);
      ++came_back;
    });
    go_parked([&] {
      both().recv();
      ++came_back;
    });
    let_others_run();
    CHECK(came_back == 0);
    CHECK_FALSE(both().try_send(7));
    const auto r = both().try_recv();
    CHECK_FALSE(r.value);
    CHECK_FALSE(r.closed);
    CHECK(both().len() == 0);
    CHECK(both().cap() == 0);
  });
}

TEST_CASE("chan: room in the buffer, a value or the end: no waiting") {
  rove::runtime rt(with_procs(1));
  rt.run([&] {
    const std::uint64_t before = rt.stats().parks;
    auto ch = rove::make_chan<int>(1);
    ch.send(7);
    ch.recv();
    ch.close();
    for (int i = 0; i < 10; ++i) ch.recv();
    CHECK(rt.stats().parks == before);
  });
}

TEST_CASE("chan: channels through channels") {
  on_processors([] {
    auto outer = rove::make_chan<rove::chan<int>>(1);
    auto inner = rove::make_chan<int>(1);
    outer.send(inner);
    CHECK(outer.recv()->try_send(2));
    CHECK(inner.recv() == 2);

    // A reply's channel goes along with the question.
    struct question {
      int number;
      rove::send_chan<int> reply;
    };
    auto questions = rove::make_chan<question>();
    rove::go([questions] {
      for (const question& q : questions) q.reply.send(q.number * q.number);
    });
    for (int i = 0; i < 10; ++i) {
      auto reply = rove::make_chan<int>();
      questions.send({i, reply});
      CHECK(reply.recv() == i * i);
    }
    questions.close();
  });
}

TEST_CASE("chan: iterating sees everything up to the close") {
  on_processors([] {
    const auto sequence = [](int low, int high) {
      auto ch = rove::make_chan<int>();
      rove::go([=] {
        for (int i = low; i <= high; ++i) ch.send(i);
        ch.close();
      });
      return ch;
    };
    std::string letters;
    for (const int c : sequence('a', 'z')) letters.push_back(static_cast<char>(c));
    CHECK(letters == "abcdefghijklmnopqrstuvwxyz");
    int n = 0;
    for ([[maybe_unused]] const int c : sequence('a', 'z')) ++n;
    CHECK(n == 26);
    for ([[maybe_unused]] const int c : sequence(1, 0)) n = -1;
    CHECK(n == 26);
  });
}

TEST_CASE("chan: a receive into a variable that holds something replaces it") {
  on_processors([] {
    std::shared_ptr<int> kept = std::make_shared<int>(1);
    const std::weak_ptr<int> old = kept;
    auto ch = rove::make_chan<std::shared_ptr<int>>(1);
    ch.send(std::make_shared<int>(2));
    kept = *ch.recv();
    CHECK(*kept == 2);
    CHECK(old.expired());
  });
}
