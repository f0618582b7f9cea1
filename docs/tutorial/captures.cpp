// What a lambda takes with it, and when.
#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include <rove/rove.hpp>

int main() {
  rove::run([] {
    rove::wait_group wg;

    int x = 1;
    int seen = 0;
    wg.go([x, &seen] { seen = x; });            // x is copied here and now; seen is main's own
    x = 2;                                      // too late for the copy
    wg.wait();                                  // before this, nobody but the goroutine may look at `seen`
    std::printf("x is %d, the goroutine saw %d\n", x, seen);

    std::array<int, 3> squares{};
    for (int i = 0; i < 3; ++i)
      wg.go([i, &squares] { squares[i] = i * i; });  // i by value: by reference it would change, and then be gone
    wg.wait();
    std::printf("squares %d %d %d\n", squares[0], squares[1], squares[2]);

    auto text = std::make_unique<std::string>("moved in");
    wg.go([text = std::move(text)] { std::puts(text->c_str()); });  // what cannot be copied can be moved
    wg.wait();
  });
}
