#!/usr/bin/env python3
"""Builds and runs the Go twins of the tutorial's programs, and compares what they print.

  run_go.py GO CHECK TUTORIAL NAME[,OPTION...]...

A twin prints what its C++ program prints, NAME.txt, or what NAME_go.txt says if there is one. CHECK is
examples/check.py, and the options are its own. Skipped if Go is older than 1.25, which brought WaitGroup.Go.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

SKIPPED = 77


def is_new_enough(go):
    said = subprocess.run([go, "version"], capture_output=True, text=True).stdout
    version = re.search(r"go(\d+)\.(\d+)", said)
    return version is not None and (int(version[1]), int(version[2])) >= (1, 25)


def is_good(go, check, folder, name, options):
    own = folder / f"{name}_go.txt"
    with tempfile.TemporaryDirectory() as work:
        program = pathlib.Path(work, name)
        environment = dict(os.environ, GOTOOLCHAIN="local", GOFLAGS="")
        if subprocess.run([go, "build", "-o", program, folder / f"{name}.go"], env=environment).returncode:
            return False
        expected = own if own.exists() else folder / f"{name}.txt"
        return subprocess.run([sys.executable, check, *options, expected, program]).returncode == 0


def main():
    go, check, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    if not is_new_enough(go):
        return SKIPPED
    twins = [twin.split(",") for twin in sys.argv[4:]]
    failed = [name for name, *options in twins if not is_good(go, check, folder, name, options)]
    print("failed: " + " ".join(failed) if failed else f"{len(twins)} twins print what they should")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
