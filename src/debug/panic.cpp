// Panics: how they are thrown, and what is said of an exception that nobody caught.
#include <cstdlib>
#include <cxxabi.h>
#include <typeinfo>

#include <rove/error.hpp>

#include "src/debug/fatal.hpp"
#include "src/debug/roomy.hpp"
#include "src/os/os.hpp"

namespace rove::detail {

void throw_panic(const char* message) {
#if ROVE_EXCEPTIONS
  throw panic(message);
#else
  debug::report_panic(message);
  os::exit_now(2);
#endif
}

void throw_system_error(std::error_code code, const char* what) {
#if ROVE_EXCEPTIONS
  throw std::system_error(code, what);
#else
  debug::report_panic(std::string(what) + ": " + code.message());
  os::exit_now(2);
#endif
}

}  // namespace rove::detail

namespace rove::debug {
namespace {

struct type_text {
  const char* name;     // as type_info has it
  char* readable = nullptr;
};

void demangle(void* argument) {
  auto& t = *static_cast<type_text*>(argument);
  int status = 0;
  t.readable = abi::__cxa_demangle(t.name, nullptr, nullptr, &status);
}

// Needs no RTTI of this build: the thrower left the type behind.
std::string type_of_exception() {
  const std::type_info* const type = abi::__cxa_current_exception_type();
  if (type == nullptr) return "unknown exception";
  type_text t{type->name()};
  with_room(demangle, &t);
  std::string name = t.readable != nullptr ? t.readable : t.name;
  std::free(t.readable);
  return name;
}

}  // namespace

std::string exception_text() {
#if ROVE_EXCEPTIONS
  if (abi::__cxa_current_exception_type() != nullptr) {
    try {
      throw;
    } catch (const std::exception& e) {
      if (const char* const what = e.what()) return what;
    } catch (...) {  // its type is all that is known
    }
  }
#endif
  return type_of_exception();
}

}  // namespace rove::debug
