"""An HTTP/2 client that sends any bytes and reads what comes: what a library would refuse to send or to look at."""

import collections
import socket
import struct
import urllib.parse

import hpack
from raw_http2 import ACK, DATA, END_STREAM, GOAWAY, HEADERS, PING, PREFACE, RST, SETTINGS, UPDATE, frame


class Answer:
    def __init__(self):
        self.status = None
        self.fields = {}
        self.body = b""
        self.is_over = False
        self.reset = None


class HTTP2Wire:
    def __init__(self, demo, greets=True, window=1 << 30):
        address = urllib.parse.urlsplit(demo.base_url)
        self.socket = socket.create_connection((address.hostname, address.port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.decoder = hpack.Decoder()
        self.answers = collections.defaultdict(Answer)
        self.goaways = []
        self.is_closed = False
        self.opening = b""
        if greets:
            # All windows wide open, unless a test wants to be slow.
            self.opening = PREFACE + frame(SETTINGS, 0, 0, struct.pack(">HI", 4, window))
            if window > 65_535:
                self.opening += frame(UPDATE, 0, 0, struct.pack(">I", window - 65_535))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        data, self.opening = self.opening + data, b""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before all was sent

    def read(self, until):
        """Reads frames until the condition holds; False at the connection's end."""
        while not until(self):
            if not self.next():
                return until(self)
        return True

    def answer(self, stream):
        self.read(lambda wire: wire.answers[stream].is_over or wire.answers[stream].reset is not None)
        return self.answers[stream]

    def next(self):
        head = self.take(9)
        if head is None:
            return False
        length = int.from_bytes(head[:3], "big")
        kind, flags = head[3], head[4]
        stream = int.from_bytes(head[5:], "big") & 0x7FFF_FFFF
        payload = self.take(length)
        if payload is None:
            return False
        if kind == HEADERS:
            for name, value in self.decoder.decode(payload, raw=True):
                self.answers[stream].fields[name.decode()] = value.decode()
            self.answers[stream].status = int(self.answers[stream].fields[":status"])
        elif kind == DATA:
            self.answers[stream].body += payload
        elif kind == RST:
            self.answers[stream].reset = int.from_bytes(payload, "big")
        elif kind == GOAWAY:
            self.goaways.append((int.from_bytes(payload[:4], "big"), int.from_bytes(payload[4:8], "big")))
        elif kind == SETTINGS and not flags & ACK:
            self.send(frame(SETTINGS, ACK))
        elif kind == PING and not flags & ACK:
            self.send(frame(PING, ACK, 0, payload))
        if kind in (HEADERS, DATA) and flags & END_STREAM:
            self.answers[stream].is_over = True
        return True

    def take(self, count):
        while len(self.received) < count:
            try:
                data = self.socket.recv(65_536)
            except ConnectionResetError:
                data = b""
            if not data:
                self.is_closed = True
                return None
            self.received += data
        data, self.received = self.received[:count], self.received[count:]
        return data
