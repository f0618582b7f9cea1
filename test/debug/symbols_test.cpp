// From addresses to names: of every kind of function, in every kind of file, and in files that are broken.
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

#include "src/debug/symbols.hpp"
#include "test/catch.hpp"

using rove::debug::classify;
using rove::debug::frame_kind;
using rove::debug::symbolizer;

// What a return address inside it would be: any address past the first byte. Some of these functions have no more.
static const void* inside(const void* function) { return static_cast<const char*>(function) + 1; }

namespace shop {
[[gnu::noinline]] int free_function(int x, const char* s) {
  asm volatile("" ::: "memory");
  return x + s[0];
}
template <class T>
[[gnu::noinline]] T generic(T x) {
  asm volatile("" ::: "memory");
  return x;
}
struct till {
  [[gnu::noinline]] int take(int x) const {
    asm volatile("" ::: "memory");
    return x + 1;
  }
};
}  // namespace shop

[[gnu::noinline]] static int local_function() {
  asm volatile("" ::: "memory");
  return 3;
}

extern "C" [[gnu::noinline]] int plain_c_function() {
  asm volatile("" ::: "memory");
  return 4;
}

static std::string name_of(symbolizer& s, const void* function) {
  const auto& found = s.find(inside(function));
  CHECK(found.offset == 0);
  return found.function;
}

TEST_CASE("functions of the program are named without -rdynamic") {
  symbolizer s;
  int (shop::till::*member)(int) const = &shop::till::take;
  void* take = nullptr;
  std::memcpy(&take, &member, sizeof take);
  auto* lambda = +[](int x) {
    asm volatile("" ::: "memory");
    return x;
  };
  CHECK(name_of(s, reinterpret_cast<void*>(&shop::free_function)) == "shop::free_function(int, char const*)");
  CHECK(name_of(s, reinterpret_cast<void*>(&shop::generic<double>)) == "double shop::generic<double>(double)");
  CHECK(name_of(s, reinterpret_cast<void*>(&local_function)) == "local_function()");
  CHECK(name_of(s, reinterpret_cast<void*>(&plain_c_function)) == "plain_c_function(...)");
  CHECK(name_of(s, take) == "shop::till::take(int) const");
  CHECK(s.find(inside(reinterpret_cast<void*>(lambda))).kind == frame_kind::user);
  CHECK(s.find(reinterpret_cast<char*>(&local_function) + 3).offset == 2);
  CHECK(local_function() + plain_c_function() == 7);
}

TEST_CASE("the module is the file's path and the address is the file's") {
  symbolizer s;
  const auto& found = s.find(inside(reinterpret_cast<void*>(&local_function)));
  char path[4096];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path);
  REQUIRE(length > 0);
  CHECK(found.module == std::string(path, static_cast<std::size_t>(length)));
  Dl_info info{};
  REQUIRE(dladdr(reinterpret_cast<void*>(&local_function), &info) != 0);
  const auto pc = reinterpret_cast<std::uint64_t>(&local_function);
  CHECK((found.address == pc || found.address == pc - reinterpret_cast<std::uint64_t>(info.dli_fbase)));
  CHECK(found.kind == frame_kind::user);
}

TEST_CASE("functions of shared libraries are named") {
  symbolizer s;
  void* const encode = dlsym(RTLD_DEFAULT, "a64l");  // one that no sanitizer replaces
  if (encode == nullptr) return;          // a static program
  CHECK(s.find(inside(encode)).function == "a64l(...)");
  CHECK(s.find(inside(encode)).module.find("libc") != std::string::npos);
  if (void* const terminate = dlsym(RTLD_DEFAULT, "_ZSt9terminatev")) {
    CHECK(s.find(inside(terminate)).function == "std::terminate()");
    CHECK(s.find(inside(terminate)).kind == frame_kind::failing);
  }
}

TEST_CASE("what has no name is ?? and keeps its address") {
  symbolizer s;
  static char data[16];
  CHECK(s.find(data + 8).function == "??");
  CHECK_FALSE(s.find(data + 8).module.empty());
  const auto& nowhere = s.find(reinterpret_cast<void*>(0x1235));
  CHECK(nowhere.function == "??");
  CHECK(nowhere.module.empty());
  CHECK(nowhere.address == 0x1234);
  CHECK(s.find(nullptr).function == "??");
}

