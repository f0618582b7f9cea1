// The library's lock under the model checker: mutual exclusion, no wake-up lost, and the word is not touched after it
// was given back.
#include <memory>

#include "test/model/mutations.hpp"
#include "test/model/threads.hpp"

namespace model = rove::model;

namespace {

using model::hold;
using model::lock;

constexpr model::options some{.executions = 60000};

void count_under_one_lock() {
  lock l;
  model::plain<int> count{0};
  const auto work = [&] {
    for (int i = 0; i < 2; ++i) {
      hold h(l);
      count = count + 1;
    }
    model::yield();  // the thread goes on with something else
  };
  {
    model::thread a(work), b(work);
    work();
  }
  model::check(count == 6, "nothing was lost");
}

// Two locks that share an entry: a wake for the one must not be taken for the other's.
void two_locks_share_an_entry() {
  lock first, second;
  model::plain<int> a{0}, b{0};
  {
    model::thread t1([&] { hold h(first); a = a + 1; });
    model::thread t2([&] { hold h(second); b = b + 1; });
    model::thread t3([&] { hold h(second); b = b + 1; });
    hold h(first);
    a = a + 1;
  }
  model::check(a == 2 && b == 2, "nothing was lost");
}

// Who gets the lock last destroys it, while who gave it back may still be in unlock.
void the_last_one_destroys() {
  struct object {
    lock l;
    model::plain<int> users{2};
  };
  auto shared = std::make_unique<object>();
  const auto leave = [&] {
    shared->l.lock();
    shared->users = shared->users - 1;
    const bool last = shared->users == 0;
    shared->l.unlock();
    if (last)
      shared.reset();
  };
  model::thread t(leave);
  leave();
}

void try_to_lock() {
  lock l;
  model::plain<int> inside{0};
  const auto attempt = [&] {
    if (!l.try_lock())
      return;
    inside = inside + 1;
    l.unlock();
  };
  model::thread a(attempt), b(attempt);
  hold h(l);
  inside = inside + 1;
}

}  // namespace

TEST_CASE("model: lock: mutual exclusion and no lost wake-up") { model::holds(some, count_under_one_lock); }
TEST_CASE("model: lock: two locks with one entry") { model::holds(some, two_locks_share_an_entry); }
TEST_CASE("model: lock: destroyed by the next owner") { model::holds(some, the_last_one_destroys); }
TEST_CASE("model: lock: try_lock") { model::holds(some, try_to_lock); }

TEST_CASE("model: lock: every order and fence is needed") {
  model::every_site_counts(some, count_under_one_lock, "os/lock.hpp");
  model::every_site_counts(some, try_to_lock, "os/lock.hpp",
                           {"lock.hpp lock_slow update", "lock.hpp lock_slow heavy fence", "lock.hpp unlock light fence"});
}
