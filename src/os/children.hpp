// Child processes: a porting contract like os.hpp. Results: 0 or a number is good, a negative one is -errno.
#pragma once

#include "src/os/os.hpp"

namespace rove::os {

struct child_plan {
  const char* const* arguments;      // ends with null; the first is the program, looked for in PATH if it has no '/'
  const char* const* environment;    // null: ours
  const char* folder;                // where it runs; null: where we are
  int streams[3];                    // what become its descriptors 0, 1, 2; -1: ours of that number. All stay ours, too
};

// Starts it: its number. It has none of our descriptors that are closed by exec, and blocks no signal; what we ignore,
// it ignores too, but for SIGPIPE. Blocks for some hundred microseconds, until the program is loaded; if that fails, so
// does the call.
int start_child(const child_plan& plan);

// A descriptor that becomes readable when the child has ended; -ENOSYS where there is none.
int open_child_watch(int child);

struct child_end {
  int status;                        // of exit
  int signal;                        // that ended it; 0: it ended by itself
  bool core;                         // a core file was written
};

// Blocks until the child has ended, and leaves it to be reaped.
int wait_for_child(int child);
// 1: it has ended, and its number is free from now on. 0: not yet.
int reap_child(int child, child_end& end);
// The child must not have been reaped: its number might be another's.
int send_signal(int child, int signal);

int open_null(bool to_read);
int open_memory_file(const char* name);   // of no name in any folder; gone when closed
// The same descriptor with a number of 3 or more, in place of the one given, which is closed.
int move_up(int d);

}  // namespace rove::os
