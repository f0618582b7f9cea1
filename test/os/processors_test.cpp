// Counting CPUs: the affinity mask, and cgroup quotas read from trees made here.
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "src/os/linux/cgroup.hpp"
#include "src/os/linux/file.hpp"
#include "src/os/os.hpp"
#include "test/catch.hpp"

using namespace rove;

namespace {

// A folder that looks like the root of a system.
class fake_system {
 public:
  fake_system() {
    std::string name = (std::filesystem::temp_directory_path() / "rove-cgroup-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    root_ = name;
  }
  ~fake_system() { std::filesystem::remove_all(root_); }

  void write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << text;
  }
  void v2(const std::string& root, const std::string& group) {
    write("/proc/self/mountinfo", "25 1 0:22 / /sys rw - sysfs sysfs rw\n30 25 0:26 " + root +
                                      " /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n");
    write("/proc/self/cgroup", "0::" + group + "\n");
  }
  void v1(const std::string& root, const std::string& group) {
    write("/proc/self/mountinfo",
          "31 25 0:27 " + root + " /sys/fs/cgroup/cpuset rw shared:5 - cgroup cgroup rw,cpuset\n32 25 0:28 " + root +
              " /sys/fs/cgroup/cpu,cpuacct rw shared:6 - cgroup cgroup rw,cpu,cpuacct\n");
    write("/proc/self/cgroup", "5:cpuset:/elsewhere\n4:cpu,cpuacct:" + group + "\n1:name=systemd:/x\n");
  }
  int limit(int cpus) { return os::limited_processors(cpus, root_); }

 private:
  std::string root_;
};

const std::string unified = "/sys/fs/cgroup";
const std::string legacy = "/sys/fs/cgroup/cpu,cpuacct";

}  // namespace

TEST_CASE("this machine has a CPU", "[os]") {
  CHECK(os::usable_processors() >= 1);
  CHECK(os::usable_processors() <= sysconf(_SC_NPROCESSORS_ONLN));
}

TEST_CASE("the affinity mask counts", "[os]") {
  std::thread([] {
    cpu_set_t all, one;
    REQUIRE(sched_getaffinity(0, sizeof all, &all) == 0);
    int cpu = 0;
    while (!CPU_ISSET(cpu, &all)) ++cpu;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    REQUIRE(sched_setaffinity(0, sizeof one, &one) == 0);
    CHECK(os::usable_processors() == 1);
  }).join();
}

TEST_CASE("numbers are read strictly", "[os]") {
  CHECK(os::parse_integer("12") == 12);
  CHECK(os::parse_integer("  12\n") == 12);
  CHECK(os::parse_integer("12 34") == 12);
  CHECK(os::parse_integer("") == -1);
  CHECK(os::parse_integer("max") == -1);
  CHECK(os::parse_integer("99999999999999999999") == -1);
}

TEST_CASE("a quota is rounded up", "[os]") {
  CHECK(os::whole_processors({}) == 0);
  CHECK(os::whole_processors({100'000, 100'000}) == 1);
  CHECK(os::whole_processors({100'001, 100'000}) == 2);
  CHECK(os::whole_processors({1'000, 100'000}) == 1);
  CHECK(os::whole_processors(os::parse_cpu_max("150000 100000\n")) == 2);
  CHECK(os::whole_processors(os::parse_cpu_max("max 100000\n")) == 0);
  CHECK(os::whole_processors(os::parse_cpu_max("150000")) == 0);
  CHECK(os::whole_processors(os::parse_cpu_max("")) == 0);
  CHECK(os::whole_processors(os::parse_cfs("250000\n", "100000\n")) == 3);
  CHECK(os::whole_processors(os::parse_cfs("-1\n", "100000\n")) == 0);
  CHECK(os::whole_processors(os::parse_cfs("1000", "0")) == 0);
  CHECK(os::whole_processors(os::parse_cfs("9000000000000000000", "1")) > 1'000'000);
}

TEST_CASE("a system without control groups has no quota", "[os]") {
  fake_system nothing;
  CHECK(nothing.limit(8) == 8);
  CHECK(nothing.limit(0) == 1);
  nothing.write("/proc/self/mountinfo", "garbage\n\n - \n");
  nothing.write("/proc/self/cgroup", "::\n:\n0\n");
  CHECK(nothing.limit(8) == 8);
}

