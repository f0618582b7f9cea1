// All connections of the server, so that it can end without cutting off anybody who is being served.
#pragma once

#include <chrono>
#include <unordered_set>
#include <utility>

#include <rove/rove.hpp>

#include "connection.hpp"
#include "site.hpp"

namespace httpd {

class server {
 public:
  server(settings s, site what) : settings_(s), site_(std::move(what)) {}

  // Starts a goroutine that serves the client to the end of its connection.
  void start(rove::net::conn client);

  // Clients that are idle are sent away, those that are being served are let finish; those that take longer than
  // `grace` are cut off. Returns when none is left. To be called when no more clients are taken.
  void shut_down(std::chrono::milliseconds grace);

 private:
  void serve(rove::net::conn client);

  rove::wait_group serving_;
  settings settings_;
  site site_;
  rove::mutex lock_;  // guards what follows
  std::unordered_set<connection*> connections_;
  bool retiring_ = false;
};

}  // namespace httpd
