// Child processes.
//
// The system keeps an ended child's number until the child is reaped, and may then give it to another process. So it is
// reaped under the child's lock, where `kill` looks whether that has happened; waiting does not reap. Who waits does so
// for the child's own descriptor (os::open_child_watch) by io::wait, any number of them at a time, or where there is
// none, on a thread without a processor.
#include <rove/process.hpp>
#include <rove/run.hpp>
#include <rove/time.hpp>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "src/io/errors.hpp"
#include "src/os/children.hpp"
#include "src/os/files.hpp"
#include "src/os/lock.hpp"
#include "src/os/socket.hpp"

namespace rove::io {
namespace {

// A descriptor until somebody takes it.
class owned {
 public:
  owned() = default;
  explicit owned(int d) : d_(d) {}
  owned(owned&& other) noexcept : d_(std::exchange(other.d_, -1)) {}
  owned& operator=(owned&& other) noexcept {
    std::swap(d_, other.d_);
    return *this;
  }
  ~owned() {
    if (d_ >= 0) os::close_descriptor(d_);
  }
  int get() const { return d_; }     // negative: none, or an error
  int take() { return std::exchange(d_, -1); }

 private:
  int d_ = -1;
};

// One standard stream: what the child gets, and our end of a pipe.
struct prepared {
  owned childs, ours;
  int number = -1;                   // for the child; -1: it has ours
};

int prepare(const stream& s, bool child_reads, prepared& p) {
  p.number = s.descriptor();
  if (p.number >= 0 || s.what() == stream::inherit) return 0;
  if (s.what() == stream::null) {
    p.childs = owned(os::move_up(os::open_null(child_reads)));
  } else {
    int ends[2];
    if (const int error = os::open_pipe(ends)) return error;
    p.childs = owned(os::move_up(ends[child_reads ? 0 : 1]));
    p.ours = owned(ends[child_reads ? 1 : 0]);
    if (const int error = os::set_non_blocking(p.ours.get()); error < 0) return error;
  }
  p.number = p.childs.get();
  return std::min(p.number, 0);
}

// Our end becomes a file.
void keep(prepared& p, file& f, std::error_code& ec) {
  if (ec || p.ours.get() < 0) return;
  f = file::adopt(p.ours.get(), ec);
  if (!ec) p.ours.take();
}

// Texts as exec wants them.
class text_list {
 public:
  explicit text_list(const std::vector<std::string>& texts) {
    for (const std::string& t : texts) {
      sound_ = sound_ && t.find('\0') == t.npos;
      pointers_.push_back(t.c_str());
    }
    pointers_.push_back(nullptr);
  }
  const char* const* get() const { return pointers_.data(); }
  bool sound() const { return sound_; }

 private:
  std::vector<const char*> pointers_;
  bool sound_ = true;
};

// Starts it with these streams: its number, or -errno.
int launch(const std::vector<std::string>& arguments, const process_options& o, const int (&streams)[3]) {
  const text_list list(arguments);
  const std::vector<std::string> none;
  const text_list environment(o.environment ? *o.environment : none);
  const bool sound = list.sound() && environment.sound() && o.folder.find('\0') == o.folder.npos;
  if (arguments.empty() || !sound) return -EINVAL;
  os::child_plan plan{list.get(), o.environment ? environment.get() : nullptr, nullptr, {}};
  if (!o.folder.empty()) plan.folder = o.folder.c_str();
  std::copy(std::begin(streams), std::end(streams), plan.streams);
  if (o.err_to_out) plan.streams[2] = streams[1] >= 0 ? streams[1] : 1;
  return blocking([&] { return os::start_child(plan); });
}

// ---- children that were let go -------------------------------------------------------------------------------------

class orphans {
 public:
  void add(int id) {
    os::hold h(lock_);
    ids_.push_back(id);
  }
  void reap() {
    os::hold h(lock_);
    std::erase_if(ids_, [](int id) {
      os::child_end end;
      return os::reap_child(id, end) != 0;
    });
  }

 private:
  os::lock lock_{os::rank::object};
  std::vector<int> ids_;
};

// Never destroyed: goroutines may run while static objects die.
union immortal {
  constexpr immortal() : value() {}
  ~immortal() {}
  orphans value;
};
constinit immortal the_orphans;

}  // namespace

// ---- one child -----------------------------------------------------------------------------------------------------

struct process::child {
  explicit child(int number) : id(number), watch(os::open_child_watch(number)) {}

  const int id;
  const owned watch;                 // negative: the system has none
  os::lock lock{os::rank::object};
  bool reaped = false;               // under the lock, as the rest
  int error = 0;
  exit_status status;

  // It has ended, so that is known, or somebody else took note of it.
  bool look() {
    os::hold h(lock);
    if (reaped) return true;
    os::child_end end;
    const int n = os::reap_child(id, end);
    if (n == 0) return false;
    reaped = true;
    if (n < 0)
      error = n;
    else
      status = {end.status, end.signal, end.core};
    return true;
  }

