"""An HTTP proxy (CONNECT only) and a SOCKS 5 proxy that lead every name to one port of this machine, and note what they saw."""

import asyncio
import base64
import threading


class Proxy:
    """`kind` is http or socks5; with `user` and `password` nobody else gets through. `tls` is a context for https."""

    def __init__(self, kind, target, user=None, password=None, tls=None):
        self.kind, self.target, self.user, self.password, self.tls = kind, target, user, password, tls
        # Names that were asked for, all bytes before a tunnel stood, and those that came from the gateway behind it.
        self.names, self.greetings, self.through = [], b"", b""

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
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await self.over.wait()
        server.close()

    async def _serve(self, reader, writer):
        try:
            if await (self._connect if self.kind == "http" else self._socks)(reader, writer):
                there, back = await asyncio.open_connection("127.0.0.1", self.target)
                await asyncio.gather(self._copy(reader, back, True), self._copy(there, writer, False))
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()

    async def _copy(self, reader, writer, isOutwards):
        try:
            while data := await reader.read(65536):
                if isOutwards:
                    self.through += data
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def _connect(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        self.greetings += head
        method, name, _ = head.split(b"\r\n")[0].decode().split(" ")
        wanted = self.user and base64.b64encode(f"{self.user}:{self.password}".encode())
        if method != "CONNECT":
            writer.write(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
        elif wanted and b"Proxy-Authorization: Basic " + wanted not in head:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n")
        else:
            self.names.append(name)
            # Fields that must not be taken for the provider's.
            writer.write(b"HTTP/1.1 200 OK\r\nRetry-After: 60\r\nContent-Encoding: gzip\r\nContent-Type: text/html\r\n\r\n")
            return True
        return False

    async def _socks(self, reader, writer):
        version, count = await reader.readexactly(2)
        methods = await reader.readexactly(count)
        if self.user:
            if 2 not in methods:
                writer.write(b"\x05\xff")
                return False
            writer.write(b"\x05\x02")
            user = await reader.readexactly((await reader.readexactly(2))[1])
            password = await reader.readexactly((await reader.readexactly(1))[0])
            if (user.decode(), password.decode()) != (self.user, self.password):
                writer.write(b"\x01\x01")
                return False
            writer.write(b"\x01\x00")
        else:
            writer.write(b"\x05\x00")
        _, command, _, kind = await reader.readexactly(4)
        if command != 1 or kind != 3:  # a name, not an address: it is ours to resolve
            writer.write(b"\x05\x08\x00\x01" + bytes(6))
            return False
        name = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
        port = int.from_bytes(await reader.readexactly(2), "big")
        self.names.append(f"{name}:{port}")
        writer.write(b"\x05\x00\x00\x01" + bytes(6))
        return True
