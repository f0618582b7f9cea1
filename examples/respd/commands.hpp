// The commands that read and change the database, and the few that ask something of the server itself.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "database.hpp"

namespace respd {

// A request under way.
struct call {
  std::span<const std::string_view> words;  // the first is the command's name
  database& db;
  milliseconds now;
  std::string& out;  // where the reply is appended

  std::size_t size() const { return words.size(); }
  std::string_view operator[](std::size_t i) const { return words[i]; }
};

// Executes the request and appends its one reply, which may be an error. There has to be a word.
void execute(call c);

// Whether the word is that name, given in lower case.
bool is_command(std::string_view word, std::string_view name);

// The error for a command that nobody here knows, or one with too few words or too many.
void refuse_unknown(call c);
void refuse_arity(call c);

}  // namespace respd
