// From an address to what a report says of it: function, module, and whether a user wants to see it.
#pragma once

#include "src/debug/elf.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace rove::debug {

// What a frame is to somebody who reads a backtrace of his own program.
enum class frame_kind : std::uint8_t {
  user,       // his, or a public function of the library
  internal,   // the library's machinery: never shown
  closure,    // what calls a goroutine's function: shown in its place when that was inlined and nothing else is there
  failing,    // how C++ throws and terminates: not shown on the inside of the failing function
  plumbing,   // how threads and callables are started: not shown on the outside
  unknown,    // no name
};
frame_kind classify(std::string_view linker_name, std::string_view module);

// The frames between how the thread was started and how the failure came about; in between, internal ones stay hidden.
struct shown_range {
  std::size_t first;
  std::size_t last;   // one past
};
shown_range user_frames(const frame_kind* kinds, std::size_t count);

struct symbol {
  std::string function;       // for people: demangled, "??" if unknown
  std::uint64_t offset = 0;   // from the function's start
  std::string module;         // path of the file, empty if unknown
  std::uint64_t address = 0;  // as numbered in that file (addr2line -e module address); without a module, as it is
  frame_kind kind = frame_kind::unknown;
};

// Looks addresses up and remembers them. Made anew for each report, so that there is no global state to lock, to
// inherit over a fork or to go stale after a dlclose. May allocate and demangle (which wants some 100 KiB of stack).
class symbolizer {
 public:
  symbolizer() = default;
  ~symbolizer();
  symbolizer(const symbolizer&) = delete;
  symbolizer& operator=(const symbolizer&) = delete;

  // `pc` is a return address, as backtrace(3) gives them: what is looked up is the call before it.
  const symbol& find(const void* pc);

 private:
  // Lists, newest first: a report has few modules and few different places, and every program carries this code.
  struct module {
    std::uint64_t base;
    std::string path;
    elf_image image;
    std::unique_ptr<module> next;
  };
  struct known {
    const void* pc;
    symbol what;
    std::unique_ptr<known> next;
  };
  const module& module_at(const module_place& place);
  symbol look_up(const void* pc);

  std::unique_ptr<module> modules_;
  std::unique_ptr<known> known_;
};

// The address of the instruction that a return address stands for.
const void* call_of(const void* return_address);

// main.cold, f.part.0: what the optimizer cut off a function still belongs to it.
std::string_view without_clone(std::string_view linker_name);

// What a closure calls, told from its readable name: rove::detail::closure<main::{lambda()#1}>::body(void*, bool)
// gives main::{lambda()#1}(...).
std::string function_of_closure(std::string_view readable_name);

// The name as a person wrote it: main(...) for a C function, else with its parameters.
std::string readable(std::string_view linker_name);

}  // namespace rove::debug
