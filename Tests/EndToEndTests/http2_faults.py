"""The table of what providers do wrong in HTTP/2, below what they say: frames, streams, connections.

A case is frames; most are put before the head, in the middle of the answer and behind its end. Three pairs of dialects
stand for all: one that passes as it came, one that has no last word, one that is binary.
"""

import dataclasses
import struct

from fault_run import Ask
from faults import CUT_EARLY, LATE, LATE_HEAD, SAID_NO, SAID_NO_BROKEN_OFF, UNTAKEN, Broken, Refused, Well
from provider_wires import GEMINI, WIRES, Wire
from raw_http2 import (
    ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PADDED, PING, PRIORITY, PUSH, RST, SETTINGS, UPDATE, block)
from rude_http2 import Frame
from rude_provider import CLOSE, HANG, RESET, Forever, Pause

PAIRS = [("chat", "chat"), ("responses", "gemini"), ("messages", "converse")]
LOST, SLOW, WHOLE = Broken("upstream_cut"), Broken("upstream_timeout"), Well(keeps=True)
#: libcurl does not tell a stream that was closed without an error, or with its connection, from one that is whole. That a
#: plain answer is cut is then seen by what is missing of it.
CUT = Refused(502, ("upstream_cut", "upstream_error"), 9)
OURS, BEFORE = object(), object()
BEYOND = 0x7FFF_FFFF
# The one error with which a provider says that it has not looked at the request.
REFUSED_STREAM = 7


@dataclasses.dataclass(frozen=True)
class HTTP2Case:
    name: str
    ask: Ask
    wire: Wire
    steps: tuple
    outcome: object

    @property
    def good(self):
        return answer(self.wire, self.ask.stream)


# ---- Frames ----------------------------------------------------------------------------------------------------------


def heading(*pairs, status=b"200", flags=END_HEADERS):
    return Frame(HEADERS, block([(b":status", status), *pairs] if status else pairs), flags)


def body(data, flags=0):
    return Frame(DATA, data, flags)


def reset(code):
    return Frame(RST, struct.pack(">I", code))


def goaway(last, code=0):
    def payload(stream):
        return struct.pack(">II", {OURS: stream, BEFORE: max(0, stream - 2)}.get(last, last), code)

    return Frame(GOAWAY, payload, stream=0)


def update(count, **more):
    return Frame(UPDATE, struct.pack(">I", count), **more)


def settings(*pairs, **more):
    return Frame(SETTINGS, b"".join(struct.pack(">HI", *pair) for pair in pairs), stream=0, **more)


def head_of(wire, is_stream):
    return heading((b"content-type", wire.stream_kind if is_stream else b"application/json"))


def contents(wire, is_stream):
    """The answer in two pieces; the first has the first text."""
    if not is_stream:
        whole = wire.plain()
        return whole[:-20], whole[-20:]
    parts = wire.parts()
    return parts.begin + parts.first, parts.rest + parts.end + parts.last


def answer(wire, is_stream):
    first, rest = contents(wire, is_stream)
    return [head_of(wire, is_stream), body(first), body(rest, END_STREAM)]


# ---- The table -------------------------------------------------------------------------------------------------------


def borne():
    """What is unusual and allowed, or the concern of nobody: put behind the head."""
    yield "a frame of an unknown type", [Frame(0x77, b"x" * 9)]
    yield "pings", [Frame(PING, b"12345678", stream=0)] * 20
    yield "answers to pings that nobody sent", [Frame(PING, b"12345678", ACK, stream=0)] * 20
    yield "settings", [settings((3, 100), (4, 1 << 20))] * 5
    yield "unknown settings", [settings((0x77, 7))]
    yield "window updates", [update(1000), update(1000, stream=0)]
    yield "priorities", [Frame(PRIORITY, b"\0\0\0\0\x10")]
    yield "empty DATA", [body(b"")] * 20
    yield "DATA of padding alone", [Frame(DATA, b"\x03\0\0\0", PADDED)]


