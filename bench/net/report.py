"""Runs the servers against each other and prints the table; see run.sh.

In each round every server of a work is started, loaded and stopped, one after the other, so that a machine that is
slower for a while is so for all of them. A rate is the best of the rounds, with the median in brackets; a latency the
median. Ratios are of the best.
"""
import argparse
import contextlib
import csv
import os
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def percentile_text(value):
    return "-" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


class contender:
    """A server: how it is named in the table, its command, what it is given in the environment."""

    def __init__(self, name, command, procs=None, port=None):
        self.name, self.command, self.procs, self.port = name, command, procs, port

    def there(self):
        return shutil.which(self.command[0]) is not None

    @contextlib.contextmanager
    def running(self):
        environment = dict(os.environ)
        if self.procs:
            environment["ROVE_MAXPROCS"] = str(self.procs)
        command = self.command + ([str(self.port)] if self.port else [])
        process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
        try:
            port = self.port or int(re.search(rb":(\d+)", process.stdout.readline())[1])
            wait_until_open(port)
            yield port, process.pid
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


def wait_until_open(port):
    for _ in range(100):
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)
    sys.exit(f"nobody listens on port {port}")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def output(*command):
    return subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True).stdout


# ---- the loads: (rate, p50, p99, p99.9), times in microseconds


def echo_load(options, connections):
    def load(port, _):
        line = output(f"{options.build}/echo_load", port, connections, options.seconds)
        return tuple(map(float, line.split()))
    return load


def wrk_load(options):
    def load(port, _):
        text = output("wrk", "-t1", "-c64", f"-d{max(1, round(options.seconds))}s", "-s", f"{HERE}/wrk_report.lua",
                      f"http://127.0.0.1:{port}/plaintext")
        *figures, errors = map(float, re.search(r"^report (.*)$", text, re.M)[1].split())
        if errors:
            sys.exit(f"wrk counted errors:\n{text}")
        return tuple(figures)
    return load


def redis_load(options, test, pipeline):
    def load(port, _):
        count = int(options.seconds * (70_000 if pipeline == 1 else 700_000))
        text = output("redis-benchmark", "-p", port, "-n", count, "-P", pipeline, "-t", test, "--csv")
        row = next(csv.DictReader(line for line in text.splitlines() if line.startswith('"')))
        return float(row["rps"]), float(row["p50_latency_ms"]) * 1e3, float(row["p99_latency_ms"]) * 1e3, None
    return load


def idle_load(options):
    del options

    def load(port, pid):
        def resident():
            with open(f"/proc/{pid}/status", encoding="ascii") as status:
                return int(re.search(r"RssAnon:\s+(\d+) kB", status.read())[1]) * 1024

        count = min(10_000, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 100)
        before = resident()
        connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
        for s in connections:
            s.sendall(b"hello")
        for s in connections:
            s.recv(5)
        each = (resident() - before) / count
        for s in connections:
            s.close()
        return each, None, None, None
    return load


# ---- the works


class work:
    def __init__(self, key, title, unit, load, contenders, aims, figure=0):
        self.key, self.title, self.unit, self.load = key, title, unit, load
        self.contenders = [c for c in contenders if c.there()]
        self.aims = aims        # (contender, the least ratio of rove to it); or (None, the most)
        self.figure = figure    # which figure of the load counts: 0 the rate, 1 the median latency
        self.samples = {c.name: [] for c in self.contenders}

    def run_round(self):
        for c in self.contenders:
            with c.running() as (port, pid):
                self.samples[c.name].append(self.load(port, pid))

    def best(self, name, index):
        values = [s[index] for s in self.samples[name]]
        return min(values) if index > 0 or self.key == "idle" else max(values)

    def median(self, name, index):
        values = [s[index] for s in self.samples[name] if s[index] is not None]
        return statistics.median(values) if values else None

    def print(self):
        print(f"\n{self.title}\n  {'':24}{self.unit:>12}{'(median)':>14}{'p50 us':>10}{'p99 us':>10}{'p99.9 us':>10}")
        for c in self.contenders:
            row = [f"{self.best(c.name, 0):,.0f}", f"({self.median(c.name, 0):,.0f})"]
            row += [percentile_text(self.median(c.name, i)) for i in (1, 2, 3)]
            print(f"  {c.name:24}{row[0]:>12}{row[1]:>14}{row[2]:>10}{row[3]:>10}{row[4]:>10}")
        return [self.print_aim(*aim) for aim in self.aims]

    def print_aim(self, other, limit):
        mine = self.best("rove", self.figure)
        if other is None:
            held, text = mine <= limit, f"at most {limit:,} {self.unit}: {mine:,.0f}"
        elif other not in self.samples:
            held, text = None, f"against {other}: it is not here"
        elif self.figure == 0:
            ratio = mine / self.best(other, 0)
            held, text = ratio >= limit, f"at least {limit} x {other}: {ratio:.2f}"
        else:
            ratio = mine / self.best(other, self.figure)
            held, text = ratio <= limit, f"p50 at most {limit} x {other}: {ratio:.2f}"
        print(f"  -> {text}{'' if held is None else '   yes' if held else '   NO'}")
        return held


def all_works(options):
    b = options.build

    def rove(name):
        program = [f"{b}/examples/{name}"]
        return [contender("rove", program), contender("rove, 1 processor", program, procs=1)]

    go_echo, go_httpd = contender("Go", [f"{b}/go_echo"]), contender("Go net/http", [f"{b}/go_httpd"])
    redis = contender("redis-server", ["redis-server", "--save", "", "--appendonly", "no", "--bind", "127.0.0.1",
                                       "--loglevel", "warning", "--port"], port=free_port())
    works = [
        work("echo", "echo: 64 connections, 64 bytes, one outstanding each", "requests/s", echo_load(options, 64),
             [contender("epoll loop", [f"{b}/epoll_echo"]), go_echo, *rove("echo")],
             [("epoll loop", 1.0), ("Go", 1.0)]),
        work("one", "echo: one connection, 64 bytes, there and back", "requests/s", echo_load(options, 1),
             [contender("blocking loop", [f"{b}/blocking_echo"]), go_echo, *rove("echo")],
             [("blocking loop", 1.1)], figure=1),
    ]
    if shutil.which("wrk"):
        works.append(work("httpd", "httpd: plaintext, wrk -t1 -c64", "requests/s", wrk_load(options),
                          [go_httpd, *rove("httpd")], [("Go net/http", 1.5)]))
    if shutil.which("redis-benchmark"):
        works += [work("respd", f"respd: redis-benchmark -t {test} -P {pipeline}, 50 connections", "requests/s",
                       redis_load(options, test, pipeline), [redis, *rove("respd")], [("redis-server", 0.9)])
                  for pipeline in (1, 16) for test in ("set", "get")]
    works.append(work("idle", "10,000 idle connections, each after one message", "bytes each", idle_load(options),
                      [go_echo, rove("echo")[0]], [(None, 6144)]))
    return [w for w in works if not options.works or w.key in options.works]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("works", nargs="*")
    options = parser.parse_args()
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    print(f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}; {options.rounds} rounds of {options.seconds:g} s; "
          "client and server share the machine")
    held = []
    for w in all_works(options):
        for _ in range(1 if w.key == "idle" else options.rounds):
            w.run_round()
        held += w.print()
        sys.stdout.flush()
    print(f"\n{held.count(True)} of {len(held) - held.count(None)} aims reached")


if __name__ == "__main__":
    main()
