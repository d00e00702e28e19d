"""A stop lets clients finish: who has connected is served, is told that the connection ends, and gets all of its answer."""

import contextlib
import errno
import http.client
import json
import math
import signal
import socket
import time
import urllib.parse

import httpx
from test_hot_restart import Client, HTTP2Client, all_have_answers, totals, verifies

# Half of the seconds that an idle connection stays at a stop (`stopLingerMilliseconds`): the server's clock is read once a
# turn, and may be behind ours.
LINGER = 0.5


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
    client.settimeout(60)  # a large answer, made by programs that may be slow ones
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


class Stayer:
    """A client that goes on after the stop until nobody listens any more."""

    # When the signal was sent.
    stopped = math.inf

    def failed(self, error):
        if is_refusal(error) and time.monotonic() >= self.stopped:
            self.stopping.set()
        elif not self.came_too_late(error):
            super().failed(error)

    def came_too_late(self, error):
        return False


class HTTP1Stayer(Stayer, Client):
    # When its connection stood, and whether the answer that is under way has begun.
    connected = -math.inf
    is_answered = False

    def client(self):
        client = super().client()
        client.event_hooks = {"request": [self.watch]}
        return client

    def watch(self, request):
        self.is_answered = False
        request.extensions["trace"] = self.note

    def note(self, event, _):
        if event == "connection.connect_tcp.complete":
            self.connected = time.monotonic()
        elif event == "http11.receive_response_headers.complete":
            self.is_answered = True

    def came_too_late(self, error):
        """Between the listener's last look at who waits and its end the kernel may let somebody in, whom it then resets:
        nobody who had connected before the signal, and no answer that has begun."""
        is_end = isinstance(error, httpx.RemoteProtocolError | httpx.ReadError)
        return is_end and not self.is_answered and self.connected >= self.stopped


class HTTP2Stayer(Stayer, HTTP2Client):
    pass


def is_refusal(error):
    """Nobody listens; httpx says it in the words of the kernel's error."""
    said = f"[Errno {errno.ECONNREFUSED}]"
    return isinstance(error, ConnectionRefusedError) or isinstance(error, httpx.ConnectError) and said in str(error)


def test_a_stop_under_load_refuses_and_cuts_nothing(fresh, mock):
    mock.reset()
    kinds = [(False, True)] * 3 + [(True, True)] * 3 + [(False, False)] * 2 + [(True, False)]
    clients = [HTTP1Stayer(fresh, *kind) for kind in kinds] + [HTTP2Stayer(fresh, streams) for streams in (False, True)]
    for client in clients:
        client.start()
    assert all_have_answers(clients), [client.failures[:3] for client in clients]
    now = time.monotonic()
    for client in clients:
        client.stopped = now
    fresh.process.send_signal(signal.SIGTERM)
    try:
        assert fresh.process.wait(60) == 0, fresh.log()
    finally:
        for client in clients:
            client.stopping.set()
        for client in clients:
            client.join(60)
    assert [failure for client in clients for failure in client.failures] == []

    # What was answered is what was asked of the provider and what is booked: nothing was begun and left.
    fresh.start()
    count = sum(len(client.answered) for client in clients)
    ledger, bill = totals(fresh), mock.bill()
    assert ledger["requests"] == bill["requests"] == count
    assert ledger["input_tokens"] == bill["prompt_tokens"] and ledger["output_tokens"] == bill["completion_tokens"]
    assert verifies(fresh) == 0


def opened(demo):
    where = urllib.parse.urlsplit(demo.base_url)
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=60)
    connection.connect()
    # A second connection, made unasked, would hide that the first has ended.
    connection.auto_open = False
    return connection


def send(connection, demo, text):
    body = json.dumps({"model": "mock-echo", "messages": [{"role": "user", "content": text}]})
    connection.request("POST", "/v1/chat/completions", body, {
        "authorization": f"Bearer {demo.key()}", "content-type": "application/json"})


def receive(connection, text):
    """Returns what the answer says of its connection: None, or `close`."""
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200, body
    assert json.loads(body)["choices"][0]["message"]["content"] == text
    return answer.getheader("connection")


def test_who_has_connected_before_the_stop_is_served(fresh):
    """The process stands while they come, so that it meets the signal with all of them waiting in the kernel."""
    with contextlib.ExitStack() as stack:
        def connections(count):
            return [stack.enter_context(contextlib.closing(opened(fresh))) for _ in range(count)]

        kept = connections(10)
        for connection in kept:
            send(connection, fresh, "vorher")
            assert receive(connection, "vorher") is None
        fresh.process.send_signal(signal.SIGSTOP)
        try:
            asking = kept + connections(40)
            for number, connection in enumerate(asking):
                send(connection, fresh, f"Frage {number}")
            fresh.process.send_signal(signal.SIGTERM)
        finally:
            fresh.process.send_signal(signal.SIGCONT)
        for number, connection in enumerate(asking):
            receive(connection, f"Frage {number}")
        assert fresh.process.wait(60) == 0, fresh.log()


def test_idle_connections_stay_for_a_moment_and_are_told_with_an_answer(fresh):
    with contextlib.ExitStack() as stack:
        asking, idle, silent = (stack.enter_context(contextlib.closing(opened(fresh))) for _ in range(3))
        for connection in (asking, idle):
            send(connection, fresh, "vorher")
            assert receive(connection, "vorher") is None
        idle_socket, silent_socket = idle.sock, silent.sock
        began = time.monotonic()
        fresh.process.send_signal(signal.SIGTERM)
        is_told = False
        try:
            # The signal takes its time, and until then answers say nothing.
            while not is_told and time.monotonic() - began < 60:
                send(asking, fresh, "nachher")
                is_told = receive(asking, "nachher") == "close"
            assert is_told
        except ConnectionError:
            # Only whom the machine has kept from asking for so long has missed it.
            assert time.monotonic() - began > LINGER
        for connection in (idle_socket, silent_socket):
            assert connection.recv(1) == b"", "closed, not reset"
            assert time.monotonic() - began > LINGER, "not at once"
        assert fresh.process.wait(60) == 0, fresh.log()
