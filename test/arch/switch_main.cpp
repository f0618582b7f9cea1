// The checks of the switch as a program of their own, for switch_matrix.sh.
#include <cstdio>

#include "test/arch/switch_checks.hpp"

int main() {
  using namespace switch_checks;
  int passed = 0, failed = 0;
  for (const check* list : {value_checks, frame_checks, exception_checks, mode_checks})
    for (; list->name; ++list) {
      if (const char* wrong = list->run()) {
        std::printf("failed: %s: %s\n", list->name, wrong);
        ++failed;
      } else {
        ++passed;
      }
      std::fflush(stdout);
    }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed != 0;
}
