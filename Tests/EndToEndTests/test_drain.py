"""A stop lets clients finish: who is still taking a large answer when the signal comes gets all of it."""

import json
import signal
import socket
import time
import urllib.parse


def test_an_answer_that_is_being_taken_survives_the_stop(fresh):
    where = urllib.parse.urlsplit(fresh.base_url)
    body = json.dumps({"model": "mock-embed", "input": [f"text {number}" for number in range(600)], "dimensions": 1536}).encode()
    head = (
        f"POST /v1/embeddings HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {fresh.key()}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    client = socket.socket()
    # Little room, so that most of the answer waits in the gateway.
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(20)
    with client:
        client.connect((where.hostname, where.port))
        client.sendall(head.encode() + body)
        received = b""
        while b"\r\n\r\n" not in received:
            received += client.recv(4096)
        fields, _, taken = received.partition(b"\r\n\r\n")
        assert b" 200 " in fields.split(b"\r\n")[0]
        length = int(fields.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        assert length > 6_000_000, "an answer that the kernel takes whole proves nothing"
        fresh.process.send_signal(signal.SIGTERM)
        # Deadlines are looked at once a second: two looks while the client takes nothing.
        time.sleep(2.2)
        count = len(taken)
        while count < length:
            data = client.recv(1 << 20)
            assert data, f"cut after {count} of {length} bytes"
            count += len(data)
    assert fresh.process.wait(20) == 0
