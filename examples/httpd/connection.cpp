// The protocol of a connection: reading requests and their bodies within limits of size and time, sending responses.
//
// Deadlines are moved only if they would be off by an eighth: that costs nothing for a client that sends one request
// after the other.
//
// Retiring an idle connection takes two flags. The connection says that it is idle, then looks whether it is retired;
// who retires it says so, then looks whether it is idle. One of them at least sees the other's flag (both are
// sequentially consistent), so either the connection ends by itself or its wait is ended by a deadline that has
// passed.
#include "connection.hpp"

#include <algorithm>
#include <span>
#include <system_error>
#include <utility>

namespace httpd {
namespace {

constexpr std::size_t most_unsent = 64 * 1024;
constexpr std::size_t nothing = std::size_t(-1);
constexpr std::uint64_t most_unread_body = 256 * 1024;  // that is read only to be dropped

using clock = std::chrono::steady_clock;

// Whether a deadline has to be moved, so that it is about `patience` from now.
bool move_deadline(clock::time_point& deadline, std::chrono::milliseconds patience) {
  const clock::time_point wanted = clock::now() + patience;
  if (wanted >= deadline && wanted - deadline < patience / 8) return false;
  deadline = wanted;
  return true;
}

}  // namespace

// ---- reading

bool connection::fill(std::chrono::milliseconds patience) {
  std::error_code error;
  if (move_deadline(read_deadline_, patience)) conn_.set_read_deadline(read_deadline_);
  return in_.fill(conn_, error);
}

// False: there will be no more, or not in time.
bool connection::wait_for_bytes() {
  if (!flush()) return false;
  if (!in_.unread().empty()) {
    if (fill(settings_.head_time)) return true;
    refuse({408, "The request did not come to its end."});
    return false;
  }
  if (move_deadline(read_deadline_, settings_.idle_time)) conn_.set_read_deadline(read_deadline_);
  std::error_code error;
  idle_ = true;  // IDLE-RETIRED
  const bool more = !retired_ && in_.fill(conn_, error);
  idle_ = false;
  return more;
}

bool connection::read_request() {
  replied_ = false;
  for (;;) {
    const head_parser::outcome head = parser_.parse(in_.unread(), request_);
    if (head.refused) {
      refuse(head.refused);
      return false;
    }
    head_length_ = head.length;
    if (head_length_ != 0) break;
    if (!wait_for_bytes()) return false;
  }
  keep_ = request_.keep_alive;
  body_ = request_.chunked || request_.content_length.value_or(0) != 0 ? body_state::unread : body_state::none;
  if (request_.content_length.value_or(0) > settings_.largest_body) {
    refuse({413, "The body is too large."});
    return false;
  }
  return true;
}

// Before the first of a body is read: moves the head to where the body will not be.
bool connection::expect_body() {
  head_copy_.assign(in_.unread().substr(0, head_length_));
  head_parser(settings_.head).parse(head_copy_, request_);
  in_.consume(std::exchange(head_length_, 0));
  body_ = request_.chunked ? body_state::chunked : body_state::length;
  body_left_ = request_.content_length.value_or(0);
  body_taken_ = 0;
  chunks_ = {};
  if (request_.expect_continue && in_.unread().empty()) out_ += "HTTP/1.1 100 Continue\r\n\r\n";
  return flush();
}

std::string_view connection::take_length() {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, in_.unread().size()));
  piece_ = size;
  body_left_ -= size;
  if (body_left_ == 0 && size == 0) body_ = body_state::complete;
  return in_.unread().substr(0, size);
}

std::string_view connection::take_chunk() {
  while (!in_.unread().empty()) {
    const chunked_decoder::step step = chunks_.decode(in_.unread());
    body_taken_ += step.data.size();
    if (body_taken_ > settings_.largest_body || chunks_.failed()) {
      refuse(chunks_.failed() ? refusal{400, "The chunks are malformed."} : refusal{413, "The body is too large."});
      body_ = body_state::broken;
      return {};
    }
    piece_ = step.taken;
    if (!step.data.empty()) return step.data;
    in_.consume(std::exchange(piece_, 0));
    if (chunks_.finished()) {
      body_ = body_state::complete;
      return {};
    }
  }
  return {};
}

