#!/bin/sh
# The probes of a library built with -Dusdt=true: their notes, by readelf; what they say while a program runs, by gdb.
#
#   sh test/debug/usdt.sh <librove.a, built with -Dusdt=true and without sanitizers>
#
# The last line is: N passed, N failed.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
archive=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

check() {   # check <what> <command...>
  what=$1
  shift
  if "$@"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "wrong: $what"
  fi
}

# Each probe, and the sizes of its arguments.
probes='goroutine__create 8 8 8
goroutine__start 8 8
goroutine__end 8
goroutine__switch 8 8
goroutine__park 8 1
goroutine__ready 8 8
goroutine__steal 4 4 8
blocking__enter 8
blocking__leave 8'

notes_of() {   # notes_of <file>: a line for each note: provider, name, arguments
  readelf -n "$1" 2>"$work/complaints" |
    awk '$1 == "Provider:" { provider = $2 } $1 == "Name:" { name = $2 }
      $1 == "Arguments:" { $1 = ""; gsub(", ", ","); print provider " " name $0 }'
}

is_described() {   # is_described <notes> <place> <probe> <sizes...>: it is there, and each time with these arguments
  notes=$1 operand=$2 name=$3
  pattern="^rove $name"
  shift 3
  for size; do pattern="$pattern $size@$operand"; done
  grep -q "^rove $name " "$notes" && ! grep "^rove $name " "$notes" | grep -vE "$pattern\$"
}

check_notes() {   # check_notes <what> <notes> <place> <probes>
  while read -r probe sizes; do
    # shellcheck disable=SC2086 # a list of words
    check "$1: $probe" is_described "$2" "$3" "$probe" $sizes
  done <<LIST
$4
LIST
  check "$1: other probes" [ "$(cut -d' ' -f1,2 "$2" | sort -u | wc -l)" = "$(echo "$4" | wc -l)" ]
}

x86_64='([0-9]*\(%r[a-z0-9]+\)|%r[a-z0-9]+|\$[0-9]+)'
aarch64='(\[x[0-9]+(,#?[0-9]+)?\]|x[0-9]+|#?[0-9]+)'
case $(uname -m) in x86_64) place=$x86_64 ;; *) place=$aarch64 ;; esac

notes_of "$archive" >"$work/archive"
check_notes 'the archive' "$work/archive" "$place" "$probes"
if [ "$(uname -m)" = x86_64 ] && command -v aarch64-linux-gnu-g++ >/dev/null 2>&1; then
  aarch64-linux-gnu-g++ -std=c++20 -O2 -I"$root/include" -I"$root" -DROVE_USDT=1 -DROVE_STACK_SIZE=262144 \
    -c "$root/src/sched/park.cpp" -o "$work/aarch64.o"
  notes_of "$work/aarch64.o" >"$work/aarch64"
  check_notes 'AArch64' "$work/aarch64" "$aarch64" "$(echo "$probes" | grep -E '__(switch|park|ready)')"
fi

c++ -std=c++20 -O1 -g -I"$root/include" "$root/test/debug/usdt_program.cpp" "$archive" -pthread -Wl,--gc-sections \
  -o "$work/program"
notes_of "$work/program" >"$work/linked"
check_notes 'a program' "$work/linked" "$place" "$probes"
check 'the program runs' "$work/program"

# The page tells the reasons of a park by their numbers.
reasons=$(sed -n '/^enum class wait_reason/,/};/p' "$root/include/rove/detail/waiter.hpp" | sed '1d;$d' | tr -d ' \n' |
  awk -F, '{ for (i = 1; $i != ""; ++i) printf "%s%d `%s`", i == 1 ? "" : ", ", i - 1, $i }')
page=$(tr '\n' ' ' <"$root/docs/INSPECTING.md")
case $page in
  *"$reasons"*) check 'the reasons in the page' true ;;
  *) check "the page does not have: $reasons" false ;;
esac

if command -v gdb >/dev/null 2>&1; then
  tell() {   # tell <probe> <format>: gdb prints that whenever it is reached
    printf 'break -probe-stap rove:%s\ncommands\nsilent\n' "$1"
    case $2 in
      *%d*%d*) printf 'printf "told: %s\\n", $_probe_arg0, $_probe_arg1\n' "$2" ;;
      *) printf 'printf "told: %s\\n", $_probe_arg0\n' "$2" ;;
    esac
    printf 'continue\nend\n'
  }
  {
    printf 'set debuginfod enabled off\nset pagination off\nset breakpoint pending off\ninfo probes stap rove\n'
    tell goroutine__create 'create %d'
    tell goroutine__start 'start %d'
    tell goroutine__park 'park %d for %d'
    tell goroutine__ready 'ready %d by %d'
    tell goroutine__end 'end %d'
    tell blocking__enter 'enter %d'
    tell blocking__leave 'leave %d'
    printf 'run\n'
  } >"$work/commands"
  gdb -nx -batch -x "$work/commands" "$work/program" >"$work/told" 2>&1
  check 'gdb lists them' [ "$(grep -cE '^stap +rove +goroutine__start ' "$work/told")" -ge 1 ]
  # 1 is main, 2 receives: reason 1. Main waits for its end: 15, and is woken when 2 has left its stack: by nobody.
  expected='create 1,start 1,create 2,start 2,park 2 for 1,ready 2 by 1,park 1 for 15,end 2,ready 1 by 0,enter 1,'
  expected="${expected}leave 1,end 1,"
  told=$(sed -n 's/^told: //p' "$work/told" | tr '\n' ',')
  check "gdb was told: $told" [ "$told" = "$expected" ]
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
