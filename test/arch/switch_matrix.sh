#!/bin/sh
# The checks of the switch with every compiler and every option that changes what a switch must keep.
#
#   sh test/arch/switch_matrix.sh [native] [aarch64]      (without a name: both)
#
# A compiler or an emulator that is not there is skipped, and said so. Each combination that fails prints its command
# and its output. Last line: "N passed, N failed", each check in each combination counted. JOBS and BUILD may be set.
set -u
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build/matrix}
JOBS=${JOBS:-$(nproc)}
self=test/arch/switch_matrix.sh

run_one() {   # run_one <cpu> <output> <prefix of the run> <compiler and options...>
  cpu=$1 out=$2 prefix=$3
  shift 3
  set -- "$@" -std=c++20 -Wall -Wextra -Werror -pthread -I. -Iinclude \
    test/arch/switch_main.cpp test/arch/switch_checks.cpp test/arch/switch_values.cpp test/arch/switch_frames.cpp \
    test/arch/switch_exceptions.cpp test/arch/switch_modes.cpp "test/arch/pattern_$cpu.S" \
    src/arch/switch.cpp src/arch/sanitizer.cpp "asm/$cpu/switch.S" -o "$out"
  # shellcheck disable=SC2086 # the prefix is several words
  if "$@" >"$out.log" 2>&1 && timeout 120 $prefix "$out" >>"$out.log" 2>&1; then
    tail -n 1 "$out.log" >"$out.result"
  else
    { echo "FAILED: $*"; cat "$out.log"; } >&2
    # A crash, or no program at all, is one failure more than what was counted.
    tail -n 1 "$out.log" | grep -Eq '^[0-9]+ passed, [0-9]+ failed$' && tail -n 1 "$out.log" >"$out.result" ||
      echo "0 passed, 1 failed" >"$out.result"
  fi
  rm -f "$out"
}

if [ "${1:-}" = --one ]; then   # how xargs calls it: the words of a line are the arguments, `_` stands for a blank
  shift
  cpu=$1 out=$2 prefix=$(echo "$3" | tr _ ' ')
  shift 3
  run_one "$cpu" "$out" "$prefix" "$@"
  exit 0
fi

have() { command -v "$1" >/dev/null 2>&1; }

number=0
combination() {   # combination <cpu> <prefix> <compiler and options...>: a line for xargs
  cpu=$1 prefix=$2
  shift 2
  number=$((number + 1))
  echo "$cpu $BUILD/$cpu-$number $prefix $*"
}

every_level() {   # every_level <cpu> <prefix> <compiler...>: the options that every CPU has
  for level in -O0 -O2 -O3; do
    for option in '' -fPIC -flto -fno-omit-frame-pointer; do
      combination "$@" $level $option
    done
    combination "$@" $level -DROVE_FP_ENV=1
    combination "$@" $level -DROVE_INLINE_SWITCH=0
  done
  combination "$@" -O1
  combination "$@" -Os
}

native() {
  case $(uname -m) in
    x86_64) cpu=x86_64 ;;
    aarch64 | arm64) cpu=aarch64 ;;
    *) echo "no port for $(uname -m)" >&2; return ;;
  esac
  for compiler in g++ clang++; do
    have $compiler || { echo "skipped: $compiler is not there" >&2; continue; }
    every_level $cpu env $compiler
    if [ $cpu = x86_64 ]; then
      for level in -O0 -O2 -O3; do
        combination $cpu env $compiler $level -fcf-protection=full
        grep -qw avx2 /proc/cpuinfo && combination $cpu env $compiler $level -mavx2
        grep -qw avx512f /proc/cpuinfo && combination $cpu env $compiler $level -mavx512f
      done
      combination $cpu env $compiler -O2 -fcf-protection=full -fPIC -flto
      combination $cpu env $compiler -O2 -mcmodel=medium
      combination $cpu env $compiler -O2 -no-pie -fno-pie
    fi
  done
}

aarch64() {
  [ "$(uname -m)" = x86_64 ] || { echo "skipped: the emulated AArch64" >&2; return; }
  have qemu-aarch64-static && have aarch64-linux-gnu-g++ ||
    { echo "skipped: AArch64 (needs g++-aarch64-linux-gnu and qemu-user-static)" >&2; return; }
  emulator=qemu-aarch64-static_-cpu_max_-L_/usr/aarch64-linux-gnu
  for compiler in aarch64-linux-gnu-g++ 'clang++ --target=aarch64-linux-gnu'; do
    have ${compiler%% *} || { echo "skipped: $compiler is not there" >&2; continue; }
    for level in -O0 -O2 -O3; do
      for option in '' -fPIC -fno-omit-frame-pointer -mbranch-protection=standard -march=armv8.2-a+sve; do
        combination aarch64 $emulator $compiler $level $option
      done
    done
    combination aarch64 $emulator $compiler -O2 -DROVE_FP_ENV=1
    combination aarch64 $emulator $compiler -O2 -DROVE_INLINE_SWITCH=0
    combination aarch64 $emulator $compiler -O2 -mbranch-protection=standard -fPIC
  done
  combination aarch64 $emulator aarch64-linux-gnu-g++ -O2 -ffixed-x18
  combination aarch64 $emulator aarch64-linux-gnu-g++ -O2 -flto
}

mkdir -p "$BUILD"
rm -f "$BUILD"/*
[ $# -gt 0 ] || set -- native aarch64
for part; do $part; done >"$BUILD/combinations"
xargs -P "$JOBS" -L 1 sh $self --one <"$BUILD/combinations"

echo "$(wc -l <"$BUILD/combinations") combinations of compiler and options"
cat "$BUILD"/*.result 2>/dev/null | awk '{ p += $1; f += $3 }
  END { printf "%d passed, %d failed\n", p, f; exit f > 0 || p == 0 }'
