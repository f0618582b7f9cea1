// Three ways to say what a new goroutine does.
#include <cstdio>
#include <string>

#include <rove/rove.hpp>

namespace {

void greet(const std::string& name, int number, rove::wait_group* wg) {
  std::printf("hello %s, you are number %d\n", name.c_str(), number);
  wg->done();
}

struct greeter {
  rove::wait_group* wg;
  void operator()(const char* name) const {
    std::printf("good evening %s\n", name);
    wg->done();
  }
};

}  // namespace

int main() {
  rove::run([] {
    rove::wait_group wg;
    wg.add(3);
    rove::go(greet, "Ann", 1, &wg);        // a function and its arguments
    rove::go(greeter{&wg}, "Bob");         // an object that can be called
    rove::go([&wg] {                       // a lambda
      std::puts("hello from a lambda");
      wg.done();
    });
    wg.wait();                             // returns when done() was called three times
  });
}
