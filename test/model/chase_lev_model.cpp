// A work-stealing deque under the model checker: right as published, and each dropped order or fence is found.
//
// Chase and Lev's deque with the orders of Le, Pop, Cohen, Zappa Nardelli, "Correct and Efficient Work-Stealing for
// Weak Memory Models" (PPoPP 2013), with a ring of 4 that does not grow. A well-known hard case for the checker itself.
#include "test/model/mutations.hpp"

namespace model = rove::model;
using namespace model::short_names;

namespace {

// What to leave out.
enum class flaw { none, push_order, take_fence, steal_fence, steal_order, asymmetric_light, asymmetric_heavy };

template <flaw F, bool asymmetric>
class deque {
 public:
  deque() {
    top_.name("top");
    bottom_.name("bottom");
  }

  void push(int value) {
    const std::int64_t b = bottom_.load(rlx);
    ring_[b & 3].store(value, rlx);
    bottom_.store(b + 1, F == flaw::push_order ? rlx : rel);
  }

  int take() {
    const std::int64_t b = bottom_.load(rlx) - 1;
    bottom_.store(b, rlx);
    owner_fence();
    std::int64_t t = top_.load(rlx);
    if (t > b) {
      bottom_.store(b + 1, rlx);
      return 0;
    }
    int value = ring_[b & 3].load(rlx);
    if (t == b) {
      if (!top_.compare_exchange_strong(t, t + 1, std::memory_order_seq_cst, rlx))
        value = 0;
      bottom_.store(b + 1, rlx);
    }
    return value;
  }

  int steal() {
    std::int64_t t = top_.load(acq);
    thief_fence();
    const std::int64_t b = bottom_.load(F == flaw::steal_order ? rlx : acq);
    if (t >= b)
      return 0;
    const int value = ring_[t & 3].load(rlx);
    return top_.compare_exchange_strong(t, t + 1, std::memory_order_seq_cst, rlx) ? value : 0;
  }

 private:
  static void owner_fence() {
    if constexpr (asymmetric && F != flaw::asymmetric_light)
      A::light_fence();
    else if constexpr (!asymmetric && F != flaw::take_fence)
      A::full_fence();
  }
  static void thief_fence() {
    if constexpr (asymmetric)
      F == flaw::asymmetric_heavy ? A::full_fence() : A::heavy_fence();
    else if constexpr (F != flaw::steal_fence)
      A::full_fence();
  }

  A::atomic<std::int64_t> top_{0}, bottom_{0};
  A::atomic<int> ring_[4];
};

// The owner pushes 1..4 and takes between; two thieves steal. Each value comes out once.
template <flaw F, bool asymmetric = false>
void program() {
  deque<F, asymmetric> d;
  int got[5] = {};
  const auto note = [&](int value) {
    if (value != 0)
      model::check(++got[value] == 1, "nothing comes out twice");
  };
  {
    const auto thief = [&] { note(d.steal()), note(d.steal()); };
    d.push(1);
    d.push(2);
    model::thread first(thief), second(thief);
    note(d.take());
    d.push(3);
    note(d.take());
    note(d.take());
    d.push(4);
  }
  for (int i = 0; i < 4; ++i)
    note(d.take());
  for (int value = 1; value <= 4; ++value)
    model::check(got[value] == 1, "everything comes out");
}

template <flaw F, bool asymmetric = false>
void is_soon_found() {
  const model::result r = model::explore({.executions = 20000}, program<F, asymmetric>);
  CHECK(r.failed);
  INFO("executions: " << r.executions << "\n" << r.report);
  CHECK(r.executions < 2000);
}

}  // namespace

TEST_CASE("model: Chase-Lev deque") {
  model::holds({.executions = 30000}, program<flaw::none>);
}

TEST_CASE("model: Chase-Lev deque with the owner's fence made light and the thief's heavy") {
  model::holds({.executions = 20000}, program<flaw::none, true>);
}

TEST_CASE("model: Chase-Lev deque with something left out") {
  is_soon_found<flaw::push_order>();
  is_soon_found<flaw::take_fence>();
  is_soon_found<flaw::steal_fence>();
  is_soon_found<flaw::steal_order>();
  is_soon_found<flaw::asymmetric_light, true>();
  is_soon_found<flaw::asymmetric_heavy, true>();
}
