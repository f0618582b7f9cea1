#!/usr/bin/env python3
"""Tests the example `httpd`, by hand and with curl, wrk and ab. httpd.py [--small] PROGRAM"""
import hashlib
import os
import pathlib
import re
import signal
import socket
import tempfile
import time

import harness
from harness import SMALL, equal, eventually, expect, pattern, receive, receive_all, reset, run, tool

PROGRAM = harness.PROGRAMS[0]


def start(*arguments):
    return harness.server(PROGRAM, *arguments)


class response:
    """Reads one response from a socket's file."""

    def __init__(self, stream, head_only=False):
        line = stream.readline()
        found = re.fullmatch(rb"HTTP/1\.1 (\d{3}) [A-Za-z ]+\r\n", line)
        expect(found, "not a status line:", line)
        self.status = int(found[1])
        self.fields = {}
        while (line := stream.readline()) != b"\r\n":
            name, _, value = line.decode().rstrip("\r\n").partition(": ")
            expect(value and name.lower() not in self.fields, "a field:", line)
            self.fields[name.lower()] = value
        self.body = b""
        if self.status == 100 or head_only:
            return
        if "content-length" in self.fields:
            self.body = stream.read(int(self.fields["content-length"]))
            equal(len(self.body), int(self.fields["content-length"]), "length of the body")
        elif "transfer-encoding" in self.fields:
            while size := int(stream.readline(), 16):
                self.body += stream.read(size)
                equal(stream.read(2), b"\r\n", "behind a chunk")
            equal(stream.readline(), b"\r\n", "behind the last chunk")
        else:
            self.body = stream.read()


def ask(server, text, count=1):
    """Sends it on a connection of its own; the responses."""
    with server.connect() as s:
        s.sendall(text)
        with s.makefile("rb") as stream:
            return [response(stream) for _ in range(count)]


GET = b"GET /plaintext HTTP/1.1\r\nHost: a\r\n\r\n"