TEST_CASE("an address is looked up once") {
  symbolizer s;
  const void* const pc = inside(reinterpret_cast<void*>(&local_function));
  CHECK(&s.find(pc) == &s.find(pc));
}

TEST_CASE("parts that the optimizer cut off bear the function's name") {
  CHECK(rove::debug::readable("main.cold") == "main(...)");
  CHECK(rove::debug::readable("_ZN4shop4tillEv.part.0") == "shop::till()");
  CHECK(rove::debug::readable("i") == "i(...)");  // a type's encoding, but not a function's
  CHECK(rove::debug::readable("_Zbroken") == "_Zbroken(...)");
  CHECK(rove::debug::readable("") == "??");
}

TEST_CASE("frames are told apart by their scope") {
  const auto kind = [](const char* name) { return classify(name, "/usr/bin/program"); };
  CHECK(kind("_ZN4rove5sched4parkEv") == frame_kind::internal);
  CHECK(kind("_ZNK4rove6detail9chan_core4recvEv") == frame_kind::internal);
  CHECK(kind("_ZN4rove6detail6invokeIZ4mainEUlvE_EEvT_") == frame_kind::internal);
  CHECK(kind("_ZZN4rove3runIZ4mainEUlvE_EEiT_ENKUlvE_clEv") == frame_kind::internal);
  CHECK(kind("rove_entry") == frame_kind::internal);
  CHECK(kind("_ZN4rove4base5fatalESt17basic_string_viewIcSt11char_traitsIcEE") == frame_kind::internal);
  CHECK(kind("_ZNK4rove4chanIiE4recvEv") == frame_kind::user);      // public: what the user called
  CHECK(kind("_ZN4rove10wait_group4waitEv") == frame_kind::user);
  CHECK(kind("_ZN4rove2ioE") == frame_kind::user);
  CHECK(kind("_ZZ4mainENKUlvE_clEv") == frame_kind::user);
  CHECK(kind("_ZN5rover5schedEv") == frame_kind::user);
  CHECK(kind("_ZN4game4rove5schedEv") == frame_kind::user);
  CHECK(kind("main") == frame_kind::user);
  CHECK(kind("__cxa_throw") == frame_kind::failing);
  CHECK(kind("_ZSt9terminatev") == frame_kind::failing);
  CHECK(kind("_ZSt20__throw_out_of_rangePKc") == frame_kind::failing);
  CHECK(kind("_ZSt13__invoke_implIvZ4mainEUlvE_JEET_St14__invoke_otherOT0_DpOT1_") == frame_kind::plumbing);
  CHECK(kind("_start") == frame_kind::plumbing);
  CHECK(classify("", "/lib/x86_64-linux-gnu/libc.so.6") == frame_kind::plumbing);
  CHECK(classify("", "/lib/x86_64-linux-gnu/libcurl.so.4") == frame_kind::unknown);
  CHECK(classify("qsort", "/lib/x86_64-linux-gnu/libc.so.6") == frame_kind::user);
  CHECK(classify("", "/usr/lib/libstdc++.so.6") == frame_kind::failing);
}