TEST_CASE("v2: the tightest of the group and its ancestors", "[os]") {
  fake_system system;
  system.v2("/", "/a/b/c");
  CHECK(system.limit(8) == 8);
  system.write(unified + "/a/b/c/cpu.max", "max 100000\n");
  CHECK(system.limit(8) == 8);
  system.write(unified + "/a/b/c/cpu.max", "600000 100000\n");
  CHECK(system.limit(8) == 6);
  system.write(unified + "/a/b/cpu.max", "max 100000\n");
  system.write(unified + "/a/cpu.max", "70000 20000\n");
  CHECK(system.limit(8) == 4);
  CHECK(system.limit(2) == 2);
  system.write(unified + "/a/b/cpu.max", "5000 100000\n");
  CHECK(system.limit(8) == 1);
}

TEST_CASE("v2: a container sees its own group as the root", "[os]") {
  fake_system system;
  system.v2("/", "/");  // with a cgroup namespace
  system.write(unified + "/cpu.max", "200000 100000\n");
  CHECK(system.limit(8) == 2);
  system.v2("/docker/abc", "/docker/abc");  // without: the mount shows a part, /proc tells the whole path
  CHECK(system.limit(8) == 2);
  system.v2("/docker/abc", "/docker/abc/inner");
  system.write(unified + "/inner/cpu.max", "100000 100000\n");
  CHECK(system.limit(8) == 1);
  system.v2("/docker/abc", "/docker/abcdef/inner");  // another group, which is not mounted here
  CHECK(system.limit(8) == 2);
  system.v2("/", "/../../other");  // above the namespace's root
  CHECK(system.limit(8) == 2);
}

TEST_CASE("v1: the hierarchy with the cpu controller, all ancestors", "[os]") {
  fake_system system;
  system.v1("/", "/docker/abc");
  CHECK(system.limit(8) == 8);
  system.write(legacy + "/docker/abc/cpu.cfs_quota_us", "-1\n");
  system.write(legacy + "/docker/abc/cpu.cfs_period_us", "100000\n");
  CHECK(system.limit(8) == 8);
  system.write(legacy + "/docker/cpu.cfs_quota_us", "450000\n");
  system.write(legacy + "/docker/cpu.cfs_period_us", "100000\n");
  CHECK(system.limit(8) == 5);
  system.write(legacy + "/cpu.cfs_quota_us", "30000\n");
  system.write(legacy + "/cpu.cfs_period_us", "10000\n");
  CHECK(system.limit(8) == 3);
  system.v1("/docker/abc", "/docker/abc");
  CHECK(system.limit(8) == 3);
}

TEST_CASE("both versions at once: the tighter one", "[os]") {
  fake_system system;
  system.write("/proc/self/mountinfo",
               "30 25 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
               "32 25 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n");
  system.write("/proc/self/cgroup", "1:cpu:/one\n0::/two\n");
  system.write("/sys/fs/cgroup/cpu/one/cpu.cfs_quota_us", "300000\n");
  system.write("/sys/fs/cgroup/cpu/one/cpu.cfs_period_us", "100000\n");
  CHECK(system.limit(8) == 3);
  system.write("/sys/fs/cgroup/unified/two/cpu.max", "200000 100000\n");
  CHECK(system.limit(8) == 2);
  system.write("/sys/fs/cgroup/unified/two/cpu.max", "700000 100000\n");
  CHECK(system.limit(8) == 3);
}

TEST_CASE("a mount point with a blank in its name", "[os]") {
  fake_system system;
  system.write("/proc/self/mountinfo", "30 25 0:26 / /my\\040groups rw - cgroup2 cgroup2 rw\n");
  system.write("/proc/self/cgroup", "0::/g\n");
  system.write("/my groups/g/cpu.max", "100000 100000\n");
  CHECK(system.limit(8) == 1);
}

TEST_CASE("a long list of mounts is read whole", "[os]") {
  fake_system system;
  std::string mounts;
  for (int i = 0; i < 2000; ++i) mounts += "99 1 0:99 / /mnt/volume" + std::to_string(i) + " rw - ext4 /dev/sda rw\n";
  system.write("/proc/self/mountinfo", mounts + "30 25 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  system.write("/proc/self/cgroup", "0::/\n");
  system.write(unified + "/cpu.max", "200000 100000\n");
  CHECK(system.limit(8) == 2);
}
