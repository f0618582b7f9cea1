#!/bin/sh
# The tour: builds rove and shows what it does, in under three minutes on a bare Debian 12. As root on Debian it
# installs what is missing, elsewhere it says what to install. All it writes is in build/; it can be run again.
set -eu
cd "$(dirname "$0")/.."
build=build/release
work=build/tour
failures=0

say() { printf '\n== %s\n' "$*"; }
have() { command -v "$1" >/dev/null 2>&1; }
fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

# The Debian packages that this machine lacks.
missing_packages() {
  have g++ || have clang++ || echo g++
  have meson || echo meson
  have ninja || echo ninja-build
  have pkg-config || echo pkg-config
  have python3 || echo python3
  # For the last part; bench/run.sh would get it as well, but one visit to the package server is quicker than two.
  { have pkg-config && pkg-config --exists benchmark; } || echo libbenchmark-dev
}

install_missing() {
  packages=$(missing_packages | tr '\n' ' ')
  [ -z "$packages" ] && return
  if [ "$(id -u)" != 0 ] || ! have apt-get; then
    [ "$packages" = "libbenchmark-dev " ] && return # the rest works without it
    echo "Missing here: $packages(Debian's names). Needed: GCC 12 or Clang 14, Meson 1.0, Ninja, pkg-config, Python 3"
    echo "and, for the comparison with std::thread, Google Benchmark. As root on Debian this script installs them."
    exit 1
  fi
  say "installing $packages"
  export DEBIAN_FRONTEND=noninteractive
  # shellcheck disable=SC2086
  if ! { apt-get update && apt-get install -y --no-install-recommends $packages; } >"$work/apt.log" 2>&1; then
    tail -n 20 "$work/apt.log"
    exit 1
  fi
}

build_release() {
  say "building into $build"
  if [ ! -f $build/build.ninja ]; then
    meson setup $build --buildtype=release -Dtests=disabled -Dbench=disabled -Dexamples=enabled \
      >"$work/setup.log" 2>&1 || { cat "$work/setup.log"; exit 1; }
  fi
  ninja -C $build >"$work/build.log" 2>&1 || { cat "$work/build.log"; exit 1; }
  ls -l $build/librove.a | awk '{ printf "librove.a: %.0f KB\n", $5 / 1000 }'
}

milliseconds() { echo $(($(date +%s%N) / 1000000)); }

# timed FILE COMMAND...: runs it with its output to FILE, and leaves in $took how many milliseconds it ran.
timed() {
  output=$1
  shift
  began=$(milliseconds)
  "$@" >"$output" || fail "$1 ended with status $?"
  took=$(($(milliseconds) - began))
}

# Until coreutils 9.4, unprintable bytes neither begin nor end a word in the C locale. Later ones count other words in
# files that are no text, so there the column of words is left out.
comparable() {
  if [ "$(printf '\001' | wc -w | tr -d ' ')" = 0 ]; then cat "$1"; else sed -E 's/^( *[0-9]+) +[0-9]+/\1/' "$1"; fi
}

big_tree() {
  for tree in /usr/include /usr/share /usr/lib /usr; do
    [ -d $tree ] && [ "$(find $tree -type f | wc -l)" -gt 3000 ] && echo $tree && return
  done
  echo /usr
}

tour_wc() {
  tree=$(big_tree)
  find "$tree" -type f -print0 | sort -z >"$work/files"
  say "wc: a goroutine for each of the $(tr -dc '\0' <"$work/files" | wc -c) files in $tree"
  if ! wc --version 2>/dev/null | grep -q 'GNU coreutils'; then
    echo "(this system's wc is not GNU coreutils', so there is nothing to compare with)"
    $build/examples/wc "$tree" | tail -n 1
    return
  fi
  wc --files0-from="$work/files" >/dev/null # so that both find the files in memory
  timed "$work/wc.coreutils" wc --files0-from="$work/files"
  echo "coreutils' wc: $took ms"
  timed "$work/wc.rove" $build/examples/wc "$tree"
  echo "examples/wc:   $took ms"
  tail -n 1 "$work/wc.rove"
  comparable "$work/wc.coreutils" >"$work/a"
  comparable "$work/wc.rove" >"$work/b"
  if cmp "$work/a" "$work/b"; then
    echo "$(wc -l <"$work/wc.rove") lines of output, the same byte for byte"
  else
    fail "examples/wc and coreutils' wc differ"
  fi
}

# Memory that can be had, in KB: what is free, and what a container's limit leaves.
memory_available() {
  available=$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo)
  for limit in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
    bytes=$(cat $limit 2>/dev/null || echo max)
    [ "$bytes" != max ] && [ ${#bytes} -lt 16 ] && [ $((bytes / 1024)) -lt "$available" ] && available=$((bytes / 1024))
  done
  echo "$available"
}

tour_million() {
  count=1000000
  say "a million goroutines at once"
  available=$(memory_available)
  if [ "$available" -lt 6000000 ]; then
    count=$((available / 6000 * 1000))
    echo "($((available / 1000)) MB of memory are free here, enough for about $count of them)"
  fi
  $build/examples/million $count || fail "examples/million ended with status $?"
}

tour_threads() {
  say "against std::thread"
  sh bench/run.sh --short || fail "bench/run.sh --short ended with status $?"
}

began_all=$(date +%s)
export LC_ALL=C
mkdir -p "$work"
install_missing
build_release
say "hello"
$build/examples/hello || fail "examples/hello ended with status $?"
tour_wc
tour_million
tour_threads
say "done in $(($(date +%s) - began_all)) s"
echo "The programs are in $build/examples, their sources in examples/. Next: sh test/run.sh"
[ $failures = 0 ]
