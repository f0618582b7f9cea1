// A read-write mutex: many readers at the same time, or one writer.
#include <cstdio>
#include <map>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>

#include <rove/rove.hpp>

namespace {

class phone_book {
 public:
  void set(const std::string& name, int number) {
    const std::unique_lock hold(guard_);   // alone
    numbers_[name] = number;
  }
  std::optional<int> find(const std::string& name) const {
    const std::shared_lock hold(guard_);   // with other readers
    const auto at = numbers_.find(name);
    if (at == numbers_.end()) return std::nullopt;
    return at->second;
  }

 private:
  mutable rove::shared_mutex guard_;
  std::map<std::string, int> numbers_;
};

}  // namespace

int main() {
  rove::run([] {
    phone_book book;
    book.set("Ann", 11);
    rove::wait_group wg;
    for (int i = 0; i < 2; ++i)
      wg.go([&book] {
        for (int n = 0; n < 1'000; ++n)
          if (book.find("Ann") != 11) std::puts("wrong number");
      });
    wg.go([&book] { book.set("Bob", 22); });
    wg.wait();
    std::printf("Ann has %d, Bob has %d, Carl has %s\n", *book.find("Ann"), *book.find("Bob"),
                book.find("Carl") ? "one" : "none");
  });
}
