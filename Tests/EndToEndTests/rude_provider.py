"""A provider that answers with the very bytes it is told to, and notes which request came on which connection."""

import asyncio
import json
import re
import socket
import struct
import threading

# What a script may do besides sending bytes. After the last step the connection waits for the next request.
CLOSE, RESET, HANG = "close", "reset", "hang"


class Pause(float):
    """Seconds without a byte."""


class Forever:
    """The same bytes again and again, with a pause between them."""

    def __init__(self, data, seconds):
        self.data, self.seconds = data, seconds


def asked(path, body):
    """Model and kind of a request. They stand in the body, at Gemini and Bedrock in the path."""
    found = re.search(r"/models?/([^/:]+)[:/]([\w-]+)", path)
    if found:
        return found[1], "stream" if "stream" in found[2] else "plain"
    return body["model"], "embed" if "/embeddings" in path else "stream" if body.get("stream") else "plain"


class RudeProvider:
    """`scripts` has steps by (model, kind); the kind is plain, stream or embed. Serves on a thread of its own."""

    def __init__(self, scripts, tls=None):
        self.scripts, self.tls = scripts, tls
        # Heads of all requests, for what must not or must be in them.
        self.heads = []
        # The models asked for, connection by connection, in their order.
        self.connections = []
        # Of each connection over TLS whether it went on with an earlier session.
        self.resumed = []
        # Models whose script has been carried out, as far as the gateway let it.
        self.served = set()

    def start(self):
        ready = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self._run(ready)), daemon=True)
        self.thread.start()
        assert ready.wait(10)
        return self

    def stop(self):
        self.loop.call_soon_threadsafe(self.over.set)
        self.thread.join(10)

    async def _run(self, ready):
        self.loop, self.over = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 24, ssl=self.tls)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await self.over.wait()
        server.close()

    def requests(self, model):
        """How many requests for this model have arrived."""
        return sum(models.count(model) for models in self.connections)

    async def _serve(self, reader, writer):
        models = []
        self.connections.append(models)
        if self.tls:
            self.resumed.append(writer.get_extra_info("ssl_object").session_reused)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.heads.append(head)
                length = next(
                    int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
                )
                body = json.loads(await reader.readexactly(length))
                model, kind = asked(head.split(b" ")[1].decode(), body)
                models.append(model)
                try:
                    for step in self.scripts[model, kind]:
                        await self._step(step, reader, writer)
                finally:
                    self.served.add(model)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _step(self, step, reader, writer):
        if step == CLOSE:
            await writer.drain()
            writer.close()
            raise ConnectionAbortedError
        elif step == RESET:
            await writer.drain()
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
            raise ConnectionAbortedError
        elif step == HANG:
            await reader.read()  # until the gateway has closed the connection, which it must
            raise ConnectionAbortedError
        elif isinstance(step, Pause):
            await writer.drain()
            await asyncio.sleep(step)
        elif isinstance(step, Forever):
            while not writer.is_closing():
                writer.write(step.data)
                await writer.drain()
                await asyncio.sleep(step.seconds)
        else:
            writer.write(step)
            await writer.drain()
