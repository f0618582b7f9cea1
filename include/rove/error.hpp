// Errors: misuse is a panic, what the world does wrong is a std::error_code.
#pragma once

#include <rove/detail/config.hpp>

#include <stdexcept>
#include <system_error>

namespace rove {

// Thrown by misuse, with Go's own message: a send on a closed channel, a negative wait_group. Where the library is
// built without exceptions, the report of an uncaught panic is printed instead and the process ends with status 2.
// Visible from every shared object, so that a plugin's panic is caught by its host.
class [[gnu::visibility("default")]] panic : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

// Expected failures of the library's own making; those of the system come as std::system_category's codes.
// `canceled` equals the condition std::errc::operation_canceled, `deadline_exceeded` std::errc::timed_out.
enum class errc {
  canceled = 1,       // context canceled
  deadline_exceeded,  // context deadline exceeded
  closed,             // use of closed network connection
};

// The category of errc; lives until the very end of the process.
const std::error_category& error_category() noexcept;

// As a code of that category.
inline std::error_code make_error_code(errc code) noexcept { return {static_cast<int>(code), error_category()}; }

namespace detail {

// Misuse: throws rove::panic. A copy of the message is made.
[[noreturn, gnu::cold]] void throw_panic(const char* message);

// What the world did wrong, for the forms of calls that throw: throws std::system_error, which says `what: message`.
// Built without exceptions, it is reported as a panic is, and the process ends.
[[noreturn, gnu::cold]] void throw_system_error(std::error_code code, const char* what);

}  // namespace detail
}  // namespace rove

template <>
struct std::is_error_code_enum<rove::errc> : std::true_type {};
