#!/usr/bin/env python3
"""Tests the example `echo`, and with it what any server may meet: slow and broken clients, thousands of them, no more
descriptors. echo.py [--small] PROGRAM"""
import socket
import threading
import time

import harness
from harness import SMALL, equal, eventually, expect, pattern, receive, receive_all, reset

PROGRAM = harness.PROGRAMS[0]


def start(**limits):
    return harness.server(PROGRAM, **limits)


def check_echo(s, text=b"hello"):
    s.sendall(text)
    equal(receive(s, len(text)), text, "the echo")


def sends_back():
    """A little, a lot while reading at the same time, and the end of the stream."""
    with start() as server:
        with server.connect() as s:
            check_echo(s)
            text = pattern((1 if SMALL else 16) << 20)
            sender = threading.Thread(target=lambda: (s.sendall(text), s.shutdown(socket.SHUT_WR)))
            sender.start()
            equal(receive_all(s) == text, True, "a long text came back")
            sender.join()


def slow_clients():
    """One does not read, one writes byte by byte; a third notices nothing."""
    with start() as server, server.connect() as slow_reader, server.connect() as slow_writer:
        text = pattern(8 << 20)
        slow_reader.setblocking(False)
        sent, quiet_since = 0, time.monotonic()
        while sent < len(text) and time.monotonic() - quiet_since < 0.3:  # until the server takes no more
            try:
                sent += slow_reader.send(text[sent:sent + 65536])
                quiet_since = time.monotonic()
            except BlockingIOError:
                time.sleep(0.01)
        for _ in range(20):
            check_echo(slow_writer, b"x")
            with server.connect() as other:
                check_echo(other, pattern(20000))
            time.sleep(0.005)
        slow_reader.settimeout(harness.PATIENCE)
        equal(receive(slow_reader, sent) == text[:sent], True, "all came back to the slow reader")


def broken_clients():
    """Clients that close, or reset the connection, with the echo still on its way; others are unharmed."""
    with start() as server, server.connect() as steady:
        for i in range(30 if SMALL else 300):
            s = server.connect()
            s.sendall(pattern(1 + i * 517 % 100000))
            reset(s) if i % 2 else s.close()
            if i % 10 == 0:
                check_echo(steady)


def storm():
    """Threads that connect and close as fast as they can, so that descriptors are used again at once."""
    with start() as server, server.connect() as steady:
        problems = []

        def connect_often(index):
            try:
                for i in range(20 if SMALL else 250):
                    with server.connect() as s:
                        if (i + index) % 3 == 0:
                            check_echo(s, b"%d %d" % (index, i))
                        if (i + index) % 3 == 1:
                            reset(s)
            except Exception as problem:  # reported below
                problems.append(problem)

        threads = [threading.Thread(target=connect_often, args=(i,)) for i in range(8)]
        for t in threads:
            t.start()
        while any(t.is_alive() for t in threads):
            check_echo(steady)
        equal(problems, [], "in the storm")


def many_idle():
    """Ten thousand connections that do nothing, what each costs, and that each of them still works."""
    count = min(200 if SMALL else 10000, harness.MOST_DESCRIPTORS - 100)
    with start() as server:
        before = server.resident()
        connections = []
        for i in range(count):
            connections.append(server.connect())
            if i % 500 == 499:  # the backlog is bounded
                eventually(lambda: server.connections() == i + 1, "all are accepted")
        eventually(lambda: server.connections() == count, "all are accepted")
        idle = (server.resident() - before) / count
        for s in connections:
            s.sendall(b"still there?")
        for s in connections:
            equal(receive(s, 12), b"still there?")
        used = (server.resident() - before) / count
        print(f"{count} connections: {idle:.0f} bytes each when idle, {used:.0f} after a message")
        for s in connections:
            s.close()
        expect(SMALL or idle <= 6 * 1024, "an idle connection costs", idle)
        expect(SMALL or used <= 6 * 1024, "a connection that was used and is idle costs", used)


def out_of_descriptors():
    """With room for a few, the others wait their turn, and none is turned away."""
    with start(descriptors=40) as server:
        connections = [server.connect() for _ in range(100)]
        for s in connections:
            s.sendall(b"hello")
        served = 0
        for s in connections:  # in the order in which they were accepted; each makes room for another
            equal(receive(s, 5), b"hello", f"after {served} clients")
            served += 1
            s.close()
        with server.connect() as s:
            check_echo(s)


def stops_at_once():
    """SIGTERM while clients are there and one is being written to."""
    with start() as server:
        with server.connect() as idle, server.connect() as busy:
            busy.setblocking(False)
            try:
                while True:
                    busy.send(pattern(1 << 20))
            except BlockingIOError:
                pass
            check_echo(idle)
            server.check_nothing_left = lambda: None  # the connections are still there
            server.stop()
            server.stop = lambda: None
            equal(receive_all(idle), b"", "the end of the stream")


harness.main(sends_back, slow_clients, broken_clients, storm, many_idle, out_of_descriptors, stops_at_once,
             needing_signals=[stops_at_once])
