#!/bin/sh
# Builds the example servers and what they are compared with, and prints one table: requests a second and latencies of
# each, the ratios, the aims.
#
#   sh bench/net/run.sh                     everything: about three minutes
#   sh bench/net/run.sh --seconds 1 --rounds 1 echo httpd
#
# Works: echo, one, httpd, respd, idle. Servers in Go need `go`, the others wrk, redis-benchmark and redis-server;
# what is not there is left out. On Debian, as root, it is installed (but for Go).
set -eu
cd "$(dirname "$0")/../.."
build=build/net

have() { command -v "$1" >/dev/null 2>&1; }

missing=
have c++ || missing="$missing g++"
have meson || missing="$missing meson"
have ninja || missing="$missing ninja-build"
have python3 || missing="$missing python3"
have wrk || missing="$missing wrk"
have redis-benchmark || missing="$missing redis-tools"
have redis-server || missing="$missing redis-server"
if [ -n "$missing" ] && [ "$(id -u)" = 0 ] && have apt-get; then
  echo "bench: installing$missing" >&2
  apt-get update -qq >&2
  # shellcheck disable=SC2086 # a list of words
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >&2
fi

# $build/log holds what the builds say; it is shown only if one fails.
mkdir -p "$build"
quietly() {
  if ! "$@" >"$build/log" 2>&1; then
    cat "$build/log" >&2
    exit 1
  fi
}

[ -f "$build/build.ninja" ] || quietly meson setup "$build" --buildtype=release -Dexamples=enabled -Dtests=disabled \
  -Dbench=disabled
quietly ninja -C "$build" examples/echo examples/httpd examples/respd
for program in epoll_echo blocking_echo echo_load; do
  quietly c++ -std=c++20 -O2 -Wall -Wextra "bench/net/$program.cpp" -o "$build/$program"
done
if have go; then
  export GOTOOLCHAIN=local GOPROXY=off GOFLAGS=
  build_go() (cd bench/go && go build -ldflags='-s -w' -o "../../$build/go_$1" "./$1")
  quietly build_go echo
  quietly build_go httpd
fi

PYTHONDONTWRITEBYTECODE=1 exec python3 bench/net/report.py --build "$build" "$@"