def violations():
    """Each ends the connection, wherever it is met."""
    yield "DATA on stream 0", [Frame(DATA, b"x", stream=0)]
    yield "HEADERS on stream 0", [Frame(HEADERS, block([(b":status", b"200")]), END_HEADERS, stream=0)]
    yield "DATA beyond the frame size", [body(b"x" * 16_385)]
    yield "DATA of more padding than frame", [Frame(DATA, b"\x05\0", PADDED)]
    yield "CONTINUATION of nothing", [Frame(CONTINUATION, b"", END_HEADERS)]
    yield "another frame within a head", [Frame(HEADERS, block([(b":status", b"200")])), Frame(PING, b"12345678", stream=0)]
    yield "RST_STREAM on stream 0", [Frame(RST, b"\0\0\0\x08", stream=0)]
    yield "RST_STREAM on an idle stream", [Frame(RST, b"\0\0\0\x08", stream=99)]
    yield "RST_STREAM of another size", [Frame(RST, b"\0\0\x08")]
    yield "WINDOW_UPDATE by nothing", [update(0, stream=0)]
    yield "WINDOW_UPDATE beyond all", [update(BEYOND, stream=0)]
    yield "WINDOW_UPDATE of another size", [Frame(UPDATE, b"\0\0\1", stream=0)]
    yield "SETTINGS on a stream", [Frame(SETTINGS, b"")]
    yield "SETTINGS of another size", [Frame(SETTINGS, b"\0\1\0\0\0", stream=0)]
    yield "SETTINGS: a window beyond all", [settings((4, 0xFFFF_FFFF))]
    yield "SETTINGS: frames of nothing", [settings((5, 0))]
    yield "PING on a stream", [Frame(PING, b"12345678")]
    yield "PING of another size", [Frame(PING, b"1234567", stream=0)]
    yield "GOAWAY on a stream", [Frame(GOAWAY, b"\0" * 8)]
    yield "GOAWAY of another size", [Frame(GOAWAY, b"\0" * 7, stream=0)]
    yield "a push that was not allowed", [Frame(PUSH, b"\0\0\0\2" + block([(b":method", b"GET")]), END_HEADERS)]
    yield "a field that cannot be unpacked", [Frame(HEADERS, b"\xff\x80\x08", END_HEADERS)]
    yield "another protocol", [b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"]


def bad_heads():
    kind = (b"content-type", b"application/json")
    yield "no status", [heading(kind, status=None)]
    yield "two statuses", [heading((b":status", b"200"), kind)]
    yield "a status of letters", [heading(kind, status=b"abc")]
    yield "a status of two digits", [heading(kind, status=b"20")]
    yield "a status behind other fields", [heading(kind, (b":status", b"200"), status=None)]
    yield "a pseudo-header field of requests", [heading((b":path", b"/"), kind)]
    yield "a name in capitals", [heading((b"X-Upper", b"a"), kind)]
    yield "a connection field", [heading((b"connection", b"close"), kind)]
    yield "an encoding for the way", [heading((b"transfer-encoding", b"chunked"), kind)]
    yield "two lengths", [heading((b"content-length", b"5"), (b"content-length", b"7"), kind)]
    yield "DATA without a head", []
    yield "a head of 101 fields", [heading(kind, *[(b"x-%d" % number, b"a") for number in range(100)])]
    yield "a head of 100 KiB", [
        Frame(HEADERS, block([(b":status", b"200"), kind])), *[Frame(CONTINUATION, block([(b"x-a", b"a" * 8_000)]))] * 13,
        Frame(CONTINUATION, b"", END_HEADERS)]


def of_streams(wire, is_stream):
    """Faults of one stream, or of none: the connection may go on."""
    head = head_of(wire, is_stream)
    first, rest = contents(wire, is_stream)
    cut, slow = (LOST, SLOW) if is_stream else (CUT, LATE)
    open_cut = dataclasses.replace(cut, keeps=None)
    early = dataclasses.replace(CUT_EARLY, keeps=None)
    # Whoever has said all that there is to say may leave out the end: a wire's last word says so, or an error of none.
    behind = [Well() if code == 0 or is_stream and wire is not GEMINI else open_cut for code in range(14)]
    yield "in pieces of seven bytes", [head, *[body(piece) for piece in sevens(first + rest)], body(b"", END_STREAM)], WHOLE
    yield "in one burst with its head", [(head, body(first), body(rest, END_STREAM))], WHOLE
    yield "a trailer", [head, body(first), body(rest), Frame(HEADERS, block([(b"x-sum", b"1")]), END_HEADERS | END_STREAM)], WHOLE
    yield "interim heads", [*[heading(status=b"103")] * 3, head, body(first), body(rest, END_STREAM)], WHOLE
    for name, frames in borne():
        yield name, [head, *frames, body(first), *frames, body(rest, END_STREAM)], WHOLE
    yield "no content", [heading(status=b"204", flags=END_HEADERS | END_STREAM)], SAID_NO
    yield "an error", [heading(status=b"500"), body(wire.error(500), END_STREAM)], SAID_NO
    yield "an error without an end", [heading(status=b"500"), Forever(body(b"x" * 4096), 0.01)], dataclasses.replace(
        SAID_NO_BROKEN_OFF, keeps=None)
    yield "limited", [heading((b"retry-after", b"30"), status=b"429"), body(wire.error(429), END_STREAM)], Refused(
        429, "upstream_rate_limited", 4, 30, True)
    yield "nothing at all", [HANG], dataclasses.replace(LATE_HEAD, keeps=None)
    yield "interim heads without an end", [Forever(heading(status=b"103"), 0.05)], dataclasses.replace(LATE_HEAD, keeps=None)
    yield "a head and nothing more", [head, HANG], dataclasses.replace(slow, keeps=None)
    yield "the first text and nothing more", [head, body(first), HANG], dataclasses.replace(slow, keeps=None)
    yield "empty DATA without an end", [head, body(first), Forever(body(b""), 0.02)], dataclasses.replace(slow, keeps=None)
    for code in (0, 1, 2, 7, 8, 11, 13):
        yield f"reset {code} before the head", [reset(code)], UNTAKEN if code == REFUSED_STREAM else early
        yield f"reset {code} behind the head", [head, Pause(0.05), reset(code)], open_cut
        yield f"reset {code} in the answer", [head, body(first), Pause(0.05), reset(code)], open_cut
        yield f"reset {code} instead of the end", [head, body(first), body(rest), Pause(0.05), reset(code)], behind[code]
        yield f"reset {code} behind the end", [head, body(first), body(rest, END_STREAM), reset(code)], Well()
    length = len(first + rest)
    yield "fewer bytes than announced", [lengthy(head, length + 1), body(first), body(rest, END_STREAM)], open_cut
    yield "more bytes than announced", [lengthy(head, length - 1), body(first), body(rest, END_STREAM)], open_cut
    yield "WINDOW_UPDATE of the stream by nothing", [head, body(first), Pause(0.05), update(0), HANG], open_cut
    yield "WINDOW_UPDATE of the stream beyond all", [head, body(first), Pause(0.05), update(BEYOND), HANG], open_cut
    yield "another head in the answer", [head, body(first), Pause(0.05), heading(status=b"500"), HANG], open_cut
    yield "DATA behind the end", [head, body(first), body(rest, END_STREAM), body(b"zu viel")], Well()
    yield "a head behind the end", [head, body(first), body(rest, END_STREAM), heading(), body(b"FALSCH", END_STREAM)], Well()


def of_connections(wire, is_stream):
    """Faults of the whole connection, which nothing is sent on any more."""
    head = head_of(wire, is_stream)
    first, rest = contents(wire, is_stream)
    cut = LOST if is_stream else CUT
    left = Well(keeps=False)
    for name, step in (("closed", CLOSE), ("torn off", RESET)):
        yield f"{name} at once", [Pause(0.05), step], CUT_EARLY
        yield f"{name} behind the head", [head, Pause(0.05), step], cut
        yield f"{name} in the answer", [head, body(first), Pause(0.05), step], cut
        yield f"{name} within a frame", [head, body(first), Frame(DATA, rest[:5], END_STREAM, length=len(rest)), Pause(0.05), step], cut
    whole = [head, body(first), body(rest, END_STREAM)]
    yield "closed behind the end", [*whole, Pause(0.05), CLOSE], left
    for name, last in (("of this stream", OURS), ("of all streams", BEYOND)):
        yield f"GOAWAY {name} before the head", [goaway(last), Pause(0.05), *whole], left
        yield f"GOAWAY {name} in the answer", [head, body(first), goaway(last), Pause(0.05), body(rest, END_STREAM)], left
        yield f"GOAWAY {name} behind the end", [*whole, goaway(last)], left
        yield f"GOAWAY {name} in the answer, closed", [head, body(first), goaway(last), Pause(0.05), CLOSE], cut
    # As whoever ends a connection that nobody uses.
    yield "GOAWAY to an idle connection", [*whole, Pause(0.05), goaway(OURS)], left
    yield "GOAWAY to an idle connection, closed", [*whole, Pause(0.05), goaway(OURS), CLOSE], left
    yield "GOAWAY that knows nothing of it", [goaway(0), Pause(0.05), CLOSE], UNTAKEN
    yield "GOAWAY that knows nothing of it, open", [goaway(0), HANG], UNTAKEN
    yield "GOAWAY of all before it", [goaway(BEFORE), HANG], UNTAKEN
    yield "GOAWAY of all streams, then of those before it", [goaway(BEYOND), goaway(BEFORE), HANG], UNTAKEN
    yield "GOAWAY of this stream, then its reset", [goaway(OURS), Pause(0.05), reset(2), CLOSE], CUT_EARLY
    yield "GOAWAY with an error in the answer", [head, body(first), goaway(OURS, 2), Pause(0.05), CLOSE], cut
    for name, frames in violations():
        yield f"{name} before the head", [*frames, HANG], CUT_EARLY
        yield f"{name} in the answer", [head, body(first), Pause(0.05), *frames, HANG], cut
        if name == "another frame within a head":
            continue  # libcurl finds it with the next request only, which is lost with the connection
        # What is said on a stream that is over is read over, however wrong it is.
        is_over = isinstance(frames[0], Frame) and (frames[0].kind, frames[0].stream) == (DATA, None)
        yield f"{name} behind the end", [*whole, Pause(0.05), *frames], Well() if is_over else left
    for name, frames in bad_heads():
        yield name, [*frames, body(first), body(rest, END_STREAM)], dataclasses.replace(CUT_EARLY, keeps=None)


def sevens(data):
    return [data[start : start + 7] for start in range(0, len(data), 7)]


def lengthy(head, length):
    return dataclasses.replace(head, payload=head.payload + block([(b"content-length", b"%d" % length)]))


def cases():
    for route, name in PAIRS:
        for is_stream in (False, True):
            wire = WIRES[name]
            for table in (of_streams, of_connections):
                for fault, steps, outcome in table(wire, is_stream):
                    yield HTTP2Case(
                        f"{route}-{name}-{'stream' if is_stream else 'plain'}-{fault}", Ask(route, is_stream), wire, tuple(steps), outcome)


CASES = list(cases())
