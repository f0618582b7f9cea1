#!/bin/sh
# Consumers of an installed rove, and one that has it as a subproject: each is built and run.
#
#   sh test/packaging/packages.sh <build folder> [subproject]
#
# The folder holds a finished build. What is installed is moved before it is used: nothing in it may name the place it
# was installed to. With `subproject` that kind too, which builds the library once more. Last line: N passed, N failed.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "$1" && pwd) || exit 1
with_subproject=${2:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

expected="rove $(sed -n 's/^#define ROVE_VERSION_STRING "\(.*\)"/\1/p' "$root/include/rove/version.hpp"): 55"

step() {   # step <what> <command...>: silent if it works
  what=$1
  shift
  if "$@" >"$work/log" 2>&1; then passed=$((passed + 1)); return 0; fi
  echo "$what: failed"
  tail -n 20 "$work/log"
  failed=$((failed + 1))
  return 1
}

says() { [ "$("$1")" = "$expected" ]; }

step 'meson install' meson install -C "$build" --no-rebuild --destdir "$work/first" || {
  echo "0 passed, 1 failed"
  exit 1
}
installed=$(dirname "$(find "$work/first" -type d -path '*/include/rove' -not -path '*/detail/*' | head -n 1)")
mv "$(dirname "$installed")" "$work/moved"
pc=$(dirname "$(find "$work/moved" -name rove.pc)")

with_pkg_config() {
  PKG_CONFIG_PATH=$pc
  export PKG_CONFIG_PATH
  [ "rove $(pkg-config --modversion rove): 55" = "$expected" ] &&
    c++ -std=c++20 ${CXXFLAGS:-} $(pkg-config --cflags rove) "$root/test/packaging/consumer.cpp" \
      -o "$work/by_pkg_config" $(pkg-config --libs rove) && says "$work/by_pkg_config"
}
in_c() {
  cc -std=c11 -Wall -Wextra -pedantic -Werror $(pkg-config --cflags rove) "$root/test/packaging/consumer.c" \
    -o "$work/in_c" $(pkg-config --libs rove) -lstdc++ && says "$work/in_c"
}
with_cmake() {
  cp -r "$root/test/packaging" "$work/sources" &&
    cmake -G Ninja -S "$work/sources/cmake" -B "$work/by_cmake" -DCMAKE_PREFIX_PATH="$work/moved" &&
    cmake --build "$work/by_cmake" && says "$work/by_cmake/consumer"
}
refuses_other_version() {   # a program that asks for another version is told so
  sed 's/rove 0.1 /rove 7.0 /' "$work/sources/cmake/CMakeLists.txt" >"$work/CMakeLists.txt" &&
    mv "$work/CMakeLists.txt" "$work/sources/cmake/" &&
    ! cmake -G Ninja -S "$work/sources/cmake" -B "$work/refused" -DCMAKE_PREFIX_PATH="$work/moved"
}
as_subproject() {
  mkdir -p "$work/host/subprojects" && cp "$root"/test/packaging/subproject/meson.build "$work/host" &&
    cp "$root/test/packaging/consumer.cpp" "$work/host" && ln -s "$root" "$work/host/subprojects/rove" &&
    meson setup "$work/by_meson" "$work/host" && ninja -C "$work/by_meson" consumer && says "$work/by_meson/consumer"
}

step 'a consumer by pkg-config' with_pkg_config
step 'a consumer in C' in_c
if command -v cmake >/dev/null 2>&1; then
  step 'a consumer by CMake' with_cmake
  step 'CMake and another version' refuses_other_version
else
  echo "CMake is not there: its consumer was not built"
fi
[ "$with_subproject" = subproject ] && step 'a consumer with a subproject' as_subproject
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
