// Errors: the codes, what they equal and say, and the panic.
#include <rove/error.hpp>

#include <cstring>
#include <string>

#include "test/catch.hpp"

TEST_CASE("errc is an error code with Go's messages") {
  const std::error_code canceled = rove::errc::canceled;
  CHECK(canceled.message() == "context canceled");
  CHECK(make_error_code(rove::errc::deadline_exceeded).message() == "context deadline exceeded");
  CHECK(make_error_code(rove::errc::closed).message() == "use of closed network connection");
  CHECK(canceled.value() == 1);
  CHECK(static_cast<int>(rove::errc::deadline_exceeded) == 2);
  CHECK(static_cast<int>(rove::errc::closed) == 3);
  CHECK(&canceled.category() == &rove::error_category());
  CHECK(std::string(canceled.category().name()) == "rove");
  CHECK(std::is_error_code_enum_v<rove::errc>);
  CHECK_FALSE(std::is_error_condition_enum_v<rove::errc>);
}

TEST_CASE("errc compares with codes and with the standard's conditions") {
  const std::error_code canceled = rove::errc::canceled;
  const std::error_code late = rove::errc::deadline_exceeded;
  const std::error_code closed = rove::errc::closed;
  CHECK(canceled == rove::errc::canceled);
  CHECK(canceled != rove::errc::closed);
  CHECK(canceled == std::errc::operation_canceled);
  CHECK(late == std::errc::timed_out);
  CHECK(canceled != std::errc::timed_out);
  CHECK(late != std::errc::operation_canceled);
  for (const auto c : {std::errc::operation_canceled, std::errc::timed_out, std::errc::bad_file_descriptor,
                       std::errc::not_connected})
    CHECK(closed != c);
  CHECK(std::error_code(ECANCELED, std::system_category()) != canceled);
  CHECK(late);
}

TEST_CASE("values that are no errc have a message too") {
  CHECK(std::error_code(0, rove::error_category()).message() == "unknown rove error");
  CHECK(std::error_code(77, rove::error_category()).message() == "unknown rove error");
  CHECK(std::error_code(77, rove::error_category()) != std::errc::timed_out);
}

TEST_CASE("an errc works as a constant and in a switch") {
  const auto text = [](rove::errc e) {
    switch (e) {
      case rove::errc::canceled: return 'c';
      case rove::errc::deadline_exceeded: return 'd';
      case rove::errc::closed: return 'x';
    }
    return '?';
  };
  CHECK(text(rove::errc::closed) == 'x');
}

#if ROVE_EXCEPTIONS
TEST_CASE("a panic is a logic_error with the message it was given") {
  CHECK_THROWS_AS(rove::detail::throw_panic("send on closed channel"), rove::panic);
  std::string message = "errgroup: modify limit while 3 goroutines in the group are still active";
  try {
    rove::detail::throw_panic(message.c_str());
  } catch (const std::logic_error& e) {
    message.assign(message.size(), '#');
    CHECK(std::string(e.what()) == "errgroup: modify limit while 3 goroutines in the group are still active");
  }
}

TEST_CASE("an error code travels in a system_error") {
  try {
    throw std::system_error(rove::errc::closed, "read");
  } catch (const std::system_error& e) {
    CHECK(e.code() == rove::errc::closed);
    CHECK(std::string(e.what()) == "read: use of closed network connection");
  }
}
#endif
