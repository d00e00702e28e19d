"""A small HTTP/1.1 client on asyncio: says exactly what came and how it ended, and is cheap enough to be no bottleneck."""

import asyncio
import dataclasses
import json


@dataclasses.dataclass
class Answer:
    status: int
    headers: dict
    body: bytes = b""
    # Whether the framing's own end was read; False: the connection ended before it.
    whole: bool = False

    @property
    def code(self):
        """The error's code, of a plain answer or of a stream's last event; None if there is none."""
        text = self.body
        if self.is_stream:
            events = [event for event in text.split(b"\n\n") if event.startswith(b"data: ")]
            text = events[-1][6:] if events else b""
        try:
            error = json.loads(text).get("error")
        except (ValueError, AttributeError):
            return None
        return error.get("code") if isinstance(error, dict) else None

    @property
    def is_stream(self):
        return self.headers.get("content-type", "").startswith("text/event-stream")

    @property
    def is_done(self):
        return b"data: [DONE]\n\n" in self.body

    @property
    def text(self):
        """What the model said, whole or streamed; for embeddings the vector."""
        if not self.is_stream:
            answer = json.loads(self.body)
            if "data" in answer:
                return answer["data"][0]["embedding"]
            return answer["choices"][0]["message"]["content"]
        parts = []
        for event in self.body.split(b"\n\n"):
            if event.startswith(b"data: {"):
                for choice in json.loads(event[6:]).get("choices", []):
                    parts.append(choice.get("delta", {}).get("content") or "")
        return "".join(parts)


class Client:
    """One connection to the gateway."""

    def __init__(self, host, port, key):
        self.where, self.key = (host, port), key
        self.reader = self.writer = None

    async def connect(self):
        self.reader, self.writer = await asyncio.open_connection(*self.where, limit=1 << 24)
        return self

    @property
    def is_open(self):
        return self.writer is not None and not self.reader.at_eof()

    def close(self, abort=False):
        if self.writer:
            self.writer.transport.abort() if abort else self.writer.close()
            self.writer = None

    def send(self, route, body):
        data = json.dumps(body, ensure_ascii=False).encode()
        more = b"anthropic-version: 2023-06-01\r\n" if route == "messages" else b""
        self.writer.write(
            b"POST /v1/%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n%s"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (route.encode(), self.key.encode(), more, len(data), data)
        )

    async def head(self):
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {}
        for line in lines[1:]:
            if line:
                name, value = line.split(":", 1)
                headers[name.lower()] = value.strip()
        return Answer(int(lines[0].split()[1]), headers)

    async def pieces(self, answer):
        """The body, piece by piece; sets `whole` at its regular end."""
        try:
            if answer.headers.get("transfer-encoding") == "chunked":
                while size := int(await self.reader.readuntil(b"\r\n"), 16):
                    piece = await self.reader.readexactly(size + 2)
                    answer.body += piece[:-2]
                    yield piece[:-2]
                await self.reader.readexactly(2)
            else:
                answer.body = await self.reader.readexactly(int(answer.headers.get("content-length", 0)))
                yield answer.body
            answer.whole = True
        except (asyncio.IncompleteReadError, ConnectionError):
            pass

    async def ask(self, route, body):
        self.send(route, body)
        answer = await self.head()
        async for _ in self.pieces(answer):
            pass
        return answer


def chat(model, text, stream=False, **more):
    return {"model": model, "stream": stream, "messages": [{"role": "user", "content": text}], **more}
