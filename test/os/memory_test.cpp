// Address space, guards, and barriers.
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <memory>
#include <thread>

#include <rove/detail/config.hpp>

#include "src/base/atomic.hpp"
#include "src/os/os.hpp"
#include "test/catch.hpp"

using namespace rove;

namespace {

// Whether the kernel can read the byte: writing it to a pipe gives EFAULT if not.
bool readable(const void* address) {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  ssize_t n = write(ends[1], address, 1);
  bool faulted = n == -1 && errno == EFAULT;
  close(ends[0]);
  close(ends[1]);
  CHECK((faulted || n == 1));
  return !faulted;
}

}  // namespace

TEST_CASE("reserved memory takes none until it is touched, and then a page at a time", "[os]") {
  std::size_t page = os::page_size(), bytes = 16 * 1024 * 1024;
  auto* memory = static_cast<char*>(os::reserve_memory(bytes));
  REQUIRE(memory != nullptr);
  CHECK(os::resident_memory(memory, bytes) == 0);
  memory[5 * 1024 * 1024] = 1;
  CHECK(memory[0] == 0);
  CHECK(os::resident_memory(memory, bytes) <= 2 * page);
  memory[bytes - 1] = 1;
  CHECK(os::resident_memory(memory, bytes) >= 2 * page);
  os::discard_memory(memory, bytes);
  CHECK(os::resident_memory(memory, bytes) == 0);
  CHECK(memory[bytes - 1] == 0);
  os::release_memory(memory, bytes);
}

TEST_CASE("an impossible size is refused", "[os]") {
  CHECK(os::reserve_memory(std::size_t{1} << 60) == nullptr);
}

TEST_CASE("a guard that the probe found really guards, before and after its pages were given back", "[os]") {
  os::guard_kind kind = os::probe_guards();
  CHECK(kind != os::guard_kind::none);
  std::size_t page = os::page_size();
  auto* memory = static_cast<char*>(os::reserve_memory(3 * page));
  REQUIRE(memory != nullptr);
  memory[2 * page] = 1;
  REQUIRE(os::install_guard(memory + page, page, kind) == 0);
  CHECK(readable(memory));
  CHECK_FALSE(readable(memory + page));
  CHECK_FALSE(readable(memory + 2 * page - 1));
  CHECK(readable(memory + 2 * page));
  os::discard_memory(memory, 3 * page);
  CHECK_FALSE(readable(memory + page));
  CHECK(readable(memory + 2 * page));
  os::release_memory(memory, 3 * page);
}

TEST_CASE("a guard made by mprotect works everywhere", "[os]") {
  std::size_t page = os::page_size();
  auto* memory = static_cast<char*>(os::reserve_memory(2 * page));
  REQUIRE(memory != nullptr);
  REQUIRE(os::install_guard(memory, page, os::guard_kind::mapping) == 0);
  CHECK_FALSE(readable(memory));
  CHECK(readable(memory + page));
  CHECK(os::install_guard(memory, page, os::guard_kind::none) < 0);
  os::release_memory(memory, 2 * page);
}

TEST_CASE("without descriptors the probe is still right", "[os]") {
  pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    rlimit none{0, 0};
    setrlimit(RLIMIT_NOFILE, &none);
    _exit(os::probe_guards() != os::guard_kind::lightweight ? 0 : 1);  // not believed without having been tried
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("the limit of mappings is known", "[os]") { CHECK(os::mapping_limit() >= 1000); }

TEST_CASE("barriers: before and after, and twice", "[os]") {
  base::real_atomics::light_fence();
  base::real_atomics::heavy_fence();
  os::init_barriers();
  bool first = base::asymmetric_fences;
  os::init_barriers();
  CHECK(base::asymmetric_fences == first);
  base::real_atomics::light_fence();
  base::real_atomics::heavy_fence();
}

// Store mine, load yours, as in Dekker's mutual exclusion: whoever sees the other's flag down goes in. Without the two
// fences both get in: seen about a hundred times a run when two CPUs were free, not at all when they were busy.
TEST_CASE("a light and a heavy fence together order a store and a load", "[os]") {
  os::init_barriers();
  struct alignas(64) line {
    std::atomic<int> value{0};
  };
  line light_flag, heavy_flag, heavy_inside, light_entered, end;
  int both = 0, heavy_entered = 0, round = 0;
  std::thread light([&, round = 0]() mutable {
    while (end.value.load(std::memory_order_relaxed) == 0) {
      light_flag.value.store(1, std::memory_order_relaxed);
      base::real_atomics::light_fence();
      if (heavy_flag.value.load(std::memory_order_acquire) == 0) {
        light_entered.value.store(1, std::memory_order_relaxed);
        for (int i = 0; i < 20; ++i) {
          both += heavy_inside.value.load(std::memory_order_relaxed);
          base::real_atomics::pause();
        }
      }
      light_flag.value.store(0, std::memory_order_release);
      for (int i = round++ % 64; i > 0; --i) base::real_atomics::pause();
    }
  });
  const os::nanoseconds enough = os::now() + 300'000'000;
  while (os::now() < enough || light_entered.value == 0 || heavy_entered == 0) {
    heavy_flag.value.store(1, std::memory_order_relaxed);
    base::real_atomics::heavy_fence();
    if (light_flag.value.load(std::memory_order_acquire) == 0) {
      ++heavy_entered;
      heavy_inside.value.store(1, std::memory_order_relaxed);
      for (int i = 0; i < 40; ++i) base::real_atomics::pause();
      heavy_inside.value.store(0, std::memory_order_relaxed);
    }
    heavy_flag.value.store(0, std::memory_order_release);
    for (int i = round++ % 61; i > 0; --i) base::real_atomics::pause();
  }
  end.value.store(1, std::memory_order_relaxed);
  light.join();
  CHECK(light_entered.value == 1);
  CHECK(heavy_entered > 0);
  CHECK(both == 0);
}
