// Writing responses' text.
#include "response.hpp"

#include <charconv>
#include <cstddef>
#include <cstdio>
#include <ctime>

namespace httpd {
namespace {

void append_number(std::string& out, std::uint64_t n, int base = 10) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, n, base).ptr);
}

}  // namespace

std::string_view reason_of(int status) {
  switch (status) {
    case 200: return "OK";
    case 301: return "Moved Permanently";
    case 400: return "Bad Request";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 417: return "Expectation Failed";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 505: return "HTTP Version Not Supported";
    default: return "Status";
  }
}

std::string_view date::text() {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  if (now != second_) {
    second_ = now;
    const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::strftime(text_, sizeof text_, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  }
  return text_;
}

void append_head(std::string& out, const response_head& head, std::string_view date) {
  if (head.status == 200) {
    out += "HTTP/1.1 200 OK\r\nDate: ";
  } else {
    out += "HTTP/1.1 ";
    append_number(out, static_cast<unsigned>(head.status));
    out += ' ';
    out += reason_of(head.status);
    out += "\r\nDate: ";
  }
  out += date;
  out += "\r\nContent-Type: ";
  out += head.type;
  if (head.length) {
    out += "\r\nContent-Length: ";
    append_number(out, *head.length);
  } else if (head.chunked) {
    out += "\r\nTransfer-Encoding: chunked";
  }
  if (head.close) out += "\r\nConnection: close";
  out += "\r\n";
  out += head.more;
  out += "\r\n";
}

void append_chunk(std::string& out, std::string_view data) {
  if (data.empty()) return;
  append_number(out, data.size(), 16);
  out += "\r\n";
  out += data;
  out += "\r\n";
}

}  // namespace httpd
