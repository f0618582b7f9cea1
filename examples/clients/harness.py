"""What the tests of the example servers share: a server as a process, sockets to it, tools, counting what is left.

A test is a script NAME.py [--small] [--no-signals] PROGRAM...: small is what an emulator or a sanitizer's build is
given. ThreadSanitizer keeps a signal back while its thread sleeps in a call that it does not know, so there signals
are left out: goroutines are not counted, and servers are killed. The real clients (curl, wrk, ab, redis-cli,
redis-benchmark) are used where they are installed.
"""
import os
import re
import resource
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

# In a cross build Meson names here what can run the program.
EMULATOR = shlex.split(os.environ.get("MESON_EXE_WRAPPER", ""))
SMALL = "--small" in sys.argv or bool(EMULATOR)
SIGNALS = "--no-signals" not in sys.argv
PROGRAMS = [a for a in sys.argv[1:] if not a.startswith("--")]
PATIENCE = 60  # seconds in which anything has to happen

_soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (_hard, _hard))
MOST_DESCRIPTORS = _hard


class failure(Exception):
    pass


def expect(holds, *what):
    if not holds:
        raise failure(" ".join(str(w) for w in what))


def equal(got, expected, what=""):
    expect(got == expected, what, "\n  got     ", repr(got)[:500], "\n  expected", repr(expected)[:500])


def eventually(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        expect(time.monotonic() < end, "never came true:", what)
        time.sleep(0.02)


def tool(name):
    """The path of a client, or None with a word about it."""
    path = shutil.which(name)
    if not path:
        print(f"(without {name}, which is not installed)")
    return path


def run(*command, input=None, status=0):
    """What a client prints."""
    done = subprocess.run([str(c) for c in command], input=input, capture_output=True, timeout=PATIENCE,
                          env=dict(os.environ, LC_ALL="C", no_proxy="*"))
    expect(status is None or done.returncode == status, f"{command[0]} ended with {done.returncode}:", command,
           done.stdout[-500:], done.stderr[-500:])
    return done.stdout


class server:
    """A server under test; stopped and looked at when the `with` ends."""

    def __init__(self, program, *arguments, descriptors=None):
        def limit():
            if descriptors:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(EMULATOR + [program, *arguments], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=self.errors, preexec_fn=limit)
        line = self.process.stdout.readline().decode()
        found = re.fullmatch(r"listening on (127\.0\.0\.1):(\d+)\n", line)
        expect(found, "the server said:", repr(line), self.said())
        self.port = int(found[2])
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.address}"

    def __enter__(self):
        with self.connect() as s:  # it accepts, and says goodbye
            s.shutdown(socket.SHUT_WR)
            receive_all(s)
        eventually(self.is_set_up, "a poller, and handlers of signals")
        eventually(lambda: self.connections() == 0, "the first connection is closed")
        self.others_before = self.others()
        self.goroutines_before = self.goroutines()
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.check_nothing_left()
                self.stop()
        finally:
            if self.process.poll() is None:
                self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            if kind is not None:
                print("--- the server's stderr\n" + self.said()[-4000:])

    def said(self):
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace")

    def connect(self):
        s = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return s

    def descriptors(self):
        """What each of its descriptors leads to."""
        folder, found = f"/proc/{self.process.pid}/fd", []
        for number in os.listdir(folder):
            try:
                found.append(os.readlink(f"{folder}/{number}"))
            except FileNotFoundError:  # closed meanwhile
                pass
        return found

    def connections(self):
        """Sockets besides that which it listens on. Those that it has not accepted are none."""
        return sum(d.startswith("socket:") for d in self.descriptors()) - 1

    def others(self):
        """Descriptors that are no sockets."""
        return sum(not d.startswith("socket:") for d in self.descriptors())

    def is_set_up(self):
        """The poller is there, and signals that it is sent from now on do not end it."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            caught = int(re.search(r"SigCgt:\s+([0-9a-f]+)", status.read())[1], 16)
        if not all(caught >> (s - 1) & 1 for s in (signal.SIGUSR1, signal.SIGTERM)):
            return False
        return {"anon_inode:[eventpoll]", "anon_inode:[eventfd]"} <= set(self.descriptors())

    def resident(self):
        """Bytes of memory of its own in use."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"RssAnon:\s+(\d+) kB", status.read())[1]) * 1024

    def goroutines(self):
        """How many there are, from the dump that SIGUSR1 asks for."""
        if not SIGNALS:
            return 0
        begin = len(self.said())
        os.kill(self.process.pid, signal.SIGUSR1)
        dump, before = "", None
        end = time.monotonic() + PATIENCE
        while "goroutine " not in dump or dump != before:
            expect(time.monotonic() < end, "no dump after SIGUSR1")
            time.sleep(0.1 if not SMALL else 0.4)
            dump, before = self.said()[begin:], dump
        return len(re.findall(r"^goroutine \d+ ", dump, re.M))

    def check_nothing_left(self):
        eventually(lambda: self.connections() == 0, "no connections at the end")
        eventually(lambda: self.others() <= self.others_before,
                   f"{self.others_before} other descriptors at the end, as at the beginning")
        eventually(lambda: self.goroutines() <= self.goroutines_before,
                   f"{self.goroutines_before} goroutines at the end, as at the beginning")

    def stop(self, sent=signal.SIGTERM):
        if SIGNALS:
            os.kill(self.process.pid, sent)
            equal(self.process.wait(PATIENCE), 0, "exit status of the server after the signal")
        else:
            self.process.kill()
        for word in ("panic:", "fatal error", "Sanitizer", "runtime error"):
            expect(word not in self.said(), f"{word} on stderr:", self.said()[-3000:])


def receive(s, size):
    """Exactly that many bytes."""
    parts, left = [], size
    while left > 0:
        part = s.recv(min(left, 1 << 20))
        expect(part, f"the connection ended {left} bytes early")
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def receive_all(s):
    """All until the end of the stream."""
    parts = []
    while part := s.recv(1 << 20):
        parts.append(part)
    return b"".join(parts)


def reset(s):
    """Closes it so that the other side's next call fails."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    s.close()


def pattern(size):
    return (bytes(range(256)) * (size // 256 + 1))[:size]


def main(*tests, needing_signals=()):
    """Runs the tests one after the other; exit status 1 if one failed."""
    failed = 0
    for test in tests if SIGNALS else [t for t in tests if t not in needing_signals]:
        began = time.monotonic()
        try:
            test()
            print(f"{test.__name__}: ok, {time.monotonic() - began:.1f} s", flush=True)
        except (failure, OSError, subprocess.SubprocessError) as problem:
            print(f"{test.__name__}: FAILED: {type(problem).__name__}: {problem}", flush=True)
            failed += 1
    sys.exit(failed != 0)
