"""The table of malformed and borderline HTTP/1.1: what is sent, what must come back, and whether the connection ends.

A case is bytes up to the end of one request. Behind it the test puts a second, perfect request: whoever takes the first
one's end to be elsewhere than we do would be served it.
"""

import dataclasses
import json

CLOSES, STAYS = True, False


@dataclasses.dataclass
class Case:
    name: str
    data: bytes
    status: int
    closes: bool = CLOSES
    # Whether the first request itself may reach the provider.
    reaches: bool = False


def body(text="erste"):
    return json.dumps({"model": "mock-echo", "messages": [{"role": "user", "content": text}]}).encode()


def request(
    *fields,
    line=b"POST /v1/chat/completions HTTP/1.1",
    host=b"Host: gateway",
    key=True,
    kind=b"Content-Type: application/json",
    length=True,
    content=None,
    end=b"\r\n\r\n",
):
    """A request like a client's, with the given fields in addition; every part can be replaced or left out."""
    content = body() if content is None else content
    lines = [line]
    lines += [host] if host is not None else []
    lines += [b"Authorization: Bearer {KEY}"] if key else []
    lines += [kind] if kind is not None else []
    lines += [b"Content-Length: %d" % len(content)] if length else []
    return b"\r\n".join([*lines, *fields]) + end + content


def get(*fields, line=b"GET /v1/models HTTP/1.1", host=b"Host: gateway"):
    return request(*fields, line=line, host=host, kind=None, length=False, content=b"")


def chunked(data, *fields, **parts):
    return request(b"Transfer-Encoding: chunked", *fields, length=False, content=data, **parts)


def chunks(*parts, trailers=b""):
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n" + trailers + b"\r\n"


WHOLE = chunks(body())
SIZE = b"%x" % len(body())


def good():
    yield Case("a plain request", request(), 200, STAYS, True)
    yield Case("a chunked one", chunked(WHOLE), 200, STAYS, True)
    yield Case("a chunk for every byte", chunked(chunks(*[bytes([b]) for b in body()])), 200, STAYS, True)
    yield Case("a chunk extension", chunked(SIZE + b";a=b\r\n" + body() + b"\r\n0\r\n\r\n"), 200, STAYS, True)
    yield Case("a quoted chunk extension", chunked(SIZE + b';a="b c"\r\n' + body() + b"\r\n0\r\n\r\n"), 200, STAYS, True)
    yield Case("capital hex digits", chunked(SIZE.upper() + b"\r\n" + body() + b"\r\n0\r\n\r\n"), 200, STAYS, True)
    yield Case("leading zeros of a chunk", chunked(b"00" + SIZE + b"\r\n" + body() + b"\r\n0\r\n\r\n"), 200, STAYS, True)
    yield Case("a trailer", chunked(chunks(body(), trailers=b"X-Sum: 1\r\n")), 200, STAYS, True)
    yield Case("names in any case", request(b"coNNection: keep-alive"), 200, STAYS, True)
    yield Case("a tab before a value", request(b"X-A:\tb"), 200, STAYS, True)
    yield Case("blanks around a value", request(b"X-A:   b \t "), 200, STAYS, True)
    yield Case("an empty value", request(b"X-A:"), 200, STAYS, True)
    yield Case("an empty line in front", b"\r\n" + request(), 200, STAYS, True)
    yield Case("a query", request(line=b"POST /v1/chat/completions?a=b HTTP/1.1"), 200, STAYS, True)
    yield Case("a name with an underscore", request(b"session_id: 7"), 200, STAYS, True)
    yield Case("connection: close", request(b"Connection: close"), 200, CLOSES, True)
    yield Case("close among others", request(b"Connection: x, Close ,y"), 200, CLOSES, True)
    yield Case("upgrade to h2c", request(b"Upgrade: h2c", b"Connection: Upgrade, HTTP2-Settings"), 200, CLOSES, True)
    yield Case("upgrade to websocket", request(b"Upgrade: websocket", b"Connection: Upgrade"), 200, CLOSES, True)
    yield Case("HTTP/1.0", request(line=b"POST /v1/chat/completions HTTP/1.0"), 200, CLOSES, True)
    yield Case("HTTP/1.0 without host", request(line=b"POST /v1/chat/completions HTTP/1.0", host=None), 200, CLOSES, True)
    yield Case(
        "HTTP/1.0 kept alive",
        request(b"Connection: keep-alive", line=b"POST /v1/chat/completions HTTP/1.0"),
        200,
        STAYS,
        True,
    )
    yield Case("a hundred fields", request(*[b"X-%d: 1" % n for n in range(96)]), 200, STAYS, True)
    yield Case("a field of 8,000 bytes", request(b"X-A: " + b"a" * 8_000), 200, STAYS, True)
    yield Case("IPv6 host", request(host=b"Host: [::1]:8080"), 200, STAYS, True)
    yield Case("models", get(), 200, STAYS)
    yield Case("models by HEAD", get(line=b"HEAD /v1/models HTTP/1.1"), 200, STAYS)
    yield Case("a body of no length on GET", get(b"Content-Length: 0"), 200, STAYS)


