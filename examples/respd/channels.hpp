// Publish and subscribe: who wants to hear what is said on which channel.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include <rove/rove.hpp>

namespace respd {

// A reply as it is sent; one for all who are to hear it.
using message = std::shared_ptr<const std::string>;

// A session that has subscribed to something. What is for it goes through a channel to a goroutine that does nothing
// but write, so that nobody who publishes waits for a client.
struct subscriber {
  rove::chan<message> outbox;
  std::function<void()> drop;  // called, instead of waiting, when the outbox is full; must not wait either
};

class channels {
 public:
  // No more than once for the same channel.
  void subscribe(std::string_view channel, subscriber& who);
  // When it returns nothing is sent to `who` from that channel any more.
  void unsubscribe(std::string_view channel, subscriber& who);
  // Returns to how many it was sent.
  std::size_t publish(std::string_view channel, std::string_view text);

 private:
  rove::mutex lock_;  // guards what follows
  std::unordered_map<std::string, std::unordered_set<subscriber*>> subscribers_;
};

}  // namespace respd