std::string_view connection::read_body() {
  if (body_ == body_state::none) body_ = body_state::complete;
  if (body_ == body_state::unread && !expect_body()) body_ = body_state::broken;
  in_.consume(std::exchange(piece_, 0));
  while (body_ == body_state::length || body_ == body_state::chunked) {
    const std::string_view piece = body_ == body_state::length ? take_length() : take_chunk();
    if (!piece.empty()) return piece;
    if (body_ == body_state::length || body_ == body_state::chunked) {
      if (flush() && fill(settings_.stall_time)) continue;
      refuse({408, "The body did not come to its end."});
      body_ = body_state::broken;
    }
  }
  if (body_ == body_state::broken) failed_ = true;
  return {};
}

// Makes the next request the first thing in in_. False: there is to be none.
bool connection::finish_request() {
  if (chunked_reply_) out_ += last_chunk;
  chunked_reply_ = false;
  if (failed_ || !keep_) return false;
  if (body_ == body_state::none || body_ == body_state::complete) {
    in_.consume(std::exchange(head_length_, 0));
    return true;
  }
  // Nobody wanted the body. A client that waits to be told may never send it: then it is not known what comes next.
  if (body_ == body_state::unread && request_.expect_continue) return false;
  std::uint64_t dropped = 0;
  for (std::string_view piece; !(piece = read_body()).empty() && dropped < most_unread_body;) dropped += piece.size();
  return body_complete();
}

// ---- writing

bool connection::flush() {
  if (out_.empty() || failed_) return !failed_;
  std::error_code error;
  if (move_deadline(write_deadline_, settings_.stall_time)) conn_.set_write_deadline(write_deadline_);
  conn_.write(out_, error);
  out_.clear();
  reply_begin_ = nothing;
  if (out_.capacity() > 2 * most_unsent) out_.shrink_to_fit();
  failed_ = bool(error);
  return !failed_;
}

void connection::begin(response_head head) {
  const bool old = request_.minor_version == 0;
  if (!head.length) old ? void(keep_ = false) : void(head.chunked = true);
  // Who was told that another request may follow must not be cut off: so it is decided here, and told.
  if (body_ == body_state::unread && request_.expect_continue) keep_ = false;
  if (retired_) keep_ = false;
  head.close = !keep_;
  const bool told = keep_ && old;
  const std::string more = told ? std::string(head.more) + "Connection: keep-alive\r\n" : std::string();
  if (told) head.more = more;
  reply_begin_ = out_.size();
  append_head(out_, head, date_.text());
  chunked_reply_ = head.chunked && !is_head();
  replied_ = true;
}

bool connection::write(std::string_view part) {
  if (is_head()) return !failed_;
  if (chunked_reply_) {
    append_chunk(out_, part);
  } else {
    out_ += part;
  }
  return out_.size() < most_unsent || flush();
}

void connection::reply(int status, std::string_view text, std::string_view type, std::string_view more_fields) {
  begin({.status = status, .type = type, .length = text.size(), .more = more_fields});
  write(text);
}

// The last response on this connection, to a request that could not be understood. Where another has begun it takes
// its place, or if some of that was sent, that one is cut.
void connection::refuse(refusal why) {
  if (failed_) return;
  if (replied_ && reply_begin_ != nothing) {
    out_.resize(reply_begin_);
    replied_ = false;
  }
  if (!replied_) {
    keep_ = false;
    request_ = {};
    reply(why.status, std::string(why.why) + "\n");
  }
  chunked_reply_ = false;
  flush();
  failed_ = true;
}

// The client is told that no more will come. It may still be sending what nobody wants: if the connection were closed
// with that unread, the client's system would throw away the response too. So some of it is read, for a short while.
void connection::say_goodbye() {
  if (out_.size() != 0 && !flush()) return;
  std::error_code error;
  conn_.close_write(error);
  if (error) return;
  conn_.set_read_deadline(clock::now() + std::chrono::milliseconds(500));
  std::uint64_t dropped = 0;
  char buffer[512];
  while (dropped < most_unread_body) {
    const std::size_t n = conn_.read(std::span(buffer), error);
    if (n == 0) break;
    dropped += n;
  }
}

// ---- ending

void connection::retire() {
  retired_ = true;  // IDLE-RETIRED
  if (idle_) conn_.set_read_deadline(clock::now() - std::chrono::seconds(1));
}

void connection::break_off() {
  std::error_code ignored;
  conn_.close(ignored);
}

}  // namespace httpd
