#!/bin/sh
# Runs test programs of an AArch64 build on a machine of their own: Debian's kernel under qemu's full emulation, with
# real threads, signals and limits, which the user mode does not have; that kernel has no MADV_GUARD_INSTALL either.
#
#   sh test/system/aarch64.sh <build folder> <program...>
#
# Needs qemu-system-aarch64, the cross compiler, cpio, and apt-get, which downloads the kernel; without it nothing is run.
# The last line is "N passed, N failed".
set -eu
build=$(cd "$1" && pwd)
shift
here=$(cd "$(dirname "$0")" && pwd)
work=$build/system
mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
cd "$work"

apt() {   # apt <command...>: with a state of its own, of the other architecture
  command=$1
  shift
  "$command" -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o APT::Sandbox::User=root \
    -o Acquire::http::Timeout=30 -o Acquire::Retries=1 -o Dir::State::Lists="$work/lists" -o Dir::State::Status=/dev/null -o Dir::Cache="$work/cache" -q "$@"
}

get_kernel() {
  apt apt-get update >apt.log 2>&1 || return 1
  package=$(apt apt-cache depends linux-image-cloud-arm64 2>>apt.log | awk '/Depends:/ { print $2; exit }')
  [ -n "$package" ] && apt apt-get download "$package" >>apt.log 2>&1 && dpkg-deb -x "$package"_*.deb kernel
}

if ! ls kernel/boot/vmlinuz-* >/dev/null 2>&1 && ! get_kernel; then
  tail -n 5 apt.log
  echo "skipped: Debian's kernel for arm64 cannot be downloaded"
  echo "0 passed, 0 failed"
  exit 0
fi

rm -rf root
mkdir -p root/lib root/test
for program; do
  cp "$build/test/$program" root/test/
  echo "/test/$program" >>root/tests
done
libraries=/usr/aarch64-linux-gnu/lib
for name in ld-linux-aarch64.so.1 libc.so.6 libm.so.6 libstdc++.so.6 libgcc_s.so.1; do
  cp -L "$libraries/$name" root/lib/
done
aarch64-linux-gnu-g++ -std=c++20 -O1 -static -o root/init "$here/init.cpp"
(cd root && find . | cpio -o -H newc --quiet) >initrd

timeout 1200 qemu-system-aarch64 -M virt -cpu max,pauth-impdef=on -smp 2 -m 3G -nographic -nic none -no-reboot \
  -kernel kernel/boot/vmlinuz-* -initrd initrd -append 'console=ttyAMA0 quiet panic=-1' </dev/null | stdbuf -oL tr -d '\r' |
  tee console.log | grep --line-buffered -v '^\['
tail -n 1 console.log | grep -q ' passed, 0 failed$'
