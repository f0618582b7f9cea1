// A mutex: one at a time.
#include <cstdio>
#include <mutex>

#include <rove/rove.hpp>

namespace {

class account {
 public:
  void deposit(int amount) {
    const std::lock_guard hold(guard_);
    balance_ += amount;
  }
  int balance() {
    const std::lock_guard hold(guard_);
    return balance_;
  }

 private:
  rove::mutex guard_;
  int balance_ = 0;
};

}  // namespace

int main() {
  rove::run([] {
    account a;
    rove::wait_group wg;
    for (int i = 0; i < 2; ++i)
      wg.go([&a] {
        for (int n = 0; n < 100'000; ++n) a.deposit(1);
      });
    wg.wait();
    std::printf("expected 200000, counted %d\n", a.balance());
  });
}
