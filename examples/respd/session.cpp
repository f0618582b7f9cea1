// Reading, executing, answering; and the commands that concern the session itself.
#include "session.hpp"

#include <chrono>
#include <mutex>
#include <span>
#include <system_error>
#include <utility>

#include "reply.hpp"

namespace respd {
namespace {

constexpr std::size_t most_unsent = 64 * 1024;
constexpr std::size_t most_in_outbox = 1024;

}  // namespace

milliseconds now() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

void session::serve() {
  std::error_code error;
  do {
    now_ = now();
    while (execute_next()) {
      if (out_.size() > most_unsent && !flush()) return;
    }
  } while (flush() && !ended_ && in_.fill(conn_, error));
}

session::~session() {
  for (const std::string& channel : subscribed_) shared_.talk.unsubscribe(channel, me_);
  if (!writer_) return;
  std::error_code ignored;
  conn_.set_write_deadline(std::chrono::steady_clock::now() + std::chrono::seconds(5), ignored);
  me_.outbox.close();
}  // the writer writes what is left, if the client takes it in time, and is waited for

// False: there is no whole request any more.
bool session::execute_next() {
  if (ended_) return false;
  const parser::outcome next = parser_.parse(in_.unread());
  if (next.error) {
    reply::error(out_, std::string("ERR ") + next.error);
    ended_ = true;
  }
  if (next.length == 0) return false;
  if (!parser_.words().empty()) {
    call c{parser_.words(), shared_.db, now_, out_};
    if (!execute_here(c)) {
      std::lock_guard guard(shared_.lock);
      execute(c);
    }
  }
  in_.consume(next.length);
  return true;
}

// The commands that are about the client or other clients, not about the database. False: it is none of them.
bool session::execute_here(call& c) {
  const std::string_view name = c[0];
  if (is_command(name, "subscribe")) {
    c.size() < 2 ? refuse_arity(c) : subscribe(c);
  } else if (is_command(name, "unsubscribe")) {
    unsubscribe(c);
  } else if (is_command(name, "quit")) {
    reply::simple(out_, "OK");
    ended_ = true;
  } else if (!subscribed_.empty()) {  // such a client is told only what it subscribed to, and that it can be told
    if (!is_command(name, "ping")) {
      reply::error(out_, "ERR Can't execute '" + std::string(name.substr(0, 32)) +
                             "': only SUBSCRIBE / UNSUBSCRIBE / PING / QUIT are allowed in this context");
      return true;
    }
    reply::array(out_, 2);
    reply::bulk(out_, "pong");
    reply::bulk(out_, c.size() > 1 ? c[1] : "");
  } else if (is_command(name, "publish")) {
    if (c.size() != 3) return refuse_arity(c), true;
    reply::integer(out_, static_cast<std::int64_t>(shared_.talk.publish(c[1], c[2])));
  } else {
    return false;
  }
  return true;
}

bool session::flush() {
  if (out_.empty()) return true;
  std::error_code error;
  if (writer_) {
    me_.outbox.send(std::make_shared<const std::string>(std::exchange(out_, {})));
  } else {
    conn_.write(out_, error);
    out_.clear();
    if (out_.capacity() > 2 * most_unsent) out_.shrink_to_fit();
  }
  return !error;
}

// ---- subscriptions

void session::confirm(std::string_view what, std::string_view channel) {
  reply::array(out_, 3);
  reply::bulk(out_, what);
  reply::bulk(out_, channel);
  reply::integer(out_, static_cast<std::int64_t>(subscribed_.size()));
}

void session::subscribe(call& c) {
  flush();
  if (!writer_) start_writer();
  for (std::string_view channel : c.words.subspan(1)) {
    const bool is_new = subscribed_.emplace(channel).second;
    confirm("subscribe", channel);
    flush();  // what is said on the channel is to come after the confirmation
    if (is_new) shared_.talk.subscribe(channel, me_);
  }
}

void session::unsubscribe(call& c) {
  std::set<std::string> which(c.words.begin() + 1, c.words.end());
  if (c.size() == 1) which = {subscribed_.begin(), subscribed_.end()};
  for (const std::string& channel : which) {
    if (subscribed_.erase(channel) != 0) shared_.talk.unsubscribe(channel, me_);
    confirm("unsubscribe", channel);
  }
  if (!which.empty()) return;
  reply::array(out_, 3);
  reply::bulk(out_, "unsubscribe");
  reply::null(out_);
  reply::integer(out_, 0);
}

void session::start_writer() {
  me_.outbox = rove::make_chan<message>(most_in_outbox);
  me_.drop = [this] { drop(); };
  writer_ = rove::spawn([this] { write_outbox(); });
}

// A client that does not take what it subscribed to is cut off. Waits for nobody.
void session::drop() {
  std::error_code ignored;
  conn_.set_deadline(std::chrono::steady_clock::now() - std::chrono::seconds(1), ignored);
}

// Goes on taking when the connection is broken, so that who sends is not held up.
void session::write_outbox() {
  for (message m : me_.outbox) {
    std::string text = *m;
    while (text.size() < most_unsent) {
      const auto more = me_.outbox.try_recv();
      if (!more.value) break;
      text += **more.value;
    }
    std::error_code error;
    conn_.write(text, error);
    if (error) drop();
  }
}

}  // namespace respd
