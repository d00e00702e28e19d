"""Malformed, borderline and abusive HTTP/2 over raw sockets: what it brings about, where it ends, and that nothing in it is
ever taken for another request."""

import json

import pytest
from http2_wire import HTTP2Wire
from raw_http2 import CASES, DATA, END_STREAM, PREFACE, SETTINGS, UPDATE, body, fields, frame, get, headers, request

SECOND = 2001


def reached(mock, text):
    return text in mock.report()


def test_the_table_is_what_was_promised():
    names = [case.name for case in CASES]
    assert len(names) == len(set(names))
    assert sum(case.outcome != ("status", 200) for case in CASES) >= 120


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_raw_http2(demo, mock, case):
    key = demo.key().encode()
    mock.reset()
    what, code = case.outcome
    with HTTP2Wire(demo) as wire:
        wire.send(case.data(key) + request(key, stream=SECOND, content=body("zweite")))
        second = wire.answer(SECOND)
        if what == "goaway":
            assert not wire.read(lambda _: False)
            assert wire.is_closed and [code for _, code in wire.goaways] == [code]
            assert second.status is None
        else:
            first = wire.answer(1)
            if what == "reset":
                assert first.status is None and first.reset == code
            else:
                assert first.status == code and first.reset in (None, 0), first.body
                if code >= 400 and "HEAD" not in case.name:  # whose answers have no body
                    error = json.loads(first.body)["error"]
                    assert error["message"] and error["code"]
            assert second.status == 200 and second.is_over, "the next request was not served"
            assert not wire.goaways
    assert case.reaches is None or reached(mock, "erste") == case.reaches
    assert reached(mock, "zweite") == (what != "goaway")
    assert not reached(mock, "schmuggel")


@pytest.mark.parametrize(
    "data", [PREFACE[:-1] + b"X", PREFACE.replace(b"SM", b"sm"), PREFACE.replace(b"2.0", b"2.1"), b"\r\n" + PREFACE], ids=repr
)
def test_almost_a_preface_is_http1(demo, data):
    with HTTP2Wire(demo, greets=False) as wire:
        wire.send(data)
        assert wire.socket.recv(65_536).startswith(b"HTTP/1.1 505 ")


def test_a_preface_within_http1_is_no_preface(demo):
    """Only the first bytes of a connection choose."""
    with HTTP2Wire(demo, greets=False) as wire:
        wire.send(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
        assert wire.socket.recv(65_536).startswith(b"HTTP/1.1 200 ")
        wire.send(PREFACE)
        assert wire.socket.recv(65_536).startswith(b"HTTP/1.1 505 ")


def test_the_first_frame_is_settings(demo):
    with HTTP2Wire(demo, greets=False) as wire:
        wire.send(PREFACE + get(demo.key().encode()))
        assert not wire.read(lambda _: False)
        assert wire.is_closed and wire.goaways[-1][1] == 1


@pytest.mark.parametrize("step", [1, 2, 3, 7, 100])
def test_arrives_in_pieces(demo, step):
    """Wherever the network cuts, the same requests arrive."""
    key = demo.key().encode()
    data = PREFACE + frame(SETTINGS) + b"".join(request(key, stream=1 + 2 * n, content=body(f"teil-{n}")) for n in range(3))
    with HTTP2Wire(demo, greets=False) as wire:
        for start in range(0, len(data), step):
            wire.send(data[start : start + step])
        for number in range(3):
            answer = wire.answer(1 + 2 * number)
            assert answer.status == 200 and f"teil-{number}" in answer.body.decode()


def test_a_hundred_requests_at_once(demo):
    key = demo.key().encode()
    streams = range(1, 201, 2)
    with HTTP2Wire(demo) as wire:
        wire.send(b"".join(request(key, stream=stream, content=body(f"frage-{stream}-{'x' * 2_000}")) for stream in streams))
        for stream in streams:
            answer = wire.answer(stream)
            assert answer.status == 200 and f"frage-{stream}-x" in answer.body.decode()
        assert not wire.goaways


def test_a_large_body_takes_its_window_and_more(demo):
    """A client that keeps to the windows gets them opened until the body is there."""
    key = demo.key().encode()
    content = body("lang " * 200_000)
    with HTTP2Wire(demo) as wire:
        wire.send(headers(fields(key, (b"content-length", b"%d" % len(content)))))
        sent, allowed = 0, {0: 65_535, 1: 65_535}
        take = wire.take

        def counting(count):
            data = take(count)
            if count == 9 and data and data[3] == UPDATE:
                stream = int.from_bytes(data[5:], "big")
                payload = take(4)
                allowed[stream] = allowed.get(stream, 65_535) + int.from_bytes(payload, "big")
                wire.received = payload + wire.received
            return data

        wire.take = counting
        while sent < len(content):
            count = min(16_384, len(content) - sent, min(allowed.values()) - sent)
            if count > 0:
                ends = END_STREAM if sent + count == len(content) else 0
                wire.send(frame(DATA, ends, 1, content[sent : sent + count]))
                sent += count
            else:
                assert wire.next()
        answer = wire.answer(1)
        assert answer.status == 200 and json.loads(answer.body)["usage"]["prompt_tokens"] == 250_000


def test_a_body_without_end_is_refused(demo, mock):
    key = demo.key().encode()
    mock.reset()
    with HTTP2Wire(demo) as wire:
        wire.send(headers(fields(key, (b"content-length", b"%d" % (8 * 1024 * 1024 + 1)))))
        assert wire.answer(1).status == 413
        wire.send(request(key, stream=3, content=body("zweite")))
        assert wire.answer(3).status == 200


def test_a_client_that_asks_and_never_reads_is_left(demo):
    """Its settings are not acknowledged and its answers not taken: what waits for it has a bound, and others are served."""
    key = demo.key().encode()
    with HTTP2Wire(demo, window=0) as slow, HTTP2Wire(demo) as other:
        for number in range(1_000):
            slow.send(get(key, stream=2 * number + 1))
        other.send(request(key))
        assert other.answer(1).status == 200
        assert not slow.read(lambda _: False)
        assert slow.goaways[-1][1] == 11
