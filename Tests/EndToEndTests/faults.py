"""The table of what providers do wrong: the bytes they send, and what the client and the books must then say.

Read a case as: name, what the provider sends to a plain request and what becomes of it, the same for a stream.
"""

import dataclasses
import json

from rude_provider import CLOSE, HANG, RESET, Forever, Pause

TEXT = "Guten Tag, wer da?"
USAGE = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}


# ---- What may become of a request ------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Well:
    """The answer reaches the client whole."""

    # The row of the settlement rule: 1 with usage, 2 by our own count.
    row: int = 1
    # The provider's connection is used again; None: either is right.
    keeps: bool = None
    # The provider says that no input was used: its word counts, of the output our own count does.
    says_zero: bool = False


@dataclasses.dataclass(frozen=True)
class Refused:
    """An error with a status of its own; nothing of the answer reached the client."""

    status: int
    code: str
    row: int
    retry_after: int = None
    keeps: bool = False
    # How often the provider gets it: again only where it has said that it has not looked at it.
    tries: int = 1


@dataclasses.dataclass(frozen=True)
class Broken:
    """The stream had begun: it ends with an error event, without [DONE], and the connection closes without its last chunk."""

    code: str
    row: int = 9
    keeps: bool = False


CUT_EARLY = Refused(502, "upstream_cut", 6)  # sent, then lost before the status line: input estimated, output by time
UNTAKEN = Refused(502, "upstream_error", 3, keeps=None, tries=3)  # the provider says so: nothing is billed
LATE_HEAD = Refused(504, "upstream_timeout", 6)
CUT = Refused(502, "upstream_cut", 9)
LATE = Refused(504, "upstream_timeout", 9)
UNREADABLE = Refused(502, "upstream_error", 9)  # status 200, so billed, and nothing that can be passed on
SAID_NO = Refused(502, "upstream_error", 4, keeps=True)  # an error status costs nothing, and damages nothing
SAID_NO_BROKEN_OFF = Refused(502, "upstream_error", 4)  # nor does it where its body breaks off; the connection is gone


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    kind: str
    steps: tuple
    outcome: object


def case(name, plain=None, stream=None, embed=None):
    for kind, pair in (("plain", plain), ("stream", stream), ("embed", embed)):
        if pair is not None:
            *steps, outcome = pair
            yield Case(name, kind, tuple(steps), outcome)


# ---- Sound bytes -----------------------------------------------------------------------------------------------------


def head(*fields, status="200 OK"):
    return b"\r\n".join([f"HTTP/1.1 {status}".encode(), *fields]) + b"\r\n\r\n"


def sized(body, *fields, status="200 OK", kind=b"application/json", length=None):
    length = len(body) if length is None else length
    return head(b"Content-Type: " + kind, b"Content-Length: %d" % length, *fields, status=status) + body


def plain(text=TEXT, usage=USAGE, **more):
    answer = {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}], **more}
    if usage is not None:
        answer["usage"] = usage
    return json.dumps(answer).encode()


def event(delta=None, finish=None, usage=None, **more):
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    value = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices, **more}
    if usage is not None:
        value["usage"] = usage
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def embedding(**more):
    return json.dumps({"object": "list", "model": "m", "data": [{"object": "embedding", "index": 0,
                                                                "embedding": [0.5, -0.25]}], **more}).encode()


EVENTS = head(b"Content-Type: text/event-stream", b"Transfer-Encoding: chunked")
ROLE = chunk(event({"role": "assistant", "content": ""}))
FIRST = chunk(event({"content": TEXT[:6]}))
REST = chunk(event({"content": TEXT[6:]}))
FINISH = chunk(event({}, finish="stop"))
USED = chunk(event(usage=USAGE))
DONE = chunk(b"data: [DONE]\n\n")
LAST = b"0\r\n\r\n"
WHOLE = ROLE + FIRST + REST + FINISH + USED + DONE + LAST

