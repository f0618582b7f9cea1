// The answers. Files are read through rove::io, which does not hold up other goroutines while a disk is slow.
#include "site.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>

#include <rove/rove.hpp>

namespace httpd {
namespace {

constexpr std::int64_t piece_size = 64 * 1024;

void greet(connection& c) { c.reply(200, "Hello, World!", "text/plain"); }

void echo(connection& c) {
  const field* const type = c.asked().find("content-type");
  const std::string kept(type ? type->value : "application/octet-stream");
  // The first piece, before the response begins: a body that is malformed at its beginning can still be refused.
  std::string_view piece = c.read_body();
  if (piece.empty() && !c.body_complete()) return;
  c.begin({.type = kept});
  for (; !piece.empty(); piece = c.read_body()) {
    if (!c.write(piece)) return;
  }
  if (!c.body_complete()) c.abandon();
}

void refuse_method(connection& c, std::string_view allowed) {
  c.reply(405, "This is not to be had by that method.\n", "text/plain", "Allow: " + std::string(allowed) + "\r\n");
}

std::string_view type_of(const std::string& path) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> types{{
      {".html", "text/html; charset=utf-8"},
      {".txt", "text/plain; charset=utf-8"},
      {".css", "text/css"},
      {".js", "text/javascript"},
      {".json", "application/json"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".jpg", "image/jpeg"},
      {".wasm", "application/wasm"},
  }};
  for (const auto& [end, type] : types) {
    if (path.ends_with(end)) return type;
  }
  return "application/octet-stream";
}

int hexadecimal(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// %20 and the like turned into what they stand for. Nothing if that is malformed, or stands for a zero byte.
std::optional<std::string> decoded(std::string_view path) {
  std::string out;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '%') {
      out += path[i];
      continue;
    }
    if (i + 2 >= path.size()) return std::nullopt;
    const int high = hexadecimal(path[i + 1]), low = hexadecimal(path[i + 2]);
    if (high < 0 || low < 0 || high + low == 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

// A path that names nothing above the root, nor anything hidden: no part of it begins with a dot.
bool is_harmless(std::string_view path) { return path.starts_with('/') && path.find("/.") == path.npos; }

enum class kind { file, directory, nothing };

kind kind_of(const std::string& path) {
  return rove::blocking([&] {
    std::error_code error;
    const std::filesystem::file_status status = std::filesystem::status(path, error);
    if (std::filesystem::is_regular_file(status)) return kind::file;
    return std::filesystem::is_directory(status) ? kind::directory : kind::nothing;
  });
}

// The body of a response that has begun: exactly `left` bytes, or the client sees that it was cut.
void send_content(connection& c, rove::io::file& file, std::int64_t left) {
  const auto buffer = std::make_unique_for_overwrite<char[]>(std::size_t{piece_size});
  while (left > 0) {
    std::error_code error;
    const auto wanted = static_cast<std::size_t>(std::min<std::int64_t>(left, piece_size));
    const std::size_t n = file.read(std::span(buffer.get(), wanted), error);
    if (n == 0) return c.abandon();
    if (!c.write({buffer.get(), n})) return;
    left -= static_cast<std::int64_t>(n);
  }
}

}  // namespace

void site::send_file(connection& c) const {
  const auto not_found = [&c] { c.reply(404, "There is nothing here by that name.\n"); };
  const std::optional<std::string> path = decoded(c.asked().path);
  if (root_.empty() || !path || !is_harmless(*path)) return not_found();

  std::string name = root_ + *path;
  if (kind_of(name) == kind::directory) {
    if (!name.ends_with('/')) {  // so that relative links in the page are right
      return c.reply(301, "", "text/plain", "Location: " + std::string(c.asked().path) + "/\r\n");
    }
    name += "index.html";
  }
  if (kind_of(name) != kind::file) return not_found();

  std::error_code error;
  rove::io::file file = rove::io::file::open(name, error);
  if (error) return not_found();
  const std::int64_t size = file.size(error);
  if (error) return not_found();
  c.begin({.type = type_of(name), .length = static_cast<std::uint64_t>(size)});
  if (c.asked().method != "HEAD") send_content(c, file, size);
}

void site::answer(connection& c) const {
  const std::string_view method = c.asked().method, path = c.asked().path;
  const bool get = method == "GET" || method == "HEAD";
  if (path == "/plaintext") return get ? greet(c) : refuse_method(c, "GET, HEAD");
  if (path == "/echo") return method == "POST" || method == "PUT" ? echo(c) : refuse_method(c, "POST, PUT");
  get ? send_file(c) : refuse_method(c, "GET, HEAD");
}

}  // namespace httpd
