"""Draws the table: for each work, on one logarithmic axis of time, where rove, threads and Go stand, and the aim."""

import math
from html import escape

ROW_HEIGHT = 24
LEFT, WIDTH, RIGHT = 250, 620, 40
TOP = 110
COLOURS = {"rove": "#1f5fbf", "std::thread": "#c8501e", "Go": "#2a8c5a", "floor": "#888888", "aim": "#222222"}


def time_entries(entries):
    """The rows that are times, which one axis can hold."""
    return [e for e in entries if e.row.unit[0] in ("ns", "us", "ms") and e.best()]


def points_of(entry):
    """(contender, nanoseconds) of everything that the row has."""
    r = entry.row
    to_ns = r.unit[1]
    baseline = "floor" if r.of_baseline else "std::thread"
    found = [("rove", entry.best()), (baseline, entry.baseline), ("Go", entry.go.get(entry.aim_procs)),
             ("aim", r.at_most)]
    return [(name, value * to_ns) for name, value in found if value]


def time_text(ns):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if ns >= size:
            return f"{ns / size:g} {unit}"
    return f"{ns:g} ns"


def mark(name, x, y):
    colour = COLOURS[name]
    if name == "rove":
        return f'<circle cx="{x:.1f}" cy="{y}" r="6" fill="{colour}"/>'
    if name in ("std::thread", "floor"):
        return f'<rect x="{x - 5:.1f}" y="{y - 5}" width="10" height="10" fill="{colour}"/>'
    if name == "Go":
        return f'<path d="M{x:.1f} {y - 7} l7 7 l-7 7 l-7 -7 z" fill="{colour}"/>'
    return f'<path d="M{x:.1f} {y - 9} v18" stroke="{colour}" stroke-width="2"/>'


def legend(names):
    out = []
    x = LEFT
    for name in [n for n in COLOURS if n in names]:
        out.append(mark(name, x, TOP - 30))
        out.append(f'<text x="{x + 12}" y="{TOP - 26}">{escape(name)}</text>')
        x += 40 + 8 * len(name)
    return out


def axis(low, high, place, bottom):
    out = []
    for power in range(low, high + 1):
        x = place(10.0 ** power)
        out.append(f'<path d="M{x:.1f} {TOP - 8} V{bottom}" stroke="#dddddd"/>')
        out.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle" fill="#555555">'
                   f'{time_text(10.0 ** power)}</text>')
    return out


def caption_lines(caption):
    """The caption on two lines, the machine on the first."""
    return [f'<text x="16" y="{45 + 17 * i}" fill="#555555">{escape(part)}</text>'
            for i, part in enumerate(caption.split("; ", 1))]


def draw(entries, title, caption):
    """The picture as the text of an SVG file."""
    shown = time_entries(entries)
    if not shown:
        return '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"/>\n'
    values = [ns for e in shown for _, ns in points_of(e)]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    high = max(high, low + 1)
    bottom = TOP + ROW_HEIGHT * len(shown)

    def place(ns):
        return LEFT + WIDTH * (math.log10(ns) - low) / (high - low)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + RIGHT}" height="{bottom + 36}" '
           'font-family="sans-serif" font-size="13">',
           '<rect width="100%" height="100%" fill="white"/>',
           f'<text x="16" y="26" font-size="17" font-weight="bold">{escape(title)}</text>']
    out += caption_lines(caption) + legend({name for e in shown for name, _ in points_of(e)})
    out += axis(low, high, place, bottom)
    for i, entry in enumerate(shown):
        y = TOP + ROW_HEIGHT * i + ROW_HEIGHT // 2
        points = points_of(entry)
        ends = [place(ns) for name, ns in points if name != "aim"]
        out.append(f'<text x="{LEFT - 14}" y="{y + 4}" text-anchor="end">{escape(entry.row.title)}</text>')
        out.append(f'<path d="M{min(ends):.1f} {y} H{max(ends):.1f}" stroke="#bbbbbb" stroke-width="2"/>')
        out += [mark(name, place(ns), y) for name, ns in reversed(points)]
    out.append("</svg>")
    return "\n".join(out) + "\n"
