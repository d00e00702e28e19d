"""The table of what providers do wrong in what they say, for every wire and every dialect of clients.

A fault is described once, in terms of the wire; `provider_wires.py` has the bytes. What HTTP itself can suffer (framing,
heads, connections) is the same for all of them: `faults.py` and `http2_faults.py` have it.
"""

import dataclasses
import struct
import zlib

from fault_run import Ask
from faults import (
    CUT, CUT_EARLY, ENDLESS_ERROR, LATE, LATE_HEAD, SAID_NO, SAID_NO_BROKEN_OFF, Broken, Refused, Well, chunk, head, sized)
from provider_wires import CONVERSE, GEMINI, MESSAGES, WIRES, Wire, frame, named
from rude_provider import CLOSE, HANG, RESET, Pause

#: Who can ask whom: answers of OpenAI's Responses are not translated.
PAIRS = [(route, name) for route in ("chat", "responses", "messages") for name in WIRES if name != "responses"]
PAIRS.append(("responses", "responses"))

LAST = b"0\r\n\r\n"
#: Status 200, so billed, and nothing that can be passed on.
UNREADABLE = Refused(502, "upstream_error", 9, keeps=None)
#: The same with usage told: it is what counts.
UNREADABLE_PAID = Refused(502, "upstream_error", 5, keeps=True)
BAD, LOST, SLOW = Broken("upstream_error"), Broken("upstream_cut"), Broken("upstream_timeout")
LIMITED, WRONG = Broken("upstream_rate_limited"), Broken("invalid_value")
WHOLE = Well(keeps=True)


@dataclasses.dataclass(frozen=True)
class DialectCase:
    name: str
    ask: Ask
    wire: Wire
    steps: tuple
    outcome: object

    @property
    def good(self):
        return [stream(self.wire)] if self.ask.stream else [plain(self.wire)]


def events_head(wire):
    return head(b"Content-Type: " + wire.stream_kind, b"Transfer-Encoding: chunked")


def stream(wire, **more):
    parts = wire.parts(**more)
    return events_head(wire) + b"".join(chunk(part) for part in dataclasses.astuple(parts) if part) + LAST


def plain(wire, **more):
    return sized(wire.plain(**more))


def in_sevens(data):
    return [data[start : start + 7] for start in range(0, len(data), 7)]


def plain_faults(wire, is_translated):
    good = plain(wire)
    yield "nothing at all", [HANG], LATE_HEAD
    yield "half an answer and nothing more", [good[:-20], HANG], LATE
    yield "half an answer, closed", [good[:-20], CLOSE], CUT
    yield "reset at once", [RESET], CUT_EARLY
    yield "reset in the answer", [good[:-20], Pause(0.05), RESET], CUT
    yield "in pieces of seven bytes", in_sevens(good), WHOLE
    yield "no JSON", [sized(wire.plain()[:-9])], UNREADABLE
    yield "JSON that is no answer", [sized(b'{"hello":1}')], UNREADABLE
    yield "JSON that is no object", [sized(b"[]")], UNREADABLE
    yield "nothing but a length of zero", [sized(b"")], UNREADABLE
    yield "a page instead of an answer", [sized(b"<html>Hotel Wi-Fi</html>", kind=b"text/html")], UNREADABLE
    yield "a stream to a plain request", [stream(wire)], UNREADABLE
    yield "no content", [head(status="204 No Content")], SAID_NO
    for name, other in WIRES.items():
        # OpenAI and Anthropic say nearly the same of usage, so it may be found in the other's answer.
        if other is not wire:
            yield f"an answer of another wire: {name}", [plain(other)], Refused(502, "upstream_error", (5, 9), keeps=None)
    # Converse has no such thing: its errors cannot be told from any other JSON.
    yield "an error with status 200", [sized(wire.error(500))], UNREADABLE if wire is CONVERSE else SAID_NO
    if is_translated or wire is WIRES["chat"]:
        yield "an end that nobody knows", [plain(wire, finish="exploded")], UNREADABLE_PAID


