"""Rude clients for the mode `attacks`: each runs for a while against one address and counts what it did.

Run as a program of its own, so that its work is not the bench's: python3 -m benchmark.attackers NAME HOST PORT SECONDS KEY.
Prints one JSON object. Speaks to loopback only, from addresses 127.0.0.2 and up, so that a limit per source does not end the
attack before it has begun.
"""

import contextlib
import gzip
import json
import os
import re
import select
import selectors
import shutil
import socket
import struct
import subprocess
import sys
import time

SOURCES = 8
CONNECTIONS = 1000
RESETS_PER_SECOND = 10_000
BOMB_BYTES = 256 * 1024 * 1024


def connect(host, port, number=0, receive=None, wait=2.0):
    """A connection from one of the sources in turn, or None if it was refused."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if receive:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        made.bind((f"127.0.0.{2 + number % SOURCES}", 0))
        made.settimeout(wait)
        made.connect((host, port))
        made.setblocking(False)
        return made
    except OSError:
        made.close()
        return None


def send(connection, data):
    """How many bytes went out; -1 if the connection is over."""
    try:
        return connection.send(data)
    except BlockingIOError:
        return 0
    except OSError:
        return -1


def is_over(connection, reads):
    """Whether the other side has closed; what it sent is thrown away, or left where it is by who does not read."""
    if not reads:
        waits = select.poll()
        waits.register(connection, select.POLLRDHUP)
        return bool(waits.poll(0))
    try:
        return not connection.recv(65536)
    except BlockingIOError:
        return False
    except OSError:
        return True


def head(path, key, length=None, more=""):
    lines = [f"POST {path} HTTP/1.1", "Host: gateway", f"Authorization: Bearer {key}", "Content-Type: application/json"]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return ("\r\n".join(lines) + "\r\n" + more + "\r\n").encode()


def chat(text, model="mock-fast", stream=False):
    return json.dumps({"model": model, "stream": stream, "messages": [{"role": "user", "content": text}]}).encode()


def many(host, port, deadline, first, step, reads=True, receive=None, pause=0.5):
    """Holds many connections: `first` is sent at once, `step` every half second; what is closed is opened again."""
    held, opened, closed, refused, sent = [None] * CONNECTIONS, 0, 0, 0, 0
    with contextlib.ExitStack() as stack:
        stack.callback(lambda: [one.close() for one in held if one])
        while time.monotonic() < deadline:
            began = time.monotonic()
            for number, one in enumerate(held):
                if time.monotonic() > deadline:
                    break
                if one is not None and (is_over(one, reads) or (step and send(one, step) < 0)):
                    one.close()
                    closed += 1
                    one = held[number] = None
                if one is None:
                    one = held[number] = connect(host, port, number, receive)
                    opened, refused = opened + (one is not None), refused + (one is None)
                    if one is not None and first:
                        sent += max(0, send(one, first))
            time.sleep(max(0, min(pause - (time.monotonic() - began), deadline - time.monotonic())))
    return {"opened": opened, "closed by the other side": closed, "refused": refused, "bytes": sent}


def slow_headers(host, port, deadline, key, path):
    return many(host, port, deadline, f"POST {path} HTTP/1.1\r\nHost: gateway\r\n".encode(), b"X-A: b\r\n")


def slow_body(host, port, deadline, key, path):
    return many(host, port, deadline, head(path, key, 100_000) + b"{", b" ")


def slow_read(host, port, deadline, key, path):
    """Asks for streams that come to more than a gateway holds before it waits, and takes nothing of them. They come slowly:
    a thousand large answers at once would be the mock provider's work most of all."""
    body = chat("[[mock script=mock-stream;chunks=10;delay=400;size=100000]] " + "x" * 4000, stream=True)
    return many(host, port, deadline, (head(path, key, len(body)) + body) * 4, b"", reads=False, receive=2048)


def idle(host, port, deadline, key, path):
    return many(host, port, deadline, b"", b"")


def resets(host, port, deadline, key, path):
    """Opens, sends the half of a request, resets; up to 10,000 a second."""
    body = chat("Hallo")
    pieces = [b"", b"POST /v1", head(path, key, len(body)), head(path, key, len(body)) + body]
    linger, done, refused, began = struct.pack("ii", 1, 0), 0, 0, time.monotonic()
    while (now := time.monotonic()) < deadline:
        if done > (now - began) * RESETS_PER_SECOND:
            time.sleep(0.001)
            continue
        one = connect(host, port, done)
        if one is None:
            refused += 1
            continue
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        if pieces[done % len(pieces)]:
            send(one, pieces[done % len(pieces)])
        one.close()
        done += 1
    return {"resets": done, "refused": refused, "resets per second": round(done / max(0.001, time.monotonic() - began))}


