"""Runs the works, one process for each sample, all contenders in turn, and gathers the samples."""

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys

import works

SAMPLE_SECONDS = 120  # a work that takes longer hangs


class contenders:
    """Where the programs are; without Go there is none of it."""

    def __init__(self, build, go_bench=None, go_hello=None):
        self.bench = build / "bench" / "rove_bench"
        self.hello = build / "bench" / "hello"
        self.go_bench = go_bench
        self.go_hello = go_hello


def environment(scale):
    env = dict(os.environ)
    env.pop("ROVE_MAXPROCS", None)  # the works choose
    env.pop("GOMAXPROCS", None)
    env["ROVE_BENCH_SCALE"] = str(scale)
    return env


def output_of(command, scale):
    """Standard output of the command; raises with what it said, if it fails."""
    done = subprocess.run(command, env=environment(scale), capture_output=True, text=True, timeout=SAMPLE_SECONDS)
    if done.returncode != 0:
        raise RuntimeError(f"status {done.returncode}: {done.stderr.strip()[-2000:]}")
    return done.stdout


def sample_cpp(programs, name, procs, scale):
    pattern = f"^{name}/procs:{procs}/" if procs else f"^{name}/iterations"
    command = [programs.bench, f"--benchmark_filter={pattern}", "--benchmark_format=json"]
    report = json.loads(output_of(command, scale))
    found = [b for b in report["benchmarks"] if b.get("run_type") == "iteration"]
    if len(found) != 1:
        raise RuntimeError(f"{len(found)} benchmarks match {pattern}")
    figures = {k: v for k, v in found[0].items() if isinstance(v, (int, float))}
    return figures, report["context"]


def sample_go(programs, name, procs, scale):
    report = json.loads(output_of([programs.go_bench, "-procs", str(procs or 1), name], scale))
    return {"real_time": report["real_time"], "cpus": report["cpus"], **report["counters"]}


def size_of(program, scale):
    if output_of([program], scale) != "hello\n":
        raise RuntimeError("did not say hello")
    return {"size": os.path.getsize(program)}


def columns_of(r, with_go):
    """(contender, name, procs) of everything that is sampled for the row's work."""
    columns = [("rove", r.work, p) for p in r.procs or (0,)]
    if r.baseline and works.has_baseline(r):
        columns.append(("baseline", works.baseline_of(r), 0))
    if with_go and r.in_go:
        columns += [("go", r.work, p) for p in r.procs or (0,)]
    return columns


class samples:
    """All figures of all samples: by (contender, work, procs) and key a list, one entry a repetition."""

    def __init__(self):
        self.figures = {}
        self.failures = []
        self.context = {}

    def add(self, column, figures):
        lists = self.figures.setdefault(column, {})
        for key, value in figures.items():
            lists.setdefault(key, []).append(value)

    def of(self, contender, work, procs, key):
        return self.figures.get((contender, work, procs), {}).get(key, [])

    def least(self, contender, work, procs, key):
        found = self.of(contender, work, procs, key)
        return min(found) if found else None

    def median(self, contender, work, procs, key):
        found = self.of(contender, work, procs, key)
        return statistics.median(found) if found else None


def take_one(programs, column, scale, gathered):
    contender, name, procs = column
    if name.startswith("size_"):
        return size_of(programs.bench.with_name(name), scale)
    if name == "hello":
        program = programs.go_hello if contender == "go" else programs.hello
        return size_of(program, scale)
    if contender == "go":
        return sample_go(programs, name, procs, scale)
    figures, gathered.context = sample_cpp(programs, name, procs, scale)
    return figures


def take_all(programs, rows, scale, repetitions, log=sys.stderr):
    """Samples every work of the rows `repetitions` times, the contenders in turn: A B C, A B C."""
    gathered = samples()
    distinct = list({r.work: r for r in rows}.values())
    yardstick = works.row(works.YARDSTICK, "", procs=(), in_go=False)
    broken = set()  # what failed once is not tried again
    for turn in range(repetitions):
        for r in [yardstick] + distinct:
            if r.once and turn > 0:
                continue
            if log.isatty():
                print(f"\r\033[K{turn + 1}/{repetitions} {r.work}", end="", file=log, flush=True)
            for column in columns_of(r, programs.go_bench is not None):
                if column in broken:
                    continue
                try:
                    gathered.add(column, take_one(programs, column, scale, gathered))
                except (RuntimeError, subprocess.TimeoutExpired, ValueError, OSError) as error:
                    broken.add(column)
                    gathered.failures.append(f"{' '.join(map(str, column))}: {error}")
    if log.isatty():
        print("\r\033[K", end="", file=log, flush=True)
    return gathered


def cpu_model():
    """The processor's name as Linux tells it; AArch64 tells none."""
    text = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    found = re.search(r"^model name\s*:\s*(.*)$", text, re.MULTILINE)
    return found.group(1).strip() if found else os.uname().machine
