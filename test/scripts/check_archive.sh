#!/bin/sh
# What the finished library must look like from outside: check_archive.sh <librove.a>
#  - every symbol that another object can see starts with rove, or is a C++ name of namespace rove
#  - no object asks for an executable stack
#  - on x86-64 the switch is marked for checked jumps, and on purpose not for a shadow stack
set -u
archive=$1
wrong=0
complain() { echo "$archive: $*"; wrong=1; }

# Weak ones are instances of templates and inline functions, which every program may have its own copy of.
for name in $(nm -g --defined-only "$archive" 2>/dev/null | awk 'NF == 3 && $2 !~ /[WVu]/ { print $3 }' | sort -u); do
  case $name in
    rove* | _ZN4rove* | _ZNK4rove* | _ZT[VISHW]N4rove* | _ZTHN4rove* | _ZGVN4rove*) ;;
    *rove*) c++filt "$name" | grep -Eq 'rove::' || complain "the symbol $name" ;;
    *) complain "the symbol $name does not start with rove" ;;
  esac
done

readelf -SW "$archive" | grep -E 'note.GNU-stack.* X' && complain "an executable stack"

object=$archive.switch.o
ar p "$archive" "$(ar t "$archive" | grep 'switch\.S' | head -n 1)" >"$object"
notes=$(readelf -n "$object")
rm -f "$object"
case $notes in
  *SHSTK*) complain "the switch claims to keep shadow stacks" ;;
  *IBT* | *BTI*) ;;
  *) complain "the switch is not marked for checked jumps" ;;
esac
exit $wrong
