// Closing: under those who read, write, accept; by the end of an object; by the end of a runtime; again and again.
#include <signal.h>

#include <array>
#include <memory>

#include "test/debug/child.hpp"
#include "test/net/support.hpp"
#include "test/support/go_parked.hpp"

using namespace rove_test;

TEST_CASE("net: close wakes who reads and who writes") {
  everywhere([] {
    connected c = make_pair();
    const std::string much(20'000'000, 'x');
    std::error_code read_error, write_error;
    {
      beside reader([&] {
        char part[8];
        c.a.read(std::span(part), read_error);
      });
      beside writer([&] { c.a.write(much, write_error); });
      rove::sleep_for(2ms);
      c.a.close();
    }
    CHECK(read_error == rove::errc::closed);
    CHECK(write_error == rove::errc::closed);
    CHECK(error_of([&](auto& ec) { c.a.close(ec); }) == rove::errc::closed);
    char part[8];
    CHECK(error_of([&](auto& ec) { c.a.read(std::span(part), ec); }) == rove::errc::closed);
  });
}

TEST_CASE("net: close wakes who waits for a turn") {
  on_processors([] {
    connected c = make_pair();
    rove::wait_group all;
    std::error_code errors[4];
    for (auto& ec : errors)
      all.go([&] {
        char part[8];
        c.a.read(std::span(part), ec);
      });
    rove::sleep_for(1ms);
    c.a.close();
    all.wait();
    for (auto& ec : errors) CHECK(ec == rove::errc::closed);
  });
}

TEST_CASE("net: when close returns the port is free") {
  everywhere([] {
    const kept_port port(net::address::parse("127.0.0.1:0"));
    const std::string addr = port.where().to_string();
    for (int i = 0; i < 10 * load; ++i) {
      net::listener l = net::listen("tcp", addr);
      std::error_code ec;
      beside acceptor([&] { l.accept(ec); });
      if (i % 2) rove::yield();
      l.close();
      net::listener again = net::listen("tcp", addr);
      acceptor.join();
      CHECK(ec == rove::errc::closed);
    }
  });
}

TEST_CASE("net: an object that ends closes its socket") {
  everywhere([] {
    connected c = make_pair();
    { net::conn gone = std::move(c.a); }
    CHECK(read_to_end(c.b).empty());
    connected d = make_pair();
    d.a = net::conn();
    CHECK(read_to_end(d.b).empty());
  });
}

TEST_CASE("net: an object may end while somebody reads from it") {
  on_processors([] {
    connected c = make_pair();
    auto doomed = std::make_unique<net::conn>(std::move(c.a));
    std::error_code ec;
    rove::wait_group reader;
    reader.add(1);
    go_parked([&ec, &reader, p = doomed.get()] {
      char part[8];
      p->read(std::span(part), ec);
      reader.done();
    });
    doomed.reset();
    reader.wait();
    CHECK(ec == rove::errc::closed);
    CHECK(read_to_end(c.b).empty());
  });
}

TEST_CASE("net: a storm of connect and close, numbers used again at once") {
  const std::size_t before = count_descriptors();
  on_processors([] {
    net::listener l = net::listen("tcp", "127.0.0.1:0");
    const std::string addr = l.local_addr().to_string();
    rove::wait_group all;
    std::atomic<int> wrong{0};
    all.go([&] {
      std::error_code ec;
      while (net::conn c = l.accept(ec))
        all.go([&wrong, c = std::move(c)]() mutable {
          char part[16];
          std::error_code error;
          while (const std::size_t n = c.read(std::span(part), error)) c.write(std::string_view(part, n), error);
          if (error && error != std::errc::connection_reset && error != std::errc::broken_pipe) ++wrong;
        });
    });
    rove::wait_group clients;
    for (std::uint64_t k = 0; k < 4; ++k)
      clients.go([&, k] {
        dice d(k);
        for (int i = 0; i < 30 * load; ++i) {
          net::conn c = net::dial("tcp", addr);
          const std::string text = std::to_string(k * 1'000'000 + static_cast<unsigned>(i));
          if (d.below(4) == 0) c.set_linger(std::chrono::seconds(0));
          if (d.below(8) == 0) continue;
          c.write(text);
          if (d.below(4) == 0) continue;
          if (d.below(4) == 0) {  // somebody else closes while this one reads
            rove::wait_group closer;
            closer.go([&c, &d] {
              d.delay();
              std::error_code ec;
              c.close(ec);
            });
            char part[16];
            std::error_code ec;
            c.read(std::span(part), ec);
            closer.wait();
          } else if (read_exactly(c, text.size()) != text) {
            ++wrong;
          }
        }
      });
    clients.wait();
    l.close();
    all.wait();
    CHECK(wrong == 0);
  });
  CHECK(count_descriptors() <= before + 8);  // a few breakers of plain threads are kept
}

