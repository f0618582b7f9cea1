// Files: reading, writing, places, errors, closing, and that other goroutines go on meanwhile.
#include <fcntl.h>
#include <sys/stat.h>

#include "test/io/support.hpp"

using namespace rove_test;

namespace {

const char* const parents[] = {"/tmp", "/dev/shm"};  // on a disk, and in memory

std::string content(const std::string& path) {
  io::file f = io::file::open(path);
  return io::read_all(f);
}

template <class Call>
std::error_code error_of(Call call) {
  std::error_code ec;
  call(ec);
  return ec;
}

}  // namespace

TEST_CASE("a file is written and read") {
  everywhere([] {
    for (const char* parent : parents) {
      const test_folder folder(parent);
      io::file f = io::file::create(folder / "a");
      CHECK(f);
      CHECK(f.write("hello, ") == 7);
      CHECK(f.write(std::span("world", 5)) == 5);
      const std::byte two[] = {std::byte{'!'}, std::byte{'\n'}};
      CHECK(f.write(std::span(two)) == 2);
      CHECK(f.size() == 14);
      CHECK(f.seek(0, SEEK_SET) == 0);
      CHECK(io::read_all(f) == "hello, world!\n");
      std::byte bytes[5];
      CHECK(f.read(std::span(bytes)) == 0);
      CHECK(f.seek(-7, SEEK_END) == 7);
      CHECK(f.read(std::span(bytes)) == 5);
      CHECK(bytes[4] == std::byte{'d'});
      f.sync();
      f.close();
      CHECK(content(folder / "a") == "hello, world!\n");
    }
  });
}

TEST_CASE("a file is read and written at places, without moving") {
  everywhere([] {
    for (const char* parent : parents) {
      const test_folder folder(parent);
      io::file f = io::file::create(folder / "a");
      CHECK(f.write_at("world", 7) == 5);
      CHECK(f.write_at("hello, ", 0) == 7);
      CHECK(f.seek(0, SEEK_CUR) == 0);
      char bytes[8];
      CHECK(f.read_at(room(bytes), 0) == 8);
      CHECK(std::string_view(bytes, 8) == "hello, w");
      CHECK(f.read_at(room(bytes), 10) == 2);
      CHECK(std::string_view(bytes, 2) == "ld");
      CHECK(f.read_at(room(bytes), 12) == 0);
      CHECK(f.read_at(room(bytes), 1'000'000) == 0);
      CHECK(f.seek(0, SEEK_CUR) == 0);
      CHECK(error_of([&](auto& ec) { f.read_at(room(bytes), -1, ec); }) == std::errc::invalid_argument);
      CHECK(error_of([&](auto& ec) { f.write_at("x", -1, ec); }) == std::errc::invalid_argument);
    }
  });
}

