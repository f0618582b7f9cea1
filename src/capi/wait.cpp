// The C API: waiting for a descriptor.
#include <rove/io.hpp>
#include <rove/rove.h>

#include <chrono>

namespace {

int code_of(const std::error_code& ec) {
  if (ec == rove::errc::deadline_exceeded) return ROVE_TIMED_OUT;
  return ec.category() == std::system_category() ? -ec.value() : -EIO;
}

}  // namespace

extern "C" int rove_wait_fd(int descriptor, int wanted, int64_t deadline) {
  const rove::io::time_point limit{std::chrono::nanoseconds(deadline)};
  std::error_code ec;
  const rove::io::events ready = rove::io::wait(descriptor, rove::io::events(wanted), limit, ec);
  return ec ? code_of(ec) : ready.bits();
}
