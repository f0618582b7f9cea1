#!/bin/sh
# Builds rove in every way that matters and runs all tests.
#
#   sh test/run.sh                 everything
#   sh test/run.sh gcc tsan        only these parts
#
#   gcc       release build by gcc, the look of the finished archive, goroutines in a debugger, the installed packages
#   noexcept  release build by gcc without exceptions and RTTI, and a consumer of it
#   clang     -O1 -fPIC build by clang, with the library's own checks and its probes turned on, and these as tools see them
#   aarch64   AArch64 by cross compiler, run under qemu's user mode
#   system    some of those AArch64 programs on an emulated machine of their own, with Debian's kernel; Debian only
#   tsan      ThreadSanitizer, by clang (gcc's takes a megabyte a goroutine)
#   asan      AddressSanitizer and UndefinedBehaviorSanitizer, by clang (gcc's take twice as long to compile), and fp_env
#   switch    the switch with every compiler and option that matters to it, and under a debugger
#   scripts   the rules of the source: who includes whom, a reason for each atomic operation; docs/CONFORMANCE.md, the
#             code in the pages, the reference by Doxygen
#
# What is missing is installed on Debian as root; elsewhere the missing packages are named. Everything is built under
# build/, may be run again, and goes on from what is there. The last line is "N passed, N failed"; the exit status is 0
# if none failed and there were some.
set -u
cd "$(dirname "$0")/.."
ROOT=$(pwd)
all_parts="scripts gcc noexcept switch clang asan tsan aarch64 system"
jobs=$(nproc 2>/dev/null || echo 2)
passed=0 failed=0 times= failures=

say() { printf '\n== %s\n' "$*"; }

# ---- what has to be there ------------------------------------------------------------------------------------------

have() { command -v "$1" >/dev/null 2>&1; }
has_catch2() {
  echo '#include <catch2/catch.hpp>' | c++ -E -x c++ - >/dev/null 2>&1 || pkg-config --exists catch2-with-main
}
has_runtime() {   # has_runtime <compiler> <sanitizer>: a program can be linked with it
  echo 'int main() {}' | "$1" "-fsanitize=$2" -x c++ - -o /dev/null >/dev/null 2>&1
}

need() {   # need <package> <command...>: notes the package if the command fails
  package=$1
  shift
  "$@" || missing="$missing $package"
}

find_missing() {   # find_missing <parts...>
  missing=
  need python3 have python3
  for part; do
    if [ "$part" = scripts ]; then
      need doxygen have doxygen
      continue
    fi
    need g++ have g++
    case $part in
      switch) ;;
      *) need meson have meson; need ninja-build have ninja; need pkg-config have pkg-config; need catch2 has_catch2 ;;
    esac
    case $part in
      # Meson asks it where Debian keeps libraries; where it is missing they go to a folder that CMake does not look at.
      gcc | noexcept) ! have apt-get || need dpkg-dev have dpkg-architecture ;;
    esac
    case $part in
      gcc) need cmake have cmake; need gdb have gdb; need curl have curl; need wrk have wrk; need apache2-utils have ab; need redis-tools have redis-cli
        need libsdl2-dev pkg-config --exists sdl2; need xvfb have Xvfb ;;
      clang) need gdb have gdb; need_clang_runtime address ;;  # libFuzzer comes with it
      tsan) need_clang_runtime thread ;;
      asan) need_clang_runtime address ;;
      switch) need clang have clang++; need gdb have gdb; need_aarch64 ;;
      aarch64) need_aarch64 ;;
      system) need_system ;;
    esac
  done
  missing=$(printf '%s\n' $missing | sort -u | tr '\n' ' ')
}

need_clang_runtime() {   # need_clang_runtime <sanitizer>
  need clang have clang++
  have clang++ && need "libclang-rt-$(clang_version)-dev" has_runtime clang++ "$1"
}

need_aarch64() {
  [ "$(uname -m)" = x86_64 ] || return 0
  need g++-aarch64-linux-gnu have aarch64-linux-gnu-g++
  need qemu-user-static have qemu-aarch64-static
}

