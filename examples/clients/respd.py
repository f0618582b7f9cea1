#!/usr/bin/env python3
"""Tests the example `respd`, by hand and with redis-cli and redis-benchmark. respd.py [--small] PROGRAM"""
import csv
import subprocess
import threading
import time

import harness
from harness import SMALL, equal, eventually, expect, pattern, receive, receive_all, reset, run, tool

PROGRAM = harness.PROGRAMS[0]


def start():
    return harness.server(PROGRAM)


def request(*words):
    out = b"*%d\r\n" % len(words)
    for word in words:
        word = word if isinstance(word, bytes) else str(word).encode()
        out += b"$%d\r\n%s\r\n" % (len(word), word)
    return out


def check(s, words, reply):
    s.sendall(request(*words))
    equal(receive(s, len(reply)), reply, words)


def commands():
    with start() as server, server.connect() as s, server.connect() as other:
        check(s, ["PING"], b"+PONG\r\n")
        check(s, ["SET", "k", b"\0\r\n\xff"], b"+OK\r\n")
        check(other, ["GET", "k"], b"$4\r\n\0\r\n\xff\r\n")
        check(s, ["INCR", "k"], b"-ERR value is not an integer or out of range\r\n")
        check(s, ["SET", "soon", "gone", "PX", "100"], b"+OK\r\n")
        begin = time.monotonic()
        check(s, ["SET", "later", "gone", "EX", "500"], b"+OK\r\n")
        s.sendall(request("TTL", "later"))
        left = int(receive(s, 6)[1:4])
        expect(499 - (time.monotonic() - begin) <= left <= 500, "it has", left, "seconds left")

        def keys():
            s.sendall(request("DBSIZE"))
            return int(receive(s, 4)[1:2])

        eventually(lambda: keys() == 2, "a key is forgotten though nobody asks for it")
        large = pattern(10 << 20)
        check(s, ["SET", "large", large], b"+OK\r\n")
        s.sendall(request("GET", "large"))
        equal(receive(s, len(large) + 13) == b"$10485760\r\n" + large + b"\r\n", True, "a large value")
        text = b"".join(request("INCR", "n") for _ in range(1000))
        s.sendall(text)
        replies = b"".join(b":%d\r\n" % (i + 1) for i in range(1000))
        equal(receive(s, len(replies)), replies, "a thousand at once")
        for i in range(2 * len(request("INCR", "n"))):  # byte by byte
            s.sendall(text[i:i + 1])
        replies = b":1001\r\n:1002\r\n"
        equal(receive(s, len(replies)), replies, "byte by byte")


def malformed():
    cases = [
        (b"*x\r\n", b"-ERR Protocol error: invalid multibulk length\r\n"),
        (b"*9999999999\r\n", b"-ERR Protocol error: invalid multibulk length\r\n"),
        (b"*1\r\n!4\r\nPING\r\n", b"-ERR Protocol error: expected '$'\r\n"),
        (b"*1\r\n$-5\r\n", b"-ERR Protocol error: invalid bulk length\r\n"),
        (b"*1\r\n$99999999999\r\n", b"-ERR Protocol error: invalid bulk length\r\n"),
        (b"*1\r\n$4\r\nPINGPING\r\n", b"-ERR Protocol error: expected CRLF after a bulk string\r\n"),
        (b"set a \"b\r\n", b"-ERR Protocol error: unbalanced quotes in request\r\n"),
        (b"a" * 70000, b"-ERR Protocol error: too big inline request\r\n"),
        (request("PING") + b"*x\r\n" + request("PING"), b"+PONG\r\n-ERR Protocol error: invalid multibulk length\r\n"),
        (b"QUIT\r\nPING\r\n", b"+OK\r\n"),
    ]
    with start() as server, server.connect() as steady:
        for text, reply in cases:
            with server.connect() as s:
                s.sendall(text)
                got = receive(s, len(reply))
                equal(got, reply, text[:60])
                try:
                    equal(s.recv(100), b"", "behind the error")
                except ConnectionResetError:
                    pass  # closed with something unread
            check(steady, ["PING"], b"+PONG\r\n")
        for i in range(30):  # clients that leave in the middle of a request, or before they took the reply
            s = server.connect()
            s.sendall(request("SET", "k", pattern(100000))[:40000] if i % 2 else request("PING") * 1000)
            reset(s)
        check(steady, ["nonsense", "x"], b"-ERR unknown command 'nonsense', with args beginning with: 'x' \r\n")
        check(steady, ["GET"], b"-ERR wrong number of arguments for 'get' command\r\n")


