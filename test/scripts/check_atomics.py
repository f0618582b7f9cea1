#!/usr/bin/env python3
"""Every atomic operation says why its order is enough (docs/HACKING.md).

An operation names its memory order, and carries `// relaxed: why`, or a tag in capitals that names the protocol it is
part of: `// RQ-PUBLISH`. The comment stands on one of the operation's lines, or above it (then it counts for the
operations that follow line by line). A tag is used at two operations or more, since an order alone orders nothing, and
is explained in a comment elsewhere: the essay of the file, or the variable's declaration. Prints each
offence; exit status 1 if there was one.
"""
import collections
import pathlib
import re
import sys

OPERATION = re.compile(
    r"(\.|->)(load|store|exchange|fetch_\w+|compare_exchange_\w+|test_and_set)\("
    r"|\b(light|heavy|full)_fence\(\)|atomic_thread_fence\(")
FENCE = re.compile(r"_fence\(")
END = re.compile(r"[;{}]\s*$")
RELAXED = re.compile(r"// ?relaxed: \S")
TAG = re.compile(r"// ?((?:[A-Z][A-Z0-9]+(?:-[A-Z0-9]+)*)(?:, [A-Z][A-Z0-9]+(?:-[A-Z0-9]+)*)*)\b(?![a-z])")
COMMENT = re.compile(r"^\s*//")
# The atomics policy itself defines the fences; nothing is ordered there.
EXEMPT = {"src/base/atomic.hpp"}


def code_of(line):
    return line.split("//", 1)[0]


def statements(lines):
    """(first line, last line) of each statement that holds an atomic operation."""
    number = 0
    while number < len(lines):
        if OPERATION.search(code_of(lines[number])):
            last = number
            while last + 1 < len(lines) and last < number + 5 and not END.search(code_of(lines[last])):
                last += 1
            yield number, last
            number = last
        number += 1


def marks(comment):
    tags = [t for found in TAG.finditer(comment) for t in found.group(1).split(", ")]
    return tags, bool(RELAXED.search(comment))


def marks_of(lines, first, last):
    """The tags of a statement, and whether it says why relaxed is enough."""
    tags, relaxed = marks("\n".join(lines[first:last + 1]))
    above = first - 1
    while not (tags or relaxed) and above >= 0:
        is_comment = COMMENT.match(lines[above])
        if not is_comment and not OPERATION.search(code_of(lines[above])):
            break
        if is_comment:
            tags, relaxed = marks(lines[above])
        above -= 1
    return tags, relaxed


def check(path, uses, text):
    lines = path.read_text().splitlines()
    operations = 0
    operation_lines = set()
    for first, last in statements(lines):
        operations += 1
        operation_lines.update(range(first, last + 1))
        code = " ".join(code_of(l) for l in lines[first:last + 1])
        where = f"{path}:{first + 1}"
        if "memory_order" not in code and not FENCE.search(code):
            print(f"{where}: an atomic operation without its memory order")
            text["offences"] += 1
        tags, relaxed = marks_of(lines, first, last)
        for tag in tags:
            uses[tag].append(where)
        if not tags and not relaxed:
            print(f"{where}: an atomic operation without a reason: {code.strip()[:90]}")
            text["offences"] += 1
    text["essays"] += "\n".join(l.partition("//")[2] for n, l in enumerate(lines) if n not in operation_lines) + "\n"
    return operations


def main():
    uses, text, operations = collections.defaultdict(list), {"offences": 0, "essays": ""}, 0
    for folder in ("src", "include"):
        for path in sorted(pathlib.Path(folder).rglob("*.[hc]pp")):
            if path.as_posix() not in EXEMPT:
                operations += check(path, uses, text)
    for tag, where in sorted(uses.items()):
        if len(where) < 2:
            print(f"{where[0]}: the tag {tag} has no partner")
        if not re.search(rf"\b{tag}\b", text["essays"]):
            print(f"{where[0]}: the tag {tag} is explained nowhere")
        text["offences"] += (len(where) < 2) + (not re.search(rf"\b{tag}\b", text["essays"]))
    print(f"{operations} atomic operations, {len(uses)} tags, {text['offences']} offences")
    return text["offences"] > 0 or operations == 0


if __name__ == "__main__":
    sys.exit(main())
