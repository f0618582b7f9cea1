// What belongs to a goroutine rather than to its thread: exceptions under way and handled, errno.
#include <cerrno>
#include <exception>
#include <vector>

#include "test/support/fixture.hpp"

using namespace rove_test;

namespace {

struct error : std::runtime_error {
  explicit error(int n) : std::runtime_error("error " + std::to_string(n)), number(n) {}
  int number;
};

int current_number() {
  if (!std::current_exception()) return -1;
  try {
    throw;
  } catch (const error& e) {
    return e.number;
  }
}

// Out of line: a compiler keeps errno's address over a park, and then it is another thread's.
[[gnu::noinline]] int get_errno() {
  asm volatile("");
  return errno;
}
[[gnu::noinline]] void set_errno(int n) {
  asm volatile("");
  errno = n;
}

// Many goroutines at the same time run f(i, dice); the sum of what they give.
template <class F>
int many(int n, F f) {
  std::atomic<int> sum{0};
  rove::wait_group wg;
  for (int i = 0; i < n; ++i)
    wg.go([&, i] {
      dice d(static_cast<std::uint64_t>(i));
      sum += f(i, d);
    });
  wg.wait();
  return sum;
}

}  // namespace

TEST_CASE("exceptions: parked in a handler") {
  on_processors([] {
    CHECK(many(50, [](int i, dice& d) {
            int good = 0;
            for (int k = 0; k < 20; ++k) {
              try {
                throw error(100 * i + k);
              } catch (const error& e) {
                for (int y = 0; y < 3; ++y) {
                  rove::yield();
                  d.delay();
                }
                good += e.number == 100 * i + k && current_number() == e.number;
                try {
                  rove::yield();
                  throw error(-1000);
                } catch (const error& inner) {
                  rove::yield();
                  good += inner.number == -1000 && current_number() == -1000;
                }
                good += current_number() == 100 * i + k;
              }
              good += current_number() == -1;
            }
            return good;
          }) == 50 * 20 * 4);
  });
}

TEST_CASE("exceptions: parked in a destructor during unwinding") {
  struct parks {
    int depth;
    int& seen;
    dice& d;
    ~parks() {
      const int before = std::uncaught_exceptions();
      rove::yield();
      d.delay();
      seen += std::uncaught_exceptions() == before && before == depth;
      if (depth < 3) {
        try {
          parks p{depth + 1, seen, d};
          throw error(depth);
        } catch (const error& e) {
          rove::yield();
          seen += e.number == depth;
        }
      }
      seen += std::uncaught_exceptions() == before;
    }
  };
  on_processors([] {
    CHECK(many(40, [](int, dice& d) {
            int seen = 0;
            for (int k = 0; k < 10; ++k) {
              try {
                parks p{1, seen, d};
                throw error(7);
              } catch (const error& e) {
                seen += e.number == 7;
              }
              seen += std::uncaught_exceptions() == 0;
            }
            return seen;
          }) == 40 * 10 * (3 * 2 + 2 + 2));
  });
}

TEST_CASE("exceptions: rethrown on another thread") {
  on_processors([] {
    for (int i = 0; i < 5; ++i) {
      const long start = thread_now();
      int caught = 0;
      try {
        try {
          throw error(i);
        } catch (...) {
          migrate();
          throw;
        }
      } catch (const error& e) {
        caught = e.number == i;
      }
      CHECK(caught == 1);
      CHECK(thread_now() != start);
      CHECK(std::uncaught_exceptions() == 0);
      CHECK(std::current_exception() == nullptr);
    }
  });
}

TEST_CASE("exceptions: thrown here, unwound and caught on another thread") {
  struct migrates {
    ~migrates() { migrate(); }
  };
  on_processors([] {
    for (int i = 0; i < 5; ++i) {
      int caught = -1;
      try {
        migrates m;
        throw error(i);
      } catch (const error& e) {
        caught = e.number;
      }
      CHECK(caught == i);
      CHECK(std::uncaught_exceptions() == 0);
    }
  });
}

TEST_CASE("exceptions: an exception_ptr through a channel") {
  on_processors([] {
    auto ch = rove::make_chan<std::exception_ptr>();
    rove::go([ch] {
      // Handed over whole: ThreadSanitizer does not see into the C++ library's count of an exception's owners.
      for (int i = 0; i < 100; ++i) ch.send(std::make_exception_ptr(error(i)));
      ch.close();
    });
    int sum = 0;
    for (std::exception_ptr& p : ch) {
      try {
        std::rethrow_exception(p);
      } catch (const error& e) {
        sum += e.number;
      }
    }
    CHECK(sum == 4950);
  });
}

TEST_CASE("exceptions: a new goroutine has none, though it is started in a handler") {
  on_processors([] {
    try {
      throw error(1);
    } catch (...) {
      CHECK(rove::spawn([] { return std::current_exception() == nullptr && std::uncaught_exceptions() == 0; }).get());
      CHECK(std::current_exception() != nullptr);
    }
    struct spawns {
      bool& good;
      ~spawns() { good = rove::spawn([] { return std::uncaught_exceptions() == 0; }).get(); }
    };
    bool good = false;
    try {
      spawns s{good};
      throw error(2);
    } catch (const error&) {
    }
    CHECK(good);
  });
}

TEST_CASE("exceptions: goexit in a handler") {
  on_processors([] {
    counted::alive = 0;
    struct held {
      counted c{1};
    };
    CHECK(many(20, [](int, dice&) { return 1; }) == 20);
    rove::wait_group wg;
    for (int i = 0; i < 20; ++i)
      wg.go([] {
        try {
          throw held{counted(1)};
        } catch (const held&) {
          rove::yield();
          rove::goexit();
        }
      });
    wg.wait();
    eventually([] { return rove::num_goroutines() == 1; });
    CHECK(counted::alive == 0);
    CHECK(std::current_exception() == nullptr);
  });
}

TEST_CASE("errno is a goroutine's own over a park") {
  on_processors([] {
    CHECK(many(50, [](int i, dice& d) {
            int good = 0;
            for (int k = 0; k < 50; ++k) {
              set_errno(1000 * i + k);
              rove::yield();
              good += get_errno() == 1000 * i + k;
              d.delay();
            }
            return good;
          }) == 50 * 50);
    CHECK(rove::spawn([] { return get_errno(); }).get() == 0);
    rove::lock_os_thread();
    set_errno(77);
    auto ch = rove::make_chan<int>();
    rove::go([ch] {
      set_errno(5);
      ch.send(get_errno());
    });
    ch.recv();
    const int seen = get_errno();
    rove::unlock_os_thread();
    CHECK(seen == 77);
  });
}
