// bank: accounts that many goroutines use at once, each account under a mutex.
//
// rove::mutex is Lockable, so std::lock_guard, std::unique_lock and std::scoped_lock are used as with std::mutex. Who
// has to wait for one parks its goroutine; the thread goes on with another.
#include <array>
#include <cstdio>
#include <mutex>
#include <random>

#include <rove/rove.hpp>

namespace {

class account {
 public:
  void deposit(long amount) {
    std::lock_guard lock(mutex_);
    balance_ += amount;
  }

  long balance() const {
    std::lock_guard lock(mutex_);
    return balance_;
  }

  // Takes both locks, whatever the order others take them in. False, and nothing moved, if `from` has too little.
  friend bool transfer(account& from, account& to, long amount) {
    std::scoped_lock lock(from.mutex_, to.mutex_);
    if (from.balance_ < amount) return false;
    from.balance_ -= amount;
    to.balance_ += amount;
    return true;
  }

 private:
  mutable rove::mutex mutex_;
  long balance_ = 0;
};

using bank = std::array<account, 10>;

// Moves small sums between accounts picked at random, never from one to itself.
void trade(bank& accounts, unsigned seed) {
  std::minstd_rand random(seed);
  for (int i = 0; i < 1000; ++i) {
    const std::size_t from = random() % accounts.size();
    const std::size_t to = (from + 1 + random() % (accounts.size() - 1)) % accounts.size();
    transfer(accounts[from], accounts[to], 1 + static_cast<long>(random() % 50));
  }
}

long total(const bank& accounts) {
  long sum = 0;
  for (const account& a : accounts) sum += a.balance();
  return sum;
}

}  // namespace

int main() {
  return rove::run([] {
    bank accounts;
    rove::wait_group deposits;
    for (int i = 0; i < 1000; ++i) {
      deposits.go([&accounts, i] { accounts[static_cast<std::size_t>(i) % accounts.size()].deposit(10); });
    }
    deposits.wait();
    std::printf("after 1000 deposits of 10: %ld\n", total(accounts));

    rove::wait_group traders;
    for (unsigned i = 1; i <= 100; ++i) {
      traders.go([&accounts, i] { trade(accounts, i); });
    }
    traders.wait();
    std::printf("after 100 traders' 1000 transfers each: %ld\n", total(accounts));
    return total(accounts) == 10000 ? 0 : 1;
  });
}
