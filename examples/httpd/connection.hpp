// One client's connection: requests are read and answered one after the other, however many of them have come
// already.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <rove/rove.hpp>

#include "../common/input.hpp"
#include "chunked.hpp"
#include "request.hpp"
#include "response.hpp"

namespace httpd {

struct settings {
  limits head = {};
  std::uint64_t largest_body = 64 * 1024 * 1024;
  std::chrono::milliseconds idle_time{60'000};  // between requests
  std::chrono::milliseconds head_time{10'000};  // for a head, from its first bytes on
  std::chrono::milliseconds stall_time{30'000};  // in which some of a body has to come, or of a response to be taken
};

class connection {
 public:
  connection(rove::net::conn c, const settings& s) : conn_(std::move(c)), settings_(s), parser_(s.head) {}

  // Serves the client to the end. `answer` is called with this connection for each request, and has to reply.
  template <class Answer>
  void serve(Answer answer) {
    while (read_request()) {
      answer(*this);
      if (!finish_request()) break;
    }
    say_goodbye();
  }

  // ---- for whoever answers

  const request& asked() const { return request_; }

  // The next piece of the request's body, whose views of it end here; empty: that was all, or the client is gone.
  std::string_view read_body();
  // Whether the body was read to its end, and was in order.
  bool body_complete() const { return body_ == body_state::complete; }

  // A whole response.
  void reply(int status, std::string_view text, std::string_view type = "text/plain; charset=utf-8",
             std::string_view more_fields = {});
  // A response in parts: begin, then write any number of times. Without a length it is sent in chunks, or to an old
  // client until the end of the connection. False: the client is gone.
  void begin(response_head head);
  bool write(std::string_view part);
  // What was promised cannot be kept: the client will see that the response was cut.
  void abandon() { failed_ = true; }

  // ---- for the server

  // From any goroutine: no further request is taken. A client that is idle is sent away now, any other after the
  // response that is under way.
  void retire();
  // From any goroutine: at once, whatever is under way.
  void break_off();

 private:
  using clock = std::chrono::steady_clock;
  enum class body_state { none, unread, length, chunked, complete, broken };

  bool read_request();
  bool finish_request();
  bool expect_body();
  bool wait_for_bytes();
  bool fill(std::chrono::milliseconds patience);
  bool flush();
  void refuse(refusal why);
  void say_goodbye();
  std::string_view take_length();
  std::string_view take_chunk();
  bool is_head() const { return request_.method == "HEAD"; }

  rove::net::conn conn_;
  const settings& settings_;
  serving::input in_;
  std::string out_;
  head_parser parser_;
  request request_;
  std::string head_copy_;       // of a request with a body: the body takes the place of the head in in_
  std::size_t head_length_ = 0;  // still at the front of in_; 0: consumed
  chunked_decoder chunks_;
  body_state body_ = body_state::none;
  std::uint64_t body_left_ = 0, body_taken_ = 0;
  std::size_t piece_ = 0;       // of in_, handed out by read_body and to be consumed by the next
  bool replied_ = false;        // begin was called for this request
  std::size_t reply_begin_ = 0;  // of the response in out_, as long as nothing of it was sent
  bool chunked_reply_ = false;
  bool keep_ = true;            // another request may follow
  bool failed_ = false;         // the connection is of no use any more
  date date_;
  clock::time_point read_deadline_{}, write_deadline_{};
  std::atomic<bool> idle_{false}, retired_{false};
};

}  // namespace httpd
