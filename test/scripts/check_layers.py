#!/usr/bin/env python3
"""Who may include whom: each floor of the library includes only the floors below it (docs/ARCHITECTURE.md).

Also: the first line of every file says what it is. Prints each offence; exit status 1 if there was one.
"""
import pathlib
import re
import sys

# Of sched the floors above may see these alone.
DOORS = {"src/sched/park.hpp", "src/sched/blocking.hpp", "src/sched/timers.hpp", "src/sched/netpoll.hpp"}

# What a floor may include besides itself and the public headers. `doors` stands for the list above.
ALLOWED = {
    "base": set(),
    "os": {"base"},
    "arch": {"base", "os", "asm"},
    "debug": {"base", "os", "arch"},
    "sched": {"base", "os", "arch", "debug"},
    "sync": {"base", "os", "doors"},
    "chan": {"base", "os", "doors"},
    "io": {"base", "os", "doors"},
    # A timer's owner, a context too, is looked at by callbacks on any thread: so both have os::lock in them. And both
    # start goroutines from such a callback, by way of a door.
    "time": {"base", "os", "chan", "doors"},
    "context": {"base", "os", "chan", "time", "sync", "doors"},
    "net": {"base", "os", "sync", "time", "context", "doors"},
    # The C API is a shell over the public headers. Its channels are the untyped core, of which it asks an element's size.
    "capi": {"chan"},
}
CODE = {".hpp", ".cpp", ".S", ".h"}
COMMENTED = CODE | {".sh", ".py"}
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')


def floor_of(path):
    parts = pathlib.PurePosixPath(path).parts
    return "asm" if parts[0] == "asm" else parts[1]


def offence(path, quote, target):
    """What is wrong with `path` including `target`, or None."""
    if path.startswith("include/"):
        public = not target.startswith("rove/") or pathlib.Path("include", target).exists()
        return None if quote == "<" and public else "a public header includes public headers only, with <>"
    if target.startswith("rove/"):
        return None if quote == "<" else "public headers are included with <>"
    if quote == "<":
        return None
    if not target.startswith(("src/", "asm/")):
        return "internal headers are named from the root: src/..., asm/..."
    floor, other = floor_of(path), floor_of(target)
    if other == floor or other in ALLOWED[floor] or (target in DOORS and "doors" in ALLOWED[floor]):
        return None
    return f"{floor} must not include {other}"


def check(path):
    lines = pathlib.Path(path).read_text().splitlines()
    first = lines[1] if lines and lines[0].startswith("#!") and len(lines) > 1 else (lines or [""])[0]
    if not first.startswith(("//", "#", '"""')):
        yield f"{path}:1: the first line does not say what the file is"
    if not path.startswith(("src/", "include/")):
        return
    for number, line in enumerate(lines, 1):
        found = INCLUDE.match(line)
        wrong = found and offence(path, *found.groups())
        if wrong:
            yield f"{path}:{number}: {wrong}: {found.group(2)}"


def main():
    folders = ["src", "include", "asm", "test", "bench", "examples"]
    paths = sorted(p.as_posix() for f in folders for p in pathlib.Path(f).rglob("*") if p.suffix in COMMENTED)
    offences = [o for p in paths for o in check(p)]
    print("\n".join(offences + [f"{len(paths)} files, {len(offences)} offences"]))
    return bool(offences) or not paths


if __name__ == "__main__":
    sys.exit(main())
