// The table of keys. An entry whose time has passed is forgotten by the first who looks.
#include "database.hpp"

#include <vector>

namespace respd {

entry* database::find(std::string_view key, milliseconds now) {
  const auto at = entries_.find(key);
  if (at == entries_.end()) return nullptr;
  if (at->second.expires > now) [[likely]] return &at->second;
  entries_.erase(at);
  return nullptr;
}

entry& database::find_or_add(std::string_view key, milliseconds now) {
  if (entry* const e = find(key, now)) return *e;
  return entries_.try_emplace(std::string(key)).first->second;
}

bool database::remove(std::string_view key, milliseconds now) {
  const auto at = entries_.find(key);
  if (at == entries_.end()) return false;
  const bool alive = at->second.expires > now;
  entries_.erase(at);
  return alive;
}

std::size_t database::sweep(std::size_t buckets, milliseconds now) {
  std::vector<std::string> late;
  for (; buckets > 0 && !entries_.empty(); --buckets) {
    swept_ = swept_ + 1 < entries_.bucket_count() ? swept_ + 1 : 0;
    for (auto at = entries_.begin(swept_); at != entries_.end(swept_); ++at) {
      if (at->second.expires <= now) late.push_back(at->first);
    }
  }
  for (const std::string& key : late) entries_.erase(key);
  return late.size();
}

}  // namespace respd
