// Looking at a channel with a buffer without its lock, under the model checker: "full" and "empty" are said only if that
// was so at one moment of the call. The steps are those of may_send, may_receive and what changes the two counters in
// src/chan/core.hpp.
#include "test/model/mutations.hpp"
#include "test/model/threads.hpp"

namespace model = rove::model;

namespace {

using namespace model::short_names;

// What is done wrong.
enum class flaw {
  none,
  unsigned_difference,  // who looks whether it is full takes one that was overtaken for one far ahead
  other_order,          // ... reads the counters the other way round
};

template <flaw F>
class channel {
 public:
  static constexpr std::uint64_t capacity = 2;

  bool may_send() const {
    if (F == flaw::other_order) {
      const std::uint64_t gone = received_.load(acq);
      return sent_.load(acq) - gone < capacity;
    }
    const std::uint64_t ahead = sent_.load(acq);
    const std::uint64_t count = ahead - received_.load(acq);
    if (F == flaw::unsigned_difference) return count < capacity;
    return static_cast<std::int64_t>(count) < static_cast<std::int64_t>(capacity);
  }
  bool may_receive() const {
    if (F == flaw::other_order) {
      const std::uint64_t ahead = sent_.load(acq);
      return received_.load(acq) != ahead;
    }
    const std::uint64_t before = received_.load(acq);
    return sent_.load(acq) != before;
  }
  void send() {
    model::hold h(lock_);
    model::check(count() < capacity, "there is room");
    sent_.store(sent_.load(rlx) + 1, rel);
  }
  void receive() {
    model::hold h(lock_);
    model::check(count() > 0, "there is a value");
    received_.store(received_.load(rlx) + 1, rel);
  }

 private:
  std::uint64_t count() const { return sent_.load(rlx) - received_.load(rlx); }

  model::lock lock_;
  A::atomic<std::uint64_t> sent_{0}, received_{0};
};

constexpr model::options some{.executions = 6000, .max_idle_pauses = 1000};

// Another one puts one value in at a time and takes it out: it is never full.
template <flaw F>
void never_full() {
  channel<F> c;
  model::thread t([&] {
    for (int i = 0; i < 3; ++i) {
      c.send();
      c.receive();
    }
  });
  model::check(c.may_send(), "it is not full");
}

// One value is in it always: it is never empty. It is full now and then.
template <flaw F>
void never_empty() {
  channel<F> c;
  c.send();
  model::thread t([&] {
    for (int i = 0; i < 3; ++i) {
      c.send();
      c.receive();
    }
  });
  model::check(c.may_receive(), "it is not empty");
}

}  // namespace

TEST_CASE("model: chan: a look without the lock says full, or empty, of a moment") {
  model::holds(some, never_full<flaw::none>);
  model::holds(some, never_empty<flaw::none>);
}
TEST_CASE("model: chan: each step of a look is needed") {
  model::is_found(some, never_full<flaw::unsigned_difference>, "not full");
  model::is_found(some, never_full<flaw::other_order>, "not full");
  model::is_found(some, never_empty<flaw::other_order>, "not empty");
}
