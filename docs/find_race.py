#!/usr/bin/env python3
"""Runs a program with a data race, built with ThreadSanitizer, until that reports it: find_race.py PROGRAM.

A race shows only if the two goroutines run on two threads, which is not so each time.
"""
import subprocess
import sys


def main():
    for attempt in range(1, 51):
        done = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if "WARNING: ThreadSanitizer: data race" in done.stderr and "race.cpp" in done.stderr:
            print(f"found in run {attempt}")
            return 0 if done.returncode == 66 else 1
    print(f"not found:\n{done.stderr}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
