// Contexts that are derived, cancelled, waited for and dropped at the same time.
#include <memory>
#include <mutex>
#include <stop_token>
#include <vector>

#include "test/support/fixture.hpp"

using namespace rove_test;

namespace {

// Some contexts that all of a test's goroutines derive from, replace and cancel.
class garden {
 public:
  garden() : plots_(16, rove::with_cancel(rove::background())) {}
  rove::cancelable at(unsigned i) {
    std::lock_guard l(lock_);
    return plots_[i];
  }
  void put(unsigned i, rove::cancelable c) {
    {
      std::lock_guard l(lock_);
      std::swap(plots_[i], c);
    }
  }

 private:
  rove::mutex lock_;
  std::vector<rove::cancelable> plots_;
};

rove::cancelable derive(const rove::context& c, const std::stop_source& end, dice& d) {
  switch (d.below(5)) {
    case 0: return rove::with_timeout(c, std::chrono::microseconds(d.below(300)));
    case 1: return rove::with_timeout(rove::with_value(c, 1), 1h);
    case 2: return rove::with_stop_token(c, end.get_token());
    case 3: return {rove::without_cancel(rove::with_value(c, 1)), {}};
    default: return rove::with_cancel(c);
  }
}

}  // namespace

TEST_CASE("context stress: after cancel all below is cancelled, whoever else cancels") {
  for (const unsigned n : {1u, 2u, 4u}) {
    rove::runtime rt(with_procs(n));
    std::atomic<int> wrong{0};
    for (int round = 0; round < 20 * load; ++round) {
      auto top = rove::with_cancel(rove::background());
      std::vector<rove::cancelable> all{top};
      for (std::size_t i = 0; i < 60; ++i) all.push_back(rove::with_cancel(all[i / 3].ctx));
      const auto cancel_and_look = [&](std::size_t i) {
        all[i].cancel();
        for (std::size_t k = i; k < all.size(); ++k) {
          std::size_t up = k;
          while (up > i) up = (up - 1) / 3;
          wrong += up == i && all[k].ctx.err() != rove::errc::canceled;
        }
      };
      plain_threads threads;
      threads.start([&] { cancel_and_look(0); });
      rt.run([&] {
        rove::wait_group wg;
        dice d(static_cast<unsigned>(round));
        for (int i = 0; i < 6; ++i) wg.go([&, at = d.below(20)] { cancel_and_look(at); });
        wg.wait();
      });
      threads.join();
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("context stress: a garden of contexts, from goroutines and threads") {
  for (const unsigned n : {1u, 2u, 4u}) {
    auto w = std::make_shared<int>();
    std::atomic<int> ran{0}, stopped{0}, registered{0}, wrong{0};
    {
      rove::runtime rt(with_procs(n));
      garden all;
      std::stop_source end;
      const auto work = [&](unsigned index) {
        dice d(index);
        const bool goroutine = rove::this_goroutine::id() != 0;
        for (int i = 0; i < 150 * load; ++i) {
          const rove::cancelable c = all.at(d.below(16));
          switch (d.below(6)) {
            case 0: c.cancel(); break;
            case 1: c.ctx.done().recv_for(std::chrono::microseconds(d.below(60))); break;
            case 2:
              if (!goroutine) break;
              ++registered;
              if (auto stop = rove::after_func(c.ctx, [&ran, w] { ++ran; }); d.below(2)) stopped += stop();
              break;
            case 3: all.put(d.below(16), rove::with_cancel(rove::background())); break;
            default: all.put(d.below(16), derive(c.ctx, end, d)); break;
          }
          const std::error_code err = c.ctx.err();
          static_cast<void>(c.ctx.stop_token());
          wrong += err && !c.ctx.done().try_recv().closed;
          d.delay();
        }
      };
      plain_threads threads;
      for (unsigned i = 0; i < 2; ++i) threads.start([&, i] { work(100 + i); });
      rt.run([&] {
        rove::wait_group wg;
        for (unsigned i = 0; i < 4; ++i) wg.go([&, i] { work(i); });
        wg.wait();
      });
      threads.join();
      for (unsigned i = 0; i < 16; ++i) all.put(i, {});
      end.request_stop();  // those that nobody holds, but for a deadline of an hour, end with the runtime
    }
    CHECK(wrong == 0);
    CHECK(ran + stopped <= registered);
  }
}

TEST_CASE("context stress: every function is called once or stopped, when its context is cancelled") {
  for (const unsigned n : {1u, 2u, 4u}) {
    rove::runtime rt(with_procs(n));
    std::atomic<int> ran{0}, stopped{0};
    constexpr int rounds = 50 * load;
    rt.run([&] {
      for (int i = 0; i < rounds; ++i) {
        const rove::context bg;
        auto [ctx, cancel] = i % 2 ? rove::with_cancel(bg) : rove::with_timeout(bg, 20us);
        rove::wait_group wg;
        for (int g = 0; g < 3; ++g)
          wg.go([&, &ctx = ctx] {
            auto stop = rove::after_func(rove::with_cancel(ctx).ctx, [&] { ++ran; });
            rove::yield();
            stopped += stop();
          });
        wg.go([cancel = cancel] { cancel(); });
        wg.wait();
      }
      eventually([&] { return ran + stopped == 3 * rounds; });
    });
    check_nothing_left(rt);
    CHECK(ran + stopped == 3 * rounds);
  }
}

TEST_CASE("context stress: stop sources and contexts cancel each other") {
  for (int i = 0; i < 100 * load; ++i) {
    std::stop_source source;
    auto a = rove::with_stop_token(rove::background(), source.get_token());
    auto b = rove::with_stop_token(a.ctx, a.ctx.stop_token());
    const std::stop_token last = b.ctx.stop_token();
    plain_threads threads;
    threads.start([&] { source.request_stop(); });
    threads.start([&] { a.cancel(); });
    threads.start([&, mine = b]() mutable {
      mine.cancel();
      mine = {};
    });
    a.ctx.done().recv();
    threads.join();
    CHECK(a.ctx.err() == rove::errc::canceled);
    CHECK(b.ctx.err() == rove::errc::canceled);
    CHECK(last.stop_requested());
  }
}
