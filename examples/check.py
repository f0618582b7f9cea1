#!/usr/bin/env python3
"""Runs an example and compares what it prints with a file in expected/.

  check.py [--any-order | --patterns] [--stderr] [--status N] [--native] [--input FILE] EXPECTED PROGRAM [ARGUMENT...]

--any-order: the lines may come in any order. --patterns: each expected line is a regular expression, and a line
`...` stands for any number of lines. --stderr: it is stderr that is compared, and stdout has to be empty; without it,
stderr has to be empty. --native: skipped if an emulator has to run the program. --input: what it reads, through a pipe.
"""
import argparse
import os
import re
import shlex
import subprocess
import sys

SKIPPED = 77
# In a cross build Meson names here what can run the program.
EMULATOR = shlex.split(os.environ.get("MESON_EXE_WRAPPER", ""))


def run(command, input_file):
    given = ""
    if input_file:
        with open(input_file, encoding="utf-8") as file:
            given = file.read()
    return subprocess.run(EMULATOR + command, input=given, capture_output=True, text=True)


def matches_patterns(expected, got):
    body = "".join(r"(?:.*\n)*?" if line == "..." else f"(?:{line})\n" for line in expected.splitlines())
    return re.fullmatch(body, got) is not None


def matches(mode, expected, got):
    if mode == "patterns":
        return matches_patterns(expected, got)
    if mode == "any order":
        return sorted(expected.splitlines()) == sorted(got.splitlines())
    return expected == got


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--any-order", dest="mode", action="store_const", const="any order", default="exact")
    parser.add_argument("--patterns", dest="mode", action="store_const", const="patterns")
    parser.add_argument("--stderr", action="store_true")
    parser.add_argument("--status", type=int, default=0)
    parser.add_argument("--native", action="store_true")
    parser.add_argument("--input")
    parser.add_argument("expected")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    if options.native and EMULATOR:
        print("skipped: not to be run by an emulator")
        return SKIPPED

    with open(options.expected, encoding="utf-8") as file:
        expected = file.read()
    done = run(options.command, options.input)
    looked_at, other = (done.stderr, done.stdout) if options.stderr else (done.stdout, done.stderr)
    faults = []
    if done.returncode != options.status:
        faults.append(f"exit status {done.returncode}, expected {options.status}")
    if other:
        faults.append("output on the other stream")
    if not matches(options.mode, expected, looked_at):
        faults.append(f"the output is not what was expected ({options.mode})")
    if faults:
        print("; ".join(faults))
        print(f"--- expected\n{expected}--- stdout\n{done.stdout}--- stderr\n{done.stderr}---")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
