#!/usr/bin/env python3
"""Compares the example wc with the system's: check_wc.py PROGRAM

Both count the same odd files and trees, and are given the same odd command lines; stdout, stderr and the exit status
have to be equal, byte for byte. Skipped where the system's wc is not that of GNU coreutils.
"""
import os
import pathlib
import random
import shlex
import subprocess
import sys
import tempfile

SKIPPED = 77
ENVIRONMENT = dict(os.environ, LC_ALL="C")


def system_wc_is_gnu():
    try:
        return b"GNU coreutils" in subprocess.run(["wc", "--version"], capture_output=True).stdout
    except OSError:
        return False


def unprintable_bytes_make_words():
    # Until coreutils 9.4 they neither begin nor end a word, and that is what the example does.
    done = subprocess.run(["wc", "-w"], input=b"\1", capture_output=True, env=ENVIRONMENT)
    return done.stdout.strip() != b"0"


def quotes_in_two_passes():
    # A name with an apostrophe and an unprintable end gets an empty pair of quotes in front by coreutils 9.1 and by the
    # example; by 9.7 it does not.
    done = subprocess.run(["wc", "x'\n"], capture_output=True, env=ENVIRONMENT)
    return done.stderr.startswith(b"wc: '''x")


def quoted_alike(names):
    """The same names, but for those that this system's wc and the example quote in two ways: they get another end."""
    if quotes_in_two_passes():
        return names
    return [name + "x" if "'" in name and not " " <= name[-1] <= "~" else name for name in names]


def write_tree(top, seed):
    """Some hundred files: empty, large, without a last newline, binary, with odd names, and links."""
    rng = random.Random(seed)
    text = b" \n\t\v\f\rabcXYZ09!~"
    alphabet = text if unprintable_bytes_make_words() else text + bytes(range(256))
    odd_names = ["sp ace", "new\nline", "it's", "a\tb", 'q"q', "*", "-x", "#x", "~x", "\\", "{", "\udc80\udcff", "a'\n"]
    names = quoted_alike(odd_names) + [f"{rng.randrange(10**6)}.txt" for _ in range(200)]
    folders = [top, top / "b", top / "b" / "c", top / "b.d", top / "odd \n name"]
    for folder in folders:
        folder.mkdir()
    for name in names:
        size = rng.choice([0, 1, 2, rng.randrange(100), rng.randrange(50000)])
        (rng.choice(folders) / name).write_bytes(bytes(rng.choices(alphabet, k=size)))
    (top / "large").write_bytes(bytes(rng.choices(alphabet, k=1000)) * 3000)
    (top / "link").symlink_to("large")
    (top / "dangling").symlink_to("nowhere")
    (top / "empty").mkdir()


class comparison:
    def __init__(self, program, work):
        self.command = shlex.split(os.environ.get("MESON_EXE_WRAPPER", "")) + [program]
        self.program = program.encode()
        self.work = work
        self.runs = 0
        self.differences = 0

    def run(self, command, stdin):
        with open(self.work / stdin, "rb") as file:
            done = subprocess.run(command, stdin=file, capture_output=True, cwd=self.work, env=ENVIRONMENT)
        return done.stdout, done.stderr.replace(self.program, b"wc"), done.returncode

    def check(self, ours, theirs=None, stdin="one"):
        theirs = ours if theirs is None else theirs
        self.runs += 1
        got, expected = self.run(self.command + ours, stdin), self.run(["wc"] + theirs, stdin)
        if got != expected:
            self.differences += 1
            print(f"wc {ours} < {stdin}")
            for what, a, b in zip(("stdout", "stderr", "status"), got, expected):
                if a != b:
                    print(f"  {what}: {a!r}\n  coreutils: {b!r}")


def check_operands(c):
    c.check([])
    c.check([], stdin="tree/large")
    for operands in (["-"], ["-", "-"], ["one"], ["one", "-"], ["one", "two"], ["one", "one", "one"], ["none"],
                     ["none", "one"], ["none", "nor this"], ["one/x"], ["/dev/null"], ["one", "/dev/null"], [""],
                     ["", "one"], ["--", "-x"], ["one", "--", "two"], ["./one", "../" + c.work.name + "/two"],
                     ["tree/link"], ["tree/dangling"], ["tree/new\nline", "tree/it's"]):
        c.check(operands)
    # Names that are not there are shown in the message, quoted.
    rng = random.Random(1)
    odd = "'\"\n\t\1 {}#~ab*?$=\\!"
    names = ["".join(rng.choices(odd, k=rng.randrange(1, 5))) for _ in range(400)] + ["\udc80", "a\udcffb", "x\x7f"]
    c.check(quoted_alike(names))


def check_lists(c):
    (c.work / "list").write_bytes(b"one\0two\0tree\0none")
    (c.work / "list with -").write_bytes(b"-\0one\0")
    (c.work / "list with gaps").write_bytes(b"one\0\0two\0\0")
    for name in ("list", "list with -", "list with gaps", "tree", "none", "/dev/null", ""):
        c.check([f"--files0-from={name}"])
    for name in ("list", "list with -", "list with gaps", "/dev/null"):
        c.check(["--files0-from=-"], stdin=name)
    c.check(["--files0-from", "list"])
    c.check(["--files0-from=list", "one"])


def check_trees(c):
    for top in ("tree", "tree/", "tree/b", "tree/empty", "./tree"):
        found = subprocess.run(["find", top, "-type", "f", "-print0"], stdout=subprocess.PIPE, cwd=c.work, check=True)
        in_order = sorted(found.stdout.split(b"\0")[:-1])
        (c.work / "found").write_bytes(b"".join(name + b"\0" for name in in_order))
        c.check([top], ["--files0-from=found"])


def main():
    if not system_wc_is_gnu():
        print("skipped: the wc of this system is not GNU coreutils'")
        return SKIPPED
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        (work / "one").write_bytes(b"a b\n")
        (work / "two").write_bytes(b"one two\nthree" + (b"" if unprintable_bytes_make_words() else b" \1 \xff x\x80y"))
        write_tree(work / "tree", seed=2)
        c = comparison(os.path.abspath(sys.argv[1]), work)
        check_operands(c)
        check_lists(c)
        check_trees(c)
        print(f"{c.runs} runs compared, {c.differences} differ")
        return 1 if c.differences else 0


if __name__ == "__main__":
    sys.exit(main())
