// The switch: each line of what it must get right, in the build at hand. switch_matrix.sh has the other builds.
#include "test/catch.hpp"

#include "test/arch/switch_checks.hpp"

namespace {

void run(const switch_checks::check* list) {
  for (; list->name; ++list) {
    INFO(list->name);
    const char* const wrong = list->run();
    INFO((wrong ? wrong : ""));
    CHECK(wrong == nullptr);
  }
}

}  // namespace

TEST_CASE("values are alive across a switch") { run(switch_checks::value_checks); }
TEST_CASE("frames are whole across a switch") { run(switch_checks::frame_checks); }
TEST_CASE("exceptions and switches") { run(switch_checks::exception_checks); }
TEST_CASE("modes of the build") { run(switch_checks::mode_checks); }