def keep_alive_and_pipelining():
    with start() as server:
        with server.connect() as s, s.makefile("rb") as stream:
            for _ in range(3):
                s.sendall(GET)
                r = response(stream)
                equal((r.status, r.body, r.fields["content-type"]), (200, b"Hello, World!", "text/plain"))
                expect("date" in r.fields and "connection" not in r.fields, r.fields)
            s.sendall(GET * 500)
            for _ in range(500):
                equal(response(stream).body, b"Hello, World!")
            for i in range(len(GET)):  # byte by byte
                s.sendall(GET[i:i + 1])
            equal(response(stream).body, b"Hello, World!")
            s.sendall(b"HEAD /plaintext HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            r = response(stream, head_only=True)
            equal((r.status, r.fields["content-length"], r.fields["connection"]), (200, "13", "close"))
            equal(stream.read(), b"", "the end")
        old, = ask(server, b"GET /plaintext HTTP/1.0\r\n\r\n")
        equal((old.body, old.fields["connection"]), (b"Hello, World!", "close"))
        with server.connect() as s, s.makefile("rb") as stream:
            for _ in range(2):
                s.sendall(b"GET /plaintext HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                equal(response(stream).fields["connection"], "keep-alive")


def bodies():
    with start() as server, server.connect() as s, s.makefile("rb") as stream:
        s.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Type: x/y\r\n\r\nhello" + GET)
        r = response(stream)
        equal((r.body, r.fields["content-type"], r.fields["transfer-encoding"]), (b"hello", "x/y", "chunked"))
        equal(response(stream).body, b"Hello, World!", "the request behind")
        chunks = (b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                  b"3;x\r\nabc\r\n4\r\ndefg\r\n0\r\nT: u\r\n\r\n")
        s.sendall(chunks + GET)
        equal(response(stream).body, b"abcdefg")
        equal(response(stream).body, b"Hello, World!", "the request behind")
        for i in range(len(chunks)):
            s.sendall(chunks[i:i + 1])
        equal(response(stream).body, b"abcdefg", "byte by byte")
        s.sendall(b"POST /plaintext HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" + GET)  # a body nobody wants
        equal(response(stream).status, 405)
        equal(response(stream).body, b"Hello, World!", "the request behind")
        s.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        equal(response(stream).status, 100)
        s.sendall(b"hello")
        equal(response(stream).body, b"hello")
        s.sendall(b"POST /none HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        r = response(stream)
        equal((r.status, r.fields["connection"]), (405, "close"), "a body that nobody wants is not waited for")
        equal(stream.read(), b"")


def malformed():
    """Each gets its error and is sent away; a client that was there before notices nothing."""
    head = b"POST /echo HTTP/1.1\r\nHost: a\r\n"
    cases = [
        (b"\x16\x03\x01\x02\x00", 400),
        (b"GET /\r\n", 400),
        (b"GET / HTTP/1.1\nHost: a\n\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        (head + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (head + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (head + b"Content-Length : 1\r\n\r\n", 400),
        (head + b"Content-Length: 99999999999\r\n\r\n", 413),
        (head + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 501),
        (head + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
        (head + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nxyz\r\n", 400),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n", 414),
        (head + b"X: " + b"a" * 20000, 431),
        (head + b"A: b\r\n" * 200 + b"\r\n", 431),
        (head + b"Content-Length: 1\r\n\r\n" + b"a" * 300 + b"\r\n\r\n", 200),
    ]
    with start() as server, server.connect() as steady, steady.makefile("rb") as stream:
        for text, status in cases:
            r = ask(server, text)[0]
            equal(r.status, status, text[:100])
            expect(status == 200 or r.fields["connection"] == "close", text[:100])
            steady.sendall(GET)
            equal(response(stream).status, 200, "for the others")
        # Behind the error nothing more is answered: what would be smuggled is no request.
        with server.connect() as s:
            s.sendall(head + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + GET)
            equal(receive_all(s).count(b"HTTP/1.1"), 1, "responses")
        # An error behind some chunks that were answered already: the client sees that the response was cut.
        with server.connect() as s:
            s.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
            got = b""
            while b"abc" not in got:
                got += s.recv(1000)
            s.sendall(b"zzz\r\n")
            got += receive_all(s)
            expect(got.count(b"HTTP/1.1") == 1 and not got.endswith(b"0\r\n\r\n"), got)


def limits_of_time():
    with start("--idle", "300") as server, server.connect() as idle:
        equal(receive_all(idle), b"", "an idle connection just ends")
    with start("--head", "300", "--stall", "300") as server, server.connect() as half, server.connect() as body, \
            server.connect() as reader:
        half.sendall(GET[:20])
        body.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab")
        reader.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n")
        reader.setblocking(False)
        expect(receive_all(half).startswith(b"HTTP/1.1 408 "), "half a head")
        expect(not receive_all(body).endswith(b"0\r\n\r\n"), "half a body")

        def cut_off():
            try:
                reader.send(pattern(1 << 20))
            except BlockingIOError:
                pass
            except OSError:
                return True
            return False

        eventually(cut_off, "who does not take the response is cut off")


def write_site(root):
    (root / "sub dir").mkdir()
    (root / "index.html").write_text("<p>index")
    (root / "sub dir" / "a.txt").write_text("text")
    (root / "sub dir" / "index.html").write_text("<p>sub")
    (root / ".hidden").write_text("secret")
    (root / "empty").write_bytes(b"")
    (root / "large.bin").write_bytes(pattern(((2 if SMALL else 40) << 20) + 17))
    os.mkfifo(root / "fifo")


def files():
    with tempfile.TemporaryDirectory() as top:
        root = pathlib.Path(top) / "root"
        root.mkdir()
        write_site(root)
        (pathlib.Path(top) / "outside").write_text("secret")
        with start("--root", str(root)) as server:
            for path, status, body, kind in [
                    ("/", 200, b"<p>index", "text/html; charset=utf-8"),
                    ("/sub%20dir/a.txt?x", 200, b"text", "text/plain; charset=utf-8"),
                    ("/sub%20dir/", 200, b"<p>sub", "text/html; charset=utf-8"),
                    ("/empty", 200, b"", "application/octet-stream"),
                    ("/large.bin", 200, (root / "large.bin").read_bytes(), "application/octet-stream"),
                    ("/sub%20dir", 301, None, None), ("/none", 404, None, None), ("/fifo", 404, None, None),
                    ("/.hidden", 404, None, None), ("/../outside", 404, None, None),
                    ("/%2e%2e/outside", 404, None, None),
                    ("/sub%20dir/../../outside", 404, None, None), ("/%", 404, None, None), ("/a%00", 404, None, None)]:
                r, = ask(server, f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
                equal(r.status, status, path)
                if body is not None:
                    equal((r.body == body, r.fields["content-type"]), (True, kind), path)
            r, = ask(server, b"DELETE / HTTP/1.1\r\nHost: a\r\n\r\n")
            equal((r.status, r.fields["allow"]), (405, "GET, HEAD"))
            for _ in range(20):  # clients that leave in the middle of a large file
                s = server.connect()
                s.sendall(b"GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n")
                receive(s, 1000)
                reset(s)
            with_curl(server, root)


def with_curl(server, root):
    curl = tool("curl")
    if not curl:
        return
    digest = hashlib.sha256(run(curl, "-sSf", server.url + "/large.bin")).hexdigest()
    equal(digest, hashlib.sha256((root / "large.bin").read_bytes()).hexdigest(), "a large file by curl")
    equal(run(curl, "-sSfL", server.url + "/sub%20dir"), b"<p>sub", "a redirection")
    equal(run(curl, "-sS", "-o", "/dev/null", "-w", "%{http_code}", server.url + "/none"), b"404")
    # Two requests on one connection; a large body, which curl announces with Expect; a chunked one.
    equal(run(curl, "-sSf", "-w", "%{num_connects} ", server.url + "/plaintext", server.url + "/plaintext"),
          b"Hello, World!1 Hello, World!0 ")
    text = pattern(3 << 20)
    equal(run(curl, "-sSf", "--data-binary", "@-", server.url + "/echo", input=text) == text, True, "POST")
    equal(run(curl, "-sSf", "-T", "-", server.url + "/echo", input=text) == text, True, "chunked PUT")
    equal(run(curl, "-sSf", "-0", "--data-binary", "@-", server.url + "/echo", input=text) == text, True, "HTTP/1.0")
    expect(b"200" in run(curl, "-sSfI", server.url + "/large.bin"), "HEAD")


def under_load():
    with start() as server:
        url = server.url + "/plaintext"
        if wrk := tool("wrk"):
            text = run(wrk, "-t1", "-c64", "-d1s", "--timeout", f"{harness.PATIENCE}s", url).decode()
            expect("Socket errors" not in text and "Non-2xx" not in text, text)
            print(re.search(r"Requests/sec:.*", text)[0])
        if ab := tool("ab"):
            requests = "300" if SMALL else "5000"
            for keep in ([], ["-k"]):
                text = run(ab, "-q", "-s", harness.PATIENCE, "-n", requests, "-c", "50", *keep, url).decode()
                expect(re.search(rf"Complete requests: +{requests}\n", text), text)
                expect(re.search(r"Failed requests: +0\n", text), text)


def many_idle():
    count = min(100 if SMALL else 3000, harness.MOST_DESCRIPTORS - 100)
    with start() as server:
        before = server.resident()
        connections = [server.connect() for _ in range(count)]
        for s in connections:
            s.sendall(GET)
        for s in connections:
            expect(b"Hello, World!" in s.recv(1000))
        used = (server.resident() - before) / count
        print(f"{count} connections: {used:.0f} bytes each, idle after a request")
        for s in connections:
            s.close()


def begin_request(s):
    """Half a request. It is under way: the server has sent half of the body back."""
    s.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n01234")
    got = b""
    while b"01234" not in got:
        part = s.recv(1000)
        expect(part, "the connection ended behind", got)
        got += part


def graceful_shutdown():
    """Idle clients are sent away, one in the middle of a request is served to its end, no new ones come in."""
    with start() as server, server.connect() as idle, server.connect() as used, server.connect() as busy:
        used.sendall(GET)
        expect(b"Hello" in used.recv(1000))
        begin_request(busy)
        eventually(lambda: server.connections() == 3, "all are accepted")
        os.kill(server.process.pid, signal.SIGTERM)
        equal(receive_all(idle), b"", "idle")
        equal(receive_all(used), b"", "idle again")

        def refused():
            try:
                server.connect().close()
            except ConnectionRefusedError:
                return True
            return False

        eventually(refused, "new clients are refused")
        idle.close(), used.close()
        busy.sendall(b"56789")
        equal(receive_all(busy).count(b"56789"), 1, "the request under way")
        busy.close()
        server.check_nothing_left = lambda: None
        server.stop = lambda: None
        equal(server.process.wait(harness.PATIENCE), 0, "exit status")
    # One that never ends is cut off.
    with start("--grace", "300") as server, server.connect() as endless:
        begin_request(endless)
        server.check_nothing_left = lambda: None
        server.stop()
        server.stop = lambda: None


harness.main(keep_alive_and_pipelining, bodies, malformed, limits_of_time, files, under_load, many_idle,
             graceful_shutdown, needing_signals=[graceful_shutdown])
