"""A provider that speaks HTTP/2 over TLS and answers with the very frames it is told to, on whatever stream."""

import asyncio
import dataclasses
import json
import socket
import ssl
import typing

import hpack
from raw_http2 import ACK, DATA, END_STREAM, GOAWAY, HEADERS, PADDED, PING, PREFACE, PRIORITISED, RST, SETTINGS, frame
from rude_provider import CLOSE, HANG, Forever, RudeProvider, asked


@dataclasses.dataclass(frozen=True)
class Frame:
    """A frame on the stream of its request, or on one that is named; `payload` may be made from the request's stream."""

    kind: int
    payload: bytes | typing.Callable[[int], bytes] = b""
    flags: int = 0
    stream: int | None = None
    # What it says of its length, where that is a lie.
    length: int | None = None

    def bytes(self, stream):
        payload = self.payload(stream) if callable(self.payload) else self.payload
        return frame(self.kind, self.flags, stream if self.stream is None else self.stream, payload, self.length)


class Request:
    def __init__(self, fields):
        self.fields, self.body = fields, b""
        # Its stream was reset, or the connection has ended.
        self.is_gone = asyncio.Event()


def server_context(certificate, key):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["h2"])
    return context


class RudeHTTP2Provider(RudeProvider):
    """Steps of scripts are frames, bytes, or what ``RudeProvider`` knows; a script may be made from the request's body."""

    def __init__(self, scripts, tls):
        super().__init__(scripts, tls)
        # Errors with which the gateway ended connections.
        self.goaways = []

    async def _serve(self, reader, writer):
        models, requests, tasks, decoder = [], {}, [], hpack.Decoder()
        self.connections.append(models)
        try:
            assert await reader.readexactly(len(PREFACE)) == PREFACE
            writer.write(frame(SETTINGS))
            while True:
                head = await reader.readexactly(9)
                kind, flags, stream = head[3], head[4], int.from_bytes(head[5:], "big") & 0x7FFF_FFFF
                payload = await reader.readexactly(int.from_bytes(head[:3], "big"))
                if kind == HEADERS:
                    assert not flags & PADDED
                    block = payload[5:] if flags & PRIORITISED else payload
                    requests[stream] = Request(dict(decoder.decode(block)))
                elif kind == DATA:
                    requests[stream].body += payload
                elif kind == RST and stream in requests:
                    requests[stream].is_gone.set()
                elif kind == SETTINGS and not flags & ACK:
                    writer.write(frame(SETTINGS, ACK))
                elif kind == PING and not flags & ACK:
                    writer.write(frame(PING, ACK, 0, payload))
                elif kind == GOAWAY:
                    self.goaways.append(int.from_bytes(payload[4:8], "big"))
                if kind in (HEADERS, DATA) and flags & END_STREAM:
                    tasks.append(asyncio.create_task(self._answer(requests[stream], stream, models, writer)))
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            for request in requests.values():
                request.is_gone.set()
            writer.close()
            await asyncio.gather(*tasks)

    async def _answer(self, request, stream, models, writer):
        body = json.loads(request.body)
        model, kind = asked(request.fields[":path"], body)
        models.append(model)
        script = self.scripts[model, kind]
        try:
            for step in script(body) if callable(script) else script:
                await self._frame_step(step, request, stream, writer)
        except OSError:
            pass  # the connection has ended, here or there
        finally:
            self.served.add(model)

    async def _frame_step(self, step, request, stream, writer):
        if isinstance(step, Frame | tuple):  # several go in one burst
            frames = step if isinstance(step, tuple) else (step,)
            writer.write(b"".join(one.bytes(stream) for one in frames))
            await writer.drain()
        elif step == HANG:
            await request.is_gone.wait()
        elif step == CLOSE:
            # Goodbye in TLS, then in TCP, and without waiting for the other's.
            await writer.drain()
            tcp = writer.get_extra_info("socket")
            writer.close()
            await asyncio.sleep(0.01)
            tcp.shutdown(socket.SHUT_WR)
        elif isinstance(step, Forever):
            while not request.is_gone.is_set() and not writer.is_closing():
                writer.write(step.data.bytes(stream))
                await writer.drain()
                await asyncio.sleep(step.seconds)
        else:
            await self._step(step, None, writer)
