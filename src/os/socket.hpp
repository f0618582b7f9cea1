// What the library asks of an operating system's sockets and pollable descriptors: a porting contract like os.hpp.
//
// Results: 0 or a count is good, a negative number is -errno. No call here blocks but those that say so; none raises
// SIGPIPE; a signal that interrupts is no result. Every descriptor that is made is non-blocking and closed by exec.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>

#include "src/os/os.hpp"

namespace rove::os {

using transferred = std::int64_t;                       // how many bytes, or -errno

struct socket_address {
  sockaddr_storage bytes{};
  socklen_t size = 0;

  sockaddr* data() { return reinterpret_cast<sockaddr*>(&bytes); }
  const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(&bytes); }
};

// ---- making and ending ---------------------------------------------------------------------------------------------
int open_socket(int family, int type, int protocol);    // the descriptor
int bind_socket(int s, const sockaddr* a, socklen_t size);
int listen_on(int s, int backlog);                      // 0: as many as the system allows
int accept_from(int s, socket_address& peer);           // the new descriptor
int connect_to(int s, const sockaddr* a, socklen_t size);  // -EINPROGRESS: writable when it is decided
// what became of it: 0, -errno, -EINPROGRESS as long as it is open
int connect_result(int s);
int shut_down_writing(int s);
int close_descriptor(int d);
int set_non_blocking(int d);                            // 1: it was already

// ---- data -----------------------------------------------------------------------------------------------------------
transferred receive(int s, void* to, std::size_t size);
transferred receive_from(int s, void* to, std::size_t size, socket_address& from);
transferred send(int s, const void* from, std::size_t size);
transferred send_to(int s, const void* from, std::size_t size, const sockaddr* to, socklen_t to_size);
transferred send_parts(int s, const iovec* parts, std::size_t count);
inline constexpr std::size_t most_parts = 64;           // of one send_parts

// ---- facts and options ----------------------------------------------------------------------------------------------
int local_address(int s, socket_address& a);
int peer_address(int s, socket_address& a);
enum class socket_option {
  reuse_address, reuse_port, only_ip6, no_delay, keep_alive, broadcast, receive_buffer, send_buffer,
  keep_alive_idle, keep_alive_interval, keep_alive_count,  // seconds, seconds, probes
};
int set_option(int s, socket_option o, int value);
int get_option(int s, socket_option o, int& value);
int set_linger(int s, int seconds);                     // < 0: off, 0: a close resets the connection

// ---- waiting for one descriptor, with the thread -------------------------------------------------------------------
// Blocks the thread until the descriptor can be read (written), `until` has come, or `breaker` was set. 0: look again.
int wait_for_descriptor(int d, bool to_read, bool to_write, int breaker, nanoseconds until);
int open_breaker();                                     // the descriptor
// A descriptor that is readable while one of its members is writable: for waiting for the first of several connects.
int open_group();
int add_to_group(int group, int s);
void set_breaker(int breaker);
void reset_breaker(int breaker);

}  // namespace rove::os
