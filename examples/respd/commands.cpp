// Each command is a function; a table has their names. Replies and errors are Redis' own, word for word.
#include "commands.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

#include "reply.hpp"

namespace respd {
namespace {

constexpr std::string_view no_integer = "ERR value is not an integer or out of range";
constexpr std::string_view wrong_type = "WRONGTYPE Operation against a key holding the wrong kind of value";
constexpr std::string_view syntax_error = "ERR syntax error";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

std::string lower(std::string_view word) {
  std::string out(word);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) { return lower(c); });
  return out;
}

// As Redis does it: no sign but `-`, no white space, no zero in front.
std::optional<std::int64_t> to_integer(std::string_view text) {
  std::int64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  const std::string_view digits = text.substr(text[0] == '-');
  if (digits[0] == '0' && text.size() > 1) return std::nullopt;
  return n;
}

// The moment that many units from now; nothing if that is no time, or none that can be counted in milliseconds.
std::optional<milliseconds> time_after(milliseconds now, std::int64_t n, std::int64_t unit) {
  milliseconds span = 0, moment = 0;
  if (__builtin_mul_overflow(n, unit, &span) || __builtin_add_overflow(now, span, &moment)) return std::nullopt;
  return moment;
}

void fail(call& c, std::string_view error) { reply::error(c.out, error); }

void fail_expire(call& c) { fail(c, "ERR invalid expire time in '" + lower(c[0]) + "' command"); }

// ---- the server itself

void ping(call& c) {
  if (c.size() > 2) return refuse_arity(c);
  if (c.size() == 1) return reply::simple(c.out, "PONG");
  reply::bulk(c.out, c[1]);
}

void echo(call& c) { reply::bulk(c.out, c[1]); }

void select_database(call& c) {
  const auto index = to_integer(c[1]);
  if (!index) return fail(c, no_integer);
  if (*index != 0) return fail(c, "ERR DB index is out of range");
  reply::simple(c.out, "OK");
}

// redis-benchmark asks for these two, to print them.
void config(call& c) {
  if (!is_command(c[1], "get") || c.size() != 3) return fail(c, "ERR only CONFIG GET of one name is known here");
  const bool save = is_command(c[2], "save"), append_only = is_command(c[2], "appendonly");
  reply::array(c.out, save || append_only ? 2 : 0);
  if (save || append_only) reply::bulk(c.out, c[2]);
  if (save) reply::bulk(c.out, "");
  if (append_only) reply::bulk(c.out, "no");
}

// redis-cli asks for what it can complete.
void list_commands(call& c) { reply::array(c.out, 0); }

void count_keys(call& c) { reply::integer(c.out, static_cast<std::int64_t>(c.db.size())); }

void flush(call& c) {
  c.db.clear();
  reply::simple(c.out, "OK");
}

// ---- strings

struct set_options {
  bool if_absent = false, if_present = false, keep_expiry = false, get = false;
  milliseconds expires = never;
};

// False: an error was replied.
bool parse_set_options(call& c, set_options& o) {
  for (std::size_t i = 3; i < c.size(); ++i) {
    const bool seconds = is_command(c[i], "ex"), thousandths = is_command(c[i], "px");
    if (is_command(c[i], "nx") && !o.if_present) {
      o.if_absent = true;
    } else if (is_command(c[i], "xx") && !o.if_absent) {
      o.if_present = true;
    } else if (is_command(c[i], "keepttl") && o.expires == never) {
      o.keep_expiry = true;
    } else if (is_command(c[i], "get")) {
      o.get = true;
    } else if ((seconds || thousandths) && i + 1 < c.size() && o.expires == never && !o.keep_expiry) {
      const auto n = to_integer(c[++i]);
      if (!n) return fail(c, no_integer), false;
      const auto moment = time_after(c.now, *n, seconds ? 1000 : 1);
      if (*n <= 0 || !moment) return fail_expire(c), false;
      o.expires = *moment;
    } else {
      return fail(c, syntax_error), false;
    }
  }
  return true;
}

void set(call& c) {
  set_options o;
  if (c.size() > 3 && !parse_set_options(c, o)) return;
  entry* e = c.db.find(c[1], c.now);
  if (o.get && e && !e->text()) return fail(c, wrong_type);
  if (o.get) e ? reply::bulk(c.out, *e->text()) : reply::null(c.out);
  if ((o.if_absent && e) || (o.if_present && !e)) return o.get ? void() : reply::null(c.out);
  if (!e) e = &c.db.find_or_add(c[1], c.now);
  if (!o.keep_expiry) e->expires = o.expires;
  if (std::string* const text = e->text()) {
    text->assign(c[2]);
  } else {
    e->value = std::string(c[2]);
  }
  if (!o.get) reply::simple(c.out, "OK");
}

