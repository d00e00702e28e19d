"""The rude clients against a small server on loopback: each ends by itself and counts what it did."""

import contextlib
import os
import selectors
import socket
import subprocess
import sys
import threading
import time
import unittest
from unittest import mock

from benchmark import attackers
from benchmark.processes import peak_kib, reset_peak


class Server:
    """Answers every first read with 415 and then closes, or keeps everything open and silent."""

    def __init__(self, answers):
        self.answers = answers
        self.accepted, self.received = 0, 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.listener.setblocking(False)
        self.port = self.listener.getsockname()[1]
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        with selectors.DefaultSelector() as waits, contextlib.ExitStack() as opened:
            waits.register(self.listener, selectors.EVENT_READ)
            while not self.stop.is_set():
                for key, _ in waits.select(0.02):
                    if key.fileobj is self.listener:
                        made, _ = self.listener.accept()
                        opened.callback(made.close)
                        self.accepted += 1
                        waits.register(made, selectors.EVENT_READ)
                        continue
                    try:
                        data = key.fileobj.recv(1 << 20)
                    except OSError:
                        data = b""
                    self.received += len(data)
                    if data and self.answers:
                        with contextlib.suppress(OSError):
                            key.fileobj.sendall(b"HTTP/1.1 415 Unsupported Media Type\r\nContent-Length: 0\r\n\r\n")
                    if not data or self.answers:
                        waits.unregister(key.fileobj)
                        key.fileobj.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()
        self.listener.close()


def attack(name, server, seconds=0.4):
    return attackers.ATTACKS[name]("127.0.0.1", server.port, time.monotonic() + seconds, "key", "/v1/chat/completions")


@mock.patch.object(attackers, "CONNECTIONS", 20)
@mock.patch.object(attackers, "BOMB_BYTES", 100_000)
class AttackerTests(unittest.TestCase):
    def test_slow_ones_hold_all_their_connections(self):
        for name in ("slow headers", "slow body", "slow read", "idle connections"):
            with self.subTest(name), Server(answers=False) as server:
                found = attack(name, server)
                self.assertEqual((found["opened"], found["refused"]), (20, 0))
                self.assertEqual(server.accepted, 20)
                self.assertEqual(found["bytes"] > 0, name != "idle connections")

    def test_whoever_is_closed_comes_back(self):
        for name in ("slow headers", "slow read"):
            with self.subTest(name), Server(answers=True) as server:
                found = attack(name, server, seconds=1.3)
                self.assertGreater(found["closed by the other side"], 0)
                self.assertGreater(found["opened"], 20)

    def test_an_attack_that_cannot_be_made_is_none(self):
        with mock.patch.object(attackers.shutil, "which", return_value=None), self.assertRaisesRegex(SystemExit, "apt-get"):
            attackers.ATTACKS["slowhttptest -H"]("127.0.0.1", 9, time.monotonic() + 0.1, "key", "/x")

    def test_resets_are_counted(self):
        with Server(answers=False) as server:
            found = attack("resets", server)
            self.assertGreater(found["resets"], 50)
            self.assertGreater(server.accepted, 0)

    def test_answers_are_counted_by_status(self):
        for name in ("bodies of 8 MB", "gzip bombs"):
            with self.subTest(name), Server(answers=True) as server:
                self.assertGreater(attack(name, server)["status 415"], 0)

    def test_a_port_that_nobody_serves_ends_no_attack(self):
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        for name in ("slow headers", "resets", "bodies of 8 MB"):
            found = attackers.ATTACKS[name]("127.0.0.1", port, time.monotonic() + 0.2, "key", "/x")
            self.assertFalse([key for key in found if key.startswith("status")])


class PeakTests(unittest.TestCase):
    def test_the_most_memory_is_counted_from_the_last_reset(self):
        reset_peak(os.getpid())
        before = peak_kib(os.getpid())
        block = bytearray(b"x" * 40_000_000)
        self.assertGreater(peak_kib(os.getpid()), before + 30_000)
        del block
        reset_peak(os.getpid())
        self.assertLess(peak_kib(os.getpid()), before + 30_000)

    def test_who_is_gone_has_none(self):
        with subprocess.Popen([sys.executable, "-c", ""]) as gone:
            gone.wait()
        reset_peak(gone.pid)
        self.assertEqual(peak_kib(gone.pid), 0)


if __name__ == "__main__":
    unittest.main()