def framing():
    both = b"Transfer-Encoding: chunked"
    yield Case("length and encoding", request(both, content=WHOLE), 400)
    yield Case("encoding and length", chunked(WHOLE, b"Content-Length: %d" % len(WHOLE)), 400)
    yield Case("two equal lengths", request(b"Content-Length: %d" % len(body())), 400)
    yield Case("two lengths", request(b"Content-Length: 0"), 400)
    yield Case("a list of lengths", request(b"Content-Length: 5, 5", length=False), 400)
    for name, value in [
        ("plus", b"+%d"), ("minus", b"-%d"), ("hex", b"0x%x"), ("fraction", b"%d.0"), ("exponent", b"%de0"),
        ("quoted", b'"%d"'), ("blank inside", b"1 %d"), ("letters", b"%dabc"), ("comma behind", b"%d,"),
        ("semicolon", b"%d;x"),
    ]:
        yield Case(f"length: {name}", request(b"Content-Length: " + value % len(body()), length=False), 400)
    yield Case("length: empty", request(b"Content-Length:", length=False), 400)
    yield Case("length: beyond 64 bits", request(b"Content-Length: 18446744073709551616", length=False), 400)
    yield Case("length: 63 bits", request(b"Content-Length: 9223372036854775807", length=False), 400)
    yield Case("length: wraps around", request(b"Content-Length: 18446744073709551621", length=False), 400)
    yield Case("length: above the limit", request(b"Content-Length: 99999999", length=False), 413)
    yield Case("length: other digits", request("Content-Length: \u0665".encode(), length=False), 400)
    for name, value in [
        ("gzip, chunked", b"gzip, chunked"), ("chunked, identity", b"chunked, identity"), ("identity", b"identity"),
        ("chunked twice", b"chunked, chunked"), ("x before", b"xchunked"), ("x behind", b"chunkedx"),
        ("quoted", b'"chunked"'), ("parameter", b"chunked;q=1"), ("comma in front", b", chunked"),
        ("comma behind", b"chunked,"), ("nothing", b""), ("gzip", b"gzip"), ("tab inside", b"chun\tked"),
    ]:
        yield Case(f"encoding: {name}", request(b"Transfer-Encoding: " + value, length=False, content=WHOLE), 400)
    yield Case("encoding twice", chunked(WHOLE, both), 400)
    yield Case("encoding and identity", chunked(WHOLE, b"Transfer-Encoding: identity"), 400)
    yield Case("encoding in HTTP/1.0", chunked(WHOLE, line=b"POST /v1/chat/completions HTTP/1.0"), 400)
    yield Case("encoding with an underscore", request(b"Transfer_Encoding: chunked"), 400)
    yield Case("length with an underscore", request(b"Content_Length: 5"), 400)
    yield Case("blank before the colon", request(b"Transfer-Encoding : chunked"), 400)
    yield Case("tab before the colon", request(b"Content-Length\t: 5", length=False), 400)
    yield Case("body on GET", get(b"Content-Length: 5"), 400)
    yield Case("chunks on GET", get(b"Transfer-Encoding: chunked"), 400)
    yield Case("body on HEAD", get(b"Content-Length: 5", line=b"HEAD /v1/models HTTP/1.1"), 400)