  int send(int signal) {
    os::hold h(lock);
    return reaped ? -ESRCH : os::send_signal(id, signal);
  }

  // Waits without a descriptor for it. False: the time is up.
  bool wait_on_thread(time_point deadline) {
    if (deadline == never) {
      blocking([&] { return os::wait_for_child(id); });
      return look();
    }
    constexpr std::chrono::microseconds shortest(200), longest(20'000);
    for (auto pause = shortest; !look(); pause = std::min(pause * 2, longest)) {
      const auto now = rove::now();
      if (now >= deadline) return false;
      sleep_until(std::min(deadline, now + pause));
    }
    return true;
  }
};

process::process() noexcept = default;
process::process(process&&) noexcept = default;

process& process::operator=(process&& other) noexcept {
  process gone(std::move(*this));
  child_ = std::move(other.child_);
  in_ = std::move(other.in_);
  out_ = std::move(other.out_);
  err_ = std::move(other.err_);
  return *this;
}

process::~process() {
  if (!child_ || child_->look()) return;
  child_->send(9);
  blocking([&] { return os::wait_for_child(child_->id); });
  child_->look();
}

process process::start(const std::vector<std::string>& arguments, const process_options& o, std::error_code& ec) {
  the_orphans.value.reap();
  prepared in, out, err;
  int error = prepare(o.in, true, in);
  if (!error) error = prepare(o.out, false, out);
  if (!error && !o.err_to_out) error = prepare(o.err, false, err);
  process p;
  ec = error_of(error);
  keep(in, p.in_, ec);
  keep(out, p.out_, ec);
  keep(err, p.err_, ec);
  if (ec) return {};
  const int id = launch(arguments, o, {in.number, out.number, err.number});
  ec = error_of(id);
  if (ec) return {};
  p.child_ = std::make_unique<child>(id);
  return p;
}

process process::start(const std::vector<std::string>& arguments, const process_options& o) {
  std::error_code ec;
  process p = start(arguments, o, ec);
  if (ec) detail::throw_system_error(ec, "rove::io::process::start");
  return p;
}

int process::id() const noexcept { return child_ ? child_->id : -1; }

exit_status process::wait(time_point deadline, std::error_code& ec) {
  if (!child_) {
    ec = std::make_error_code(std::errc::no_child_process);
    return {};
  }
  while (!child_->look()) {
    ec.clear();
    if (child_->watch.get() >= 0) io::wait(child_->watch.get(), readable, deadline, ec);
    const bool unwatched = child_->watch.get() < 0 || ec == std::errc::too_many_files_open;
    if (unwatched) ec = child_->wait_on_thread(deadline) ? std::error_code() : errc::deadline_exceeded;
    if (ec) return {};
  }
  os::hold h(child_->lock);
  ec = error_of(child_->error);
  return child_->status;
}

exit_status process::wait(time_point deadline) {
  std::error_code ec;
  const exit_status status = wait(deadline, ec);
  if (ec) detail::throw_system_error(ec, "rove::io::process::wait");
  return status;
}

void process::kill(int signal, std::error_code& ec) { ec = error_of(child_ ? child_->send(signal) : -ESRCH); }

void process::kill(int signal) {
  std::error_code ec;
  kill(signal, ec);
  if (ec) detail::throw_system_error(ec, "rove::io::process::kill");
}

void process::detach() noexcept {
  if (child_ && !child_->look()) the_orphans.value.add(child_->id);
  child_.reset();
  in_ = file();
  out_ = file();
  err_ = file();
}

std::string exit_status::to_string() const {
  if (signal == 0) return "exit status " + std::to_string(code);
  return "signal " + std::to_string(signal) + (core ? " (core dumped)" : "");
}

// ---- its whole output ----------------------------------------------------------------------------------------------

// The streams are files in memory: nobody has to read while the child writes, so nothing can wait for each other.
process::result process::output(const std::vector<std::string>& arguments, const process_options& o,
                                std::string_view input, std::error_code& ec) {
  file streams[3];
  ec.clear();
  for (file& f : streams) {
    owned d(os::move_up(os::open_memory_file("rove-process")));
    ec = error_of(d.get());
    if (!ec) f = file::adopt(d.get(), ec);
    if (ec) return {};
    d.take();
  }
  streams[0].write_at(input, 0, ec);
  if (ec) return {};
  process_options with = o;
  with.in = streams[0];
  with.out = streams[1];
  with.err = streams[2];
  process p = start(arguments, with, ec);
  if (ec) return {};
  result r;
  r.status = p.wait(ec);
  for (int i : {1, 2}) {
    if (ec) break;
    streams[i].seek(0, SEEK_SET, ec);
    if (!ec) (i == 1 ? r.out : r.err) = read_all(streams[i], ec);
  }
  return r;
}

process::result process::output(const std::vector<std::string>& arguments, const process_options& o,
                                std::string_view input) {
  std::error_code ec;
  result r = output(arguments, o, input, ec);
  if (ec) detail::throw_system_error(ec, "rove::io::process::output");
  return r;
}

}  // namespace rove::io
