// Address space, pages and guard pages.
#include <errno.h>
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "src/os/hooks.hpp"
#include "src/os/linux/file.hpp"
#include "src/os/os.hpp"

namespace rove::os {

constinit hook<memory_hook> on_memory;

namespace {

constexpr int advice_guard_install = 102;  // MADV_GUARD_INSTALL, Linux 6.13; older headers lack it

// Whether reading the page fails: asked of the kernel, which answers EFAULT where a load of ours would die. A success
// of madvise proves nothing, qemu-user answers 0 to any advice.
bool faults(const void* page) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return false;
  bool fault = write(ends[1], page, 1) == -1 && errno == EFAULT;
  close(ends[0]);
  close(ends[1]);
  return fault;
}

void* map_memory(std::size_t bytes) {
  // Not reserved in the kernel's books: with vm.overcommit_memory = 0 a large mapping is refused otherwise.
  void* start = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (start == MAP_FAILED) return nullptr;
  madvise(start, bytes, MADV_NOHUGEPAGE);  // a touch must commit one page, not two megabytes; EINVAL: has none anyway
  return start;
}

}  // namespace

std::size_t page_size() {
  static const std::size_t size = getauxval(AT_PAGESZ);
  return size;
}

void* reserve_memory(std::size_t bytes, memory_kind kind) {
  void* data;
  const memory_hook told = on_memory.get(data);
  if (!told) return map_memory(bytes);
  const auto change = static_cast<std::ptrdiff_t>(bytes);
  if (!told(data, kind, change)) return nullptr;
  void* const start = map_memory(bytes);
  if (start == nullptr) told(data, kind, -change);
  return start;
}

void release_memory(void* start, std::size_t bytes, memory_kind kind) {
  munmap(start, bytes);
  void* data;
  if (const memory_hook told = on_memory.get(data)) told(data, kind, -static_cast<std::ptrdiff_t>(bytes));
}

void discard_memory(void* start, std::size_t bytes) { madvise(start, bytes, MADV_DONTNEED); }

guard_kind probe_guards() {
  std::size_t bytes = page_size();
  void* page = map_memory(bytes);
  if (page == nullptr) return guard_kind::none;
  guard_kind kind = guard_kind::none;
  for (guard_kind candidate : {guard_kind::lightweight, guard_kind::mapping}) {
    if (install_guard(page, bytes, candidate) == 0 && faults(page)) {
      kind = candidate;
      break;
    }
  }
  munmap(page, bytes);
  return kind;
}

int install_guard(void* page, std::size_t bytes, guard_kind kind) {
  switch (kind) {
    case guard_kind::lightweight:
      return madvise(page, bytes, advice_guard_install) == 0 ? 0 : -errno;
    case guard_kind::mapping:
      return mprotect(page, bytes, PROT_NONE) == 0 ? 0 : -errno;
    case guard_kind::none:
      break;
  }
  return -ENOSYS;
}

std::size_t resident_memory(const void* start, std::size_t bytes) {
  constexpr std::size_t window = 4096;
  unsigned char present[window];
  std::size_t page = page_size();
  std::size_t pages = (bytes + page - 1) / page;
  std::size_t found = 0;
  std::size_t step = window;
  for (const char* at = static_cast<const char*>(start); pages != 0;) {
    std::size_t n = std::min(pages, step);
    if (mincore(const_cast<char*>(at), n * page, present) == 0) {
      for (std::size_t i = 0; i < n; ++i) found += present[i] & 1;
    } else if (n > 1) {  // something in it is refused (qemu-user does so with guards): what is around it still counts
      step = n / 2;
      continue;
    }
    at += n * page;
    pages -= n;
    step = window;
  }
  return found * page;
}

std::size_t mapping_limit() {
  constexpr std::size_t unknown = std::size_t{1} << 30;
  char text[32];
  std::string_view number = read_file("/proc/sys/vm/max_map_count", text, sizeof text);
  std::int64_t limit = parse_integer(number);
  return limit > 0 ? static_cast<std::size_t>(limit) : unknown;
}

}  // namespace rove::os