def chunking():
    data = body()
    for name, size in [
        ("0x", b"0x" + SIZE), ("plus", b"+" + SIZE), ("minus", b"-" + SIZE), ("blank in front", b" " + SIZE),
        ("blank behind", SIZE + b" "), ("empty", b""), ("no digits", b"zz"), ("nine digits", b"0" * 8 + SIZE),
        ("too large", b"ffffffff"), ("underscore", b"1_0"),
    ]:
        status = 413 if name == "too large" else 400
        yield Case(f"chunk size: {name}", chunked(size + b"\r\n" + data + b"\r\n0\r\n\r\n"), status)
    yield Case("chunk: bare LF behind the size", chunked(SIZE + b"\n" + data + b"\r\n0\r\n\r\n"), 400)
    yield Case("chunk: bare CR behind the size", chunked(SIZE + b"\r" + data + b"\r\n0\r\n\r\n"), 400)
    yield Case("chunk: LF in an extension", chunked(SIZE + b";a\nb\r\n" + data + b"\r\n0\r\n\r\n"), 400)
    yield Case("chunk: NUL in an extension", chunked(SIZE + b";a\0\r\n" + data + b"\r\n0\r\n\r\n"), 400)
    yield Case("chunk: a long extension", chunked(SIZE + b";" + b"a" * 300 + b"\r\n" + data + b"\r\n0\r\n\r\n"), 400)
    yield Case("chunk: no CRLF behind the data", chunked(SIZE + b"\r\n" + data + b"0\r\n\r\n"), 400)
    yield Case("chunk: LF alone behind the data", chunked(SIZE + b"\r\n" + data + b"\n0\r\n\r\n"), 400)
    yield Case("chunk: longer than it says", chunked(SIZE + b"\r\n" + data + b"XX\r\n0\r\n\r\n"), 400)
    for name in [b"Content-Length: 5", b"Transfer-Encoding: chunked", b"Host: x", b"Authorization: Bearer x",
                 b"X-Api-Key: x", b"Connection: close"]:
        text = name.split(b":")[0].decode()
        yield Case(f"trailer: {text}", chunked(chunks(data, trailers=name + b"\r\n")), 400)
    yield Case("trailer: no colon", chunked(chunks(data, trailers=b"abc\r\n")), 400)
    yield Case("trailer: bare LF", chunked(chunks(data, trailers=b"X-A: b\n")), 400)
    yield Case("trailer: too many", chunked(chunks(data, trailers=b"X-A: b\r\n" * 101)), 431)


