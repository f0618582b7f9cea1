// What the library asks of an operating system's files, pipes and terminals: a porting contract like os.hpp.
//
// Results: 0 or a count is good, a negative number is -errno. A signal that interrupts is no result. Every
// descriptor that is made is closed by exec. Whatever works on a file may hold up its thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "src/os/os.hpp"

namespace rove::os {

enum class file_kind : std::uint8_t {
  stored,      // a file, a folder, a device that cannot be polled: a call may wait for a disk, or for a server
  in_memory,   // the same, but of a file system that has no disk
  polled,      // a pipe, a terminal, a socket: it may have nothing now, and can be waited for
};

int open_file(const char* path, int flags, unsigned mode);   // a pipe with a name waits for its other end
int kind_of_file(int d, file_kind& kind);
bool is_non_blocking(int d);

std::int64_t read_bytes(int d, void* to, std::size_t size);
std::int64_t write_bytes(int d, const void* from, std::size_t size);          // what is `polled` may raise SIGPIPE
std::int64_t write_bytes_quietly(int d, const void* from, std::size_t size);  // and this does not
std::int64_t read_bytes_at(int d, void* to, std::size_t size, std::int64_t offset);
std::int64_t write_bytes_at(int d, const void* from, std::size_t size, std::int64_t offset);

// Reads what the system has in memory, at the offset (negative: where the file stands, which moves), and waits for
// nothing: -EAGAIN if a disk would have to be asked, -EOPNOTSUPP if that cannot be told for this file.
std::int64_t read_bytes_now(int d, void* to, std::size_t size, std::int64_t offset);

int sync_file(int d);
std::int64_t size_of_file(int d);
std::int64_t seek_file(int d, std::int64_t offset, int whence);
int open_pipe(int (&ends)[2]);                               // to read, to write; both blocking

// ---- waiting for one descriptor ------------------------------------------------------------------------------------
inline constexpr int poll_readable = 1, poll_writable = 2;

// What of `wanted` is ready: at once, or as soon as some is; 0: `until` has come. What is broken or at its end counts
// as ready for both, so that a try finds out. A file that cannot be polled is ready.
int poll_descriptor(int d, int wanted, nanoseconds until);

// A descriptor that is readable while `d` is one of what is wanted, and that can be given to a poller beside `d`
// itself; each thing that happens to `d` is an edge of it. Any number of them may watch the same `d`. -EPERM: `d` is
// always ready.
int open_watch(int d, int wanted);

}  // namespace rove::os