def stream_faults(wire, is_translated):
    start, parts = events_head(wire), wire.parts()
    begun = start + (chunk(parts.begin) if parts.begin else b"") + chunk(parts.first)
    rest, end, last = chunk(parts.rest), chunk(parts.end), chunk(parts.last) if parts.last else b""
    # Gemini has no last word: there the stream's regular end is the answer's.
    has_last = bool(parts.last)
    yield "nothing at all", [HANG], LATE_HEAD
    yield "a head and nothing more", [start, HANG], SLOW
    yield "the first text and nothing more", [begun, HANG], SLOW
    yield "reset at once", [RESET], CUT_EARLY
    yield "reset behind the head", [start, Pause(0.05), RESET], LOST
    yield "reset behind the first text", [begun, Pause(0.05), RESET], LOST
    yield "closed behind the first text", [begun, CLOSE], LOST
    yield "closed inside of an event", [begun + rest[: len(rest) // 2], CLOSE], LOST
    yield "half an event, ended in good order", [begun + chunk(parts.rest[: len(parts.rest) // 2]) + LAST], ended(LOST)
    yield "no events", [start + LAST], ended(LOST)
    yield "no end", [begun + rest + LAST], ended(LOST)
    if has_last:
        # Behind the reason of its end Converse only tells its usage.
        yield "no last word", [begun + rest + end + LAST], Well(2, True) if wire is CONVERSE else ended(LOST)
        if wire is not WIRES["responses"]:  # there it repeats all that was said
            yield "a last word without an end", [begun + rest + last + LAST], ended(LOST)
        yield "the last word twice", [begun + rest + end + last + last + LAST], Well()
        yield "a second stream behind the last word", [start + chunk(parts.whole) + chunk(parts.whole) + LAST], Well()
        yield "text behind the last word", [start + chunk(parts.whole + wire.piece("zu viel")) + LAST], Well()
        yield "an error behind the last word", [start + chunk(parts.whole + wire.error_event(500)) + LAST], Well()
        yield "noise behind the last word", [start + chunk(parts.whole + b"\0\1\2 zu viel\n\n") + LAST], Well()
    after = begun + rest + end + last
    yield "silence behind the end", [after, HANG], Well(keeps=False) if has_last else SLOW
    yield "closed behind the end", [after, CLOSE], Well(keeps=False) if has_last else LOST
    yield "reset behind the end", [after, Pause(0.05), RESET], Well(keeps=False) if has_last else LOST
    yield "in pieces of seven bytes", in_sevens(stream(wire)), WHOLE
    yield "pings in between", [begun + chunk(wire.ping) + rest + chunk(wire.ping) + end + last + LAST], WHOLE
    yield "events that nobody knows", [begun + chunk(wire.unknown) + rest + chunk(wire.unknown) + end + last + LAST], WHOLE
    yield "an event that is no JSON", [begun + chunk(wire.unreadable), HANG], BAD
    yield "an event of 2 MiB", [begun + chunk(wire.piece("x" * (2 << 20))), HANG], BAD
    noise = begun + chunk(b"\0\1\2 neither event nor frame \x7f\n\n") + rest + end + last + LAST
    yield "noise between events", [noise], ended(BAD) if wire is CONVERSE else WHOLE
    yield "an error at the start", [start + chunk(wire.error_event(500)), HANG], BAD
    yield "an error in the middle", [begun + chunk(wire.error_event(500)) + end + last + LAST], ended(BAD)
    yield "overloaded in the middle", [begun + chunk(wire.error_event(503)), HANG], BAD
    yield "limited in the middle", [begun + chunk(wire.error_event(429)), HANG], LIMITED
    yield "refused in the middle", [begun + chunk(wire.error_event(400)), HANG], WRONG
    if is_translated or wire is WIRES["chat"]:
        yield "an end that nobody knows", [begun + rest + chunk(wire.parts(finish="exploded").end), HANG], BAD
    if is_translated:
        yield "a piece of what never began", [begun + chunk(wire.orphan), HANG], BAD
    if wire is MESSAGES:
        yield "an error in other words", [begun + chunk(named({"type": "error", "message": "boom"})), HANG], BAD
    if wire is CONVERSE:
        yield from frame_faults(begun, parts)
    else:
        yield "a line of 2 MiB without an end", [begun + chunk(b"data: " + b"x" * (2 << 20)), HANG], BAD
    yield "a page instead of a stream", [sized(b"<html>Hotel Wi-Fi</html>", kind=b"text/html")], UNREADABLE
    yield "a plain answer to a request for a stream", [plain(wire)], UNREADABLE
    other = GEMINI if wire is CONVERSE else CONVERSE
    yield "a stream of the other kind", [stream(other)], UNREADABLE


def frame_faults(begun, parts):
    """Bedrock's binary frames: each of the two checksums, and lengths that lie."""

    def flipped(at):
        data = bytearray(parts.rest)
        data[at] ^= 1
        return bytes(data)

    def prelude(total, headers):
        lengths = struct.pack(">II", total, headers)
        return lengths + struct.pack(">I", zlib.crc32(lengths))

    for name, data in (
        ("a bit of the text flipped", flipped(-9)), ("a bit of the checksum flipped", flipped(-1)),
        ("a bit of a header flipped", flipped(14)), ("a bit of the length flipped", flipped(3)),
        ("a bit of the lengths' checksum flipped", flipped(11)), ("a frame of 2 GiB", prelude(1 << 31, 20)),
        ("a frame shorter than its frame", prelude(8, 0)), ("headers longer than their frame", prelude(100, 90)),
        ("a header that does not end", broken_headers()),
    ):
        yield name, [begun + chunk(data), HANG], BAD
    yield "an exception that nobody knows", [begun + chunk(frame("newException", b"{}", type="exception")), HANG], BAD


def broken_headers():
    headers = b"\x0b:event-type\x07\xff\xffx"
    lengths = struct.pack(">II", 16 + len(headers), len(headers))
    said = lengths + struct.pack(">I", zlib.crc32(lengths)) + headers
    return said + struct.pack(">I", zlib.crc32(said))


def usage_faults(wire):
    for name, usage, outcome in (
        ("none", None, Well(2, True)), ("zero", (0, 0), Well(1, True, says_zero=True)), ("negative", (-7, -5), Well(2, True)),
        ("words", ("seven", "five"), Well(2, True)), ("fractions", (7.5, 5.5), Well(2, True)),
        ("beyond 64 bits", (10**30, 10**30), Well(2, True)), ("far beyond the worst case", (10**9, 10**9), Well(1, True)),
    ):
        yield f"usage: {name}", [plain(wire, usage=usage)], [stream(wire, usage=usage)], outcome


def statuses(wire):
    def error(status, text="boom", *fields, line=None):
        more = fields
        if wire is CONVERSE:
            more += (b"x-amzn-ErrorType: " + {429: b"ThrottlingException"}.get(status, b"InternalServerException"),)
        return [sized(wire.error(status, text), *more, status=line or f"{status} No")]

    refused = Refused(502, "upstream_auth", 4, keeps=True)
    yield "our key is refused", error(401, "Incorrect API key provided: sk-mock****4f2a"), refused
    yield "forbidden", error(403), refused
    yield "no such model", error(404), SAID_NO
    yield "limited", error(429, "slow down", b"Retry-After: 30"), Refused(429, "upstream_rate_limited", 4, 30, True)
    yield "out of order", error(500), SAID_NO
    yield "away", error(503, "no", b"Retry-After: 30"), Refused(502, "upstream_error", 4, 30, True)
    yield "overloaded", error(529, "no", b"Retry-After: 3000"), Refused(502, "upstream_error", 4, 60, True)
    yield "the request is wrong", error(400), Refused(400, "invalid_value", 4, keeps=True)
    yield "an error that is cut", [error(500)[0][:-10], CLOSE], SAID_NO_BROKEN_OFF
    yield "an error without an end", ENDLESS_ERROR, SAID_NO_BROKEN_OFF
    yield "an error without a body", [sized(b"", status="500 Oops")], SAID_NO


def ended(outcome):
    """The same, but the provider has ended its answer in good order: its connection may be kept."""
    return dataclasses.replace(outcome, keeps=None)


def cases():
    for route, name in PAIRS:
        wire, is_translated = WIRES[name], route != name
        whole, streamed = Ask(route), Ask(route, stream=True)
        for fault, steps, outcome in plain_faults(wire, is_translated):
            yield DialectCase(f"{route}-{name}-plain-{fault}", whole, wire, tuple(steps), outcome)
        for fault, steps, outcome in stream_faults(wire, is_translated):
            yield DialectCase(f"{route}-{name}-stream-{fault}", streamed, wire, tuple(steps), outcome)
        for fault, steps, events, outcome in usage_faults(wire):
            yield DialectCase(f"{route}-{name}-plain-{fault}", whole, wire, tuple(steps), outcome)
            yield DialectCase(f"{route}-{name}-stream-{fault}", streamed, wire, tuple(events), outcome)
        for fault, steps, outcome in statuses(wire):
            for ask, kind in ((whole, "plain"), (streamed, "stream")):
                yield DialectCase(f"{route}-{name}-{kind}-{fault}", ask, wire, tuple(steps), outcome)


CASES = list(cases())
