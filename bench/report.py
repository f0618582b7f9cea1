"""Runs the benchmarks and reports: a table on standard output; table, JSON and picture in the folder of results."""

import argparse
import datetime
import json
import os
import pathlib
import sys

import picture
import sampling
import table
import works


def arguments():
    parser = argparse.ArgumentParser(prog="bench/run.sh", description=__doc__)
    parser.add_argument("works", nargs="*", help="only these works (default: all)")
    parser.add_argument("--short", action="store_true", help="the short table against std::thread, under a minute")
    parser.add_argument("--scale", type=float, default=0.25, help="how much of each work's count (default: 0.25)")
    parser.add_argument("--repetitions", type=int, default=5, help="samples of each (default: 5)")
    parser.add_argument("--build", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--go-bench", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--go-hello", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--go-version", default="", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.short:
        args.repetitions = min(args.repetitions, 3)
    unknown = set(args.works) - {r.work for r in works.ROWS}
    if unknown:
        parser.error(f"no such work: {', '.join(sorted(unknown))}")
    return args


def chosen_rows(args):
    """The rows wanted; the short table has those that say so, with one processor."""
    rows = [r._replace(procs=r.procs[:1]) for r in works.ROWS if r.short] if args.short else works.ROWS
    return [r for r in rows if r.work in args.works or not args.works]


def machine(gathered, args):
    """What must stand beside any figure: where, with what and when it was measured."""
    uname = os.uname()
    yard = gathered.least("rove", works.YARDSTICK, 0, "real_time")
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "cpu": sampling.cpu_model(),
        "cpus": len(os.sched_getaffinity(0)),
        "system": f"{uname.sysname} {uname.release} {uname.machine}",
        "compiler": gathered.context.get("compiler", "?"),
        "go": args.go_version if args.go_bench else None,
        "cmpxchg_ns": yard,
        "scale": args.scale,
        "repetitions": args.repetitions,
    }


def headline(m):
    with_go = f", {m['go']}" if m["go"] else ""
    return (f"{m['cpus']} x {m['cpu']}, {m['system']}; {m['compiler']}{with_go}; {m['date']}; "
            f"a cmpxchg takes {table.number(m['cmpxchg_ns'])} ns")


def write_results(folder, m, gathered, entries, text):
    folder.mkdir(parents=True, exist_ok=True)
    document = {
        "machine": m,
        "failures": gathered.failures,
        "rows": [{"work": e.row.work, "title": e.row.title, "unit": e.row.unit[0], "rove": e.rove,
                  "rove_median": e.rove_median, "baseline": e.baseline, "go": e.go,
                  "aims": [{"aim": aim, "reached": held} for aim, held in e.aims()]} for e in entries],
        "samples": [{"contender": c, "work": w, "procs": p, "figures": figures}
                    for (c, w, p), figures in gathered.figures.items()],
    }
    (folder / "results.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    (folder / "table.txt").write_text(text, encoding="utf-8")
    (folder / "picture.svg").write_text(
        picture.draw(entries, "rove, std::thread and Go" if m["go"] else "rove and std::thread", headline(m)),
        encoding="utf-8")


def explanation(args):
    if args.short:
        return "The least of the samples, (their median), one processor; ratio: how many times faster than std::thread."
    return ("The least of the samples, (their median); ratio: how many times faster than std::thread, than Go. CPUs: how\n"
            "many were busy with 2P. Aims are figures, parts of Go's or std::thread's in this run, or growth from 1P to 2P.")


def main():
    args = arguments()
    programs = sampling.contenders(args.build, None if args.short else args.go_bench, args.go_hello)
    if args.short:
        args.go_bench = None
    gathered = sampling.take_all(programs, chosen_rows(args), args.scale, args.repetitions)
    entries = [table.line(r, gathered) for r in chosen_rows(args)]
    m = machine(gathered, args)
    text = f"{headline(m)}\n\n{table.render(entries, not args.short)}\n\n{explanation(args)}\n"
    folder = args.build / "results"
    write_results(folder, m, gathered, entries, text)
    print(text)
    print(f"results: {folder}/table.txt, results.json, picture.svg")
    for failure in gathered.failures:
        print(f"FAILED: {failure}", file=sys.stderr)
    return 1 if gathered.failures else 0


if __name__ == "__main__":
    sys.exit(main())
