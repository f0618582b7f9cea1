"""Makes the table: for each row the figures side by side, their ratios, the aims and whether they were reached."""

import works


def number(value):
    """Three digits that matter, and no more than needed."""
    if value is None:
        return "-"
    if value == int(value):
        return f"{int(value):,}"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def scaled(r, value):
    """A sample's figure in the row's unit."""
    return None if value is None else value * (r.per if r.key == "real_time" else 1) / r.unit[1]


class line:
    """One row of the table with its figures: the least of the samples, and the median."""

    def __init__(self, r, gathered):
        def figure(pick, contender, name, procs):
            return scaled(r, pick(contender, name, procs, r.key))

        one, two = (r.procs + r.procs)[:2] if r.procs else (0, None)
        self.row = r
        self.rove = {p: figure(gathered.least, "rove", r.work, p) for p in (one, two) if p is not None}
        self.rove_median = {p: figure(gathered.median, "rove", r.work, p) for p in self.rove}
        self.baseline = figure(gathered.least, "baseline", works.baseline_of(r), 0) if r.baseline else None
        self.go = {p: figure(gathered.least, "go", r.work, p) for p in self.rove}
        self.cpus = gathered.median("rove", r.work, 2, "cpus") if r.key == "real_time" else None
        self.aim_procs = r.aim_procs if r.aim_procs in self.rove else one

    def best(self):
        """The figure that aims and ratios are about."""
        return self.rove[self.aim_procs]

    def growth(self):
        return quotient(self.rove.get(2), self.rove.get(1)) if self.row.key == "real_time" else None

    def aims(self):
        """(what must hold, whether it does or None where it cannot be known)."""
        r, mine, unit = self.row, self.best(), self.row.unit[0]
        found = []
        if r.at_most is not None:
            found.append((f"<= {number(r.at_most)} {unit}".strip(), at_most(mine, r.at_most)))
        if r.go:
            found.append((f"Go/{works.limit_against_go(r):.1f}",
                          at_least(quotient(self.go[self.aim_procs], mine), works.limit_against_go(r))))
        if r.of_baseline:
            found.append((f"{r.of_baseline} x floor", at_most(quotient(mine, self.baseline), r.of_baseline)))
        if r.cheaper:
            found.append((f"threads/{r.cheaper:.0f}", at_least(quotient(self.baseline, mine), r.cheaper)))
        if r.growth:
            found.append((f"2P/1P {r.growth}", at_most(self.growth(), r.growth)))
        return found


def quotient(a, b):
    return a / b if a is not None and b else None


def at_most(value, limit):
    return None if value is None else value <= limit


def at_least(value, limit):
    return None if value is None else value >= limit


def times(value):
    return "-" if value is None else f"{number(value)}x"


VERDICT = {True: "yes", False: "NO", None: "?"}

HEADINGS = ["work", "unit", "rove 1P", "(median)", "rove 2P", "(median)", "2P/1P", "CPUs", "std::thread", "ratio", "Go 1P",
            "Go 2P", "ratio", "aim", "reached"]


def least_and_median(entry, procs):
    least = entry.rove[procs]
    return ("failed", "-") if least is None else (number(least), f"({number(entry.rove_median[procs])})")


def cells(entry, full):
    """The row as text; without Go and the second processor in the short table."""
    r = entry.row
    one, *rest = sorted(entry.rove)
    two = rest[0] if rest else None
    mine = [r.title, r.unit[0], *least_and_median(entry, one)]
    # The floor of the raw switch stands in the threads' column, marked.
    other = number(entry.baseline) + (" (floor)" if r.of_baseline else "")
    ratio = times(quotient(entry.baseline, entry.rove[one]))
    if not full:
        return mine + [other, ratio]
    mine += [*(least_and_median(entry, two) if two else ("-", "-")),
             times(entry.growth()), number(entry.cpus) if two else "-"]
    aims = entry.aims()
    return mine + [other, ratio, number(entry.go.get(one)), number(entry.go.get(two)),
                   times(quotient(entry.go.get(entry.aim_procs), entry.best())),
                   ", ".join(text for text, _ in aims), ", ".join(VERDICT[held] for _, held in aims)]


def render(entries, full):
    """The whole table, its columns aligned: text to the left, numbers to the right."""
    headings = HEADINGS if full else HEADINGS[:4] + ["std::thread", "ratio"]
    lines = [headings] + [cells(e, full) for e in entries]
    widths = [max(len(one[i]) for one in lines) for i in range(len(headings))]
    left = {0, 1, 13, 14} if full else {0, 1}
    out = []
    for one in lines:
        out.append("  ".join(c.ljust(w) if i in left else c.rjust(w)
                             for i, (c, w) in enumerate(zip(one, widths))).rstrip())
    out.insert(1, "-" * max(map(len, out)))
    return "\n".join(out)
