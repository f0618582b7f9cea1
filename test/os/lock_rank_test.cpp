// The order of locks: what a library with debug_checks refuses, and that any other knows nothing of it.
#include <mutex>
#include <string>
#include <thread>
#include <type_traits>

#include <rove/rove.hpp>

#include "src/os/lock.hpp"
#include "src/sched/owner_section.hpp"
#include "test/catch.hpp"
#include "test/debug/child.hpp"

using rove::os::rank;
using rove_test::ending;
using rove_test::run_in_child;

static_assert(sizeof(rove::os::plain_lock) == 4);
static_assert(sizeof(rove::os::lock) == (rove::os::debug_checks ? 8 : 4));

#if !defined(ROVE_DEBUG_CHECKS)

TEST_CASE("without debug_checks a lock may be taken in any order") {
  rove::os::lock later(rank::scheduler), earlier(rank::object);
  rove::os::hold a(later);
  rove::os::hold b(earlier);
  CHECK(std::is_same_v<rove::os::lock, rove::os::plain_lock>);
}

#else

namespace {

using lock = rove::os::lock;
using hold = rove::os::hold<lock>;
using section = rove::sched::owner_section<>;

constexpr rank in_order[] = {rank::runtimes,    rank::ending, rank::object, rank::scheduler, rank::owner_section,
                             rank::descriptors, rank::stacks, rank::slabs,  rank::pretended};

template <class Body>
void check_fatal(Body body, const std::string& message) {
  const ending e = run_in_child(body);
  INFO(e.error_output);
  CHECK(e.status == 2);
  CHECK(e.error_output.rfind("fatal error: " + message + "\n", 0) == 0);
}

}  // namespace

TEST_CASE("locks taken in their order") {
  const ending e = run_in_child([] {
    lock outer_scheduler(rank::scheduler), list(rank::runtimes), other_scheduler(rank::scheduler);
    for (const rank& first : in_order)
      for (const rank* second = &first + 1; second < std::end(in_order); ++second) {
        lock a(first), b(*second);
        a.lock();
        b.lock();
        a.unlock();  // in any order
        b.unlock();
      }
    {
      hold a(list);
      hold b(outer_scheduler);
      hold c(other_scheduler);
    }
    section s;
    hold a(outer_scheduler);
    if (!s.enter()) _exit(1);
    s.leave();
    if (!s.enter_as_thief() || s.enter()) _exit(1);
    s.leave_as_thief();
    std::thread([&] { hold b(list); }).join();  // each thread has its own
  });
  CHECK(e.status == 99);
  CHECK(e.error_output.empty());
}

TEST_CASE("a lock taken after one of a later rank") {
  check_fatal(
      [] {
        lock a(rank::scheduler), b(rank::object);
        hold first(a);
        hold second(b);
      },
      "rove: lock order: object taken while scheduler is held");
}

TEST_CASE("the latest of those held counts") {
  check_fatal(
      [] {
        lock a(rank::ending), b(rank::stacks), c(rank::descriptors);
        hold first(a);
        hold second(b);
        hold third(c);
      },
      "rove: lock order: descriptors taken while stacks is held");
}

TEST_CASE("two locks of one rank") {
  check_fatal(
      [] {
        lock a(rank::object), b(rank::object);
        hold first(a);
        hold second(b);
      },
      "rove: lock order: object taken while object is held");
}

TEST_CASE("two schedulers without the list of runtimes") {
  check_fatal(
      [] {
        lock a(rank::scheduler), b(rank::scheduler);
        hold first(a);
        hold second(b);
      },
      "rove: lock order: scheduler taken while scheduler is held");
}

TEST_CASE("one lock taken twice is told rather than waited for") {
  check_fatal(
      [] {
        lock a(rank::slabs);
        a.lock();
        a.lock();
      },
      "rove: lock order: slabs taken while slabs is held");
}

TEST_CASE("a lock that was tried counts as held") {
  check_fatal(
      [] {
        lock a(rank::scheduler), b(rank::object);
        if (!a.try_lock() || a.try_lock()) _exit(1);
        b.lock();
      },
      "rove: lock order: object taken while scheduler is held");
}

TEST_CASE("a lock taken inside an owner section") {
  check_fatal(
      [] {
        section s;
        lock a(rank::scheduler);
        if (!s.enter()) _exit(1);
        a.lock();
      },
      "rove: lock order: scheduler taken while owner_section is held");
}

TEST_CASE("a lock taken by a thief inside") {
  check_fatal(
      [] {
        section s;
        lock a(rank::object);
        if (!s.enter_as_thief()) _exit(1);
        a.lock();
      },
      "rove: lock order: object taken while owner_section is held");
}

TEST_CASE("a lock given back by another thread") {
  check_fatal(
      [] {
        lock a(rank::object);
        a.lock();
        std::thread([&] { a.unlock(); }).join();
      },
      "rove: a lock given back by a thread that does not hold it");
}

TEST_CASE("a goroutine parks with a lock held") {
  check_fatal(
      [] {
        rove::run([] {
          lock a(rank::ending);
          hold h(a);
          rove::make_chan<int>().recv();
        });
      },
      "rove: parked with a runtime lock held");
}

TEST_CASE("a goroutine parks for ever with a lock held") {
  check_fatal(
      [] {
        rove::run([] {
          lock a(rank::pretended);
          hold h(a);
          rove::chan<int>().recv();
        });
      },
      "rove: parked with a runtime lock held");
}

TEST_CASE("a plain thread waits with a lock held") {
  check_fatal(
      [] {
        lock a(rank::runtimes);
        hold h(a);
        rove::make_chan<int>().recv();
      },
      "rove: parked with a runtime lock held");
}

// What is noted goes with the thread, and a commit gives the lock back on the thread that took it.
TEST_CASE("goroutines that park and move leave nothing noted") {
  const ending e = run_in_child([] {
    rove::config c;
    c.max_procs = 4;
    rove::runtime(c).run([] {
      auto values = rove::make_chan<int>(1);
      rove::mutex mutex;
      rove::wait_group group;
      for (int i = 0; i < 8; ++i)
        group.go([&] {
          for (int k = 0; k < 2000; ++k) {
            k % 2 == 0 ? values.send(k) : static_cast<void>(values.recv());
            std::scoped_lock both(mutex);
            rove::yield();
          }
        });
      group.wait();
    });
  });
  INFO(e.error_output);
  CHECK(e.status == 99);
}

#endif
