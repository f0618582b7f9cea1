// Reading a portable pixmap.
#include "image.hpp"

#include <charconv>
#include <optional>
#include <string_view>

#include <rove/io.hpp>

namespace frame {
namespace {

// The words of a pixmap; what follows a # in its line is none.
class words {
 public:
  explicit words(std::string_view text) : rest_(text) {}

  std::string_view next() {
    for (;;) {
      rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size()));
      if (!rest_.starts_with('#')) break;
      rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size()));
    }
    const std::string_view word = rest_.substr(0, rest_.find_first_of(" \t\r\n"));
    rest_.remove_prefix(word.size());
    return word;
  }

  std::optional<unsigned> number(unsigned most) {
    const std::string_view word = next();
    unsigned n = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), n);
    if (error != std::errc{} || end != word.data() + word.size() || n > most) return std::nullopt;
    return n;
  }

 private:
  std::string_view rest_;
};

std::optional<image> parse(std::string_view text) {
  words w(text);
  if (w.next() != "P3") return std::nullopt;
  const auto width = w.number(1024), height = w.number(1024), most = w.number(255);
  if (!width || !height || !most || *most != 255) return std::nullopt;
  image made{static_cast<int>(*width), static_cast<int>(*height), {}};
  for (unsigned i = 0; i < *width * *height; ++i) {
    const auto r = w.number(255), g = w.number(255), b = w.number(255);
    if (!r || !g || !b) return std::nullopt;
    const std::uint32_t colour = *r << 16 | *g << 8 | *b;
    made.pixels.push_back(colour == 0 ? 0 : 0xff000000 | colour);
  }
  return made;
}

}  // namespace

image load_image(const std::string& path, std::error_code& ec) {
  rove::io::file f = rove::io::file::open(path, ec);
  if (ec) return {};
  const std::string text = rove::io::read_all(f, ec);
  if (ec) return {};
  std::optional<image> made = parse(text);
  if (!made) ec = std::make_error_code(std::errc::illegal_byte_sequence);
  return made ? std::move(*made) : image{};
}

}  // namespace frame