TEST_CASE("a closure stands for the function that was inlined into it") {
  using rove::debug::function_of_closure;
  const auto called = [](std::string inner) {
    return function_of_closure("rove::detail::" + inner + "::body(void*, bool)");
  };
  const std::string lambda = "main::{lambda()#1}::operator()() const::{lambda(int, long)#2}";
  CHECK(called("closure<" + lambda + ">") == lambda + "(...)");
  CHECK(called("closure<" + lambda + ", int, rove::chan<int> >") == lambda + "(...)");
  CHECK(called("task_closure<std::pair<int, int>, " + lambda + ", int>") == lambda + "(...)");
  CHECK(called("closure<rove::wait_group::go<" + lambda + ">(" + lambda + "&&)::{lambda()#1}>") == lambda + "(...)");
  CHECK(called("closure<market::stall<int, long> >") == "market::stall<int, long>(...)");
  CHECK(called("closure<rove::odd>") == "rove::detail::closure<rove::odd>::body(void*, bool)");
  CHECK(function_of_closure("rove::detail::closure<never closed") == "rove::detail::closure<never closed");
  CHECK(classify("_ZN4rove6detail7closureIZ4mainEUlvE_JEE4bodyEPvb", "") == frame_kind::closure);
  CHECK(classify("_ZN4rove6detail7closureIZ4mainEUlvE_JEE4bodyEPvb.isra.0", "") == frame_kind::closure);
  CHECK(classify("_ZN4rove6detail12task_closureIiZ4mainEUlvE_JEE4bodyEPvb", "") == frame_kind::closure);
  CHECK(classify("_ZN4rove6detail12task_closureIiZ4mainEUlvE_JEE3runEv", "") == frame_kind::internal);

  using enum frame_kind;
  const frame_kind inlined[] = {internal, closure, internal};
  CHECK(rove::debug::user_frames(inlined, 3).first == 1);
  CHECK(rove::debug::user_frames(inlined, 3).last == 2);
  const frame_kind whole[] = {internal, user, closure, internal};
  CHECK(rove::debug::user_frames(whole, 4).first == 1);
  CHECK(rove::debug::user_frames(whole, 4).last == 2);
}

TEST_CASE("only frames between failing and plumbing are shown") {
  using enum frame_kind;
  const frame_kind mixed[] = {internal, failing, internal, user, internal, unknown, internal, plumbing};
  CHECK(rove::debug::user_frames(mixed, 8).first == 3);
  CHECK(rove::debug::user_frames(mixed, 8).last == 6);
  const frame_kind none[] = {internal, plumbing};
  CHECK(rove::debug::user_frames(none, 2).first == rove::debug::user_frames(none, 2).last);
  CHECK(rove::debug::user_frames(none, 0).last == 0);
}

// ---- broken files --------------------------------------------------------------------------------------------------

namespace {

struct scratch_file {
  char path[32] = "/tmp/rove_elf_XXXXXX";
  scratch_file() { close(mkstemp(path)); }
  ~scratch_file() { unlink(path); }
  void write(const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }
};

std::string own_file() {
  std::ifstream in("/proc/self/exe", std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::uint64_t address_of_local() {
  symbolizer s;
  return s.find(inside(reinterpret_cast<void*>(&local_function))).address;
}

}  // namespace

TEST_CASE("a file that is no ELF file has no functions") {
  scratch_file f;
  CHECK(rove::debug::elf_image("/nowhere/at/all").find(0x1000).name == nullptr);
  CHECK(rove::debug::elf_image("/tmp").find(0x1000).name == nullptr);
  CHECK(rove::debug::elf_image(f.path).find(0x1000).name == nullptr);
  f.write("too short");
  CHECK(rove::debug::elf_image(f.path).find(0x1000).name == nullptr);
  f.write(std::string(5000, 'x'));
  CHECK(rove::debug::elf_image(f.path).find(0x1000).name == nullptr);
}

TEST_CASE("a cut-off or damaged ELF file is survived") {
  const std::string whole = own_file();
  const std::uint64_t address = address_of_local();
  scratch_file f;
  f.write(whole);
  REQUIRE(std::string(rove::debug::elf_image(f.path).find(address).name).find("local_function") != std::string::npos);

  for (std::size_t eighth = 1; eighth < 8; ++eighth) {
    f.write(whole.substr(0, whole.size() * eighth / 8));
    rove::debug::elf_image(f.path).find(address);
  }
  // Every byte of the header and of the section table made large in turn: offsets, sizes, counts, links.
  std::uint64_t sections = 0;
  std::memcpy(&sections, whole.data() + 0x28, sizeof sections);
  std::vector<std::size_t> places;
  for (std::size_t i = 4; i < 64; ++i) places.push_back(i);
  for (std::size_t i = sections; i < whole.size(); i += 3) places.push_back(i);
  const std::size_t step = places.size() / 150 + 1;
  for (std::size_t i = 0; i < places.size(); i += i < 60 ? 1 : step) {
    std::string damaged = whole;
    damaged[places[i]] = '\xff';
    f.write(damaged);
    rove::debug::elf_image(f.path).find(address);
  }
}
