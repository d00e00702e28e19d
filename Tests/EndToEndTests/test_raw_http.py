"""Malformed and borderline HTTP/1.1 over raw sockets: the answer, the end of the connection, and that nothing behind a
request's end is ever served as another one's."""

import json
import socket
import urllib.parse

import pytest
from raw_http import CASES, body, request


class Wire:
    """A connection that is read to its end, or until nothing more can come."""

    def __init__(self, demo):
        address = urllib.parse.urlsplit(demo.base_url)
        self.socket = socket.create_connection((address.hostname, address.port), timeout=20)
        self.received = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before all was sent

    def answer(self, is_head=False):
        """The next answer's status and body; None at the connection's end."""
        while b"\r\n\r\n" not in self.received:
            if not self.more():
                assert self.received == b"", self.received
                return None
        head, _, rest = self.received.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines[1:])}
        length = 0 if is_head else int(fields.get(b"content-length", b"0"))
        while len(rest) < length:
            assert self.more(), "the answer was cut"
            rest = self.received.partition(b"\r\n\r\n")[2]
        self.received = rest[length:]
        return int(lines[0].split()[1]), rest[:length]

    def more(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        self.received += data
        return bool(data)


def reached(mock, text):
    return text in mock.report()


def test_the_table_is_what_was_promised():
    names = [case.name for case in CASES]
    assert len(names) == len(set(names))
    assert sum(case.status != 200 for case in CASES) >= 120


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_raw_http(demo, mock, case):
    key = demo.key().encode()
    second = request(content=body("zweite"), key=True).replace(b"{KEY}", key)
    mock.reset()
    with Wire(demo) as wire:
        wire.send(case.data.replace(b"{KEY}", key) + second)
        status, content = wire.answer(is_head=case.data.startswith(b"HEAD") and case.status == 200)
        assert status == case.status, content
        if status >= 400:
            error = json.loads(content)["error"]
            assert error["message"] and error["code"]
        if case.closes:
            assert wire.answer() is None, "the connection goes on"
        else:
            assert wire.answer()[0] == 200, "the next request was not served"
    assert reached(mock, "erste") == case.reaches
    assert reached(mock, "zweite") == (not case.closes)


@pytest.mark.parametrize("step", [1, 2, 3, 7])
def test_arrives_in_pieces(demo, mock, step):
    """Wherever the network cuts, the same request arrives; several on one connection are answered in order."""
    key = demo.key().encode()
    data = b"".join(request(content=body(f"teil-{number}")).replace(b"{KEY}", key) for number in range(3))
    with Wire(demo) as wire:
        wire.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(data), step):
            wire.send(data[start : start + step])
        for number in range(3):
            status, content = wire.answer()
            assert status == 200 and f"teil-{number}" in content.decode()


def test_hundred_requests_in_one_go(demo, mock):
    """More than is read ahead: the rest waits in the kernel and loses nothing."""
    key = demo.key().encode()
    text = "x" * 3_000
    data = b"".join(request(content=body(f"{number}-{text}")).replace(b"{KEY}", key) for number in range(100))
    with Wire(demo) as wire:
        wire.send(data)
        for number in range(100):
            status, content = wire.answer()
            assert status == 200 and f'"{number}-x' in content.decode()


def test_continue_is_said_before_the_body(demo):
    key = demo.key().encode()
    data = request(b"Expect: 100-continue").replace(b"{KEY}", key)
    head, _, content = data.partition(b"\r\n\r\n")
    with Wire(demo) as wire:
        wire.send(head + b"\r\n\r\n")
        assert wire.answer() == (100, b"")
        wire.send(content)
        assert wire.answer()[0] == 200


def test_continue_is_not_said_to_strangers(demo):
    """Without a good key the body is not even asked for."""
    head = request(b"Expect: 100-continue", key=False).partition(b"\r\n\r\n")[0]
    with Wire(demo) as wire:
        wire.send(head + b"\r\n\r\n")
        assert wire.answer()[0] == 401
        assert wire.answer() is None


def test_a_large_body_in_small_pieces(demo, mock):
    key = demo.key().encode()
    data = request(content=body("lang " * 200_000)).replace(b"{KEY}", key)
    with Wire(demo) as wire:
        for start in range(0, len(data), 10_000):
            wire.send(data[start : start + 10_000])
        status, content = wire.answer()
        usage = json.loads(content)["usage"]
        assert status == 200 and usage["prompt_tokens"] == 250_000
