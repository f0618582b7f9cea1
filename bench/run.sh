#!/bin/sh
# Builds rove and its benchmarks for release, runs them and prints one table; JSON and a picture go to
# build/bench/results.
#
#   sh bench/run.sh                       everything, with Go if it is there: some minutes
#   sh bench/run.sh --short               rove against std::thread alone: under a minute
#   sh bench/run.sh --repetitions 3 ring  these works only
#
# On a bare Debian, as root, what is missing is installed.
set -eu

cd "$(dirname "$0")/.."
build=build/bench

missing() {
  for tool in c++ meson ninja python3 pkg-config; do
    command -v "$tool" >/dev/null 2>&1 || return 0
  done
  ! printf '#include <benchmark/benchmark.h>\n' | c++ -x c++ -std=c++20 -fsyntax-only - 2>/dev/null
}

if missing; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "bench: installing g++, meson, ninja and Google Benchmark" >&2
    apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      g++ meson ninja-build pkg-config python3 libbenchmark-dev >&2
  else
    echo "bench: needs g++, meson, ninja, pkg-config, python3 and Google Benchmark (Debian: g++ meson ninja-build" \
      "pkg-config python3 libbenchmark-dev)" >&2
    exit 1
  fi
fi

# $build/log holds what the builds say; it is shown only if one fails.
mkdir -p "$build"
quietly() {
  if ! "$@" >"$build/log" 2>&1; then
    cat "$build/log" >&2
    exit 1
  fi
}

[ -f "$build/build.ninja" ] || quietly meson setup "$build" --buildtype=release -Dbench=enabled -Dtests=disabled \
  -Dexamples=disabled
quietly meson compile -C "$build"

# The twins in Go, from the source beside this script and nothing else; not for the short table.
case " $* " in *" --short "*) with_go=no ;; *) with_go=yes ;; esac
if [ "$with_go" = yes ] && command -v go >/dev/null 2>&1; then
  export GOTOOLCHAIN=local GOPROXY=off GOFLAGS=
  build_go() (cd bench/go && go build -ldflags='-s -w' -o "../../$build/$1" "$2")
  quietly build_go go_bench .
  quietly build_go go_hello ./hello
  set -- --go-bench "$build/go_bench" --go-hello "$build/go_hello" --go-version "$(go version | cut -d' ' -f3)" "$@"
fi

PYTHONDONTWRITEBYTECODE=1 exec python3 bench/report.py --build "$build" "$@"
