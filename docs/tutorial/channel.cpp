// A channel: one goroutine sends, another receives, and they meet.
#include <cstdio>
#include <string>

#include <rove/rove.hpp>

int main() {
  rove::run([] {
    auto messages = rove::make_chan<std::string>();  // unbuffered
    rove::go([=] {                                   // a copy of the handle; the channel is the same
      messages.send("the first");                    // waits until main receives
      messages.send("the second");
    });
    std::printf("%s\n", messages.recv()->c_str());
    std::printf("%s\n", messages.recv()->c_str());
  });
}