def exchange(host, port, deadline, request, connections=4):
    """Sends one request again and again over a few connections and counts the statuses of the answers."""
    statuses, waits = {}, selectors.DefaultSelector()
    opened = 0

    def fresh():
        nonlocal opened
        one = connect(host, port, opened)
        opened += 1
        if one is not None:
            waits.register(one, selectors.EVENT_READ | selectors.EVENT_WRITE, [memoryview(request), b""])

    def drop(one):
        waits.unregister(one)
        one.close()

    for _ in range(connections):
        fresh()
    while time.monotonic() < deadline and waits.get_map():
        for key, events in waits.select(0.1):
            one, state = key.fileobj, key.data
            if events & selectors.EVENT_WRITE and len(state[0]):
                count = send(one, state[0][: 256 * 1024])
                if count > 0:
                    state[0] = state[0][count:]
                if not len(state[0]):
                    waits.modify(one, selectors.EVENT_READ, state)
            if events & selectors.EVENT_READ:
                try:
                    data = one.recv(1 << 18)
                except BlockingIOError:
                    continue
                except OSError:
                    data = b""
                state[1] = state[1][-8:] + data if state[1][:9] == b"HTTP/1.1 " else state[1] + data
                found = re.match(rb"HTTP/1\.1 (\d\d\d)", state[1])
                if found:
                    statuses[found[1].decode()] = statuses.get(found[1].decode(), 0) + 1
                if found or not data:
                    drop(one)
                    fresh()
    for key in list(waits.get_map().values()):
        drop(key.fileobj)
    return {"opened": opened, **{f"status {status}": count for status, count in sorted(statuses.items())}}


def big_bodies(host, port, deadline, key, path):
    body = chat("Sehr geehrte Damen und Herren, " * (7_900_000 // 31))
    return exchange(host, port, deadline, head(path, key, len(body)) + body)


def gzip_bombs(host, port, deadline, key, path):
    body = gzip.compress(b'{"model":"mock-fast","messages":[{"role":"user","content":"' + b"a" * BOMB_BYTES + b'"}]}')
    return exchange(host, port, deadline, head(path, key, len(body), "Content-Encoding: gzip\r\n") + body)


def slowhttptest(mode):
    """One of the four modes of slowhttptest, as its manual page names them."""

    def attack(host, port, deadline, key, path):
        program = shutil.which("slowhttptest")
        if program is None:
            raise SystemExit("slowhttptest is not installed (apt-get install slowhttptest, or scripts/setup.sh bench)")
        seconds = max(1, int(deadline - time.monotonic()))
        command = [program, f"-{mode}", "-c", str(CONNECTIONS), "-r", "500", "-i", "1", "-l", str(seconds), "-u", f"http://{host}:{port}{path}"]
        if mode == "B":
            command += ["-t", "POST"]
        if mode == "X":
            command += ["-k", "3"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 30)
        text = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
        found = {name: int(value) for name, value in re.findall(r"(closed|connected|error|pending):\s+(\d+)", text)}
        if not found:
            raise SystemExit(f"slowhttptest ended with {done.returncode} and no figures: {text.strip()[-200:]}")
        return found

    return attack


ATTACKS = {
    "slow headers": slow_headers,
    "slow body": slow_body,
    "slow read": slow_read,
    "idle connections": idle,
    "resets": resets,
    "bodies of 8 MB": big_bodies,
    "gzip bombs": gzip_bombs,
    "slowhttptest -H": slowhttptest("H"),
    "slowhttptest -B": slowhttptest("B"),
    "slowhttptest -R": slowhttptest("R"),
    "slowhttptest -X": slowhttptest("X"),
}


def main(arguments):
    name, host, port, seconds, key, path = arguments
    # Rude clients have processors of their own. Where they share them with their victim they take what is left over, or
    # their own work would be measured as the harm that they do.
    os.nice(19)
    print(json.dumps(ATTACKS[name](host, int(port), time.monotonic() + float(seconds), key, path)))


if __name__ == "__main__":
    main(sys.argv[1:])
