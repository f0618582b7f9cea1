// How frames are named and told apart. Kinds are told by linker names: they show the scope first, unlike readable ones.
#include "src/debug/symbols.hpp"

#include <algorithm>
#include <cstdlib>
#include <cxxabi.h>
#include <dlfcn.h>

namespace rove::debug {
namespace {

// The lists of beginnings are single strings, each word ended by a blank: an array of them would want a relocation
// each.
bool starts_with_any(std::string_view text, std::string_view beginnings) {
  while (!beginnings.empty()) {
    const std::size_t end = beginnings.find(' ');
    if (text.starts_with(beginnings.substr(0, end))) return true;
    beginnings.remove_prefix(end + 1);
  }
  return false;
}

// _ZN4rove5sched..., _ZNK4rove6detail..., and what is local to any function of the library: _ZZN4rove...
bool in_internal_scope(std::string_view name) {
  if (!name.starts_with("_Z")) return name.starts_with("rove_");
  name.remove_prefix(2);
  const bool local = name.starts_with('Z');
  while (name.starts_with('Z')) name.remove_prefix(1);
  if (!name.starts_with('N')) return false;
  name.remove_prefix(1);
  while (!name.empty() && std::string_view("rVKRO").find(name.front()) != std::string_view::npos) name.remove_prefix(1);
  if (!name.starts_with("4rove")) return false;
  name.remove_prefix(5);
  return local || starts_with_any(name, "5sched 6detail 5debug 4base 2os 4arch ");
}

// rove::detail::closure<...>::body and task_closure<...>::body (include/rove/go.hpp)
bool is_closure(std::string_view name) {
  return starts_with_any(name, "_ZN4rove6detail7closureI _ZN4rove6detail12task_closureI ") &&
         without_clone(name).ends_with("4bodyEPvb");
}

// From the text after a `<`, the argument of the given number.
std::string_view template_argument(std::string_view text, std::size_t number) {
  std::size_t start = 0;
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (depth == 0 && (c == ',' || c == '>')) {
      const std::size_t end = text[i - (i > start)] == ' ' ? i - 1 : i;  // "> >", as the demangler writes
      if (number == 0 || c == '>') return text.substr(start, end - start);
      --number;
      start = i + 2;
    }
    if (std::string_view("<({[").find(c) != std::string_view::npos) ++depth;
    if (std::string_view(">)}]").find(c) != std::string_view::npos) --depth;
  }
  return {};
}

constexpr std::string_view failing_names =
    "__cxa_ _Unwind_ __gxx_personality _ZSt9terminate _ZSt17rethrow_exception _ZSt10unexpected _ZN10__cxxabiv1 "
    "_ZN9__gnu_cxx27__verbose_terminate __restore_rt __interceptor_ __kernel_rt_sigreturn ";
constexpr std::string_view plumbing_names =
    "_start __libc_start start_thread clone __clone _ZSt8__invoke _ZSt13__invoke_impl _ZSt6invoke _ZSt5apply "
    "_ZSt12__apply_impl _ZNSt6thread ";
constexpr std::string_view cxx_modules =
    "libstdc++.so libgcc_s.so libc++.so libc++abi.so libunwind.so libasan.so libtsan.so libubsan.so ";
constexpr std::string_view c_modules = "libc.so ld-linux libpthread.so linux-vdso.so ";

// _ZSt20__throw_out_of_rangePKc and its like
bool is_library_throw(std::string_view name) {
  if (!name.starts_with("_ZSt")) return false;
  name.remove_prefix(4);
  while (!name.empty() && name.front() >= '0' && name.front() <= '9') name.remove_prefix(1);
  return name.starts_with("__throw_");
}

std::string_view file_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

#if defined(__aarch64__)
// A return address may be signed (pointer authentication); XPACLRI takes that away and is a no-op elsewhere.
const void* strip(const void* pc) {
  register const void* lr asm("x30") = pc;
  asm("hint #7" : "+r"(lr));
  return lr;
}
#else
const void* strip(const void* pc) { return pc; }
#endif

struct released {
  void operator()(char* p) const { std::free(p); }
};

}  // namespace

