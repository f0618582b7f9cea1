#!/bin/sh
# Makes the reference by Doxygen, and checks that it says nothing, and that what should be in the reference is.
set -u
cd "$(dirname "$0")/../.."
mkdir -p build
rm -rf build/reference
said=$(doxygen docs/Doxyfile 2>&1)
status=$?
if [ "$status" != 0 ] || [ -n "$said" ]; then
  printf '%s\ndoxygen ended with status %s\n' "$said" "$status"
  exit 1
fi

html=build/reference/html
has() {   # has <page> <text>
  if ! grep -q "$2" "$html/$1"; then
    echo "$1 does not have: $2"
    exit 1
  fi
}
has index.html 'Goroutines and channels for C++20'
has classrove_1_1chan.html 'Parks until the value was taken or put into the buffer'
has classrove_1_1condition__variable.html 'Wakes who waits longest'
has namespacerove.html 'Starts a goroutine that calls f(args...)'
has namespacerove.html 'Waits until one of the cases can be done'
echo "the reference has $(ls "$html" | wc -l) files"
