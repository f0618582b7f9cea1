// The text of responses: status lines, fields, chunks.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace httpd {

std::string_view reason_of(int status);  // "Not Found" for 404

// The time as HTTP writes it; formatted anew only when a second has passed.
class date {
 public:
  std::string_view text();

 private:
  std::chrono::sys_seconds second_{};
  char text_[32] = {};
};

struct response_head {
  int status = 200;
  std::string_view type = "text/plain; charset=utf-8";
  std::optional<std::uint64_t> length = {};  // none: chunked, or until the end of the connection
  bool chunked = false;
  bool close = false;
  std::string_view more = {};  // further fields, each with its CR LF
};

void append_head(std::string& out, const response_head& head, std::string_view date);
void append_chunk(std::string& out, std::string_view data);  // empty data: nothing, as that would be the last chunk
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

}  // namespace httpd
