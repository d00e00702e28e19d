"""The edge of the endpoint: how many connections, by which sockets, and whose address a request counts for."""

import fcntl
import http.client
import os
import re
import select
import socket
import stat
import time
import urllib.parse

import pytest
from served import Served, chat

TCP = "api: {address: 127.0.0.1, port: 0}"
ADMIN = "admin: {address: 127.0.0.1, port: 0}"


@pytest.fixture
def served(mock, tmp_path):
    """Makes installations, and stops what is left of them."""
    made = []

    def make(*listen, **options):
        made.append(Served(tmp_path / str(len(made)), mock, [*listen, ADMIN], **options))
        return made[-1]

    yield make
    for installation in made:
        if installation.process:
            installation.stop()


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("gateway", timeout=20)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(self.path)


def tcp(endpoint):
    where = urllib.parse.urlsplit(endpoint)
    return http.client.HTTPConnection(where.hostname, where.port, timeout=20)


def ask(connection, key, **fields):
    """A chat's status."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    connection.request("POST", "/v1/chat/completions", chat(), {**headers, **fields})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def lives(connection):
    connection.request("GET", "/livez")
    answer = connection.getresponse()
    answer.read()
    return answer.status == 200


# Connections


def test_the_limit_per_source_counts_for_all_loops(served):
    installation = served(TCP, loops=3).start()
    where = urllib.parse.urlsplit(installation.endpoint)
    clients = []
    try:
        for _ in range(200):
            client = http.client.HTTPConnection(where.hostname, where.port, timeout=20)
            client.connect()
            clients.append(client)
        assert all(lives(client) for client in clients)
        for _ in range(5):
            with socket.create_connection((where.hostname, where.port), timeout=20) as refused:
                assert refused.recv(1) == b""
        assert installation.metric("torhaus_connections_open") == 200
        assert installation.metric('torhaus_edge_refusals_total{limit="connections_per_source"}') == 5
        clients.pop().close()
        deadline = time.monotonic() + 20
        while installation.metric("torhaus_connections_open") == 200 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert lives(tcp(installation.endpoint))
    finally:
        for client in clients:
            client.close()


# Sockets


def test_a_unix_domain_socket(served, tmp_path):
    path = tmp_path / "api.sock"
    installation = served(f'api: {{address: "unix:{path}", mode: "0640"}}').start()
    assert installation.endpoint == f"unix:{path}"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640 and stat.S_ISSOCK(path.stat().st_mode)
    key = installation.make_tenant()
    assert ask(UnixConnection(path), key) == 200
    # Killed: the file stays, and the next start takes its place.
    installation.process.kill()
    installation.process.wait()
    assert path.exists()
    installation.start()
    assert ask(UnixConnection(path), key) == 200
    assert installation.stop() == 0
    assert not path.exists()


def test_a_socket_that_somebody_serves_is_left_alone(served, tmp_path):
    path = tmp_path / "api.sock"
    first = served(f'api: {{address: "unix:{path}"}}').start()
    second = served(f'api: {{address: "unix:{path}"}}').start(wait=False)
    assert second.process.wait(30) == 1
    assert "is taken" in second.log()
    assert lives(UnixConnection(path))
    assert first.stop() == 0


def test_a_file_that_is_no_socket_is_left_alone(served, tmp_path):
    path = tmp_path / "precious"
    path.write_text("data")
    installation = served(f'api: {{address: "unix:{path}"}}').start(wait=False)
    assert installation.process.wait(30) == 1
    assert path.read_text() == "data"


def test_several_listeners(served, tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    installation = served(TCP, f'also: [{{address: 127.0.0.1, port: {port}}}, {{address: "unix:{tmp_path}/b.sock"}}]').start()
    key = installation.make_tenant()
    for connection in (tcp(installation.endpoint), tcp(f"http://127.0.0.1:{port}"), UnixConnection(tmp_path / "b.sock")):
        assert ask(connection, key) == 200


def activated(sockets, names, command):
    """A command line that runs `command` as the service manager would, with these sockets."""
    places = " ".join(f"{3 + index}<&{sock.fileno()}" for index, sock in enumerate(sockets))
    line = " ".join(f"'{word}'" for word in command)
    script = f"export LISTEN_PID=$$ LISTEN_FDS={len(sockets)} LISTEN_FDNAMES={names}; exec {line} {places}"
    return ["bash", "-c", script], {"pass_fds": [sock.fileno() for sock in sockets]}


def listening():
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    sock.listen(64)
    # A number that is not among those which the new process gets them by.
    high = fcntl.fcntl(sock.fileno(), fcntl.F_DUPFD, 50)
    sock.close()
    return socket.socket(fileno=high)


def test_sockets_of_the_service_manager(served):
    installation = served(TCP)
    with listening() as api, listening() as admin:
        # A client that comes before the process does waits, and is served.
        early = http.client.HTTPConnection(*api.getsockname(), timeout=30)
        early.request("GET", "/livez")
        command, options = activated([admin, api], "admin:torhaus.socket", installation.command)
        installation.start(command, **options)
        assert early.getresponse().status == 200
        assert installation.endpoint.endswith(f":{api.getsockname()[1]}")
        assert installation.admin.endswith(f":{admin.getsockname()[1]}")
        assert ask(tcp(installation.endpoint), installation.make_tenant()) == 200
        # Sockets stay with who made them: the next process goes on with the same.
        assert installation.stop() == 0
        late = http.client.HTTPConnection(*api.getsockname(), timeout=30)
        late.request("GET", "/livez")
        installation.start(command, **options)
        assert late.getresponse().status == 200


def test_the_watchdog_of_the_service_manager_hears_that_the_loops_turn(served, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(30)
        environment = dict(os.environ, NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="200000")
        installation = served(TCP).start(env=environment)
        assert [manager.recv(100) for _ in range(4)] == [b"READY=1"] + [b"WATCHDOG=1"] * 3
        assert installation.stop() == 0


def test_an_inherited_admin_socket_must_be_local(served):
    installation = served(TCP)
    with socket.socket() as wide:
        wide.bind(("0.0.0.0", 0))
        wide.listen(8)
        command, options = activated([wide], "admin", installation.command)
        installation.start(command, wait=False, **options)
        assert installation.process.wait(30) == 1
        assert "loopback" in installation.log()


# Proxies

INSIDE = "networks: [203.0.113.0/24]"


def test_the_address_that_a_trusted_proxy_tells_counts(served):
    installation = served(TCP, 'trusted-proxies: [127.0.0.1, 10.0.0.0/8]', policy=INSIDE).start()
    key = installation.make_tenant()

    def status(*forwarded):
        connection = tcp(installation.endpoint)
        connection.putrequest("POST", "/v1/chat/completions")
        connection.putheader("Authorization", f"Bearer {key}")
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", str(len(chat())))
        for value in forwarded:
            connection.putheader("X-Forwarded-For", value)
        connection.endheaders(chat())
        answer = connection.getresponse()
        answer.read()
        return answer.status

    assert status("203.0.113.7") == 200
    assert status("198.51.100.1, 203.0.113.7, 10.1.2.3") == 200
    assert status("198.51.100.1", "203.0.113.7") == 200
    assert status("203.0.113.7, 198.51.100.1") == 403  # what the client wrote itself is left of what the proxy saw
    assert status("203.0.113.7", "198.51.100.1") == 403
    assert status() == 403  # the proxy itself
    for malformed in ("unknown", "203.0.113.7, ", "203.0.113.777", "", "203.0.113.7 x"):
        assert status(malformed) == 400, malformed


def test_without_trusted_proxies_nobody_forwards(served):
    installation = served(TCP, policy=INSIDE).start()
    key = installation.make_tenant()
    assert ask(tcp(installation.endpoint), key, **{"X-Forwarded-For": "203.0.113.7"}) == 403
    assert ask(tcp(installation.endpoint), key, **{"X-Forwarded-For": "nonsense"}) == 403


def test_a_proxy_by_a_unix_domain_socket(served, tmp_path):
    path = tmp_path / "api.sock"
    listen = f'api: {{address: "unix:{path}"}}'
    installation = served(listen, "trusted-proxies: [unix]", policy=INSIDE).start()
    key = installation.make_tenant()
    assert ask(UnixConnection(path), key, **{"X-Forwarded-For": "203.0.113.7"}) == 200
    assert ask(UnixConnection(path), key, **{"X-Forwarded-For": "198.51.100.1"}) == 403
    assert ask(UnixConnection(path), key) == 403
    # One proxy's connections are those of many clients.
    clients = [UnixConnection(path) for _ in range(205)]
    assert all(lives(client) for client in clients)


# Keys that are guessed


def test_guessed_keys_are_slowed_down_and_reported(served):
    installation = served(TCP, 'trusted-proxies: [127.0.0.1]').start()
    key = installation.make_tenant()
    most = installation.limit("failedKeysPerMinute")
    assert most == 20

    def attempt(key, source):
        connection = tcp(installation.endpoint)
        fields = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", "X-Forwarded-For": source}
        connection.request("POST", "/v1/chat/completions", chat(), fields)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status, answer.getheader("Retry-After")

    # It takes longer than a second on no machine that is fit for it, and one failure is forgotten every three.
    answers = [attempt(f"th_guess{number}", "203.0.113.7") for number in range(most + 8)]
    assert answers[:most] == [(401, None)] * most
    refused = [answer for answer in answers if answer[0] == 429]
    assert refused and all(1 <= int(wait) <= 3 for _, wait in refused)
    assert attempt(key, "203.0.113.7")[0] == 200, "a right key is nobody's hostage"
    assert attempt("th_guess", "203.0.113.8")[0] == 401
    assert installation.metric('torhaus_edge_refusals_total{limit="failed_keys_per_source"}') == len(refused)
    assert installation.metric("torhaus_failed_keys_total") == len(answers) + 1
    installation.stop()
    said = re.findall(
        r"(\d+) requests with keys that are not valid were refused as too many, from 203\.0\.113\.7", installation.log())
    assert sum(map(int, said)) == len(refused)


# Memory


def test_large_bodies_of_one_tenant_are_bounded(served):
    """128 MiB for a tenant and 8 MiB for a body, or less on a small machine: so many at once, and not one more."""
    installation = served(TCP).start()
    key = installation.make_tenant()
    most, rest = divmod(installation.limit("heldBodiesBytesPerTenant"), installation.limit("bodyBytes"))
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {installation.limit('bodyBytes')}\r\n\r\n{{"
    ).encode()
    where = urllib.parse.urlsplit(installation.endpoint)
    clients = []
    try:
        for _ in range(most + 1):
            client = socket.create_connection((where.hostname, where.port), timeout=20)
            client.sendall(head)
            clients.append(client)
        # Whose head is read last is the loops' affair: one of them gets no place.
        refused, _, _ = select.select(clients, [], [], 20)
        assert len(refused) == 1
        answer = refused[0].recv(65536)
        assert answer.startswith(b"HTTP/1.1 429 "), answer
        assert b"retry-after: 2\r\n" in answer and b"rate_limit_exceeded" in answer
        assert ask(tcp(installation.endpoint), key) == (200 if rest > 4096 else 429)
    finally:
        for client in clients:
            client.close()
    deadline = time.monotonic() + 20
    while ask(tcp(installation.endpoint), key) != 200 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert ask(tcp(installation.endpoint), key) == 200
