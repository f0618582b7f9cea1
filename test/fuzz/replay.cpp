// Runs a fuzz target without libFuzzer, the same each time: replay COUNT FILE...
// Every file is an input; then come COUNT inputs that are made of theirs by cutting, joining and changing bytes.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void run(const std::string& input) {
  const std::vector<std::uint8_t> exact(input.begin(), input.end());
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

std::string changed(std::string text, const std::vector<std::string>& seeds, std::mt19937& random) {
  const auto below = [&](std::size_t n) { return n == 0 ? 0 : random() % n; };
  for (auto changes = 1 + below(4); changes > 0; --changes) {
    const std::size_t at = below(text.size() + 1);
    switch (below(5)) {
      case 0: text.erase(at, below(8)); break;
      case 1: text.insert(at, 1, static_cast<char>(below(256))); break;
      case 2: text.insert(at, 1, "\r\n:;*$ 019-"[below(11)]); break;
      case 3: {
        const std::string& other = seeds[below(seeds.size())];
        const std::size_t from = below(other.size() + 1);
        text.insert(at, other, from, below(40));
        break;
      }
      default: if (at < text.size()) text[at] = static_cast<char>(text[at] ^ 1 << below(8));
    }
  }
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> seeds;
  for (int i = 2; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    if (!file || seeds.back().empty()) {
      std::fprintf(stderr, "%s: cannot be read\n", argv[i]);
      return 1;
    }
    run(seeds.back());
  }
  if (seeds.empty()) return 1;
  std::mt19937 random(1);
  const long count = std::strtol(argv[1], nullptr, 10);
  for (long i = 0; i < count; ++i) run(changed(seeds[random() % seeds.size()], seeds, random));
  std::printf("%zu files and %ld inputs made of them\n", seeds.size(), count);
}
