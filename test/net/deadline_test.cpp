// Deadlines: past, to come, moved while somebody waits, beside data; cancellation of a dial.
#include <rove/context.hpp>

#include "test/net/support.hpp"

using namespace rove_test;

namespace {

std::error_code read_error(net::conn& c) {
  char part[64];
  return error_of([&](auto& ec) { c.read(std::span(part), ec); });
}

// A port of this machine where connects get no answer.
struct silent_port {
  net::listener l = net::listen("tcp", "127.0.0.1:0", {.backlog = 1});
  std::vector<net::conn> queued = silence(l);
  std::string addr = l.local_addr().to_string();
};

}  // namespace

TEST_CASE("net: a deadline ends a read") {
  everywhere([] {
    connected c = make_pair();
    c.b.set_read_deadline(from_now(2ms));
    CHECK(read_error(c.b) == rove::errc::deadline_exceeded);
    CHECK(read_error(c.b) == std::errc::timed_out);
    CHECK(read_error(c.b).message() == "context deadline exceeded");
    c.a.write("late");
    CHECK(read_error(c.b) == rove::errc::deadline_exceeded);
    c.b.set_read_deadline(net::time_point::max());
    CHECK(read_exactly(c.b, 4) == "late");
    CHECK(c.b.write("writes do not mind") > 0);
  });
}

TEST_CASE("net: a past deadline ends what is under way") {
  everywhere([] {
    connected c = make_pair();
    std::error_code ec;
    beside reader([&] { ec = read_error(c.b); });
    rove::sleep_for(1ms);
    c.b.set_deadline(long_ago);
    reader.join();
    CHECK(ec == rove::errc::deadline_exceeded);
    CHECK(error_of([&](auto& e) { c.b.write("x", e); }) == rove::errc::deadline_exceeded);
  });
}

TEST_CASE("net: a deadline that moves is obeyed by who waits") {
  everywhere([] {
    connected c = make_pair();
    c.b.set_read_deadline(from_now(1h));
    std::error_code ec;
    beside reader([&] { ec = read_error(c.b); });
    rove::sleep_for(1ms);
    c.b.set_read_deadline(from_now(3ms));
    reader.join();
    CHECK(ec == rove::errc::deadline_exceeded);
    const net::time_point early = from_now(5ms);
    c.b.set_read_deadline(early);
    char part[2];
    std::size_t got = 0;
    beside longer([&] { got = c.b.read(std::span(part), ec); });
    rove::yield();
    c.b.set_read_deadline(net::time_point::max());
    const bool in_time = std::chrono::steady_clock::now() < early;  // else it may have been over before it moved
    rove::sleep_until(early + 3ms);
    c.a.write("ok");
    longer.join();
    if (in_time) {
      CHECK_FALSE(ec);
      CHECK(std::string_view(part, got) == "ok");
    }
  });
}

TEST_CASE("net: a write that nobody takes runs into its deadline and tells how much went out") {
  everywhere([] {
    connected c = make_pair();
    const std::string much(20'000'000, 'x');
    c.a.set_write_deadline(from_now(1h));
    std::error_code ec;
    std::size_t n = 0;
    beside writer([&] { n = c.a.write(much, ec); });
    CHECK(read_exactly(c.b, 1) == "x");          // some of it is out
    c.a.set_write_deadline(from_now(5ms));
    writer.join();
    CHECK(ec == rove::errc::deadline_exceeded);
    CHECK(n > 0);
    CHECK(n < much.size());
    c.a.close();
    CHECK(read_to_end(c.b).size() == n - 1);
  });
}

TEST_CASE("net: who waits for its turn behind a late write is late, too") {
  on_processors([] {
    connected c = make_pair();
    const std::string much(20'000'000, 'x');  // more than the system's buffers hold
    rove::wait_group all;
    std::error_code errors[3];
    for (auto& ec : errors) all.go([&] { c.a.write(much, ec); });
    rove::sleep_for(1ms);
    c.a.set_write_deadline(long_ago);
    all.wait();
    for (auto& ec : errors) CHECK(ec == rove::errc::deadline_exceeded);
  });
}

TEST_CASE("net: accept and read_from have deadlines") {
  everywhere([] {
    net::listener l = net::listen("tcp", "127.0.0.1:0");
    l.set_deadline(from_now(2ms));
    CHECK(error_of([&](auto& ec) { l.accept(ec); }) == rove::errc::deadline_exceeded);
    l.set_deadline(net::time_point::max());
    net::conn a = net::dial("tcp", l.local_addr().to_string());
    CHECK(l.accept());
    net::udp u = net::udp::bind("udp", "127.0.0.1:0");
    char part[8];
    u.set_read_deadline(from_now(2ms));
    CHECK(error_of([&](auto& ec) { u.read_from(std::span(part), ec); }) == rove::errc::deadline_exceeded);
  });
}

TEST_CASE("net: deadlines race with data: no byte is lost") {
  on_processors([] {
    connected c = make_pair();
    const int messages = 300 * load;
    rove::wait_group writer;
    writer.go([&] {
      dice d(1);
      for (int i = 0; i < messages; ++i) {
        c.a.write("1234");
        d.delay();
      }
      c.a.close_write();
    });
    dice d(2);
    std::size_t got = 0;
    for (unsigned patience = 40;; ++patience) {  // who is slow needs some to read at all
      c.b.set_read_deadline(from_now(std::chrono::microseconds(d.below(patience))));
      char part[64];
      std::error_code ec;
      const std::size_t n = c.b.read(std::span(part), ec);
      got += n;
      if (n > 0) patience = 40;
      if (ec && ec != rove::errc::deadline_exceeded) FAIL(ec.message());
      if (!ec && n == 0) break;
    }
    writer.wait();
    CHECK(got == 4u * static_cast<std::size_t>(messages));
  });
}

TEST_CASE("net: a dial that gets no answer ends at its deadline, or with its context") {
  everywhere([] {
    silent_port s;
    std::error_code ec;
    CHECK(!net::dial("tcp", s.addr, {.deadline = from_now(5ms)}, ec));
    CHECK(ec == rove::errc::deadline_exceeded);
    const auto limited = rove::with_timeout(rove::background(), 5ms);
    CHECK(!net::dial(limited.ctx, "tcp", s.addr, ec));
    CHECK(ec == rove::errc::deadline_exceeded);
    const auto canceled = rove::with_cancel(rove::background());
    beside canceler([&] {
      rove::sleep_for(3ms);
      canceled.cancel();
    });
    CHECK(!net::dial(canceled.ctx, "tcp", s.addr, ec));
    CHECK(ec == rove::errc::canceled);
    CHECK(!net::dial(canceled.ctx, "tcp", s.addr, ec));
    CHECK(ec == rove::errc::canceled);
    CHECK(thrown_by([&] { net::dial(canceled.ctx, "tcp", s.addr); }) == rove::errc::canceled);
  });
}

TEST_CASE("net: a connection outlives the context that it was dialed with") {
  everywhere([] {
    net::listener l = net::listen("tcp", "127.0.0.1:0");
    const auto canceled = rove::with_cancel(rove::background());
    net::conn a = net::dial(canceled.ctx, "tcp", l.local_addr().to_string());
    canceled.cancel();
    net::conn b = l.accept();
    a.write("still here");
    CHECK(read_exactly(b, 10) == "still here");
  });
}