frame_kind classify(std::string_view name, std::string_view module) {
  const std::string_view file = file_of(module);
  if (is_closure(name)) return frame_kind::closure;
  if (in_internal_scope(name)) return frame_kind::internal;
  if (starts_with_any(name, failing_names) || is_library_throw(name) || starts_with_any(file, cxx_modules))
    return frame_kind::failing;
  if (starts_with_any(name, plumbing_names) || (name.empty() && starts_with_any(file, c_modules)))
    return frame_kind::plumbing;
  return name.empty() ? frame_kind::unknown : frame_kind::user;
}

shown_range user_frames(const frame_kind* kinds, std::size_t count) {
  const auto is_shown = [&](std::size_t i) { return kinds[i] == frame_kind::user || kinds[i] == frame_kind::unknown; };
  shown_range range{0, count};
  while (range.first < range.last && !is_shown(range.first)) ++range.first;
  while (range.last > range.first && !is_shown(range.last - 1)) --range.last;
  if (range.first != range.last) return range;
  const auto closure = static_cast<std::size_t>(std::find(kinds, kinds + count, frame_kind::closure) - kinds);
  return closure == count ? range : shown_range{closure, closure + 1};
}

const void* call_of(const void* return_address) {
  return reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(strip(return_address)) - 1);
}

std::string_view without_clone(std::string_view name) { return name.substr(0, name.find('.', 1)); }

std::string function_of_closure(std::string_view name) {
  std::string_view inner = name;
  while (inner.starts_with("rove::")) {  // the closure, then what wait_group::go and their like wrap around a function
    const std::size_t open = inner.find('<');
    const std::size_t number = inner.starts_with("rove::detail::task_closure<") ? 1 : 0;  // after the result's type
    const std::string_view next = open == inner.npos ? "" : template_argument(inner.substr(open + 1), number);
    if (next.empty()) return std::string(name);
    inner = next;
  }
  return std::string(inner) + "(...)";
}

std::string readable(std::string_view name) {
  if (name.empty()) return "??";
  std::string linked(without_clone(name));
  int status = 0;
  const std::unique_ptr<char, released> text(abi::__cxa_demangle(linked.c_str(), nullptr, nullptr, &status));
  if (status == 0 && text != nullptr && linked.starts_with("_Z")) return text.get();
  return linked + "(...)";
}

symbolizer::~symbolizer() {
  while (known_) known_ = std::move(known_->next);  // else the first would end the others in a deep recursion
}

const symbolizer::module& symbolizer::module_at(const module_place& place) {
  for (const module* m = modules_.get(); m; m = m->next.get())
    if (m->base == place.base) return *m;
  auto m = std::make_unique<module>();
  m->base = place.base;
  m->image.open(place.file());
  m->path = place.name;
  if (place.is_program()) {
    char buffer[1024];
    m->path.assign(buffer, program_path(buffer, sizeof buffer));
  }
  m->next = std::move(modules_);
  modules_ = std::move(m);
  return *modules_;
}

symbol symbolizer::look_up(const void* pc) {
  const void* const call = call_of(pc);
  const module_place place = find_module(call);
  if (place.name == nullptr) return {"??", 0, {}, reinterpret_cast<std::uint64_t>(call), frame_kind::unknown};
  const module& m = module_at(place);
  elf_image::function f = m.image.find(place.address);
  if (f.name == nullptr) {
    // No file to read (deleted, another root, the vDSO): the names that the loader itself has.
    Dl_info info{};
    if (dladdr(call, &info) != 0 && info.dli_sname != nullptr)
      f = {info.dli_sname, reinterpret_cast<std::uint64_t>(info.dli_saddr) - place.base};
  }
  const std::string_view name = f.name != nullptr ? f.name : "";
  const std::uint64_t offset = f.name != nullptr ? place.address - f.start : 0;
  symbol s{readable(name), offset, m.path, place.address, classify(name, m.path)};
  if (s.kind == frame_kind::closure) s.function = function_of_closure(s.function);
  return s;
}

const symbol& symbolizer::find(const void* pc) {
  for (const known* k = known_.get(); k; k = k->next.get())
    if (k->pc == pc) return k->what;
  known_ = std::make_unique<known>(known{pc, look_up(pc), std::move(known_)});
  return known_->what;
}

}  // namespace rove::debug
