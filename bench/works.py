"""What the table has: its rows, what is run for each, and what each must reach.

The names are those of the C++ works; a twin on threads has the suffix _threads, a twin in Go the same name. The aims are
figures of a 2-core x86-64 machine of 2.5 GHz on which a cmpxchg costs 13 ns; `go` beside one is what the newest Go of
its day took there, so that their quotient is the aim as a ratio in one run.
"""

import os
from typing import NamedTuple, Optional

# How a figure is shown: the unit's name and how many nanoseconds (or bytes, or pieces) it has.
NS = ("ns", 1.0)
US = ("us", 1e3)
MS = ("ms", 1e6)
BYTES = ("B", 1.0)
PIECES = ("", 1.0)


class row(NamedTuple):
    work: str
    title: str
    unit: tuple = NS
    key: str = "real_time"          # which figure of the sample
    per: float = 1.0                # operations in one of the title's
    baseline: Optional[str] = None  # what takes the place of threads: "_threads" or a work's whole name
    in_go: bool = True
    procs: tuple = (1, 2)           # () for a work without a runtime
    at_most: Optional[float] = None       # the aim, in the unit
    go: Optional[float] = None            # Go's figure that belongs to the aim, in the unit
    aim_procs: int = 1                    # with how many processors the aim is judged
    of_baseline: Optional[float] = None   # at most so many times the baseline
    cheaper: Optional[float] = None       # at least so many times cheaper than the baseline
    growth: Optional[float] = None        # two processors take at most so many times what one takes
    short: bool = False             # in the short table too
    once: bool = False              # slow, and much the same each time: sampled once


THREADS = "_threads"
CONTENDED = 1.5

