// wc: counts the lines, words and bytes of files, one goroutine a file. What it prints is what `LC_ALL=C wc` of GNU
// coreutils prints, byte for byte; beyond that, a directory stands for all the files below it.
//
//   find the files ──▶ start a reader for each ──▶ print, in order
//                          │  │  │ (16 at a time)      ▲
//                          └──┴──┴── tasks, a channel ─┘
//
// The channel carries the tasks and not their results. So the printer takes the files in the order they were given and
// waits for each, while those behind it are being read; and as the channel is bounded, reading never runs far ahead.
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <variant>
#include <vector>

#include <rove/rove.hpp>

#include "count.hpp"
#include "inputs.hpp"
#include "quote.hpp"

namespace {

constexpr std::size_t readers_at_a_time = 16;
constexpr std::size_t files_ahead = 64;

struct counting {
  const wc::input* file;
  rove::task<wc::outcome> result;
};

wc::outcome count(const wc::input& file) {
  if (!file.problem.empty()) return {};
  return file.standard_input ? wc::count_standard_input() : wc::count_file(file.path);
}

rove::recv_chan<counting> start_readers(const std::vector<wc::input>& files) {
  auto out = rove::make_chan<counting>(files_ahead);
  rove::go([&files, out] {
    // A buffered channel is a semaphore: a value in it is a reader at work.
    auto at_work = rove::make_chan<std::monostate>(readers_at_a_time);
    for (const wc::input& file : files) {
      at_work.send({});
      auto result = rove::spawn([&file, at_work] {
        wc::outcome o = count(file);
        at_work.recv();
        return o;
      });
      if (file.standard_input) result.wait();  // two readers of one stream would each get a part of it
      out.send({&file, std::move(result)});
    }
    out.close();
  });
  return out;
}

// Whatever is still to be written. In a function of its own, as it looks at errno.
[[gnu::noinline]] std::error_code flush_output() {
  return std::error_code(std::fflush(stdout) == 0 ? 0 : errno, std::generic_category());
}

class printer {
 public:
  printer(const char* program, int width) : program_(program), width_(width) {}

  void line(const wc::counts& c, const std::string& name) {
    std::printf("%*" PRIu64 " %*" PRIu64 " %*" PRIu64, width_, c.lines, width_, c.words, width_, c.bytes);
    std::printf(name.empty() ? "\n" : " %s\n", name.c_str());
  }

  void complain(const std::string& message) {
    std::fflush(stdout);
    std::fprintf(stderr, "%s: %s\n", program_, message.c_str());
    status_ = 1;
  }

  // The exit status, when all is printed.
  int finish() {
    if (const std::error_code error = flush_output()) complain("write error: " + error.message());
    return status_;
  }

 private:
  const char* program_;
  int width_;
  int status_ = 0;
};

// A name that a line cannot hold is quoted, any other printed as it is.
std::string shown(const wc::input& file) {
  if (!file.named) return {};
  return file.path.find('\n') == std::string::npos ? file.path : wc::as_shell_word(file.path);
}

int print_all(const char* program, const wc::inputs& all) {
  printer out(program, all.width);
  wc::counts total;
  for (counting& c : start_readers(all.list)) {
    const wc::outcome o = c.result.get();
    if (!c.file->problem.empty()) out.complain(c.file->problem);
    if (o.error) out.complain(wc::as_shell_word(c.file->path) + ": " + o.error.message());
    if (o.opened) out.line(o.counted, shown(*c.file));
    total += o.counted;
  }
  if (all.list.size() > 1) out.line(total, "total");
  return out.finish();
}

wc::inputs refuse(const char* program, const std::string& why) {
  return {.list = {}, .refusal = why + "\nTry '" + program + " --help' for more information."};
}

wc::inputs parse(int argc, char** argv) {
  constexpr std::string_view list_option = "--files0-from";
  std::vector<std::string> operands;
  std::optional<std::string> list;
  bool options = true;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (!options || word == "-" || !word.starts_with('-')) {
      operands.emplace_back(word);
    } else if (word == "--") {
      options = false;
    } else if (word.starts_with("--files0-from=")) {
      list = word.substr(list_option.size() + 1);
    } else if (word == list_option && i + 1 < argc) {
      list = argv[++i];
    } else {
      return refuse(argv[0], "unknown option " + wc::in_quotes(word));
    }
  }
  if (!list) return wc::find_inputs(operands);
  if (operands.empty()) return wc::read_inputs(*list);
  return refuse(argv[0], "extra operand " + wc::in_quotes(operands[0]) +
                             "\nfile operands cannot be combined with --files0-from");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--help") == 0) {
    std::printf("Usage: %s [FILE or DIRECTORY]...\n       %s --files0-from=LIST\n", argv[0], argv[0]);
    return 0;
  }
  return rove::run([=] {
    const wc::inputs all = rove::blocking([=] { return parse(argc, argv); });
    if (all.refusal.empty()) return print_all(argv[0], all);
    std::fprintf(stderr, "%s: %s\n", argv[0], all.refusal.c_str());
    return 1;
  });
}
