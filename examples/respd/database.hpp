// What the server remembers: strings and lists by their keys, each perhaps with a time at which it is forgotten. It
// knows no clock and no lock: whoever calls says what time it is, and sees to it that nobody else calls meanwhile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>

namespace respd {

using list = std::deque<std::string>;
using milliseconds = std::int64_t;  // since some fixed time
inline constexpr milliseconds never = std::numeric_limits<milliseconds>::max();

struct entry {
  std::variant<std::string, list> value;
  milliseconds expires = never;

  std::string* text() { return std::get_if<std::string>(&value); }
  list* items() { return std::get_if<list>(&value); }
};

class database {
 public:
  // Null if there is none, or its time has passed. Pointers hold until the entry is removed.
  entry* find(std::string_view key, milliseconds now);
  // The entry, made (an empty string) if there is none.
  entry& find_or_add(std::string_view key, milliseconds now);
  bool remove(std::string_view key, milliseconds now);
  void clear() { entries_.clear(); }
  std::size_t size() const { return entries_.size(); }

  // What nobody asks for again has to be forgotten too: looks at the next few keys, and forgets those whose time has
  // passed. Returns how many that were.
  std::size_t sweep(std::size_t buckets, milliseconds now);

 private:
  struct hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::unordered_map<std::string, entry, hash, std::equal_to<>> entries_;
  std::size_t swept_ = 0;  // the bucket that sweep looks at next
};

}  // namespace respd