void get(call& c) {
  entry* const e = c.db.find(c[1], c.now);
  if (!e) return reply::null(c.out);
  if (!e->text()) return fail(c, wrong_type);
  reply::bulk(c.out, *e->text());
}

void get_many(call& c) {
  reply::array(c.out, c.size() - 1);
  for (std::string_view key : c.words.subspan(1)) {
    entry* const e = c.db.find(key, c.now);
    e && e->text() ? reply::bulk(c.out, *e->text()) : reply::null(c.out);
  }
}

void set_many(call& c) {
  if (c.size() % 2 == 0) return refuse_arity(c);
  for (std::size_t i = 1; i < c.size(); i += 2) {
    entry& e = c.db.find_or_add(c[i], c.now);
    e.value = std::string(c[i + 1]);
    e.expires = never;
  }
  reply::simple(c.out, "OK");
}

void add(call& c, std::int64_t step) {
  entry* e = c.db.find(c[1], c.now);
  if (e && !e->text()) return fail(c, wrong_type);
  const auto old = e ? to_integer(*e->text()) : 0;
  if (!old) return fail(c, no_integer);
  std::int64_t sum = 0;
  if (__builtin_add_overflow(*old, step, &sum)) return fail(c, "ERR increment or decrement would overflow");
  if (!e) e = &c.db.find_or_add(c[1], c.now);
  *e->text() = std::to_string(sum);
  reply::integer(c.out, sum);
}

void increment(call& c) { add(c, 1); }
void decrement(call& c) { add(c, -1); }

// ---- keys

void remove(call& c) {
  std::int64_t removed = 0;
  for (std::string_view key : c.words.subspan(1)) removed += c.db.remove(key, c.now);
  reply::integer(c.out, removed);
}

void exists(call& c) {
  std::int64_t found = 0;
  for (std::string_view key : c.words.subspan(1)) found += c.db.find(key, c.now) != nullptr;
  reply::integer(c.out, found);
}

void type(call& c) {
  entry* const e = c.db.find(c[1], c.now);
  reply::simple(c.out, !e ? "none" : e->text() ? "string" : "list");
}

void expire_in(call& c, std::int64_t unit) {
  const auto n = to_integer(c[2]);
  if (!n) return fail(c, no_integer);
  const auto moment = time_after(c.now, *n, unit);
  if (!moment) return fail_expire(c);
  entry* const e = c.db.find(c[1], c.now);
  if (e) e->expires = *moment;
  reply::integer(c.out, e != nullptr);
}

void expire(call& c) { expire_in(c, 1000); }
void pexpire(call& c) { expire_in(c, 1); }

void persist(call& c) {
  entry* const e = c.db.find(c[1], c.now);
  const bool limited = e && e->expires != never;
  if (limited) e->expires = never;
  reply::integer(c.out, limited);
}

// What is left, rounded to the unit.
void time_left(call& c, std::int64_t unit) {
  entry* const e = c.db.find(c[1], c.now);
  if (!e) return reply::integer(c.out, -2);
  if (e->expires == never) return reply::integer(c.out, -1);
  reply::integer(c.out, (e->expires - c.now + unit / 2) / unit);
}

void ttl(call& c) { time_left(c, 1000); }
void pttl(call& c) { time_left(c, 1); }

// ---- lists

void push(call& c, bool front) {
  entry* e = c.db.find(c[1], c.now);
  if (e && !e->items()) return fail(c, wrong_type);
  if (!e) {
    e = &c.db.find_or_add(c[1], c.now);
    e->value = list();
  }
  list& items = *e->items();
  for (std::string_view item : c.words.subspan(2)) front ? items.emplace_front(item) : items.emplace_back(item);
  reply::integer(c.out, static_cast<std::int64_t>(items.size()));
}

void push_front(call& c) { push(c, true); }
void push_back(call& c) { push(c, false); }

// LPOP key: the item; LPOP key n: an array of up to n.
void pop(call& c, bool front) {
  const auto count = c.size() > 2 ? to_integer(c[2]) : 1;
  if (!count || *count < 0) return fail(c, "ERR value is out of range, must be positive");
  entry* const e = c.db.find(c[1], c.now);
  if (e && !e->items()) return fail(c, wrong_type);
  if (!e) return c.size() > 2 ? void(c.out += "*-1\r\n") : reply::null(c.out);
  list& items = *e->items();
  const std::size_t n = std::min(items.size(), static_cast<std::size_t>(*count));
  if (c.size() > 2) reply::array(c.out, n);
  for (std::size_t i = 0; i < n; ++i) {
    reply::bulk(c.out, front ? items.front() : items.back());
    front ? items.pop_front() : items.pop_back();
  }
  if (items.empty()) c.db.remove(c[1], c.now);
}