ROWS = [
    row("raw_switch", "raw switch, one way", baseline="raw_switch_floor", in_go=False, procs=(), at_most=2.3,
        of_baseline=1.5, short=True),
    row("yield", "yield between two", baseline=THREADS, at_most=8, go=84, growth=CONTENDED, short=True),
    row("yield_alone", "yield, nobody else"),
    row("yield_1000g", "yield among 1000", growth=CONTENDED),
    row("spawn_join", "create and join one", baseline=THREADS, at_most=55, go=542, cheaper=500, short=True),
    row("spawn_batch", "create and join 10,000", baseline=THREADS, at_most=70, go=616, growth=CONTENDED, short=True),
    row("spawn_all_1m", "create and join a million", growth=CONTENDED),
    row("chan_pingpong", "hand-off there and back", baseline=THREADS, at_most=50, go=378, growth=CONTENDED, short=True),
    row("chan_unbuf_stream", "stream, unbuffered", baseline=THREADS, at_most=30, go=223, growth=CONTENDED),
    row("chan_unbuf_4p4c", "stream, unbuffered, 4 to 4", baseline=THREADS, growth=CONTENDED),
    row("chan_buf_stream", "stream, buffer of 128", baseline=THREADS, at_most=15, go=60, growth=CONTENDED, short=True),
    row("chan_buf_4p4c", "stream, buffer of 128, 4 to 4", baseline=THREADS, growth=CONTENDED, short=True),
    row("chan_uncontended", "send and receive, alone", baseline=THREADS, at_most=16, go=45),
    row("select2", "select there and back", at_most=80, go=530, growth=CONTENDED),
    row("select_default", "select, one and a default", at_most=5),
    row("select2_default", "select, two and a default", at_most=15, go=62.6),
    row("select4_unbuf", "select among four, unbuffered", growth=CONTENDED),
    row("select4_buf16", "select among four, buffers of 16", growth=CONTENDED),
    row("select4_mixed", "select, always ready", growth=CONTENDED),
    row("mutex_uncontended", "mutex, alone", baseline=THREADS, at_most=10, go=16, short=True),
    row("mutex_contended", "mutex, eight", baseline=THREADS, growth=CONTENDED, short=True),
    row("mutex_handoff", "mutex, eight, yield inside", baseline=THREADS, growth=CONTENDED),
    row("rwmutex_read", "read lock, alone", baseline=THREADS, at_most=12, go=18.1),
    row("rwmutex_read_8g", "read lock, eight", baseline=THREADS, growth=CONTENDED),
    row("cond_pingpong", "turns by condition variable", baseline=THREADS, growth=CONTENDED),
    row("ring", "ring of 503, a hop", baseline=THREADS, at_most=20, go=205, growth=CONTENDED, short=True),
    row("skynet", "skynet, a million leaves", MS, per=1_111_111, at_most=100, go=960, aim_procs=2, growth=CONTENDED,
        short=True),
    row("sieve", "2500 primes by sieve", MS, growth=CONTENDED),
    row("fib30_serial", "fib(30), serial", MS, procs=()),
    row("fib30_cut12", "fib(30), forked down to 12", MS, baseline=THREADS, at_most=1.7, go=7.1, aim_procs=2,
        growth=CONTENDED),
    row("fib30_serial_unrolled", "fib(30), serial, unrolled", MS, in_go=False, procs=()),
    row("fib30_cut12_unrolled", "fib(30), forked, unrolled leaf", MS, in_go=False, at_most=1.7, aim_procs=2,
        growth=CONTENDED),
    row("sleep_50us", "sleep of 50 us", US, baseline=THREADS, at_most=75),
    row("sleep_1ms", "sleep of 1 ms", MS, baseline=THREADS),
    row("timer_new_stop", "timer made and stopped", at_most=40, go=293),
    row("timer_reset", "timer reset", at_most=25, go=58.2),
    row("select_timeout", "select with a new timer", at_most=90, go=430),
    row("select_on_timeout", "select with on_timeout"),
    row("sleep_100k", "100,000 sleepers: median lateness", US, "median_late"),
    row("sleep_100k", "100,000 sleepers: p99 lateness", MS, "p99_late"),
    row("sleep_1m", "a million sleepers: median lateness", US, "median_late", at_most=200, aim_procs=2, once=True),
    row("sleep_1m", "a million sleepers: p99 lateness", MS, "p99_late", at_most=50, aim_procs=2, once=True),
    row("memory_100k", "100,000 parked: making one", US, baseline=THREADS, short=True),
    row("memory_100k", "100,000 parked: resident", BYTES, "resident_bytes", baseline=THREADS, at_most=4300, short=True),
    row("memory_100k", "100,000 parked: page tables", BYTES, "page_table_bytes", baseline=THREADS, short=True),
    row("memory_100k", "100,000 parked: waking one", US, "wake_ns", baseline=THREADS),
    row("memory_1m", "a million parked: making one", US, at_most=2.5, once=True),
    row("memory_1m", "a million parked: resident", BYTES, "resident_bytes", at_most=4300, once=True),
    row("memory_1m", "a million parked: page tables", BYTES, "page_table_bytes", once=True),
    row("memory_1m", "a million parked: waking one", US, "wake_ns", once=True),
    row("idle", "idle, 2 s: context switches", PIECES, "switches", in_go=False, at_most=0, aim_procs=2, once=True),
    row("hello", "hello, stripped", BYTES, "size", procs=(), at_most=100_000, once=True, short=True),
    *(row(f"size_{part}", f"hello by {part}, stripped", BYTES, "size", in_go=False, procs=(), once=True)
      for part in ("chan", "select", "sync", "time", "context", "net")),
]

# Not in the table: how fast the machine is.
YARDSTICK = "cmpxchg"


def baseline_of(r):
    """The whole name of the work that stands in the threads' column, or None."""
    return r.work + THREADS if r.baseline == THREADS else r.baseline


def has_baseline(r):
    """The floor of the raw switch is written in x86-64's assembly alone."""
    return r.baseline != "raw_switch_floor" or os.uname().machine == "x86_64"


def limit_against_go(r):
    """How many times faster than Go the row must be, or None."""
    return r.go / r.at_most if r.go else None
