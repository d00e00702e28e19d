"""The table of malformed, borderline and abusive HTTP/2: frames written by hand, and what must come of them.

A case is what a client sends behind its preface and settings. Behind it the test puts a second, perfect request on a
stream of its own: it is served if the fault was one of a stream, and must not be if it was one of the connection.
"""

import dataclasses
import json
import struct
import typing

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITISED = 1, 1, 4, 8, 32

NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR = 0, 1, 2, 3
STREAM_CLOSED, FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL = 5, 6, 7, 8
COMPRESSION_ERROR, ENHANCE_YOUR_CALM = 9, 11


def status(code):
    return ("status", code)


def reset(code):
    return ("reset", code)


def goaway(code):
    return ("goaway", code)


@dataclasses.dataclass
class Case:
    name: str
    # Made from a key: what follows the client's settings, on stream 1 if it is about a stream.
    data: typing.Callable[[bytes], bytes]
    outcome: tuple
    # Whether the first request itself reaches the provider; None: it was whole before the fault came, so it may.
    reaches: bool | None = False


def frame(kind, flags=0, stream=0, payload=b"", length=None):
    length = len(payload) if length is None else length
    return struct.pack(">I", length)[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def integer(value, bits, first=0):
    most = (1 << bits) - 1
    if value < most:
        return bytes([first | value])
    out = bytearray([first | most])
    value -= most
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def block(pairs):
    """A header block of literals, neither indexed nor packed."""
    out = b""
    for name, value in pairs:
        out += b"\0" + integer(len(name), 7) + name + integer(len(value), 7) + value
    return out


def body(text="erste"):
    return json.dumps({"model": "mock-echo", "messages": [{"role": "user", "content": text}]}).encode()


def pseudo(method=b"POST", scheme=b"http", path=b"/v1/chat/completions", authority=b"gateway"):
    pairs = [(b":method", method), (b":scheme", scheme), (b":path", path), (b":authority", authority)]
    return [(name, value) for name, value in pairs if value is not None]


def fields(key, *more, kind=b"application/json", **parts):
    credential = [(b"authorization", b"Bearer " + key)] if key else []
    return [*pseudo(**parts), *credential, *([(b"content-type", kind)] if kind else []), *more]


def headers(pairs, stream=1, flags=END_HEADERS):
    return frame(HEADERS, flags, stream, block(pairs))


def request(key, *more, stream=1, content=None, **parts):
    """A request like a client's, with the given fields in addition."""
    content = body() if content is None else content
    return headers(fields(key, *more, **parts), stream) + frame(DATA, END_STREAM, stream, content)


def get(key, *more, stream=1, flags=END_HEADERS | END_STREAM, method=b"GET", path=b"/v1/models", **parts):
    return headers(fields(key, *more, kind=None, method=method, path=path, **parts), stream, flags)


def good():
    length = b"%d" % len(body())
    yield Case("a plain request", lambda key: request(key), status(200), True)
    yield Case("its length said", lambda key: request(key, (b"content-length", length)), status(200), True)
    yield Case("te: trailers", lambda key: request(key, (b"te", b"trailers")), status(200), True)
    yield Case("the same host twice", lambda key: request(key, (b"host", b"gateway")), status(200), True)
    yield Case("a host for an authority", lambda key: request(key, (b"host", b"gateway"), authority=None), status(200), True)
    yield Case("scheme https", lambda key: request(key, scheme=b"https"), status(200), True)
    yield Case("a name with an underscore", lambda key: request(key, (b"session_id", b"7")), status(200), True)
    yield Case("a query", lambda key: request(key, path=b"/v1/chat/completions?a=b"), status(200), True)
    yield Case("a cookie in crumbs", lambda key: request(key, (b"cookie", b"a=b"), (b"cookie", b"c=d")), status(200), True)
    yield Case("pseudo-header fields in another order",
               lambda key: headers(list(reversed(pseudo())) + fields(key)[4:]) + frame(DATA, END_STREAM, 1, body()),
               status(200), True)
    yield Case("a frame for every byte",
               lambda key: headers(fields(key)) + b"".join(frame(DATA, 0, 1, bytes([b])) for b in body())
               + frame(DATA, END_STREAM, 1), status(200), True)
    yield Case("padding", lambda key: headers(fields(key))
               + frame(DATA, PADDED | END_STREAM, 1, b"\x09" + body() + b"\0" * 9), status(200), True)
    yield Case("priority in HEADERS", lambda key: frame(HEADERS, END_HEADERS | PRIORITISED, 1, b"\0\0\0\0\x10" + block(fields(key)))
               + frame(DATA, END_STREAM, 1, body()), status(200), True)
    yield Case("a head in four frames", lambda key: in_pieces(block(fields(key)), 4) + frame(DATA, END_STREAM, 1, body()),
               status(200), True)
    yield Case("a trailer", lambda key: headers(fields(key)) + frame(DATA, 0, 1, body())
               + headers([(b"x-sum", b"1")], flags=END_HEADERS | END_STREAM), status(200), True)
    yield Case("frames of unknown types", lambda key: frame(0x77, 0xFF, 5, b"x") + request(key) + frame(0x78, 0, 1), status(200), True)
    yield Case("a few pings", lambda key: frame(PING, 0, 0, b"12345678") * 20 + request(key), status(200), True)
    yield Case("priorities, which nobody asked for", lambda key: frame(PRIORITY, 0, 0, b"\0" * 5) + request(key)
               + frame(PRIORITY, 0, 1, b"\0\0\0\1\x10"), status(200), True)
    yield Case("models", lambda key: get(key), status(200))
    yield Case("models by HEAD", lambda key: get(key, method=b"HEAD"), status(200))
    yield Case("a hundred fields",
               lambda key: request(key, *[(b"x-%d" % n, b"1") for n in range(97)]), status(200), True)


def in_pieces(data, count, stream=1, last=END_HEADERS):
    size = -(-len(data) // count)
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    out = frame(HEADERS, 0, stream, pieces[0])
    for piece in pieces[1:-1]:
        out += frame(CONTINUATION, 0, stream, piece)
    return out + frame(CONTINUATION, last, stream, pieces[-1])


def names_and_values():
    for name, pair in [
        ("capitals", (b"X-Upper", b"a")), ("connection", (b"connection", b"keep-alive")), ("keep-alive", (b"keep-alive", b"5")),
        ("proxy-connection", (b"proxy-connection", b"close")), ("transfer-encoding", (b"transfer-encoding", b"chunked")),
        ("upgrade", (b"upgrade", b"h2c")), ("te that is not trailers", (b"te", b"gzip")), ("te list", (b"te", b"trailers, gzip")),
        ("no name", (b"", b"a")), ("a blank in a name", (b"x a", b"b")), ("a colon in a name", (b"x:a", b"b")),
        ("a line end in a name", (b"x\r\na", b"b")), ("NUL in a name", (b"x\0a", b"b")), ("a name beyond ASCII", ("x-ä".encode(), b"b")),
        ("NUL in a value", (b"x-a", b"b\0c")), ("CR in a value", (b"x-a", b"b\rc")), ("LF in a value", (b"x-a", b"b\nc")),
        ("a second head in a value", (b"x-a", b"b\r\n\r\nPOST /schmuggel HTTP/1.1\r\n")), ("DEL in a value", (b"x-a", b"b\x7fc")),
        ("a blank before a value", (b"x-a", b" b")), ("a blank behind a value", (b"x-a", b"b ")), ("a tab before a value", (b"x-a", b"\tb")),
        ("an unknown pseudo-header field", (b":foo", b"a")), ("a pseudo-header field behind others", (b":path", b"/v1/models")),
        ("a status in a request", (b":status", b"200")),
        ("length: two", (b"content-length", b"5")), ("length: plus", (b"content-length", b"+5")), ("length: empty", (b"content-length", b"")),
        ("length: list", (b"content-length", b"5, 5")), ("length: beyond 64 bits", (b"content-length", b"18446744073709551621")),
        ("length: too short", (b"content-length", b"5")), ("length: too long", (b"content-length", b"500")),
        ("length: zero and a body", (b"content-length", b"0")),
    ]:
        more = [(b"content-length", b"%d" % len(body()))] if name == "length: two" else []
        yield Case(f"field: {name}", lambda key, pair=pair, more=more: request(key, *more, pair), reset(PROTOCOL_ERROR))
    yield Case("field: length and no body", lambda key: headers(fields(key, (b"content-length", b"5")), flags=END_HEADERS | END_STREAM),
               reset(PROTOCOL_ERROR))
    for name, pair, code in [
        ("a value beyond ASCII", (b"x-a", "ä".encode()), 400), ("a second key", (b"authorization", b"Bearer other"), 400),
        ("a second type", (b"content-type", b"text/plain"), 400), ("a key with an underscore", (b"x_api_key", b"other"), 400),
        ("a subject with an underscore", (b"x_torhaus_subject", b"other"), 400), ("encoding with an underscore", (b"transfer_encoding", b"chunked"), 400),
        ("length with an underscore", (b"content_length", b"5"), 400), ("another expectation", (b"expect", b"200-ok"), 417),
        ("a host that differs", (b"host", b"other"), 400), ("a length above the limit", (b"content-length", b"99999999"), 413),
        ("9,000 bytes", (b"x-a", b"a" * 9_000), 431), ("keys that differ", (b"x-api-key", b"other"), 401),
        ("packed", (b"content-encoding", b"gzip"), 415),
    ]:
        yield Case(f"field: {name}", lambda key, pair=pair: headers(fields(key, pair)), status(code))
    yield Case("101 fields", lambda key: headers(fields(key, *[(b"x-%d" % n, b"1") for n in range(98)])), status(431))
    yield Case("a head of 40 KB", lambda key: in_pieces(block(fields(key, *[(b"x-%d" % n, b"a" * 4_000) for n in range(10)])), 4), status(431))


def targets():
    for name, parts in [
        ("no method", {"method": None}), ("no scheme", {"scheme": None}), ("no path", {"path": None}), ("no authority", {"authority": None}),
        ("empty path", {"path": b""}), ("empty method", {"method": b""}), ("empty authority", {"authority": b""}), ("empty scheme", {"scheme": b""}),
        ("path without a slash", {"path": b"v1/chat/completions"}), ("absolute path", {"path": b"http://gateway/v1/chat/completions"}),
        ("asterisk", {"path": b"*"}), ("blank in the path", {"path": b"/v1/chat /completions"}),
        ("second line in the path", {"path": b"/ HTTP/1.1\r\nx: schmuggel"}), ("NUL in the path", {"path": b"/v1\0"}),
        ("blank in the method", {"method": b"POST /schmuggel"}), ("authority with a slash", {"authority": b"a/b"}),
        ("authority with a blank", {"authority": b"a b"}), ("authority with a line end", {"authority": b"a\r\nx: y"}),
    ]:
        yield Case(f"target: {name}", lambda key, parts=parts: request(key, **parts), reset(PROTOCOL_ERROR))
    for name in (b":method", b":scheme", b":path", b":authority"):
        pairs = dict(pseudo())
        yield Case(f"target: two of {name.decode()}",
                   lambda key, name=name, pairs=pairs: headers([(name, pairs[name]), *fields(key)]) + frame(DATA, END_STREAM, 1, body()),
                   reset(PROTOCOL_ERROR))
    yield Case("target: two hosts", lambda key: request(key, (b"host", b"gateway"), (b"host", b"gateway"), authority=None), reset(PROTOCOL_ERROR))
    yield Case("target: extended CONNECT", lambda key: headers([*pseudo(method=b"CONNECT"), (b":protocol", b"websocket"), *fields(key)[4:]]), reset(PROTOCOL_ERROR))
    yield Case("target: CONNECT with a path", lambda key: request(key, method=b"CONNECT"), reset(PROTOCOL_ERROR))
    yield Case("target: CONNECT", lambda key: headers(fields(key, method=b"CONNECT", scheme=None, path=None)), status(405))
    for name, parts, code in [
        ("fragment", {"path": b"/v1/chat/completions#x"}, 400), ("dots", {"path": b"/v1/../v1/chat/completions"}, 400),
        ("double slash", {"path": b"//v1/chat/completions"}, 400), ("encoded slash", {"path": b"/v1%2Fchat/completions"}, 400),
        ("encoded backslash", {"path": b"/v1%5cchat/completions"}, 400), ("backslash", {"path": b"/v1\\chat/completions"}, 400),
        ("encoded dots", {"path": b"/v1/%2e%2e/v1/chat/completions"}, 400), ("a path of 3 KiB", {"path": b"/v1/" + b"a" * 3_000}, 414),
        ("another scheme", {"scheme": b"ftp"}, 400), ("authority with a user", {"authority": b"user@gateway"}, 400),
        ("authority with a port that is none", {"authority": b"gateway:x"}, 400), ("asterisk of OPTIONS", {"method": b"OPTIONS", "path": b"*"}, 400),
        ("TRACE", {"method": b"TRACE"}, 405), ("FOO", {"method": b"FOO"}, 405), ("post", {"method": b"post"}, 405), ("PRI", {"method": b"PRI"}, 405),
        ("PUT", {"method": b"PUT"}, 405), ("no route", {"path": b"/v1/nothing"}, 404), ("an admin route", {"path": b"/admin/v1/tenants"}, 404),
        ("text", {"kind": b"text/plain"}, 415),
    ]:
        yield Case(f"target: {name}", lambda key, parts=parts: headers(fields(key, **parts)), status(code))
    yield Case("no key", lambda key: request(None), status(401))
    yield Case("no JSON", lambda key: request(key, content=b"nonsense"), status(400))
    yield Case("an empty body", lambda key: headers(fields(key), flags=END_HEADERS | END_STREAM), status(400))
    yield Case("a body on GET", lambda key: get(key, flags=END_HEADERS) + frame(DATA, END_STREAM, 1, body()), status(400))
    yield Case("a body on HEAD", lambda key: get(key, flags=END_HEADERS, method=b"HEAD") + frame(DATA, END_STREAM, 1, b"x"), status(400))


def trailers():
    def with_trailer(pairs, flags=END_HEADERS | END_STREAM):
        return lambda key: headers(fields(key)) + frame(DATA, 0, 1, body()) + headers(pairs, flags=flags)

    yield Case("trailer: a pseudo-header field", with_trailer([(b":path", b"/")]), reset(PROTOCOL_ERROR))
    yield Case("trailer: transfer-encoding", with_trailer([(b"transfer-encoding", b"chunked")]), reset(PROTOCOL_ERROR))
    yield Case("trailer: no end", with_trailer([(b"x-sum", b"1")], END_HEADERS), reset(PROTOCOL_ERROR))
    yield Case("trailer: a key", with_trailer([(b"authorization", b"Bearer x")]), status(400))
    yield Case("trailer: content-encoding", with_trailer([(b"content-encoding", b"gzip")]), status(400))
    yield Case("trailer: too many", with_trailer([(b"x-a", b"b")] * 101), status(431))


def framing():
    whole = lambda data: (lambda key: data)  # noqa: E731
    behind = lambda data: (lambda key: headers(fields(key)) + data)  # noqa: E731
    yield Case("HEADERS on stream 0", lambda key: headers(fields(key), 0), goaway(PROTOCOL_ERROR))
    yield Case("HEADERS on an even stream", lambda key: headers(fields(key), 2), goaway(PROTOCOL_ERROR))
    yield Case("HEADERS twice", lambda key: request(key) + headers(fields(key)), goaway(STREAM_CLOSED), None)
    yield Case("HEADERS of padding alone", whole(frame(HEADERS, PADDED | END_HEADERS, 1, b"\x05\0")), goaway(PROTOCOL_ERROR))
    yield Case("HEADERS that depend on themselves",
               lambda key: frame(HEADERS, END_HEADERS | PRIORITISED, 1, b"\0\0\0\1\x10" + block(fields(key))), goaway(PROTOCOL_ERROR))
    yield Case("DATA on stream 0", whole(frame(DATA, 0, 0, b"x")), goaway(PROTOCOL_ERROR))
    yield Case("DATA on an idle stream", whole(frame(DATA, END_STREAM, 1, body())), goaway(PROTOCOL_ERROR))
    yield Case("DATA behind the end", lambda key: request(key) + frame(DATA, END_STREAM, 1, body("schmuggel")), goaway(STREAM_CLOSED), None)
    yield Case("DATA of more padding than frame", behind(frame(DATA, PADDED, 1, b"\x05\0")), goaway(PROTOCOL_ERROR))
    yield Case("DATA beyond the frame size", behind(frame(DATA, END_STREAM, 1, b" " * 16_385)), goaway(FRAME_SIZE_ERROR))
    yield Case("CONTINUATION of nothing", whole(frame(CONTINUATION, END_HEADERS, 1, b"\x82")), goaway(PROTOCOL_ERROR))
    yield Case("CONTINUATION of another stream",
               lambda key: frame(HEADERS, 0, 1, block(fields(key))) + frame(CONTINUATION, END_HEADERS, 3), goaway(PROTOCOL_ERROR))
    yield Case("PING within a head", lambda key: frame(HEADERS, 0, 1, block(fields(key))) + frame(PING, 0, 0, b"12345678"), goaway(PROTOCOL_ERROR))
    yield Case("another head within a head", lambda key: frame(HEADERS, 0, 1, block(fields(key))) + request(key, stream=3), goaway(PROTOCOL_ERROR))
    yield Case("too many CONTINUATIONs",
               lambda key: frame(HEADERS, 0, 1, block(fields(key))) + frame(CONTINUATION, 0, 1, b"") * 9, goaway(ENHANCE_YOUR_CALM))
    yield Case("RST_STREAM on stream 0", whole(frame(RST, 0, 0, b"\0\0\0\x08")), goaway(PROTOCOL_ERROR))
    yield Case("RST_STREAM on an idle stream", whole(frame(RST, 0, 1, b"\0\0\0\x08")), goaway(PROTOCOL_ERROR))
    yield Case("RST_STREAM of another size", behind(frame(RST, 0, 1, b"\0\0\x08")), goaway(FRAME_SIZE_ERROR))
    yield Case("WINDOW_UPDATE by nothing", whole(frame(UPDATE, 0, 0, b"\0\0\0\0")), goaway(PROTOCOL_ERROR))
    yield Case("WINDOW_UPDATE of a stream by nothing", behind(frame(UPDATE, 0, 1, b"\0\0\0\0")), goaway(PROTOCOL_ERROR))
    yield Case("WINDOW_UPDATE beyond all", whole(frame(UPDATE, 0, 0, b"\x7f\xff\xff\xff")), goaway(FLOW_CONTROL_ERROR))
    yield Case("WINDOW_UPDATE of a stream beyond all", behind(frame(UPDATE, 0, 1, b"\x7f\xff\xff\xff")), reset(FLOW_CONTROL_ERROR))
    yield Case("WINDOW_UPDATE of an idle stream", whole(frame(UPDATE, 0, 1, b"\0\0\0\1")), goaway(PROTOCOL_ERROR))
    yield Case("WINDOW_UPDATE of another size", whole(frame(UPDATE, 0, 0, b"\0\0\1")), goaway(FRAME_SIZE_ERROR))
    yield Case("SETTINGS on a stream", whole(frame(SETTINGS, 0, 1)), goaway(PROTOCOL_ERROR))
    yield Case("SETTINGS of another size", whole(frame(SETTINGS, 0, 0, b"\0\1\0\0\0")), goaway(FRAME_SIZE_ERROR))
    yield Case("SETTINGS that acknowledge and set", whole(frame(SETTINGS, ACK, 0, b"\0\1\0\0\0\0")), goaway(FRAME_SIZE_ERROR))
    yield Case("SETTINGS: push 2", whole(frame(SETTINGS, 0, 0, b"\0\2\0\0\0\2")), goaway(PROTOCOL_ERROR))
    yield Case("SETTINGS: a window beyond all", whole(frame(SETTINGS, 0, 0, b"\0\4\xff\xff\xff\xff")), goaway(FLOW_CONTROL_ERROR))
    yield Case("SETTINGS: frames of nothing", whole(frame(SETTINGS, 0, 0, b"\0\5\0\0\0\0")), goaway(PROTOCOL_ERROR))
    yield Case("SETTINGS: fifty of them", whole(frame(SETTINGS, 0, 0, b"\0\3\0\0\0\1" * 50)), goaway(ENHANCE_YOUR_CALM))
    yield Case("PING on a stream", whole(frame(PING, 0, 1, b"12345678")), goaway(PROTOCOL_ERROR))
    yield Case("PING of another size", whole(frame(PING, 0, 0, b"1234567")), goaway(FRAME_SIZE_ERROR))
    yield Case("GOAWAY on a stream", whole(frame(GOAWAY, 0, 1, b"\0" * 8)), goaway(PROTOCOL_ERROR))
    yield Case("GOAWAY of another size", whole(frame(GOAWAY, 0, 0, b"\0" * 7)), goaway(FRAME_SIZE_ERROR))
    yield Case("PRIORITY of another size", whole(frame(PRIORITY, 0, 1, b"\0\0\0\0")), goaway(FRAME_SIZE_ERROR))
    yield Case("PUSH_PROMISE", lambda key: frame(PUSH, END_HEADERS, 1, b"\0\0\0\2" + block(fields(key))), goaway(PROTOCOL_ERROR))


def packing():
    for name, data in [
        ("index 0", b"\x80"), ("an index of nothing", b"\xff\x80\x08"), ("a table beyond the limit", b"\x3f\xe2\x1f\x82"),
        ("a size in the middle", b"\x82\x20"), ("a text that does not end", b"\x00\x0aabc"), ("a bad Huffman code", b"\x00\x84\xff\xff\xff\xff\x00"),
        ("a number without end", b"\x00" + b"\xff" * 12),
    ]:
        yield Case(f"packed: {name}", lambda key, data=data: frame(HEADERS, END_HEADERS | END_STREAM, 1, data), goaway(COMPRESSION_ERROR))
    # One field of 4,000 bytes in the table, then again and again by one byte.
    big = b"\x40" + integer(3, 7) + b"x-a" + integer(4_000, 7) + b"a" * 4_000
    yield Case("packed: a bomb", lambda key: frame(HEADERS, END_HEADERS, 1, block(fields(key)) + big + b"\xbe" * 1_000), goaway(ENHANCE_YOUR_CALM))


def floods():
    for name, data in [
        ("PING", frame(PING, 0, 0, b"12345678")), ("PING that answers nothing", frame(PING, ACK, 0, b"12345678")), ("SETTINGS", frame(SETTINGS)),
        ("SETTINGS that are acknowledged", frame(SETTINGS, ACK)), ("PRIORITY", frame(PRIORITY, 0, 3, b"\0\0\0\0\x10")),
        ("WINDOW_UPDATE", frame(UPDATE, 0, 0, b"\0\0\0\1")), ("unknown types", frame(0x77)),
        ("PRIORITY_UPDATE", frame(0x10, 0, 0, b"\0\0\0\1u=1")),
    ]:
        yield Case(f"flood: {name}", lambda key, data=data: data * 300, goaway(ENHANCE_YOUR_CALM))
    yield Case("flood: empty DATA", lambda key: headers(fields(key)) + frame(DATA, 0, 1) * 300, goaway(ENHANCE_YOUR_CALM))
    yield Case("flood: DATA of padding", lambda key: headers(fields(key)) + frame(DATA, PADDED, 1, b"\x03\0\0\0") * 300, goaway(ENHANCE_YOUR_CALM))
    yield Case("flood: RST_STREAM", lambda key: request(key) + frame(RST, 0, 1, b"\0\0\0\x08") * 300, goaway(ENHANCE_YOUR_CALM))
    yield Case("flood: rapid reset",
               lambda key: b"".join(headers(fields(key), 2 * n + 1) + frame(RST, 0, 2 * n + 1, b"\0\0\0\x08") for n in range(150)),
               goaway(ENHANCE_YOUR_CALM))
    yield Case("flood: resets that we are made to do",
               lambda key: b"".join(headers(fields(key), 2 * n + 1) + frame(UPDATE, 0, 2 * n + 1, b"\x7f\xff\xff\xff") for n in range(150)),
               goaway(ENHANCE_YOUR_CALM))
    yield Case("flood: malformed requests", lambda key: b"".join(get(key, path=b"/../x", stream=2 * n + 1) for n in range(150)),
               goaway(ENHANCE_YOUR_CALM))


CASES = [*good(), *names_and_values(), *targets(), *trailers(), *framing(), *packing(), *floods()]
