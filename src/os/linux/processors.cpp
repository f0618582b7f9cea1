// How many CPUs this process may use.
#include <errno.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "src/os/linux/cgroup.hpp"
#include "src/os/os.hpp"

namespace rove::os {
namespace {

// CPUs in the affinity mask of the calling thread; 0 if the kernel does not tell.
int affine_processors() {
  for (int cpus = 1024; cpus <= 1024 * 1024; cpus *= 2) {  // EINVAL: the kernel's mask is larger than ours
    cpu_set_t* set = CPU_ALLOC(cpus);
    if (set == nullptr) return 0;
    std::size_t bytes = CPU_ALLOC_SIZE(cpus);
    CPU_ZERO_S(bytes, set);
    int error = sched_getaffinity(0, bytes, set) == 0 ? 0 : errno;
    int count = error == 0 ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (error != EINVAL) return count;
  }
  return 0;
}

}  // namespace

int usable_processors() {
  int cpus = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  int affine = affine_processors();
  if (affine > 0) cpus = cpus > 0 ? std::min(cpus, affine) : affine;
  return limited_processors(cpus, "");
}

}  // namespace rove::os
