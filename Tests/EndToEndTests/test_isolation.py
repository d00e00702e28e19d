"""Rude clients: whatever one does to its connection, others get their own answers, and nothing stays open."""

import http.client
import json
import random
import socket
import threading
import time

from conftest import Server, metric, provider, register, settles
from faults import DONE, EVENTS, FINISH, GOOD_PLAIN, LAST, ROLE, TEXT, USED, chunk, event
from rude_provider import RudeProvider

CANARY = "Geheimnis von A, nur von A"
PROBE = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"


def post(key, text, model="mock-echo;wait=200"):
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": text}]}).encode()
    return (
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + key.encode()
        + b"\r\nContent-Type: application/json\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body
    )


def address(demo):
    host, port = demo.info["endpoint"].removeprefix("http://").split(":")
    return host, int(port)


def test_a_head_answered_at_once_ends_no_process(fresh):
    for request in (b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", PROBE * 1000, b"\r\n\r\nX\r\n\r\n"):
        with socket.create_connection(address(fresh), timeout=10) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
    assert fresh.process.poll() is None


def test_aborted_pipelines_of_one_tenant_never_reach_another(fresh):
    random.seed(7)
    stop, leaks, wrong, answered = threading.Event(), [], [], []

    def ask(number):
        turn = 0
        while not stop.is_set():
            turn += 1
            text = f"Frage {number}-{turn}"
            connection = http.client.HTTPConnection(*address(fresh), timeout=10)
            try:
                connection.request("POST", "/v1/chat/completions", json.dumps(
                    {"model": "mock-echo;wait=50", "messages": [{"role": "user", "content": text}]}),
                    {"authorization": f"Bearer {fresh.key('kanzlei-b')}", "content-type": "application/json"})
                answer = connection.getresponse()
                body = answer.read().decode()
            finally:
                connection.close()
            answered.append(answer.status)
            if CANARY in body:
                leaks.append(body)
            if answer.status != 200 or text not in body:
                wrong.append((answer.status, body))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    rude = post(fresh.key("kanzlei-a"), CANARY)
    end = time.monotonic() + 8
    while time.monotonic() < end:
        connection = socket.create_connection(address(fresh), timeout=5)
        try:
            connection.sendall(PROBE * random.choice([5, 50, 400]) + rude + PROBE * 50 + rude)
            time.sleep(random.random() * 0.1)
        except OSError:
            pass
        finally:
            connection.close()
    stop.set()
    for thread in threads:
        thread.join()
    assert len(answered) > 50
    assert not leaks
    assert not wrong, wrong[:3]
    assert settles(lambda: metric(fresh, "torhaus_reservations_open") == 0 and metric(fresh, "torhaus_inflight") == 0)


def test_one_tenants_failures_and_aborts_leave_the_provider_to_the_others(fresh):
    import openai

    a = openai.OpenAI(api_key=fresh.key("kanzlei-a"), base_url=fresh.base_url, max_retries=0)
    for _ in range(8):
        try:
            a.chat.completions.create(model="mock-error-500", messages=[{"role": "user", "content": "x"}])
        except openai.InternalServerError:
            pass
    b = openai.OpenAI(api_key=fresh.key("kanzlei-b"), base_url=fresh.base_url, max_retries=0)
    assert b.chat.completions.create(
        model="mock-echo", messages=[{"role": "user", "content": "geht"}]).choices[0].message.content == "geht"


def test_a_stop_ends_open_streams_with_an_error_and_settles_them(fresh):
    connection = http.client.HTTPConnection(*address(fresh), timeout=60)
    connection.request("POST", "/v1/chat/completions", json.dumps(
        {"model": "mock-stream;chunks=2000;delay=50", "stream": True,
         "messages": [{"role": "user", "content": "lang"}]}),
        {"authorization": f"Bearer {fresh.key()}", "content-type": "application/json"})
    answer = connection.getresponse()
    assert answer.status == 200
    answer.read(200)
    stopping = threading.Thread(target=lambda: fresh.stop(40))
    stopping.start()
    received = b""
    try:
        while piece := answer.read1(65536):
            received += piece
    except http.client.IncompleteRead as error:
        received += error.partial
    stopping.join()
    assert b'"error"' in received and b"[DONE]" not in received
    fresh.start()
    usage = json.loads(fresh.ctl("usage", "--tenant", "kanzlei-a", "-o", "json").stdout)
    totals = usage.get("totals", usage)
    assert totals["requests"] == 1 and totals["output_tokens"] > 0
    assert metric(fresh, "torhaus_reservations_open") == 0


def test_a_broken_policy_folder_changes_nothing(mock, tmp_path):
    import pathlib
    import shutil
    import signal

    import openai
    from conftest import Demo

    policies = tmp_path / "policies"
    shutil.copytree(pathlib.Path(__file__).parents[2] / "policies", policies)
    demo = Demo(tmp_path / "state", upstream=mock.base_url, arguments=["--policies", str(policies)]).start()
    try:
        client = openai.OpenAI(api_key=demo.key(), base_url=demo.base_url, max_retries=0)
        good = (policies / "demo.yaml").read_text()
        for broken in (good + "\nnonsense: [", good.replace("demo@1", "other@1"), good + "\nunknown-key: 1\n"):
            (policies / "demo.yaml").write_text(broken)
            demo.process.send_signal(signal.SIGHUP)
            assert settles(lambda: metric(demo, "torhaus_policy_reload_failed") == 1)
            answer = client.chat.completions.create(model="mock-echo", messages=[{"role": "user", "content": "noch da"}])
            assert answer.choices[0].message.content == "noch da"
            (policies / "demo.yaml").write_text(good)
            demo.process.send_signal(signal.SIGHUP)
            assert settles(lambda: metric(demo, "torhaus_policy_reload_failed") == 0)
    finally:
        demo.stop()


def test_large_bodies_of_one_tenant_wait_for_the_log_and_disturb_nobody(fresh):
    """More than the log's queue holds for a tenant: what has no room in it waits its turn and is not refused."""
    stop, small = threading.Event(), []

    def ask(key, body, timeout):
        connection = http.client.HTTPConnection(*address(fresh), timeout=timeout)
        try:
            connection.request("POST", "/v1/chat/completions", body, {
                "authorization": f"Bearer {key}", "content-type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()[:300]
        finally:
            connection.close()

    def ask_small():
        body = json.dumps({"model": "mock-fast", "messages": [{"role": "user", "content": "kurz"}]})
        while not stop.is_set():
            small.append(ask(fresh.key("kanzlei-b"), body, 60))

    text = "Frist und Termin. " * (8_000_000 // 18)
    large = json.dumps({"model": "mock-fast", "messages": [{"role": "user", "content": text}]})
    answers = []
    clients = [threading.Thread(
        target=lambda: answers.extend(ask(fresh.key("kanzlei-a"), large, 300) for _ in range(2))) for _ in range(4)]
    others = threading.Thread(target=ask_small)
    for thread in [*clients, others]:
        thread.start()
    for thread in clients:
        thread.join()
    stop.set()
    others.join()
    assert [status for status, _ in answers] == [200] * 8, answers
    assert small and all(status == 200 for status, _ in small), [one for one in small if one[0] != 200][:3]
    assert settles(lambda: metric(fresh, "torhaus_reservations_open") == 0)
    assert settles(lambda: metric(fresh, "torhaus_log_queue_bytes") == 0)
    reader = fresh.tenant()["reader_token_file"]
    assert fresh.ctl("log", "verify", "--tenant", "kanzlei-a", token=reader, check=False).returncode == 0


class Flood:
    """The steps of a stream that goes on until somebody has seen enough, and a while longer."""

    # Some 48 MiB: below what a stream may have, and above what kernels hold between a client and a provider.
    MOST = 3_000

    def __init__(self):
        # All but the last have left, as far as the provider sees.
        self.texts = []
        self.enough = threading.Event()

    def __iter__(self):
        yield EVENTS + ROLE
        left = 100
        while left > 0 and len(self.texts) < self.MOST:
            self.texts.append(f"{len(self.texts):06} " + "x" * 16_000)
            yield chunk(event({"content": self.texts[-1]}))
            left -= self.enough.is_set()
        yield FINISH + USED + DONE + LAST


def stands_still(count, seconds=2, within=60):
    """Waits until a number has begun to grow, and then has not grown for a while."""
    last, since = count(), time.monotonic()
    end = since + within
    while time.monotonic() < end:
        time.sleep(0.05)
        if count() != last:
            last, since = count(), time.monotonic()
        elif last > 0 and time.monotonic() - since > seconds:
            return True
    return False


def test_a_client_that_pauses_gets_all_of_its_stream(tmp_path):
    """It reads nothing until its provider cannot send any more, and then everything. Others are served meanwhile."""
    flood = Flood()
    rude = RudeProvider({("m", "stream"): flood, ("m", "plain"): [GOOD_PLAIN]}).start()
    # Sealing some megabytes may take a slow machine longer than an answer waits for its record: content is not kept.
    log = {"mode": "off", "durability": "buffered", "retention": {"content": "7d", "metadata": "30d"}}
    server = Server(tmp_path, register([provider("p", rude.port, ["m"])], {"m": {"candidates": ["p/m"]}}, log=log)).start()

    def ask(connection, stream):
        body = {"model": "m", "stream": stream, "messages": [{"role": "user", "content": TEXT}]}
        connection.request("POST", "/v1/chat/completions", json.dumps(body), {
            "authorization": f"Bearer {server.key()}", "content-type": "application/json"})

    slow, other = (http.client.HTTPConnection(*address(server), timeout=60) for _ in range(2))
    try:
        server.key()  # made before anybody waits for it
        slow.sock = socket.socket()
        # Little room, so that what it does not take soon waits at its provider; once connected it could not be made less.
        slow.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        slow.sock.settimeout(60)
        slow.sock.connect(address(server))
        ask(slow, True)
        assert stands_still(lambda: len(flood.texts))
        assert len(flood.texts) < Flood.MOST, "nobody has held the provider back"
        ask(other, False)
        assert TEXT in other.getresponse().read().decode()
        flood.enough.set()
        answer = slow.getresponse()
        # Raises where the last chunk is missing.
        lines = answer.read().split(b"\n")
        events = [line.removeprefix(b"data: ") for line in lines if line.startswith(b"data: ")]
        assert answer.status == 200 and events[-1] == b"[DONE]", events[-1][:300]
        said = "".join(c["delta"].get("content") or "" for one in events[:-1] for c in json.loads(one)["choices"])
        # Not compared within the assertion, which would look for the differences of megabytes.
        is_whole = said == "".join(flood.texts)
        assert is_whole, f"{len(said)} bytes of {sum(map(len, flood.texts))}"
        assert settles(lambda: metric(server, "torhaus_reservations_open") == 0 and metric(server, "torhaus_inflight") == 0)
    finally:
        slow.close()
        other.close()
        code = server.stop()
        rude.stop()
    assert code == 0, server.log()
