// Reading control groups, v1 and v2.
//
// /proc/self/cgroup says which group the process is in, per hierarchy; /proc/self/mountinfo says where hierarchies are
// mounted. A container may see its own group as the mount's root while /proc tells the path from the host's root, so
// the mount's root is cut from the front of the path. A limit binds all groups below it: every ancestor is read.
#include "src/os/linux/cgroup.hpp"

#include <algorithm>
#include <limits>

#include "src/os/linux/file.hpp"

namespace rove::os {
namespace {

// Takes the part before the separator off the front of `rest`.
std::string_view cut(std::string_view& rest, char separator) {
  std::size_t end = rest.find(separator);
  std::string_view part = rest.substr(0, end);
  rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
  return part;
}

bool contains_word(std::string_view list, std::string_view word) {
  while (!list.empty())
    if (cut(list, ',') == word) return true;
  return false;
}

// mountinfo writes blank, tab, newline and backslash as \ and three octal digits.
std::string unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool octal = text[i] == '\\' && i + 3 < text.size();
    for (std::size_t k = 1; octal && k <= 3; ++k) octal = text[i + k] >= '0' && text[i + k] <= '7';
    if (!octal) {
      plain += text[i];
      continue;
    }
    plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
    i += 3;
  }
  return plain;
}

// These two grow with the number of mounts, so they are read in pieces into a string.
std::string read_text(const std::string& path) {
  std::string text(16 * 1024, '\0');
  for (;;) {
    std::size_t size = read_file(path.c_str(), text.data(), text.size()).size();
    if (size < text.size()) {
      text.resize(size);
      return text;
    }
    text.resize(text.size() * 2);
  }
}

std::string_view read_in(std::string& folder, const char* name, char (&room)[64]) {
  const std::size_t length = folder.size();
  const std::string_view text = read_file(folder.append(name).c_str(), room, sizeof room);
  folder.resize(length);
  return text;
}

cpu_quota quota_of(std::string& folder, bool v2) {
  char first[64], second[64];
  if (v2) return parse_cpu_max(read_in(folder, "/cpu.max", first));
  const std::string_view quota = read_in(folder, "/cpu.cfs_quota_us", first);
  return parse_cfs(quota, read_in(folder, "/cpu.cfs_period_us", second));
}

cpu_quota tightest_of_version(const std::string& root, std::string_view mountinfo, std::string_view cgroup, bool v2) {
  cpu_quota least;
  cgroup_mount mount;
  std::string path;
  if (!parse_mounts(mountinfo, v2, mount) || !parse_membership(cgroup, v2, path)) return least;
  std::string folder = root;
  folder.append(mount.point);
  const std::size_t top = folder.size();
  folder.append(path_in_mount(mount, path));
  for (;;) {
    const cpu_quota here = quota_of(folder, v2);
    if (tighter(here, least)) least = here;
    if (folder.size() == top) return least;
    folder.resize(std::max(top, folder.rfind('/')));
  }
}

}  // namespace

bool tighter(cpu_quota a, cpu_quota b) {
  if (a.quota == 0) return false;
  if (b.quota == 0) return true;
  return static_cast<double>(a.quota) / static_cast<double>(a.period) <
         static_cast<double>(b.quota) / static_cast<double>(b.period);
}

int whole_processors(cpu_quota q) {
  if (q.quota == 0) return 0;
  std::int64_t up = q.quota / q.period + (q.quota % q.period != 0);
  return static_cast<int>(std::clamp<std::int64_t>(up, 1, std::numeric_limits<int>::max()));
}

cpu_quota parse_cpu_max(std::string_view text) {
  cpu_quota q{parse_integer(text), 0};  // "max" is no number: -1
  cut(text, ' ');
  q.period = parse_integer(text);
  return q.quota > 0 && q.period > 0 ? q : cpu_quota{};
}

cpu_quota parse_cfs(std::string_view quota, std::string_view period) {
  cpu_quota q{parse_integer(quota), parse_integer(period)};
  return q.quota > 0 && q.period > 0 ? q : cpu_quota{};
}

bool parse_mounts(std::string_view mountinfo, bool v2, cgroup_mount& mount) {
  // 36 35 98:0 /group /sys/fs/cgroup/cpu rw,relatime shared:1 - cgroup cgroup rw,cpu,cpuacct
  while (!mountinfo.empty()) {
    std::string_view line = cut(mountinfo, '\n');
    std::size_t dash = line.find(" - ");
    if (dash == line.npos) continue;
    std::string_view tail = line.substr(dash + 3);
    std::string_view type = cut(tail, ' ');
    cut(tail, ' ');  // the source
    if (v2 ? type != "cgroup2" : type != "cgroup" || !contains_word(tail, "cpu")) continue;
    for (int skipped = 0; skipped < 3; ++skipped) cut(line, ' ');
    mount.root = unescape(cut(line, ' '));
    mount.point = unescape(cut(line, ' '));
    return true;
  }
  return false;
}

bool parse_membership(std::string_view cgroup, bool v2, std::string& path) {
  // v1: "4:cpu,cpuacct:/group"; v2: "0::/group"
  while (!cgroup.empty()) {
    std::string_view line = cut(cgroup, '\n');
    std::string_view number = cut(line, ':');
    std::string_view controllers = cut(line, ':');
    if (v2 ? number != "0" || !controllers.empty() : !contains_word(controllers, "cpu")) continue;
    path = line;
    return true;
  }
  return false;
}

std::string_view path_in_mount(const cgroup_mount& mount, std::string_view path) {
  if (mount.root != "/") {
    if (!path.starts_with(mount.root)) return {};
    path.remove_prefix(mount.root.size());
    if (!path.empty() && path[0] != '/') return {};  // root /a, path /ab
  }
  while (path.ends_with('/')) path.remove_suffix(1);
  if (path.starts_with("/..")) return {};  // above the root of this process's cgroup namespace: not to be seen
  return path;
}

cpu_quota tightest_quota(const std::string& root) {
  std::string mountinfo = read_text(root + "/proc/self/mountinfo");
  std::string cgroup = read_text(root + "/proc/self/cgroup");
  cpu_quota unified = tightest_of_version(root, mountinfo, cgroup, true);
  cpu_quota legacy = tightest_of_version(root, mountinfo, cgroup, false);
  return tighter(legacy, unified) ? legacy : unified;
}

int limited_processors(int cpus, const std::string& root) {
  int quota = whole_processors(tightest_quota(root));
  if (quota > 0) cpus = std::min(cpus, quota);
  return std::max(cpus, 1);
}

}  // namespace rove::os
