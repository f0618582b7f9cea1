// The head of an HTTP/1.1 request: its request line and fields, checked strictly, and what they say of the body.
//
// Debian has the parser that Node.js once used, http-parser. Its authors gave it up in favour of llhttp, which Debian
// has only inside a package of JavaScript. It is lenient where a server that may stand behind a proxy must not be,
// and it calls back for each piece. So this is one of our own: small, as it can do no more than this server needs,
// and without pity. Whatever two readers of one request might understand in two ways is refused: a line that ends in
// LF alone, a field that is folded over two lines, a space before the colon, a second Content-Length or Host, a
// length beside Transfer-Encoding, any coding but `chunked`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace httpd {

// How much of a head is read before the client is sent away.
struct limits {
  std::size_t request_line = 8 * 1024;
  std::size_t head = 16 * 1024;  // request line, fields and the empty line
  std::size_t fields = 100;
};

// Why a request is not answered: an HTTP status, and a sentence for the client. Status 0: there is nothing against
// it.
struct refusal {
  int status = 0;
  const char* why = "";

  explicit operator bool() const { return status != 0; }
};

struct field {
  std::string_view name;
  std::string_view value;  // without the white space around it
};

// All views point into the bytes that were parsed, but for a path that was left out and so is "/".
struct request {
  std::string_view method;
  std::string_view target;  // as it was sent
  std::string_view path;    // of the target, still encoded; "*" is one too
  std::string_view query;   // behind the `?`
  int minor_version = 1;    // of HTTP/1
  std::vector<field> fields;

  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool keep_alive = true;        // the client means to send another request
  bool expect_continue = false;  // it waits to be told before it sends the body

  // The first field of that name, upper or lower case; null if there is none.
  const field* find(std::string_view name) const;
};

class head_parser {
 public:
  explicit head_parser(const limits& l) : limits_(l) {}

  struct outcome {
    std::size_t length = 0;  // of the head in bytes; 0: there is more to come
    refusal refused = {};
  };

  // `received` is all that came since the last request's end; while the outcome is 0 and no refusal, the same bytes
  // and more are to be given again. What was looked at is not looked at twice, and a line that cannot be right is
  // refused before the rest has come. After an outcome that is not 0 the next head may be given.
  outcome parse(std::string_view received, request& into);

 private:
  outcome find_end(std::string_view received);
  outcome refuse_unfinished(std::string_view received) const;

  limits limits_;
  std::size_t start_ = 0;   // of the request line: 2 after an empty line in front of it
  std::size_t line_ = 0;    // where the line begins that is not complete
  std::size_t unseen_ = 0;  // no LF between there and here
};

// Whether both are the same word in ASCII, upper or lower case.
bool same_word(std::string_view a, std::string_view b);

}  // namespace httpd