need_system() {
  [ "$(uname -m)" = x86_64 ] && have apt-get || return 0
  need_aarch64
  need qemu-system-arm have qemu-system-aarch64
  need cpio have cpio
}

clang_version() { clang++ -dumpversion | cut -d. -f1; }

install_missing() {
  find_missing "$@"
  [ -n "${missing% }" ] || return 0
  if [ "$(id -u)" = 0 ] && have apt-get; then
    say "installing: $missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q >build/apt.log 2>&1
    # shellcheck disable=SC2086 # a list of words
    apt-get install -q -y --no-install-recommends $missing >>build/apt.log 2>&1 || tail -n 20 build/apt.log
    find_missing "$@"
    # The sanitizers' run time can be looked for only once clang is there.
    # shellcheck disable=SC2086
    [ -z "${missing% }" ] || apt-get install -q -y --no-install-recommends $missing >>build/apt.log 2>&1
    find_missing "$@"
    [ -n "${missing% }" ] || return 0
  fi
  echo "These are missing (by their names in Debian): $missing" >&2
  echo "0 passed, 1 failed"
  exit 1
}

# ---- the parts -----------------------------------------------------------------------------------------------------

count() {   # count <what> <N passed, N failed...>: anything else than such a line is a failure
  case $2 in
    [0-9]*' passed, '[0-9]*' failed'*) ;;
    *) set -- "$1 (did not say how it went)" '0 passed, 1 failed' ;;
  esac
  what=$1
  # shellcheck disable=SC2046 # the words of the line
  set -- $(echo "$2" | tr -d ,)
  passed=$((passed + $1))
  failed=$((failed + $3))
  [ "$3" = 0 ] || failures="$failures
$part: $what"
}

build_and_test() {   # build_and_test <part> <compiler or empty> <meson test options> <meson setup options...>
  part=$1 compiler=$2 test_options=$3
  shift 3
  build=build/$part
  [ -f "$build/build.ninja" ] || rm -rf "$build"
  if [ -d "$build" ]; then set -- --reconfigure "$@"; fi
  if ! CXX=$compiler meson setup "$build" "$@" -Dtests=enabled -Dbench=disabled >"$build.log" 2>&1 ||
    ! ninja -C "$build" >>"$build.log" 2>&1; then
    grep -E 'error|ERROR|FAILED' "$build.log" | head -n 40
    echo "$part: could not be built; see $build.log"
    count 'the build' '0 passed, 1 failed'
    return
  fi
  rm -f "$build"/meson-logs/testlog*.json
  # shellcheck disable=SC2086 # the options are words
  meson test -C "$build" --no-rebuild --num-processes "$jobs" --quiet --print-errorlogs $test_options >"$build.test.log" 2>&1 ||
    cat "$build.test.log"
  results=$(python3 test/scripts/count_results.py "$build"/meson-logs/testlog*.json)  # a wrapper's name is part of it
  result=$(echo "$results" | tail -n 1)
  echo "$result"
  count "$(echo "$results" | sed '$d' | tr '\n' ' ')" "$result"
}

check() {   # check <what> <command...>: one that says by its exit status how it went
  what=$1
  shift
  if "$@"; then count "$what" '1 passed, 0 failed'; else count "$what" '0 passed, 1 failed'; fi
}

counted() {   # counted <command...>: one that says so in its last line
  "$@" >build/counted.log 2>&1
  cat build/counted.log
  count "$2" "$(tail -n 1 build/counted.log)"
}

part_gcc() {
  build_and_test gcc g++ '' -Dbuildtype=release
  check 'the archive' sh test/scripts/check_archive.sh build/gcc/librove.a
  counted sh test/debug/gdb_goroutines.sh build/gcc/librove.a
  counted sh test/packaging/packages.sh build/gcc subproject
}

part_noexcept() {
  build_and_test noexcept g++ '' -Dbuildtype=release -Dcpp_eh=none -Dcpp_rtti=false -Dexamples=disabled
  CXXFLAGS='-fno-exceptions -fno-rtti'
  export CXXFLAGS
  counted sh test/packaging/packages.sh build/noexcept
  unset CXXFLAGS
}

