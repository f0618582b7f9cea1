// The wording of the pieces that all reports are made of.
#include "src/debug/text.hpp"

namespace rove::debug {
namespace {

// Length of the UTF-8 sequence that a byte begins, with the bits of the character in it; 0 if it begins none.
std::size_t sequence_length(unsigned char lead, std::uint32_t& bits) {
  if (lead >= 0xc2 && lead < 0xe0) return bits = lead & 0x1f, 2;
  if (lead >= 0xe0 && lead < 0xf0) return bits = lead & 0x0f, 3;
  if (lead >= 0xf0 && lead < 0xf5) return bits = lead & 0x07, 4;
  return 0;
}

// Characters that draw nothing by themselves but change how their line reads.
bool is_deceptive(std::uint32_t c) {
  return c < 0xa0 || c == 0x61c || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
         (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

}  // namespace

std::size_t printable_prefix(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) return lead >= 0x20 && lead != 0x7f;
  std::uint32_t character = 0;
  const std::size_t length = sequence_length(lead, character);
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xc0) != 0x80) return 0;
    character = character << 6 | (next & 0x3f);
  }
  constexpr std::uint32_t least[] = {0x80, 0x800, 0x10000};
  const bool surrogate = character >= 0xd800 && character < 0xe000;
  if (character < least[length - 2] || character > 0x10ffff || surrogate || is_deceptive(character)) return 0;
  return length;
}
void put_number(text_out out, std::uint64_t value, unsigned base) {
  char digits[20];
  std::size_t first = sizeof digits;
  do {
    digits[--first] = "0123456789abcdef"[value % base];
    value /= base;
  } while (value != 0);
  out.append(std::string_view(digits + first, sizeof digits - first));
}

void put_quoted(text_out out, std::string_view text) {
  out.append("\"");
  while (!text.empty()) {
    const std::size_t good = printable_prefix(text);
    const auto byte = static_cast<unsigned char>(text.front());
    if (byte == '"' || byte == '\\') out.append("\\");
    if (good != 0) {
      out.append(text.substr(0, good));
    } else if (byte == '\n' || byte == '\t') {
      out.append(byte == '\n' ? "\\n" : "\\t");
    } else {
      out.append(byte < 16 ? "\\x0" : "\\x");
      put_number(out, byte, 16);
    }
    text.remove_prefix(good != 0 ? good : 1);
  }
  out.append("\"");
}

void put_header(text_out out, std::uint64_t id, std::string_view name, std::string_view status, std::int64_t minutes) {
  out.append("goroutine ");
  put_number(out, id);
  if (!name.empty()) {
    out.append(" ");
    put_quoted(out, name);
  }
  out.append(" [");
  out.append(status);
  if (minutes >= 1) {
    out.append(", ");
    put_number(out, static_cast<std::uint64_t>(minutes));
    out.append(" minutes");
  }
  out.append("]:\n");
}

void put_thread_header(text_out out, std::uint64_t thread) {
  out.append("thread ");
  put_number(out, thread);
  out.append(" [running]:\n");
}

void put_place(text_out out, std::string_view module, std::uint64_t address) {
  out.append("\t");
  out.append(module);
  out.append(module.empty() ? "0x" : "+0x");
  put_number(out, address, 16);
  out.append("\n");
}

}  // namespace rove::debug
