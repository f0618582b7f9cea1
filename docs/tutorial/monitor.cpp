// Instead of a lock: one goroutine owns the data, the others send it messages.
#include <cstdio>
#include <optional>

#include <rove/rove.hpp>

namespace {

class account {
 public:
  account() {
    rove::go([deposits = deposits_, balances = balances_, closed = closed_] {
      int balance = 0;                     // nobody else can reach it
      for (bool open = true; open;)
        rove::select(deposits.on_recv([&](std::optional<int> amount) { balance += *amount; }),
                     balances.on_send(balance), closed.on_recv([&] { open = false; }));
    });
  }
  ~account() { closed_.close(); }
  void deposit(int amount) const { deposits_.send(amount); }
  int balance() const { return *balances_.recv(); }

 private:
  rove::chan<int> deposits_ = rove::make_chan<int>();
  rove::chan<int> balances_ = rove::make_chan<int>();
  rove::chan<bool> closed_ = rove::make_chan<bool>();
};

}  // namespace

int main() {
  rove::run([] {
    const account a;
    rove::wait_group wg;
    for (int i = 0; i < 2; ++i)
      wg.go([&a] {
        for (int n = 0; n < 1'000; ++n) a.deposit(1);
      });
    wg.wait();
    std::printf("expected 2000, counted %d\n", a.balance());
  });
}
