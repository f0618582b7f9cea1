"""Checks a trace file: valid JSON, slices nest, arrows begin and end inside of slices. Prints what is in it."""
import collections
import json
import re
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


def place_of(tracks, names, e):
    """The innermost slice that an arrow begins or ends in, and its track: 'worker on P0'."""
    at = e["ts"]
    around = [s for s in tracks[e["pid"], e["tid"]] if s[0] - 1e-6 <= at <= s[1] + 1e-6]
    return f"{max(around)[2]} on {kind(names[e['pid'], e['tid']])}"


def kind(track):
    """A track's name, without a processor's number: which one runs something is the scheduler's choice."""
    return re.sub(r"^P\d+$", "P", track)


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
    named = {(e["pid"], e["tid"]): e["args"]["name"] for e in events if e["ph"] == "M" and e["name"] == "thread_name"}
    print("tracks:", *sorted(named.values()))
    ran_on = collections.defaultdict(set)
    for track, name in named.items():
        ran_on[kind(name)].update(s[2] for s in tracks[track])
    for name, slices in sorted(ran_on.items()):
        print(f"on {name}:", *sorted(slices))
    for way in sorted({f"{place_of(tracks, named, a)} -> {place_of(tracks, named, b)}" for a, b in met}):
        print("arrow:", way)
    print("slices:", *sorted({e["name"] for e in events if e["ph"] == "X"}))
    print("then:", *sorted({e["args"]["then"] for e in events if e["ph"] == "X" and "then" in e["args"]}), sep=", ")
    print("instants:", *sorted({e["name"] for e in events if e["ph"] == "i"}))
    print("arrows:", len(met))
    print("functions:", *sorted({e["args"]["function"] for e in events if e["ph"] == "X" and "function" in e["args"]}))


main(sys.argv[1])
