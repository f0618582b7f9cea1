// One client: its requests are executed in order, and answered together when all that came has been looked at.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include <rove/rove.hpp>

#include "../common/input.hpp"
#include "channels.hpp"
#include "commands.hpp"
#include "database.hpp"
#include "parser.hpp"

namespace respd {

// What all sessions share.
struct shared_state {
  rove::mutex lock;  // guards db
  database db;
  channels talk;
};

milliseconds now();  // by the steady clock

class session {
 public:
  session(rove::net::conn client, shared_state& shared) : conn_(std::move(client)), shared_(shared) {}
  ~session();

  // Serves the client to the end.
  void serve();

 private:
  bool execute_next();
  bool execute_here(call& c);
  bool flush();
  void subscribe(call& c);
  void unsubscribe(call& c);
  void confirm(std::string_view what, std::string_view channel);
  void start_writer();
  void write_outbox();
  void drop();

  rove::net::conn conn_;
  shared_state& shared_;
  serving::input in_;
  std::string out_;
  parser parser_;
  milliseconds now_ = 0;  // when the requests that are being executed came
  bool ended_ = false;

  // From the first SUBSCRIBE on, everything for the client goes through the outbox.
  subscriber me_;
  std::set<std::string, std::less<>> subscribed_;
  std::optional<rove::task<void>> writer_;
};

}  // namespace respd
