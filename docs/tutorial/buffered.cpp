// A buffer: a send waits only while it is full.
#include <cstdio>

#include <rove/rove.hpp>

int main() {
  rove::run([] {
    auto letters = rove::make_chan<char>(2);
    letters.send('a');                     // nobody receives yet, and nobody has to
    letters.send('b');
    std::printf("%zu of %zu places are taken\n", letters.len(), letters.cap());
    std::printf("a third one: %s\n", letters.try_send('c') ? "sent" : "no room");
    letters.close();                       // what is in the buffer can still be received
    for (const char c : letters) std::printf("%c\n", c);
  });
}