GOOD_PLAIN = sized(plain())
GOOD_STREAM = EVENTS + WHOLE
GOOD_EMBED = sized(embedding(usage={"prompt_tokens": 7, "total_tokens": 7}))
BEGUN = EVENTS + ROLE + FIRST


def bytewise(data):
    return [data[index : index + 1] for index in range(len(data))]


def error(status, message="boom", *fields, usage=None, **members):
    body = {"error": {"message": message, "type": "server_error", "code": None, **members}}
    if usage:
        body["usage"] = usage
    return sized(json.dumps(body).encode(), *fields, status=status)


#: Its status and its first bytes say what it is. Its provider never stops, unless the connection is closed.
ENDLESS_ERROR = (
    head(b"Content-Type: application/json", b"Transfer-Encoding: chunked", status="500 Internal Server Error")
    + chunk(b'{"error": {"message": "'),
    Forever(chunk(b"x" * 4096), 0.01))


# ---- The table -------------------------------------------------------------------------------------------------------


def times():
    yield from case(
        "a head that takes its time",
        [Pause(0.3), GOOD_PLAIN, Well(keeps=True)],
        [Pause(0.3), GOOD_STREAM, Well(keeps=True)],
        [Pause(0.3), GOOD_EMBED, Well(keeps=True)])
    yield from case(
        "a body that takes its time",
        [GOOD_PLAIN[:100], Pause(0.3), GOOD_PLAIN[100:], Well(keeps=True)],
        [BEGUN, Pause(0.3), REST, Pause(0.3), FINISH + USED + DONE + LAST, Well(keeps=True)])
    yield from case(
        "byte by byte",
        [*bytewise(GOOD_PLAIN), Well(keeps=True)],
        [*bytewise(GOOD_STREAM), Well(keeps=True)],
        [*bytewise(GOOD_EMBED), Well(keeps=True)])
    yield from case("no head at all", [HANG, LATE_HEAD], [HANG, LATE_HEAD], [HANG, LATE_HEAD])
    yield from case("a head that stops", [GOOD_PLAIN[:30], HANG, LATE_HEAD], [EVENTS[:30], HANG, LATE_HEAD])
    yield from case("nothing but interim heads",
                    [Forever(head(status="100 Continue"), 0.05), LATE_HEAD],
                    [Forever(head(status="103 Early Hints"), 0.05), LATE_HEAD])
    yield from case(
        "a body that stops",
        [GOOD_PLAIN[:200], HANG, LATE], [BEGUN, HANG, Broken("upstream_timeout")], [GOOD_EMBED[:120], HANG, LATE])
    yield from case(
        "a body that drips beyond its total time",
        [sized(b"", length=1_000_000), Forever(b" ", 0.05), LATE],
        [EVENTS + ROLE, Forever(chunk(event({"content": "x"})), 0.05), Broken("upstream_timeout")])
    yield from case("keep-alive comments without an end",
                    stream=[EVENTS, Forever(chunk(b": ping\n\n"), 0.05), Broken("upstream_timeout")])