TEST_CASE("a large file comes back whole, in memory or from the disk") {
  everywhere([] {
    for (const char* parent : parents) {
      const test_folder folder(parent);
      std::string text(3'000'001, 'x');
      for (std::size_t i = 0; i < text.size(); i += 997) text[i] = static_cast<char>('a' + i % 26);
      io::file f = io::file::create(folder / "a");
      CHECK(f.write(text) == text.size());
      f.sync();
      std::string back(text.size() + 5, ' ');
      for (const bool cached : {true, false}) {
        if (!cached) posix_fadvise(f.descriptor(), 0, 0, POSIX_FADV_DONTNEED);
        CHECK(f.read_at(std::span<char>(back), 0) == text.size());
        CHECK(back.compare(0, text.size(), text) == 0);
        f.seek(0, SEEK_SET);
        if (!cached) posix_fadvise(f.descriptor(), 500'000, 4096, POSIX_FADV_DONTNEED);  // a hole in the middle
        CHECK((io::read_all(f) == text));
      }
    }
  });
}

TEST_CASE("files: errors of opening") {
  everywhere([] {
    const test_folder folder;
    CHECK(error_of([&](auto& ec) { io::file::open(folder / "none", ec); }) == std::errc::no_such_file_or_directory);
    CHECK(error_of([&](auto& ec) { io::file::create(folder / "none/a", ec); }) == std::errc::no_such_file_or_directory);
    const std::string_view with_zero("/tmp\0x", 6);
    CHECK(error_of([&](auto& ec) { io::file::open(with_zero, ec); }) == std::errc::invalid_argument);
    CHECK(error_of([&](auto& ec) { io::file::adopt(-1, ec); }) == std::errc::bad_file_descriptor);
    CHECK_THROWS_WITH(io::file::open(folder / "none"), "rove::io::file::open: No such file or directory");
    CHECK_THROWS_AS(io::file::create(folder / "none/a"), std::system_error);
    io::file f = io::file::create(folder / "a");
    CHECK(error_of([&](auto& ec) { io::file::open(folder / "a", O_RDWR | O_CREAT | O_EXCL, 0600, ec); }) ==
          std::errc::file_exists);
    io::file dir = io::file::open("/tmp");  // a folder can be opened, not read
    CHECK(error_of([&](auto& ec) { read_some(dir, ec); }) == std::errc::is_a_directory);
  });
}

TEST_CASE("files: flags and modes") {
  const test_folder folder;
  const mode_t mask = umask(0);
  io::file f = io::file::open(folder / "a", O_WRONLY | O_CREAT | O_APPEND, 0640);
  umask(mask);
  struct stat facts;
  REQUIRE(fstat(f.descriptor(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0640);
  CHECK((fcntl(f.descriptor(), F_GETFD) & FD_CLOEXEC) != 0);
  f.write("one");
  io::file g = io::file::open(folder / "a", O_WRONLY | O_APPEND);
  g.write("two");
  f.write("three");
  CHECK(content(folder / "a") == "onetwothree");
  CHECK(error_of([&](auto& ec) { read_some(f, ec); }) == std::errc::bad_file_descriptor);
  io::file only_read = io::file::open(folder / "a");
  CHECK(error_of([&](auto& ec) { only_read.write("x", ec); }) == std::errc::bad_file_descriptor);
  io::file emptied = io::file::create(folder / "a");
  CHECK(emptied.size() == 0);
}

TEST_CASE("a closed file, one that was moved from, and one that never was") {
  everywhere([] {
    const test_folder folder;
    io::file f = io::file::create(folder / "a");
    const int number = f.descriptor();
    CHECK(number >= 0);
    f.close();
    CHECK(fcntl(number, F_GETFD) == -1);
    io::file moved = io::file::create(folder / "b"), here = std::move(moved);
    CHECK(here);
    CHECK_FALSE(moved);
    io::file never;
    char byte[1];
    for (io::file* gone : {&f, &moved, &never}) {
      CHECK(gone->descriptor() == -1);
      CHECK(error_of([&](auto& ec) { gone->read(room(byte), ec); }) == rove::errc::closed);
      CHECK(error_of([&](auto& ec) { gone->write("x", ec); }) == rove::errc::closed);
      CHECK(error_of([&](auto& ec) { gone->read_at(room(byte), 0, ec); }) == rove::errc::closed);
      CHECK(error_of([&](auto& ec) { gone->write_at("x", 0, ec); }) == rove::errc::closed);
      CHECK(error_of([&](auto& ec) { gone->seek(0, SEEK_SET, ec); }) == rove::errc::closed);
      CHECK(error_of([&](auto& ec) { gone->size(ec); }) == rove::errc::closed);
      CHECK(error_of([&](auto& ec) { gone->sync(ec); }) == rove::errc::closed);
      CHECK(error_of([&](auto& ec) { gone->close(ec); }) == rove::errc::closed);
      CHECK_THROWS_AS(gone->read(room(byte)), std::system_error);
    }
    here = io::file::create(folder / "c");
    CHECK(here.write("x") == 1);
  });
}

TEST_CASE("files have no deadlines") {
  const test_folder folder;
  io::file f = io::file::create(folder / "a");
  CHECK(error_of([&](auto& ec) { f.set_deadline(soon(), ec); }) == std::errc::operation_not_supported);
  CHECK_THROWS_AS(f.set_read_deadline(io::never), std::system_error);
}

TEST_CASE("a full disk") {
  io::file full = io::file::open("/dev/full", O_RDWR);
  everywhere([&] {
    std::error_code ec;
    CHECK(full.write("x", ec) == 0);
    CHECK(ec == std::errc::no_space_on_device);
    CHECK_THROWS_WITH(full.write("x"), "rove::io::file::write: No space left on device");
  });
  char bytes[300'000];
  CHECK(full.read(room(bytes)) == sizeof bytes);
}

TEST_CASE("files: each write is whole, from many goroutines and threads") {
  const test_folder folder;
  io::file f = io::file::open(folder / "a", O_RDWR | O_CREAT, 0600);
  constexpr int writers = 4, lines = 50;
  const auto write_lines = [&](int who) {
    const std::string line(997, static_cast<char>('a' + who));
    for (int i = 0; i < lines; ++i) f.write(line + "\n");
  };
  rove::run(with_procs(2), [&] {
    plain_threads threads;
    threads.start(write_lines, writers);
    rove::wait_group wg;
    for (int i = 0; i < writers; ++i) wg.go([&, i] { write_lines(i); });
    wg.wait();
    rove::blocking([&] { threads.join(); });
  });
  const std::string all = content(folder / "a");
  REQUIRE(all.size() == (writers + 1) * lines * 998);
  for (std::size_t at = 0; at < all.size(); at += 998)
    if (all.find_first_not_of(all[at], at) != at + 997) FAIL("a line is broken");
}

TEST_CASE("files: others go on while one waits for a named pipe to be opened") {
  const test_folder folder;
  const std::string path = folder / "fifo";
  REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  rove::run(with_procs(1), [&] {
    auto text = rove::spawn([&] { return content(path); });  // waits for who writes
    rove::yield();
    CHECK(rove::spawn([] { return 7; }).get() == 7);
    io::file f = io::file::open(path, O_WRONLY);
    f.write("through the pipe");
    f.close();
    CHECK(text.get() == "through the pipe");
  });
}

TEST_CASE("copy: from a file, through a pipe, to a file") {
  everywhere([] {
    const test_folder folder;
    std::string text(1'000'000, 'y');
    for (std::size_t i = 0; i < text.size(); i += 991) text[i] = static_cast<char>('a' + i % 26);
    io::file a = io::file::create(folder / "a"), b = io::file::create(folder / "b");
    a.write(text);
    a.seek(0, SEEK_SET);
    CHECK(io::copy(b, a) == text.size());
    CHECK((content(folder / "b") == text));
    CHECK(io::copy(b, a) == 0);
    std::error_code ec;
    a.seek(0, SEEK_SET);
    b.close();
    CHECK(io::copy(b, a, ec) == 0);
    CHECK(ec == rove::errc::closed);
    a.close();
    CHECK_THROWS_AS(io::copy(a, b), std::system_error);
  });
}

TEST_CASE("files: a goroutine is ended, or given up, while it reads; the file can be closed") {
  const auto how = GENERATE(rove::at_end::unwind, rove::at_end::abandon);
  const bool at_a_place = GENERATE(true, false);
  leaves_nothing_open([=] {
    const test_folder folder;
    io::file f = io::file::open(folder / "long", O_RDWR | O_CREAT, 0600);
    std::string text(8 << 20, 'x');  // many pieces
    f.write(text);
    {
      rove::config c = with_procs(1);
      c.at_end = how;
      std::atomic<bool> reads{false};
      rove::runtime rt(c);
      rt.go([&] {
        const auto read = [&] {
          if (at_a_place) return f.read_at(std::span(text), 0);
          f.seek(0, SEEK_SET);
          return f.read(std::span(text));
        };
        while (read() == text.size()) reads = true;
      });
      eventually([&] { return reads.load(); });
    }
    f.close();
    CHECK_THROWS_AS(f.read_at(std::span(text), 0), std::system_error);
  });
}

TEST_CASE("files leave no descriptors") {
  leaves_nothing_open([] {
    everywhere([] {
      const test_folder folder;
      io::file f = io::file::create(folder / "a");
      io::file g = io::file::open(folder / "a");
      g.close();
      std::error_code ec;
      io::file::open(folder / "none", ec);
    });
  });
}