void pop_front(call& c) { pop(c, true); }
void pop_back(call& c) { pop(c, false); }

void length(call& c) {
  entry* const e = c.db.find(c[1], c.now);
  if (e && !e->items()) return fail(c, wrong_type);
  reply::integer(c.out, e ? static_cast<std::int64_t>(e->items()->size()) : 0);
}

// Negative places count from the end; both ends are included.
void range(call& c) {
  auto first = to_integer(c[2]), last = to_integer(c[3]);
  if (!first || !last) return fail(c, no_integer);
  entry* const e = c.db.find(c[1], c.now);
  if (e && !e->items()) return fail(c, wrong_type);
  const std::int64_t size = e ? static_cast<std::int64_t>(e->items()->size()) : 0;
  if (*first < 0) first = std::max<std::int64_t>(*first + size, 0);
  if (*last < 0) last = *last + size;
  last = std::min(*last, size - 1);
  if (*first > *last) return reply::array(c.out, 0);
  reply::array(c.out, static_cast<std::size_t>(*last - *first + 1));
  auto item = e->items()->begin() + *first;
  for (auto n = *last - *first + 1; n > 0; --n) reply::bulk(c.out, *item++);
}

// ---- the table

struct command {
  std::string_view name;
  int words;  // how many the request has; negative: at least as many
  void (*run)(call&);
};

constexpr std::array commands = std::to_array<command>({
    {"command", -1, list_commands},
    {"config", -2, config},
    {"dbsize", 1, count_keys},
    {"decr", 2, decrement},
    {"del", -2, remove},
    {"echo", 2, echo},
    {"exists", -2, exists},
    {"expire", 3, expire},
    {"flushall", -1, flush},
    {"get", 2, get},
    {"incr", 2, increment},
    {"llen", 2, length},
    {"lpop", -2, pop_front},
    {"lpush", -3, push_front},
    {"lrange", 4, range},
    {"mget", -2, get_many},
    {"mset", -3, set_many},
    {"persist", 2, persist},
    {"pexpire", 3, pexpire},
    {"ping", -1, ping},
    {"pttl", 2, pttl},
    {"rpop", -2, pop_back},
    {"rpush", -3, push_back},
    {"select", 2, select_database},
    {"set", -3, set},
    {"ttl", 2, ttl},
    {"type", 2, type},
});
static_assert(std::is_sorted(commands.begin(), commands.end(),
                             [](const command& a, const command& b) { return a.name < b.name; }));

constexpr std::size_t longest_name = 8;

const command* find_command(std::string_view word) {
  if (word.size() > longest_name) return nullptr;
  char buffer[longest_name];
  std::transform(word.begin(), word.end(), buffer, [](char c) { return lower(c); });
  const std::string_view name(buffer, word.size());
  const auto at = std::lower_bound(commands.begin(), commands.end(), name,
                                   [](const command& c, std::string_view n) { return c.name < n; });
  return at != commands.end() && at->name == name ? &*at : nullptr;
}

}  // namespace

bool is_command(std::string_view word, std::string_view name) {
  return word.size() == name.size() &&
         std::equal(word.begin(), word.end(), name.begin(), [](char a, char b) { return lower(a) == b; });
}

void refuse_unknown(call c) {
  // What a client sent is repeated, but not all of it, and nothing that would end the line.
  const auto shown = [](std::string_view word) {
    std::string text(word.substr(0, 128));
    std::replace_if(text.begin(), text.end(), [](char x) { return x == '\r' || x == '\n'; }, ' ');
    return text;
  };
  std::string text = "ERR unknown command '" + shown(c[0]) + "', with args beginning with: ";
  for (std::string_view word : c.words.subspan(1)) {
    if (text.size() > 256) break;
    text += '\'' + shown(word) + "' ";
  }
  reply::error(c.out, text);
}

void refuse_arity(call c) {
  reply::error(c.out, "ERR wrong number of arguments for '" + lower(c[0]) + "' command");
}

void execute(call c) {
  const command* const known = find_command(c[0]);
  if (!known) return refuse_unknown(c);
  const auto words = static_cast<int>(c.size());
  if (known->words >= 0 ? words != known->words : words < -known->words) return refuse_arity(c);
  known->run(c);
}

}  // namespace respd
