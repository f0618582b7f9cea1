// What the server has to offer, by path:
//
//   /plaintext     a greeting, for measurements
//   /echo          POST: the body, sent back in chunks as it comes
//   any other      a file below the root; that of a directory is its index.html
#pragma once

#include <string>

#include "connection.hpp"

namespace httpd {

class site {
 public:
  // Empty: there are no files.
  explicit site(std::string root) : root_(std::move(root)) {}

  // Replies to the request of that connection. Any number of goroutines may call it at the same time.
  void answer(connection& c) const;

 private:
  void send_file(connection& c) const;

  std::string root_;
};

}  // namespace httpd
