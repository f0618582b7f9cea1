// The error category of rove::errc.
#include <rove/error.hpp>

#include "src/base/immortal.hpp"

namespace rove {
namespace {

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "rove"; }

  std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::canceled: return "context canceled";
      case errc::deadline_exceeded: return "context deadline exceeded";
      case errc::closed: return "use of closed network connection";
    }
    return "unknown rove error";
  }

  std::error_condition default_error_condition(int value) const noexcept override {
    switch (static_cast<errc>(value)) {
      case errc::canceled: return std::errc::operation_canceled;
      case errc::deadline_exceeded: return std::errc::timed_out;
      case errc::closed: break;
    }
    return {value, *this};
  }
};

constinit base::immortal<category> the_category;

}  // namespace

const std::error_category& error_category() noexcept { return the_category.value; }

}  // namespace rove
