#!/usr/bin/env python3
"""Tests the example `proxy` between a client and each of the other servers.
proxy.py [--small] PROXY ECHO HTTPD RESPD"""
import socket
import threading

import harness
from harness import SMALL, equal, eventually, pattern, receive, receive_all, reset, run, tool

PROXY, ECHO, HTTPD, RESPD = harness.PROGRAMS


def bytes_both_ways():
    with harness.server(ECHO) as echo, harness.server(PROXY, echo.address) as proxy:
        with proxy.connect() as s:
            text = pattern((1 if SMALL else 16) << 20)
            sender = threading.Thread(target=lambda: (s.sendall(text), s.shutdown(socket.SHUT_WR)))
            sender.start()
            equal(receive_all(s) == text, True, "a long text came back, and the end of the stream both ways")
            sender.join()
        clients = [proxy.connect() for _ in range(20 if SMALL else 500)]
        for i, s in enumerate(clients):
            s.sendall(b"%06d" % i)
        for i, s in enumerate(clients):
            equal(receive(s, 6), b"%06d" % i)
        for i, s in enumerate(clients):  # one half of them in an unfriendly way, and with something on its way
            if i % 2:
                s.sendall(pattern(50000))
                reset(s)
            else:
                s.close()


def slow_reader():
    """Who does not read holds up its own connection alone, and the proxy does not pile up what it was sent."""
    with harness.server(ECHO) as echo, harness.server(PROXY, echo.address) as proxy:
        with proxy.connect() as slow, proxy.connect() as other:
            slow.settimeout(0.5)
            before, sent = proxy.resident(), 0
            try:
                while sent < 200 << 20:
                    sent += slow.send(pattern(1 << 20))
            except TimeoutError:
                pass
            equal(sent < 200 << 20, True, "the sender is held back")
            equal(SMALL or proxy.resident() - before < 2 << 20, True, "memory")
            other.sendall(b"hello")
            equal(receive(other, 5), b"hello")


def servers_that_are_gone():
    with harness.server(ECHO) as echo:
        nowhere = socket.socket()
        nowhere.bind(("127.0.0.1", 0))  # bound, but nobody listens
        with harness.server(PROXY, "127.0.0.1:%d" % nowhere.getsockname()[1]) as proxy:
            for _ in range(20):
                with proxy.connect() as s:
                    equal(receive_all(s), b"", "nobody there")
        nowhere.close()
        with harness.server(PROXY, echo.address) as proxy, proxy.connect() as s:
            s.sendall(b"hello")
            equal(receive(s, 5), b"hello")
            echo.check_nothing_left = lambda: None
            echo.stop()
            echo.stop = lambda: None
            equal(receive_all(s), b"", "the server's end is passed on")


def real_clients():
    with harness.server(HTTPD) as httpd, harness.server(PROXY, httpd.address) as proxy:
        if curl := tool("curl"):
            equal(run(curl, "-sSf", proxy.url + "/plaintext", proxy.url + "/plaintext"), b"Hello, World!" * 2)
            text = pattern(3 << 20)
            equal(run(curl, "-sSf", "--data-binary", "@-", proxy.url + "/echo", input=text) == text, True, "POST")
        if not SMALL and (ab := tool("ab")):
            text = run(ab, "-q", "-n", 3000, "-c", 50, proxy.url + "/plaintext")
            equal(b"Failed requests:        0\n" in text, True, text)
    with harness.server(RESPD) as respd, harness.server(PROXY, respd.address) as proxy:
        if cli := tool("redis-cli"):
            equal(run(cli, "-p", proxy.port, input=b"set k v\nget k\n"), b"OK\nv\n")
        if not SMALL and (benchmark := tool("redis-benchmark")):
            run(benchmark, "-p", proxy.port, "-n", 5000, "-q", "-t", "set,get")


harness.main(bytes_both_ways, slow_reader, servers_that_are_gone, real_clients)
