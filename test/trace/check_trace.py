"""Checks a trace file: valid JSON, slices nest, arrows begin and end inside of slices. Prints what is in it."""
import collections
import json
import sys


def slices_of(events):
    tracks = collections.defaultdict(list)
    for e in events:
        if e["ph"] == "X":
            assert e["dur"] >= 0 and e["ts"] >= 0, e
            tracks[e["pid"], e["tid"]].append((e["ts"], e["ts"] + e["dur"], e["name"]))
    for slices in tracks.values():
        slices.sort()
    return tracks


def check_nesting(tracks):
    """Slices of one track lie in each other or apart."""
    for slices in tracks.values():
        open_ends = []
        for begin, end, name in slices:
            while open_ends and open_ends[-1] <= begin + 1e-6:
                open_ends.pop()
            assert not open_ends or end <= open_ends[-1] + 2e-3, f"{name} at {begin} overlaps"
            open_ends.append(end)


def inside(tracks, e):
    at = e["ts"]
    return any(begin - 1e-6 <= at <= end + 1e-6 for begin, end, _ in tracks[e["pid"], e["tid"]])


def main(path):
    with open(path, encoding="utf-8") as f:
        trace = json.load(f)
    events = trace["traceEvents"]
    tracks = slices_of(events)
    check_nesting(tracks)
    starts = {e["id"]: e for e in events if e["ph"] == "s"}
    ends = {e["id"]: e for e in events if e["ph"] == "f"}
    for e in list(starts.values()) + list(ends.values()):
        assert inside(tracks, e), f"an arrow from or to nowhere: {e}"
    met = [(starts[i], ends[i]) for i in starts if i in ends]
    assert all(a["ts"] <= b["ts"] for a, b in met), "an arrow into the past"
    names = {e["args"]["name"] for e in events if e["ph"] == "M" and e["name"] == "thread_name"}
    print("tracks:", *sorted(names))
    print("slices:", *sorted({e["name"] for e in events if e["ph"] == "X"}))
    print("then:", *sorted({e["args"]["then"] for e in events if e["ph"] == "X" and "then" in e["args"]}), sep=", ")
    print("instants:", *sorted({e["name"] for e in events if e["ph"] == "i"}))
    print("arrows:", len(met))
    print("functions:", *sorted({e["args"]["function"] for e in events if e["ph"] == "X" and "function" in e["args"]}))


main(sys.argv[1])
