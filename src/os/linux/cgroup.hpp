// CPU quotas of control groups: how many CPUs' worth of time this process may use.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rove::os {

// A bandwidth limit: `quota` microseconds of CPU time in each `period`. quota 0: none.
struct cpu_quota {
  std::int64_t quota = 0;
  std::int64_t period = 0;
};

bool tighter(cpu_quota a, cpu_quota b);  // a leaves fewer CPUs than b
int whole_processors(cpu_quota q);       // quota / period rounded up, at least 1; 0 if there is no limit

cpu_quota parse_cpu_max(std::string_view text);  // v2's cpu.max: "max 100000", "150000 100000"
cpu_quota parse_cfs(std::string_view quota, std::string_view period);  // v1's two files; quota -1: no limit

// Where a hierarchy is mounted, and which group of it that mount shows as its root.
struct cgroup_mount {
  std::string root;
  std::string point;
};

// Lines of /proc/self/mountinfo and /proc/self/cgroup. `v2` chooses the unified hierarchy, else v1's with the cpu
// controller. False if there is none.
bool parse_mounts(std::string_view mountinfo, bool v2, cgroup_mount& mount);
bool parse_membership(std::string_view cgroup, bool v2, std::string& path);

// The folder of the group below the mount point: its path without the root that the mount shows ("" for the mount
// point itself, also if the group lies outside of what is mounted).
std::string_view path_in_mount(const cgroup_mount& mount, std::string_view path);

// The tightest limit of the process's groups and all their ancestors, of both versions. `root` stands before every
// path that is read ("" for the real system).
cpu_quota tightest_quota(const std::string& root);

// The least of `cpus` and the quota.
int limited_processors(int cpus, const std::string& root);

}  // namespace rove::os
