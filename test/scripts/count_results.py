#!/usr/bin/env python3
"""Counts what the tests of one build found: count_results.py <build>/meson-logs/testlog.json

A test program that prints Catch2's summary, or "N passed, N failed" last, counts with what it says there; another one
counts as one. Prints the names of those that failed, a line each, and then "N passed, N failed, N skipped".
"""
import json
import re
import sys

ALL_PASSED = re.compile(r"^All tests passed \(.* in (\d+) test cases?\)", re.M)
TEST_CASES = re.compile(r"^test cases: .*$", re.M)
OWN_COUNT = re.compile(r"^(\d+) passed, (\d+) failed\s*\Z", re.M)


def counts(test):
    """(passed, failed, skipped) of one test program."""
    good, output = test["result"] in ("OK", "EXPECTEDFAIL"), test.get("stdout", "")
    if test["result"] == "SKIP":
        return 0, 0, 1
    passed = failed = 0
    if found := ALL_PASSED.findall(output):
        passed = sum(map(int, found))
    elif found := TEST_CASES.findall(output):
        passed = sum(int(n) for n in re.findall(r"(\d+) (?:passed|failed as expected)", found[-1]))
        failed = sum(int(n) for n in re.findall(r"(\d+) failed(?! as expected)", found[-1]))
    elif found := OWN_COUNT.search(output):
        passed, failed = int(found[1]), int(found[2])
    else:
        passed = int(good)
    return passed, failed if good else max(failed, 1), 0


def main():
    try:
        with open(sys.argv[1]) as log:
            tests = [json.loads(line) for line in log if line.strip()]
    except OSError:
        tests = []
    results = [counts(test) for test in tests]
    for test, (_, failed, _) in zip(tests, results):
        if failed:
            print("%s (%s)" % (test["name"], test["result"].lower()))
    total = map(sum, zip(*results or [(0, 1, 0)]))  # no result at all is a failure
    print("%d passed, %d failed, %d skipped" % tuple(total))


if __name__ == "__main__":
    main()