TEST_CASE("net: the end of a runtime ends who waits for sockets") {
  const std::size_t before = count_descriptors();
  const std::string much(20'000'000, 'x');  // here, since an abandoned stack frees nothing
  for (const auto how : {rove::at_end::unwind, rove::at_end::abandon}) {
    rove::config config = with_procs(2);
    config.at_end = how;
    auto left_over = std::make_unique<connected>();
    net::listener l;
    {
      rove::runtime rt(config);
      rt.run([&] {
        *left_over = make_pair();
        l = net::listen("tcp", "127.0.0.1:0");
        rove::go([&l] { l.accept(); });
        rove::go([&c = *left_over] { read_to_end(c.a); });
        rove::go([&c = *left_over, &much] { c.a.write(much); });
        rove::sleep_for(2ms);
      });
    }
    // What outlives its runtime goes on elsewhere.
    rove::runtime other(with_procs(1));
    other.run([&c = *left_over] {
      c.b.write("hi");
      CHECK(read_exactly(c.a, 2) == "hi");
      rove::go([&c] { c.b.close_write(); });
      CHECK(read_to_end(c.a).empty());
    });
    left_over.reset();
    l.close();
    CHECK(count_descriptors() <= before + 8 + 2);
  }
}

TEST_CASE("net: who is abandoned in the middle of a call leaves the socket to others") {
  rove::config config = with_procs(2);
  config.at_end = rove::at_end::abandon;
  dice d(1);
  for (int i = 0; i < 40 * load; ++i) {
    connected c;
    {
      rove::runtime rt(config);
      rt.run([&] {
        c = make_pair();
        rove::go([&c] { read_to_end(c.a); });
        d.delay();                                    // it has not begun, is in the call, or waits
      });
    }
    c.b.write("hi");
    c.a.set_read_deadline(from_now(60s));
    CHECK(read_exactly(c.a, 2) == "hi");
  }
}

TEST_CASE("net: goroutines of two runtimes and a thread share a connection") {
  rove::runtime one(with_procs(1)), two(with_procs(2));
  connected c = make_pair();
  auto echo = one.spawn([&] {
    char part[16];
    while (const std::size_t n = c.b.read(std::span(part))) c.b.write(std::string_view(part, n));
  });
  for (int i = 0; i < 20; ++i) {
    c.a.write("from a thread");
    CHECK(two.run([&] { return read_exactly(c.a, 13); }) == "from a thread");
    two.run([&] { c.a.write("from a goroutine"); });
    CHECK(read_exactly(c.a, 16) == "from a goroutine");
  }
  c.a.close();
  echo.get();
}

TEST_CASE("net: who waits by the poller of a runtime that goes away waits on by its own") {
  rove::runtime stays(with_procs(1));
  connected c = make_pair();
  std::string got;
  rove::wait_group reader;
  {
    rove::runtime goes(with_procs(1));
    goes.run([&] {
      char part[8];
      c.b.set_read_deadline(from_now(1ms));
      std::error_code ec;
      c.b.read(std::span(part), ec);
      c.b.set_read_deadline(net::time_point::max());
    });
    reader.add(1);
    stays.go([&] {
      got = read_exactly(c.b, 4);
      reader.done();
    });
    stays.run([] { rove::sleep_for(1ms); });
  }
  c.a.write("here");
  reader.wait();
  CHECK(got == "here");
}

TEST_CASE("net: a write to a peer that is gone is an error, not a signal") {
  signal(SIGPIPE, SIG_DFL);
  everywhere([] {
    connected c = make_pair();
    c.b.close();
    std::error_code ec;
    while (!ec) c.a.write("x", ec);
    CHECK((ec == std::errc::broken_pipe || ec == std::errc::connection_reset));
    const std::array<std::string_view, 2> pieces{"a", "b"};
    ec.clear();
    while (!ec) c.a.writev(std::span(pieces), ec);
    CHECK((ec == std::errc::broken_pipe || ec == std::errc::connection_reset));
  });
}
