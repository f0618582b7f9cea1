// Runtimes come and end while their goroutines, those of another runtime and a plain thread use the same primitives:
// whoever is ended in the middle of a call leaves them as they have to be, and each runtime comes to its end.
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <thread>

#include "test/support/fixture.hpp"

using namespace rove_test;

namespace {

// Calls f when its scope is left, also by a goroutine that is ended.
template <class F>
struct finally {
  F f;
  ~finally() { f(); }
};
template <class F>
finally(F) -> finally<F>;

class everything {
 public:
  everything() {
    tokens_.send(1);
    tokens_.send(2);
  }

  void use(dice& d) {
    const auto soon = [&d] { return std::chrono::microseconds(d.below(60)); };
    switch (d.below(9)) {
      case 0: {
        const std::lock_guard hold(mutex_);
        maybe_yield(d);
        break;
      }
      case 1:
        if (const std::unique_lock hold(timed_, soon()); hold) maybe_yield(d);
        break;
      case 2: {
        const std::lock_guard hold(shared_);
        maybe_yield(d);
        break;
      }
      case 3: {
        const std::shared_lock hold(shared_);
        maybe_yield(d);
        break;
      }
      case 4: units(d, [this](int n) { return units_.acquire(n), true; }); break;
      case 5: {
        const auto [ctx, cancel] = rove::with_timeout(rove::background(), soon());
        units(d, [&, &c = ctx](int n) { return !units_.acquire(c, n); });
        cancel();
        break;
      }
      case 6:
        if (turn_.wait_for(soon())) {
          const finally leave{[this] {
            --inside_;
            turn_.set();
          }};
          if (++inside_ != 1) ++wrong;
          maybe_yield(d);
        }
        break;
      case 7:
        if (const std::optional<int> token = tokens_.recv_for(soon()).value) {
          const finally back{[&] { wrong += !tokens_.try_send(*token); }};
          maybe_yield(d);
        }
        break;
      case 8: {
        const std::lock_guard hold(tickets_mutex_);
        if (d.below(2)) {
          ++tickets_;
          ticket_.notify_one();
        } else if (tickets_ > 0 || ticket_.wait_for(tickets_mutex_, soon()) == std::cv_status::no_timeout) {
          if (tickets_ > 0) --tickets_;
        }
        break;
      }
    }
  }

  // Nobody uses them any more: all is there.
  void check() {
    CHECK(wrong == 0);
    CHECK(mutex_.try_lock());
    CHECK(timed_.try_lock());
    CHECK(shared_.try_lock());
    CHECK(tickets_mutex_.try_lock());
    CHECK(units_.try_acquire(most));
    CHECK(turn_.try_wait());
    CHECK(tokens_.len() == 2);
    mutex_.unlock();
    timed_.unlock();
    shared_.unlock();
    tickets_mutex_.unlock();
  }

  std::atomic<int> wrong{0};

 private:
  static constexpr int most = 3;

  static void maybe_yield(dice& d) {
    if (d.below(3) == 0) rove::yield();
  }
  template <class Acquire>
  void units(dice& d, Acquire acquire) {
    const int n = 1 + static_cast<int>(d.below(most));
    if (!acquire(n)) return;
    const finally release{[&] {
      held_ -= n;
      units_.release(n);
    }};
    if ((held_ += n) > most) ++wrong;
    maybe_yield(d);
  }

  rove::mutex mutex_, timed_, tickets_mutex_;
  rove::shared_mutex shared_;
  rove::semaphore units_{most};
  std::atomic<int> held_{0}, inside_{0};
  rove::event turn_{rove::event::auto_reset, true};
  rove::chan<int> tokens_ = rove::make_chan<int>(2);
  rove::condition_variable_any ticket_;
  int tickets_ = 0;
};

}  // namespace

TEST_CASE("ending: runtimes come and go, and lose nothing that others share with them") {
  everything all;
  std::atomic<bool> over{false};
  const auto run_some = [&all](std::uint64_t index) {
    dice d(index);
    for (int i = 0; i < 60 * load; ++i)
      rove::run(with_procs(1 + d.below(3)), [&] {
        for (int g = 0; g < 12; ++g)
          rove::go([&all, of = d.next()] {
            for (dice own(of);;) all.use(own);
          });
        rove::sleep_for(std::chrono::microseconds(d.below(2000)));
      });
  };
  std::thread plain([&] {
    for (dice d(1); !over;) all.use(d);
  });
  std::thread other([&] { run_some(2); });
  run_some(3);
  other.join();
  over = true;
  plain.join();
  all.check();
}