part_clang() {
  build_and_test clang clang++ '' -Dbuildtype=debugoptimized -Doptimization=1 -Dcpp_args=-fPIC -Ddebug_checks=true \
    -Dusdt=true
  counted sh test/debug/usdt.sh build/clang/librove.a
}

part_aarch64() {
  if [ "$(uname -m)" != x86_64 ]; then echo "skipped: this part is for x86-64"; return; fi
  build_and_test aarch64 '' '--timeout-multiplier 3' --cross-file cross/aarch64.ini -Dbuildtype=release
}

# What qemu's user mode is not: a kernel. The programs are those of the part before it.
part_system() {
  if [ "$(uname -m)" != x86_64 ] || ! have apt-get; then echo "skipped: this part is for Debian on x86-64"; return; fi
  if [ ! -x build/aarch64/test/sched_run_test ]; then echo "skipped: there is no AArch64 build (part aarch64)"; return; fi
  counted sh test/system/aarch64.sh build/aarch64 arch_switch_test arch_fault_test arch_stack_test \
    arch_stack_memory_test os_thread_test os_processors_test debug_report_test sched_run_test sched_deadlock_test \
    sched_blocking_test sched_idle_test sched_netpoll_test chan_chan_test sync_sync_test sync_groups_test \
    time_timer_test net_close_test
}

part_tsan() {
  TSAN_OPTIONS="halt_on_error=0 exitcode=66 atexit_sleep_ms=50 second_deadlock_stack=1 ${TSAN_OPTIONS:-}"
  export TSAN_OPTIONS
  wrapper=
  # On kernels that randomise addresses widely, ThreadSanitizer finds its own ranges taken.
  if setarch -R true 2>/dev/null; then
    printf '#!/bin/sh\nexec setarch -R "$@"\n' >build/fixed-addresses
    chmod +x build/fixed-addresses
    wrapper="--wrapper $ROOT/build/fixed-addresses"
  fi
  build_and_test tsan clang++ "--timeout-multiplier 3 $wrapper" -Dbuildtype=debugoptimized -Doptimization=1 \
    -Db_sanitize=thread -Db_lundef=false -Ddebug_checks=true
}

part_asan() {
  ASAN_OPTIONS="detect_stack_use_after_return=1 ${ASAN_OPTIONS:-}"
  UBSAN_OPTIONS="halt_on_error=1 print_stacktrace=1 ${UBSAN_OPTIONS:-}"
  export ASAN_OPTIONS UBSAN_OPTIONS
  # Its check of a vptr asks a pipe whether the memory can be read: it reports nonsense where a test has used up all
  # descriptors.
  build_and_test asan clang++ '--timeout-multiplier 3' -Dbuildtype=debugoptimized -Doptimization=1 \
    -Db_sanitize=address,undefined -Db_lundef=false -Dcpp_args=-fno-sanitize=vptr -Ddebug_checks=true -Dfp_env=true
}

part_switch() {
  counted sh test/arch/switch_matrix.sh
  counted sh test/arch/switch_gdb.sh
}

part_scripts() {
  check 'who includes whom' python3 test/scripts/check_layers.py
  check 'atomic operations' python3 test/scripts/check_atomics.py
  check 'the table of conformance' python3 test/scripts/check_conformance.py
  check 'the code that the pages show' python3 test/scripts/check_docs.py
  check 'the reference' sh test/scripts/check_reference.sh
}

# ---- all of it -----------------------------------------------------------------------------------------------------

[ $# -gt 0 ] || set -- $all_parts
for part; do
  case " $all_parts " in
    *" $part "*) ;;
    *) echo "There is no part '$part'; there are: $all_parts" >&2; exit 2 ;;
  esac
done

mkdir -p build
install_missing "$@"
for part; do
  say "$part"
  start=$(date +%s)
  "part_$part"
  times="$times $part $(($(date +%s) - start)) s,"
done

say "time:${times%,}"
[ -z "$failures" ] || printf 'What failed:%s\n' "$failures"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
