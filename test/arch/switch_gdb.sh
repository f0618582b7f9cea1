#!/bin/sh
# A debugger's view from every instruction of the switch, in programs of each compiler (x86-64; skipped without gdb).
# Last line: "N passed, N failed". BUILD may be set.
set -u
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build/matrix}
mkdir -p "$BUILD"

if [ "$(uname -m)" != x86_64 ] || ! gdb --version >/dev/null 2>&1; then
  echo "skipped: gdb on x86-64 is not there" >&2
  echo "0 passed, 0 failed"
  exit 0
fi

program=$BUILD/switch_gdb
for compiler in 'g++ -O2' 'g++ -O0' 'g++ -O2 -fno-omit-frame-pointer' 'clang++ -O2' 'clang++ -O0' \
  'g++ -O2 -DROVE_INLINE_SWITCH=0' 'clang++ -O0 -DROVE_INLINE_SWITCH=0' 'g++ -O2 -DROVE_FP_ENV=1'; do
  command -v ${compiler%% *} >/dev/null 2>&1 || continue
  # shellcheck disable=SC2086 # the compiler and its options are several words
  $compiler -g -std=c++20 -I. -Iinclude test/arch/switch_gdb.cpp test/arch/switch_checks.cpp src/arch/switch.cpp \
    asm/x86_64/switch.S -o "$program" || { echo "0 passed, 1 failed"; continue; }
  gdb -nx -batch -x test/arch/switch_gdb.py "$program" >"$program.log" 2>&1
  grep -E '^failed' "$program.log" | sed "s/^/$compiler: /" >&2
  grep -E '^[0-9]+ passed' "$program.log" || { echo "0 passed, 1 failed"; tail -n 20 "$program.log" >&2; }
done | awk '{ p += $1; f += $3 } END { printf "%d passed, %d failed\n", p, f; exit f > 0 || p == 0 }'