def broken_connections():
    yield from case("reset at once", [RESET, CUT_EARLY], [RESET, CUT_EARLY], [RESET, CUT_EARLY])
    yield from case("closed at once", [CLOSE, CUT_EARLY], [CLOSE, CUT_EARLY], [CLOSE, CUT_EARLY])
    for position in (1, 12, 60):
        yield from case(
            f"reset at byte {position} of the head",
            [GOOD_PLAIN[:position], Pause(0.05), RESET, CUT_EARLY], [EVENTS[:position], Pause(0.05), RESET, CUT_EARLY])
    at = GOOD_PLAIN.index(b"\r\n\r\n") + 4
    for name, position in (("at the first byte", at), ("at byte 100", at + 100), ("at the last byte", len(GOOD_PLAIN) - 1)):
        yield from case(f"reset {name} of the body", [GOOD_PLAIN[:position], Pause(0.05), RESET, CUT])
    yield from case("reset between chunks", stream=[BEGUN, Pause(0.05), RESET, Broken("upstream_cut")])
    yield from case("reset right behind the head", stream=[EVENTS, Pause(0.05), RESET, Broken("upstream_cut")])
    yield from case("closed between chunks", stream=[BEGUN, CLOSE, Broken("upstream_cut")])
    yield from case("closed inside an event", stream=[BEGUN + REST[:40], CLOSE, Broken("upstream_cut")])
    yield from case("closed inside a chunk's size", stream=[BEGUN + b"1", CLOSE, Broken("upstream_cut")])
    yield from case("closed in the middle", [GOOD_PLAIN[:200], CLOSE, CUT], embed=[GOOD_EMBED[:120], CLOSE, CUT])
    yield from case("closed behind [DONE], without the last chunk", stream=[GOOD_STREAM[: -len(LAST)], CLOSE, Well(keeps=False)])
    yield from case("reset behind [DONE]", stream=[GOOD_STREAM[: -len(LAST)], Pause(0.05), RESET, Well(keeps=False)])


def no_http():
    noise = b"\x00\x01\x02 neither head nor body \x7f\r\n\r\n"
    yield from case("garbage", [noise, CLOSE, CUT_EARLY], [noise, CLOSE, CUT_EARLY], [noise, CLOSE, CUT_EARLY])
    yield from case("a body without a head", [plain(), CLOSE, CUT_EARLY], [b"data: {}\n\n", CLOSE, CUT_EARLY])
    for name, line in (
        ("a status of letters", b"HTTP/1.1 abc OK"), ("a status of two digits", b"HTTP/1.1 20 OK"),
        ("no status", b"HTTP/1.1"), ("a version nobody knows", b"HTTP/7.3 200 OK"),
    ):
        yield from case(name, [line + b"\r\nContent-Length: 2\r\n\r\n{}", CLOSE, CUT_EARLY])
    yield from case("a NUL in the head", [head(b"X-A: \0b", b"Content-Length: 2") + b"{}", CLOSE, CUT_EARLY])
    flood = head(*[b"X-%d: %s" % (number, b"a" * 1000) for number in range(100)], b"Content-Length: 2") + b"{}"
    yield from case("a head of 100 KiB", [flood, CUT_EARLY], [flood, CUT_EARLY])
    for count, outcome in ((100, Well(keeps=True)), (101, CUT_EARLY)):
        fields = [b"X-%d: a" % number for number in range(count - 2)]  # beside type and length
        yield from case(f"a head of {count} fields", [head(status="103 Early Hints") + sized(plain(), *fields), outcome])
    yield from case("ten interim heads", [head(status="103 Early Hints") * 10 + GOOD_PLAIN, Well(keeps=True)],
                    [head(status="103 Early Hints") * 10 + GOOD_STREAM, Well(keeps=True)])
    interim = head(status="103 Early Hints") * 4000
    yield from case("a flood of interim heads", [interim + GOOD_PLAIN, CUT_EARLY], [interim + GOOD_STREAM, CUT_EARLY])


