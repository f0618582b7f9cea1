// The error category of what is wrong with an address.
#include <rove/address.hpp>

#include "src/base/immortal.hpp"

namespace rove::net {
namespace {

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "rove.address"; }

  std::string message(int value) const override {
    switch (static_cast<address_errc>(value)) {
      case address_errc::missing_port: return "missing port in address";
      case address_errc::too_many_colons: return "too many colons in address";
      case address_errc::missing_bracket: return "missing ']' in address";
      case address_errc::unexpected_open_bracket: return "unexpected '[' in address";
      case address_errc::unexpected_close_bracket: return "unexpected ']' in address";
      case address_errc::invalid_address: return "invalid IP address";
      case address_errc::invalid_port: return "invalid port";
      case address_errc::unknown_port: return "unknown port";
      case address_errc::unknown_network: return "unknown network";
      case address_errc::no_suitable_address: return "no suitable address found";
      case address_errc::no_such_host: return "no such host";
      case address_errc::temporary_failure: return "temporary failure in name resolution";
      case address_errc::lookup_failed: return "name resolution failed";
    }
    return "unknown rove.address error";
  }

  std::error_condition default_error_condition(int value) const noexcept override {
    switch (static_cast<address_errc>(value)) {
      case address_errc::no_suitable_address: return std::errc::address_not_available;
      case address_errc::temporary_failure: return std::errc::resource_unavailable_try_again;
      case address_errc::no_such_host:
      case address_errc::lookup_failed: return {value, *this};
      default: return std::errc::invalid_argument;
    }
  }
};

constinit base::immortal<category> the_category;

}  // namespace

const std::error_category& address_category() noexcept { return the_category.value; }

}  // namespace rove::net