def publish_and_subscribe():
    with start() as server, server.connect() as listener, server.connect() as speaker:
        check(listener, ["SUBSCRIBE", "a", "b"],
              b"*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n")
        check(speaker, ["PUBLISH", "a", "hello"], b":1\r\n")
        check(speaker, ["PUBLISH", "c", "hello"], b":0\r\n")
        message = b"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$5\r\nhello\r\n"
        equal(receive(listener, len(message)), message)
        check(listener, ["PING"], b"*2\r\n$4\r\npong\r\n$0\r\n\r\n")
        check(listener, ["GET", "k"], b"-ERR Can't execute 'GET': only SUBSCRIBE / UNSUBSCRIBE / PING / QUIT are "
                                      b"allowed in this context\r\n")
        check(listener, ["UNSUBSCRIBE"],
              b"*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$11\r\nunsubscribe\r\n$1\r\nb\r\n:0\r\n")
        check(listener, ["GET", "k"], b"$-1\r\n")
        check(speaker, ["PUBLISH", "a", "hello"], b":0\r\n")

        # A subscriber who does not read is cut off in the end; nobody waits for it, neither who publishes nor who hears.
        check(listener, ["SUBSCRIBE", "x"], b"*3\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n:1\r\n")
        with server.connect() as deaf:
            check(deaf, ["SUBSCRIBE", "x"], b"*3\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n:1\r\n")
            text = pattern(60000)
            expected = b"*3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$60000\r\n" + text + b"\r\n"

            def still_two():
                speaker.sendall(request("PUBLISH", "x", text))
                heard_by = receive(speaker, 4)
                equal(receive(listener, len(expected)) == expected, True, "the other hears it")
                return heard_by == b":2\r\n"

            while still_two():
                pass
            try:
                receive_all(deaf)
            except ConnectionResetError:
                pass


def by_redis_cli():
    cli = tool("redis-cli")
    if not cli:
        return
    with start() as server:
        def ask(*words):
            return run(cli, "-p", server.port, *words).decode()

        equal(ask("ping"), "PONG\n")
        equal(ask("set", "k", "v w", "ex", "100"), "OK\n")
        equal(ask("get", "k"), "v w\n")
        equal(ask("rpush", "l", "a", "b", "c"), "3\n")
        equal(ask("lrange", "l", "0", "-1"), "a\nb\nc\n")
        expect("WRONGTYPE" in ask("get", "l"), "a list is no string")
        equal(run(cli, "-p", server.port, input=b"set x 1\nincr x\nmget x y\ndel x\n"), b"OK\n2\n2\n\n1\n")
        lines = b"".join(b"SET key%d value%d\r\n" % (i, i) for i in range(1000))
        expect(b"errors: 0, replies: 1000" in run(cli, "-p", server.port, "--pipe", input=lines), "redis-cli --pipe")
        with subprocess.Popen([cli, "-p", str(server.port), "subscribe", "news"], stdout=subprocess.PIPE) as listener:
            equal(b"".join(listener.stdout.readline() for _ in range(3)), b"subscribe\nnews\n1\n")
            equal(ask("publish", "news", "hello"), "1\n")
            equal(b"".join(listener.stdout.readline() for _ in range(3)), b"message\nnews\nhello\n")
            listener.terminate()


def under_load():
    benchmark = tool("redis-benchmark")
    if not benchmark:
        return
    with start() as server:
        for pipeline in ("1", "16"):
            text = run(benchmark, "-p", server.port, "-n", "2000" if SMALL else "20000", "-P", pipeline, "--csv",
                       "-t", "ping,set,get,incr,lpush,rpush,lpop,rpop,lrange_100,mset").decode()
            rows = list(csv.DictReader(line for line in text.splitlines() if line.startswith('"')))
            expect(len(rows) >= 10 and all(float(r["rps"]) > 0 for r in rows), text)
        text = run(benchmark, "-p", server.port, "-n", "2000", "-r", "1000", "-q",
                   "SET", "key:__rand_int__", "x", "EX", "1")
        expect(b"rror" not in text, "keys that expire:", text)


def many_at_once():
    """Counters that many clients add to: none is lost."""
    clients, each = (10, 50) if SMALL else (50, 400)
    with start() as server:
        def add():
            with server.connect() as s:
                for _ in range(each):
                    s.sendall(request("INCR", "n"))
                    s.recv(100)

        threads = [threading.Thread(target=add) for _ in range(clients)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        with server.connect() as s:
            total = str(clients * each).encode()
            check(s, ["GET", "n"], b"$%d\r\n%s\r\n" % (len(total), total))


harness.main(commands, malformed, publish_and_subscribe, by_redis_cli, under_load, many_at_once)