def framing():
    body = plain()
    yield from case("fewer bytes than announced, closed", [sized(body, length=len(body) + 10), CLOSE, CUT])
    yield from case("fewer bytes than announced, open", [sized(body, length=len(body) + 10), HANG, LATE])
    yield from case("more bytes than announced", [sized(body, length=len(body) - 10), UNREADABLE],
                    embed=[sized(embedding(), length=20), UNREADABLE])
    yield from case("a whole answer and ten bytes more", [GOOD_PLAIN + b"0123456789", Well(keeps=False)])
    yield from case("a length beyond 64 bits counts as none", [sized(body, length=1 << 70), CLOSE, Well(keeps=False)])
    yield from case("a negative length", [head(b"Content-Length: -5") + body, CLOSE, CUT_EARLY])
    yield from case("no length, ended by closing", [head(b"Content-Type: application/json") + body, CLOSE, Well(keeps=False)])
    chunked = head(b"Content-Type: application/json", b"Transfer-Encoding: chunked")
    yield from case("chunked", [chunked + chunk(body[:9]) + chunk(body[9:]) + LAST, Well(keeps=True)])
    yield from case("no last chunk", [chunked + chunk(body), CLOSE, CUT],
                    [EVENTS + ROLE + FIRST + REST + FINISH, CLOSE, Broken("upstream_cut")])
    for name, damage in (
        ("no number", b"zz\r\nabc\r\n"), ("too large a number", b"FFFFFFFFFFFFFFFFFF\r\nabc\r\n"),
        ("data longer than its size", b"2\r\nabcdef\r\n"),
    ):
        yield from case(f"a chunk with {name}", [chunked + chunk(body[:9]) + damage, CLOSE, CUT],
                        [BEGUN + damage, CLOSE, Broken("upstream_cut")])
    yield from case("packed", [sized(body, b"Content-Encoding: gzip"), Refused(502, "upstream_error", 9, keeps=None)],
                    [head(b"Content-Type: text/event-stream", b"Content-Encoding: br", b"Transfer-Encoding: chunked") + WHOLE,
                     Refused(502, "upstream_error", 9, keeps=None)])


def content():
    readable = Refused(502, "upstream_error", 9, keeps=None)
    yield from case("no JSON", [sized(b"{\"choices\":[{"), readable], embed=[sized(b"nonsense"), readable])
    yield from case("JSON that is no answer", [sized(b"{\"hello\":1}"), readable], embed=[sized(b"{\"hello\":1}"), readable])
    yield from case("an answer of another kind", [sized(embedding()), readable],
                    embed=[sized(plain()), Refused(502, "upstream_error", 5, keeps=True)])
    yield from case("a page instead of an answer", [sized(b"<html>Hotel Wi-Fi</html>", kind=b"text/html"), readable],
                    [sized(b"<html>Hotel Wi-Fi</html>", kind=b"text/html"), readable])
    yield from case("a stream to a plain request", [GOOD_STREAM, readable])
    yield from case("a plain answer to a request for a stream", stream=[GOOD_PLAIN, readable])
    yield from case("an empty body", [sized(b""), readable], [EVENTS + LAST, Broken("upstream_cut", keeps=None)],
                    [sized(b""), readable])
    yield from case("no content", [head(status="204 No Content"), SAID_NO], [head(status="204 No Content"), SAID_NO])
    yield from case("an event that is no JSON", stream=[BEGUN + chunk(b"data: {\"choices\":[\n\n"), HANG, Broken("upstream_error")])
    yield from case("an event of 2 MiB", stream=[BEGUN + chunk(event({"content": "x" * (2 << 20)})), HANG, Broken("upstream_error")])
    yield from case("a line of 2 MiB without an end", stream=[BEGUN + chunk(b"data: " + b"x" * (2 << 20)), HANG, Broken("upstream_error")])
    yield from case("a finish that nobody knows", stream=[BEGUN + chunk(event({}, finish="exploded")), HANG, Broken("upstream_error")])
    boom = {"message": "boom", "type": "server_error"}
    yield from case("an error event at the start", stream=[EVENTS + chunk(event(error=boom)), HANG, Broken("upstream_error")])
    yield from case("an error event in the middle", stream=[BEGUN + chunk(event(error=boom)) + DONE + LAST,
                                                          Broken("upstream_error", keeps=None)])
    yield from case("an error in a plain answer", [sized(json.dumps({"error": boom}).encode()),
                                                   Refused(502, "upstream_error", 4, keeps=True)])
    yield from case("no [DONE]", stream=[BEGUN + REST + FINISH + LAST, Broken("upstream_cut", keeps=None)])
    yield from case("[DONE] without an end of the answer", stream=[BEGUN + DONE + LAST, Broken("upstream_cut", keeps=None)])