def heads():
    for name, line in [
        ("nothing but a method", b"POST"), ("no version", b"POST /v1/chat/completions"),
        ("two blanks", b"POST  /v1/chat/completions HTTP/1.1"), ("a tab", b"POST\t/v1/chat/completions HTTP/1.1"),
        ("a blank behind", b"POST /v1/chat/completions HTTP/1.1 "), ("a blank in front", b" POST /v1/chat/completions HTTP/1.1"),
        ("a blank in the path", b"POST /v1/chat /completions HTTP/1.1"), ("lower case http", b"POST /v1/chat/completions http/1.1"),
        ("no slash", b"POST /v1/chat/completions HTTP1.1"), ("garbage", b"\x16\x03\x01\x02\x00"),
        ("a NUL", b"POST /v1/chat/completions\0 HTTP/1.1"), ("an em dash", "POST /v1/\u2014 HTTP/1.1".encode()),
        ("absolute", b"POST http://gateway/v1/chat/completions HTTP/1.1"), ("asterisk", b"OPTIONS * HTTP/1.1"),
        ("no leading slash", b"POST v1/chat/completions HTTP/1.1"), ("a fragment", b"POST /v1/chat/completions#x HTTP/1.1"),
        ("dots", b"POST /v1/../v1/chat/completions HTTP/1.1"), ("double slash", b"POST //v1/chat/completions HTTP/1.1"),
        ("an encoded slash", b"POST /v1%2fchat/completions HTTP/1.1"), ("a capital one", b"POST /v1%2Fchat/completions HTTP/1.1"),
        ("an encoded backslash", b"POST /v1%5cchat/completions HTTP/1.1"), ("a backslash", b"POST /v1\\chat/completions HTTP/1.1"),
        ("encoded dots", b"POST /v1/%2e%2e/v1/chat/completions HTTP/1.1"), ("a query with a fragment", b"POST /v1/chat/completions?a#b HTTP/1.1"),
    ]:
        yield Case(f"line: {name}", request(line=line), 400)
    yield Case("line: HTTP/2.0", request(line=b"POST /v1/chat/completions HTTP/2.0"), 505)
    yield Case("line: HTTP/1.2", request(line=b"POST /v1/chat/completions HTTP/1.2"), 505)
    yield Case("line: HTTP/1.10", request(line=b"POST /v1/chat/completions HTTP/1.10"), 400)
    yield Case("line: a target of 3 KiB", request(line=b"POST /v1/" + b"a" * 3_000 + b" HTTP/1.1"), 414)
    for method in [b"CONNECT", b"TRACE", b"PRI", b"post", b"FOO"]:
        yield Case(f"method {method.decode()}", request(line=method + b" /v1/chat/completions HTTP/1.1"), 405)
    yield Case("no host", request(host=None), 400)
    yield Case("two hosts", request(b"Host: gateway"), 400)
    yield Case("two different hosts", request(b"Host: other"), 400)
    for name, value in [("slash", b"a/b"), ("hash", b"a#b"), ("at", b"a@b"), ("blank", b"a b"), ("question mark", b"a?b"),
                        ("empty", b""), ("port that is none", b"a:b"), ("backslash", b"a\\b")]:
        yield Case(f"host: {name}", request(host=b"Host: " + value), 400)
    yield Case("a field without colon", request(b"X-A"), 400)
    yield Case("a field without name", request(b": a"), 400)
    yield Case("a blank in a name", request(b"X A: b"), 400)
    yield Case("a name in quotes", request(b'"X-A": b'), 400)
    yield Case("a name beyond ASCII", request("X-\u00c4: b".encode()), 400)
    yield Case("a folded line", request(b"X-A: b", b" c"), 400)
    yield Case("a line folded by a tab", request(b"X-A: b", b"\tc"), 400)
    yield Case("a first line that is folded", request(host=b" Host: gateway"), 400)
    yield Case("NUL in a value", request(b"X-A: b\0c"), 400)
    yield Case("bell in a value", request(b"X-A: b\x07c"), 400)
    yield Case("DEL in a value", request(b"X-A: b\x7fc"), 400)
    yield Case("a bare CR in a value", request(b"X-A: b\rc"), 400)
    yield Case("a bare LF between lines", request(b"X-A: b\nX-B: c"), 400)
    yield Case("LF LF for an end", request(end=b"\n\n"), 400)
    yield Case("CR CR for an end", request(b"X-A: b\r\rX-B: c"), 400)
    yield Case("two keys", request(b"Authorization: Bearer other"), 400)
    yield Case("two content types", request(b"Content-Type: text/plain"), 400)
    yield Case("two expectations", request(b"Expect: 100-continue", b"Expect: 100-continue"), 400)
    yield Case("another expectation", request(b"Expect: 200-ok"), 417)
    yield Case("a key with an underscore", request(b"x_api_key: other"), 400)
    yield Case("a subject with an underscore", request(b"x_torhaus_subject: other"), 400)
    yield Case("a field of 9,000 bytes", request(b"X-A: " + b"a" * 9_000), 431)
    yield Case("101 fields", request(*[b"X-%d: 1" % n for n in range(98)]), 431)
    yield Case("a head of 40 KiB", request(*[b"X-%d: %s" % (n, b"a" * 4_000) for n in range(10)]), 431)


def meaning():
    """Well-formed, and refused for what they say: a body that was announced and not read ends the connection."""
    yield Case("no key", request(key=False), 401)
    yield Case("no key, chunked", chunked(WHOLE, key=False), 401)
    yield Case("keys that differ", request(b"X-Api-Key: other"), 401)
    yield Case("no route", request(line=b"POST /v1/nothing HTTP/1.1"), 404)
    yield Case("an admin route", request(line=b"POST /admin/v1/tenants HTTP/1.1"), 404)
    yield Case("wrong method", request(line=b"PUT /v1/chat/completions HTTP/1.1"), 405)
    yield Case("wrong method without a body", get(line=b"GET /v1/chat/completions HTTP/1.1"), 405, STAYS)
    yield Case("another type", request(kind=b"Content-Type: text/plain"), 415)
    yield Case("packed", request(b"Content-Encoding: gzip"), 415)
    yield Case("no JSON", request(content=b"nonsense"), 400, STAYS)
    yield Case("an empty body", request(content=b""), 400, STAYS)


CASES = [*good(), *framing(), *chunking(), *heads(), *meaning()]
