// Child processes, started and waited for from goroutines.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <rove/error.hpp>
#include <rove/io.hpp>

namespace rove::io {

// How a child ended.
struct exit_status {
  int code = -1;                     // of exit; -1 if a signal ended it
  int signal = 0;                    // that ended it; 0: it ended by itself
  bool core = false;                 // a core file was written

  bool success() const noexcept { return code == 0; }  // it ended by itself, with 0
  std::string to_string() const;     // "exit status 3", "signal 9", "signal 6 (core dumped)"
};

// What one of a child's standard streams is: ours, nothing (/dev/null), a pipe to us, or an open file. A file that
// waits by the poller, such as an end of io::pipe, is non-blocking for the child too, which few programs expect.
class stream {
 public:
  // What there is without a file.
  enum kind {
    inherit,  // ours
    null,     // /dev/null
    pipe,     // whose other end process::in, out or err gives
  };
  constexpr stream(kind k = inherit) : kind_(k) {}         // no file
  stream(const file& f) : descriptor_(f.descriptor()) {}   // which must stay open until the child was started

  kind what() const noexcept { return kind_; }             // inherit if it is a file
  int descriptor() const noexcept { return descriptor_; }  // -1: none was given

 private:
  kind kind_ = inherit;
  int descriptor_ = -1;
};

// How a child is started.
struct process_options {
  std::optional<std::vector<std::string>> environment = {};  // "NAME=value"; unset: ours
  std::string folder = {};           // where it runs; empty: where we are
  stream in = {};                    // its standard input
  stream out = {};                   // its standard output
  stream err = {};                   // its error output
  bool err_to_out = false;           // its error output goes where its output goes; `err` is not looked at
};

// A child process. Movable. Any thread or goroutine may call anything at any time, but for the move and the
// destruction; a call that waits parks the goroutine (blocks a plain thread). A child that was neither waited for nor
// detached is killed by the destructor, which waits for its end. The child has none of our descriptors but its three
// streams and those that were opened to be inherited; all that this library opens are not. Its signals are as a program
// expects them, whichever thread starts it.
class process {
 public:
  process() noexcept;
  process(process&&) noexcept;
  process& operator=(process&&) noexcept;
  ~process();

  // Starts it. The first of the arguments is the program, looked for in our PATH if there is no '/' in it. Errors: the
  // system's, no_such_file_or_directory for one; invalid_argument: no arguments, or a zero character in one.
  static process start(const std::vector<std::string>& arguments, const process_options& options = {});
  static process start(const std::vector<std::string>& arguments, const process_options& options, std::error_code& ec);

  // Runs it to its end with this as its input, and gives what it wrote. The options' streams are not looked at; with
  // err_to_out, `err` stays empty. A child that the child leaves behind is not waited for. That the program fails is no
  // error.
  struct result {
    exit_status status;        // how it ended
    std::string out;           // what it wrote, all of it
    std::string err;           // to its error output
  };
  static result output(const std::vector<std::string>& arguments, const process_options& options = {},
                       std::string_view input = {});
  static result output(const std::vector<std::string>& arguments, const process_options& options,
                       std::string_view input, std::error_code& ec);

  explicit operator bool() const noexcept { return child_ != nullptr; }  // false: default-built, moved from, detached
  int id() const noexcept;           // its number, -1 if there is none; valid until it was waited for

  // Our ends of its pipes; for a stream that is none, a file that is closed. A program that reads to the end of its
  // input ends only after in().close().
  file& in() noexcept { return in_; }
  file& out() noexcept { return out_; }
  file& err() noexcept { return err_; }

  // Waits for its end. May be called again, and by several. Errors: errc::deadline_exceeded, and then it runs on;
  // no_child_process if somebody else has waited for it, or SIGCHLD is ignored.
  exit_status wait(time_point deadline = never);
  exit_status wait(std::error_code& ec) { return wait(never, ec); }
  exit_status wait(time_point deadline, std::error_code& ec);

  // Sends it a signal. Error: no_such_process if it was waited for.
  void kill(int signal = 9);
  void kill(int signal, std::error_code& ec);

  // Lets it run on by itself. Its pipes are closed. When it has ended, one of the next starts takes note of it.
  void detach() noexcept;

 private:
  struct child;
  std::unique_ptr<child> child_;
  file in_, out_, err_;
};

}  // namespace rove::io