def behind_the_end():
    more = chunk(event({"content": "zu viel"}))
    wrong = sized(plain("FALSCH"))
    yield from case("events behind [DONE]", stream=[EVENTS + ROLE + FIRST + REST + FINISH + USED + DONE + more + LAST, Well()])
    yield from case("silence behind [DONE]", stream=[GOOD_STREAM[: -len(LAST)], HANG, Well(keeps=False)])
    yield from case("events without an end behind [DONE]", stream=[GOOD_STREAM[: -len(LAST)], Forever(more, 0.01), Well(keeps=False)])
    yield from case("two answers at once", [GOOD_PLAIN + wrong, Well(keeps=False)], [GOOD_STREAM + wrong, Well()],
                    [GOOD_EMBED + wrong, Well(keeps=False)])
    yield from case("a second answer afterwards", [GOOD_PLAIN, Pause(0.1), wrong, Well(keeps=False)],
                    [GOOD_STREAM, Pause(0.1), wrong, Well(keeps=False)], [GOOD_EMBED, Pause(0.1), wrong, Well(keeps=False)])
    yield from case("half an answer afterwards", [GOOD_PLAIN, Pause(0.1), wrong[:40], Well(keeps=False)])
    yield from case("closed afterwards", [GOOD_PLAIN, CLOSE, Well(keeps=False)], [GOOD_STREAM, CLOSE, Well(keeps=False)])


def usage():
    def said(usage):
        return [sized(plain(usage=usage))], [EVENTS + ROLE + FIRST + REST + FINISH + (chunk(event(usage=usage)) if usage else b"") + DONE + LAST]

    for name, value, row in (
        ("none", None, 2), ("negative", {"prompt_tokens": -7, "completion_tokens": -5}, 2),
        ("beyond 64 bits", {"prompt_tokens": 10**30, "completion_tokens": 10**30}, 2),
        ("a word", {"prompt_tokens": "seven", "completion_tokens": "five"}, 2),
        ("a fraction", {"prompt_tokens": 7.5, "completion_tokens": 5.5}, 2),
        ("far beyond the worst case", {"prompt_tokens": 10**9, "completion_tokens": 10**9}, 1),
        ("zero", {"prompt_tokens": 0, "completion_tokens": 0}, 1),
    ):
        whole, streamed = said(value)
        well = Well(row, True, name == "zero")
        yield from case(f"usage: {name}", [*whole, well], [*streamed, well])
    yield from case("usage: none, embeddings", embed=[sized(embedding()), Well(2, True)])


def statuses():
    def both(name, *steps):
        yield from case(name, steps, steps, steps)

    yield from both("a redirect", sized(b"", b"Location: http://127.0.0.1:1/v1", status="302 Found"), SAID_NO)
    yield from both("moved for good", sized(b"", b"Location: http://127.0.0.1:1/", status="308 Permanent Redirect"), SAID_NO)
    yield from both("our key is refused", error("401 Unauthorized", "Incorrect API key provided: sk-mock****4f2a"),
                    Refused(502, "upstream_auth", 4, keeps=True))
    yield from both("forbidden", error("403 Forbidden"), Refused(502, "upstream_auth", 4, keeps=True))
    yield from both("our account is empty", error("429 Too Many Requests", code="insufficient_quota"),
                    Refused(502, "upstream_quota", 4, keeps=True))
    yield from both("limited", error("429 Too Many Requests", "slow down", b"Retry-After: 30", type="requests"),
                    Refused(429, "upstream_rate_limited", 4, 30, True))
    yield from both("out of order", error("500 Internal Server Error"), SAID_NO)
    yield from both("away", error("503 Service Unavailable", "no", b"Retry-After: 30"),
                    Refused(502, "upstream_error", 4, 30, True))
    yield from both("overloaded", error("529 Site is overloaded", "no", b"Retry-After: 3000"),
                    Refused(502, "upstream_error", 4, 60, True))
    yield from both("an error that is no JSON", sized(b"<h1>Bad Gateway</h1>", status="500 Oops", kind=b"text/html"), SAID_NO)
    yield from both("the request is wrong", error("400 Bad Request", type="invalid_request_error"),
                    Refused(400, "invalid_value", 4, keeps=True))
    yield from both("an error that was paid for", error("500 Internal Server Error", usage=USAGE),
                    Refused(502, "upstream_error", 5, keeps=True))
    yield from case("an error that is cut", [error("500 Internal Server Error")[:-10], CLOSE, SAID_NO_BROKEN_OFF])
    yield from both("an error without an end", *ENDLESS_ERROR, SAID_NO_BROKEN_OFF)
    # Too little for that: here the deadline is what ends it.
    yield from both("an error that drips beyond its total time", ENDLESS_ERROR[0], Forever(chunk(b"x"), 0.05), SAID_NO_BROKEN_OFF)


