#!/bin/sh
# tools/rove-gdb.py in gdb's batch mode: a live process, and its core.
#
#   sh test/debug/gdb_goroutines.sh <librove.a, built without sanitizers>
#
# The last line is: N passed, N failed.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
archive=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

if ! command -v gdb >/dev/null 2>&1; then
  echo "gdb is not there: skipped"
  echo "0 passed, 0 failed"
  exit 0
fi
c++ -std=c++20 -O1 -g -I"$root/include" "$root/test/debug/gdb_program.cpp" "$archive" -pthread -o "$work/program" || {
  echo "0 passed, 1 failed"
  exit 1
}

expect() {   # expect <file> <what> <extended regular expression>
  if grep -qE "$3" "$1"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "$2: not found: $3"
  fi
}

judge() {   # judge <file> <what>
  before=$failed
  expect "$1" "$2" '^ +1  running +"main"'
  expect "$1" "$2" '^ +2  chan receive +"deep" '
  expect "$1" "$2" '^ +3  sleep +"sleeper" '
  expect "$1" "$2" '^goroutine 2 "deep" \[chan receive\]:'
  expect "$1" "$2" '^#[0-9]+ .*waits_for_value \(ch=\.\.\., depth.*=0\)'
  expect "$1" "$2" '^#[0-9]+ .*waits_for_value \(ch=\.\.\., depth.*=3\)'
  expect "$1" "$2" '^#.* all_are_there'
  expect "$1" "$2" '^no goroutine: there is no goroutine 99'
  expect "$1" "$2" '^current frames: .*all_are_there'
  [ "$failed" = "$before" ] || head -n 100 "$1"
}

cat >"$work/look" <<'GDB'
info goroutines
goroutine all bt
goroutine 2 bt
python
try:
    gdb.execute("goroutine 99 bt")
except gdb.error as e:
    print("no goroutine: " + str(e).replace("Error occurred in Python: ", ""))
frame, names = gdb.selected_frame(), []
while frame:
    names.append(str(frame.name()))  # None in a C library without symbols
    frame = frame.older()
print("current frames: " + " ".join(names))
end
GDB

gdb -nx -batch -ex 'set debuginfod enabled off' -ex 'set pagination off' -ex 'break all_are_there' -ex run \
  -x "$root/tools/rove-gdb.py" -x "$work/look" -ex kill "$work/program" >"$work/live" 2>&1
judge "$work/live" 'a live process'
# The system's core: gdb's own generate-core-file leaves out a stack whose guard page it cannot read.
# With the `true` it is the inner shell that tells of the abort, to nobody.
(cd "$work" && ulimit -c unlimited && ROVE_TEST_ABORTS=1 ./program; true) >/dev/null 2>&1
core=$(find "$work" -name 'core*' | head -n 1)
if [ -n "$core" ]; then
  gdb -nx -batch -ex 'set debuginfod enabled off' -ex 'set pagination off' -x "$root/tools/rove-gdb.py" -x "$work/look" \
    "$work/program" "$core" >"$work/dead" 2>&1
  judge "$work/dead" 'a core file'
else
  echo "the system leaves no core here ($(cat /proc/sys/kernel/core_pattern)): that part is skipped"
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
