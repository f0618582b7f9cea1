// Handing messages to subscribers, under one lock and without waiting.
#include "channels.hpp"

#include <mutex>

#include "reply.hpp"

namespace respd {

void channels::subscribe(std::string_view channel, subscriber& who) {
  std::lock_guard guard(lock_);
  subscribers_[std::string(channel)].insert(&who);
}

void channels::unsubscribe(std::string_view channel, subscriber& who) {
  std::lock_guard guard(lock_);
  const auto at = subscribers_.find(std::string(channel));
  if (at == subscribers_.end()) return;
  at->second.erase(&who);
  if (at->second.empty()) subscribers_.erase(at);
}

std::size_t channels::publish(std::string_view channel, std::string_view text) {
  std::lock_guard guard(lock_);
  const auto at = subscribers_.find(std::string(channel));
  if (at == subscribers_.end()) return 0;
  std::string out;
  reply::array(out, 3);
  reply::bulk(out, "message");
  reply::bulk(out, channel);
  reply::bulk(out, text);
  const auto m = std::make_shared<const std::string>(std::move(out));
  for (subscriber* s : at->second) {
    if (!s->outbox.try_send(m)) s->drop();
  }
  return at->second.size();
}

}  // namespace respd