CASES = [*times(), *broken_connections(), *no_http(), *framing(), *content(), *behind_the_end(), *usage(), *statuses()]


# ---- The scripted provider's own faults ------------------------------------------------------------------------------

# By the mock's model name, which is its script: what becomes of a plain request and of a stream.
SCRIPTS = {
    "mock-late-head;delay=200": (Well(), Well()),
    "mock-late-body;delay=200": (Well(), Well()),
    "mock-slow-head;delay=1": (Well(), Well()),
    "mock-echo;split=1": (Well(), Well()),
    "mock-no-usage": (Well(2), Well(2)),
    "mock-usage-zero": (Well(says_zero=True), Well(says_zero=True)),
    "mock-usage-huge": (Well(2), Well(2)),
    "mock-usage-negative": (Well(2), Well(2)),
    "mock-usage-text": (Well(2), Well(2)),
    "mock-error-400": (Refused(400, "invalid_value", 4), Refused(400, "invalid_value", 4)),
    "mock-error-401": (Refused(502, "upstream_auth", 4), Refused(502, "upstream_auth", 4)),
    "mock-error-403": (Refused(502, "upstream_auth", 4), Refused(502, "upstream_auth", 4)),
    "mock-error-404": (Refused(502, "upstream_error", 4), Refused(502, "upstream_error", 4)),
    "mock-error-429;retry-after=30": (Refused(429, "upstream_rate_limited", 4, 30), Refused(429, "upstream_rate_limited", 4, 30)),
    "mock-error-500": (Refused(502, "upstream_error", 4), Refused(502, "upstream_error", 4)),
    "mock-error-503;retry-after=30": (Refused(502, "upstream_error", 4, 30), Refused(502, "upstream_error", 4, 30)),
    "mock-cut": (CUT, Broken("upstream_cut")),
    "mock-cut;after=1": (CUT, Broken("upstream_cut")),
    "mock-reset": (CUT_EARLY, CUT_EARLY),
    "mock-reset;after=2": (CUT_EARLY, Broken("upstream_cut")),
    "mock-reset-at;at=40": (CUT_EARLY, CUT_EARLY),
    "mock-reset-at;at=700": (CUT, Broken("upstream_cut")),
    "mock-garbage": (CUT_EARLY, CUT_EARLY),
    "mock-garbage-body": (UNREADABLE, Broken("upstream_error")),
    "mock-garbage-middle": (UNREADABLE, Broken("upstream_cut")),
    "mock-endless;seconds=1": (Well(), Broken("upstream_cut")),
    "mock-huge-line;size=2000000": (Well(), Well()),  # cut to the output limit of the plan
    "mock-hang": (LATE_HEAD, LATE_HEAD),
    "mock-hang;after=2": (LATE_HEAD, Broken("upstream_timeout")),
}
