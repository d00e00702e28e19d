"""A new process takes the place of the old one under load: no request fails, the books are right, the log verifies."""

import itertools
import json
import os
import re
import shutil
import signal
import threading
import time

import httpx
import pytest
from certificates import Authority
from conftest import BIN, Demo, metric, settles
from http2_wire import HTTP2Wire
from raw_http2 import request as http2_request
from test_http2 import text_of
from test_tls import install, trust

TENANT = "kanzlei-a"
TEXT = "eins zwei drei vier " * 4


class Relay:
    """A demo whose process is replaced again and again."""

    def __init__(self, folder, mock, *arguments, trust=None):
        self.demo = Demo(folder / "state", upstream=mock.base_url, arguments=arguments, trust=trust).start()
        self.pids = [self.demo.process.pid]

    def take_over(self, seconds=30):
        """Asks the newest process to hand over; returns the process that serves now."""
        before = len(self.text())
        os.kill(self.pids[-1], signal.SIGUSR2)
        found = self.await_text(r"process (\d+) has taken over", before, seconds)
        self.pids.append(int(found.group(1)))
        return self.pids[-1]

    def text(self):
        self.demo.output.flush()
        with open(self.demo.output.name, errors="replace") as file:
            return file.read()

    def await_text(self, pattern, before, seconds=30):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = re.search(pattern, self.text()[before:])
            if found:
                return found
            time.sleep(0.02)
        raise AssertionError(f"'{pattern}' was never said:\n{self.text()[-3000:]}")

    def await_end(self, pid, seconds=40):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if pid == self.demo.process.pid:
                if self.demo.process.poll() is not None:
                    return self.demo.process.returncode
            elif not running(pid):
                return None
            time.sleep(0.05)
        raise AssertionError(f"process {pid} did not end:\n{self.text()[-3000:]}")

    def stop(self):
        for pid in reversed(self.pids):
            if pid == self.demo.process.pid and self.demo.process.poll() is not None or not running(pid):
                continue
            os.kill(pid, signal.SIGTERM)
            self.await_end(pid)


def running(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def relay(mock, tmp_path):
    mock.reset()
    made = []

    def make(*arguments, **options):
        made.append(Relay(tmp_path, mock, *arguments, **options))
        return made[-1]

    yield make
    for one in made:
        one.stop()


class Client(threading.Thread):
    """Asks one request after the other until told to stop. `keeps` one connection, or makes one for each."""

    def __init__(self, demo, streams, keeps):
        super().__init__(daemon=True)
        self.demo = demo
        self.url = demo.base_url + "/chat/completions"
        self.headers = {"authorization": f"Bearer {demo.key()}"}
        self.streams = streams
        self.keeps = keeps
        self.stopping = threading.Event()
        self.answered = []
        self.failures = []

    def run(self):
        client = self.client()
        while not self.stopping.is_set():
            try:
                self.answered.append(self.stream(client) if self.streams else self.plain(client))
            except (httpx.HTTPError, AssertionError) as error:
                self.failed(error)
            if not self.keeps:
                client.close()
                client = self.client()
        client.close()

    def client(self):
        return httpx.Client(headers=self.headers, timeout=30, verify=self.demo.trust or True)

    def failed(self, error):
        self.failures.append(repr(error))

    def plain(self, client):
        body = {"model": "mock-echo", "messages": [{"role": "user", "content": "Grüezi"}]}
        answer = client.post(self.url, json=body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["choices"][0]["message"]["content"] == "Grüezi"
        return answer.headers["x-request-id"]

    def stream(self, client):
        body = {"model": "mock-echo;delay=30", "messages": [{"role": "user", "content": TEXT}], "stream": True}
        with client.stream("POST", self.url, json=body) as answer:
            assert answer.status_code == 200, answer.read()
            lines = [line[6:] for line in answer.iter_lines() if line.startswith("data: ")]
            assert lines[-1] == "[DONE]", lines[-3:]
            got = "".join(c["delta"].get("content") or "" for line in lines[:-1] for c in json.loads(line)["choices"])
            assert got == TEXT
            return answer.headers["x-request-id"]


class HTTP2Client(Client):
    """The same over HTTP/2 in clear text, on one connection until its server says goodbye."""

    # Seconds for which a server waits for an answer to its goodbye, and a bit less.
    PATIENCE = 0.9

    def __init__(self, demo, streams):
        super().__init__(demo, streams, keeps=True)
        self.connections = 0

    def run(self):
        while not self.stopping.is_set():
            try:
                with HTTP2Wire(self.demo) as wire:
                    self.connections += 1
                    self.use(wire)
            except (OSError, AssertionError) as error:
                self.failed(error)

    def use(self, wire):
        """What was sent before a goodbye is read is answered, too."""
        key, heard = self.demo.key().encode(), time.monotonic()
        for stream in itertools.count(1, 2):
            if wire.goaways or self.stopping.is_set():
                return
            wire.send(http2_request(key, stream=stream, content=self.question()))
            pause, answer = time.monotonic() - heard, wire.answer(stream)
            heard = time.monotonic()
            if not answer.is_over and pause > self.PATIENCE and wire.goaways and wire.goaways[-1][0] < stream:
                return  # the machine has kept us from reading, and the goodbye says that this one is to be asked elsewhere
            assert answer.is_over, f"request {stream} was cut; goodbyes: {wire.goaways}"
            self.answered.append(self.check(answer))

    def question(self):
        model = "mock-echo;delay=30" if self.streams else "mock-echo"
        body = {"model": model, "messages": [{"role": "user", "content": TEXT}], "stream": self.streams}
        return json.dumps(body).encode()

    def check(self, answer):
        assert answer.status == 200, answer.body
        if self.streams:
            assert answer.body.endswith(b"data: [DONE]\n\n") and text_of(answer.body) == TEXT
        else:
            assert json.loads(answer.body)["choices"][0]["message"]["content"] == TEXT
        return answer.fields["x-request-id"]


def all_have_answers(clients, more=3):
    """Waits until each has got some more."""
    wanted = [len(client.answered) + more for client in clients]
    return settles(lambda: all(len(client.answered) >= count for client, count in zip(clients, wanted)), 60)


def totals(demo):
    report = json.loads(demo.ctl("usage", "--tenant", TENANT, "-o", "json").stdout)
    return report.get("totals", report)


def used(demo):
    """Tokens of this day that count against the tenant's budget, known ones and such as nobody knows."""
    lines = json.loads(demo.ctl("quota", "show", "--tenant", TENANT, "-o", "json").stdout)
    lines = lines if isinstance(lines, list) else lines["limits"]
    return next(line["used"] or 0 for line in lines if line["kind"] == "tokens_per_day")


def verifies(demo):
    reader = demo.tenant(TENANT)["reader_token_file"]
    return demo.ctl("log", "verify", "--tenant", TENANT, token=reader, check=False).returncode


def test_take_overs_under_load_fail_no_request(relay, mock):
    race = relay("--loops", "2")
    demo = race.demo
    kinds = [(False, True)] * 3 + [(True, True)] * 3 + [(False, False), (True, False)]
    over_http2 = [HTTP2Client(demo, streams) for streams in (False, True)]
    clients = [Client(demo, streams, keeps) for streams, keeps in kinds] + over_http2
    for client in clients:
        client.start()
    for _ in range(3):
        time.sleep(1)
        old = race.pids[-1]
        race.take_over()
        assert race.await_end(old) in (0, None)
    time.sleep(1)
    for client in clients:
        client.stopping.set()
    for client in clients:
        client.join()
    assert [failure for client in clients for failure in client.failures] == []
    answered = [request for client in clients for request in client.answered]
    assert all(len(client.answered) > 3 for client in clients), [len(client.answered) for client in clients]
    assert len(set(race.pids)) == 4
    assert all(client.connections >= 4 for client in over_http2), "each process says goodbye, and the next one is asked"

    # The books of four processes are one, to the token.
    bill, ledger = mock.bill(), totals(demo)
    assert ledger["requests"] == bill["requests"] == len(answered)
    assert ledger["input_tokens"] == bill["prompt_tokens"] and ledger["output_tokens"] == bill["completion_tokens"]
    # Every stream of the log verifies, and the index knows every answer once.
    assert verifies(demo) == 0
    reader = demo.tenant(TENANT)["reader_token_file"]
    deadline = time.monotonic() + 30
    while True:
        rows = json.loads(demo.ctl("log", "list", "--tenant", TENANT, "--all", "-o", "json", token=reader).stdout)
        found = sorted(row["request_id"] for row in rows)
        if found == sorted(answered) or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    assert found == sorted(answered)
    print(f"{len(answered)} requests over 3 take-overs, 0 failed")


def test_a_take_over_under_load_fails_no_request_over_tls(relay, mock, tmp_path):
    authority = Authority(tmp_path, "root")
    authority.issue("server")
    install(tmp_path / "state", authority, "server")
    race = relay("--loops", "2", "--tls", trust=trust(authority))
    clients = [Client(race.demo, *kind) for kind in [(False, True), (True, True), (False, False), (True, False)]]
    for client in clients:
        client.start()
    assert all_have_answers(clients), [client.failures[:3] for client in clients]
    old = race.pids[-1]
    race.take_over()
    assert race.await_end(old) in (0, None)
    assert all_have_answers(clients), [client.failures[:3] for client in clients]
    for client in clients:
        client.stopping.set()
    for client in clients:
        client.join()
    assert [failure for client in clients for failure in client.failures] == []
    count = sum(len(client.answered) for client in clients)
    assert totals(race.demo)["requests"] == mock.bill()["requests"] == count


def test_a_change_reaches_the_process_that_leaves(relay):
    """A key that is revoked after the take-over ends the stream that the old process still carries."""
    race = relay()
    demo = race.demo
    created = demo.ctl("key", "create", "--tenant", TENANT, "--project", "buero", "--name", "short-lived", "-o", "json",
                       token=demo.tenant(TENANT)["admin_token_file"])
    key = json.loads(created.stdout)
    with httpx.Client(headers={"authorization": f"Bearer {key['key']}"}, timeout=30) as client:
        body = {"model": "mock-endless;delay=50;seconds=60", "messages": [{"role": "user", "content": "x"}], "stream": True}
        with client.stream("POST", demo.base_url + "/chat/completions", json=body) as answer:
            assert answer.status_code == 200
            lines = answer.iter_lines()
            next(line for line in lines if line.startswith("data: "))
            old = race.pids[-1]
            race.take_over()
            assert running(old)
            demo.ctl("key", "revoke", key["record"]["id"], "--tenant", TENANT, "--yes", token=demo.tenant(TENANT)["admin_token_file"])
            began = time.monotonic()
            with pytest.raises(httpx.RemoteProtocolError):
                for line in lines:
                    assert "[DONE]" not in line
            # Within its next looks, not at the end of the drain or of the stream.
            assert time.monotonic() - began < 5
    assert race.await_end(old) in (0, None)


def test_what_a_killed_predecessor_leaves_is_booked_by_its_successor(relay, mock):
    race = relay()
    demo = race.demo
    with httpx.Client(headers={"authorization": f"Bearer {demo.key()}"}, timeout=30) as client:
        body = {"model": "mock-endless;delay=50;seconds=60", "messages": [{"role": "user", "content": "x"}], "stream": True}
        with client.stream("POST", demo.base_url + "/chat/completions", json=body) as answer:
            lines = answer.iter_lines()
            next(line for line in lines if line.startswith("data: "))
            old = race.pids[-1]
            race.take_over()
            os.kill(old, signal.SIGKILL)
            with pytest.raises(httpx.HTTPError):
                for _ in lines:
                    pass
    demo.process.wait()
    # The newcomer finds the place free, and the attempt that nobody ended counts in full: its limit on output alone is
    # more than all that was answered.
    deadline = time.monotonic() + 20
    while used(demo) < 8192 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert used(demo) >= 8192
    assert Client(demo, False, True).plain(httpx.Client(headers={"authorization": f"Bearer {demo.key()}"}))
    assert verifies(demo) in (0, 2)


def test_a_successor_that_does_not_start_changes_nothing(relay, tmp_path):
    policies = tmp_path / "policies"
    shutil.copytree("policies", policies)
    race = relay("--policies", str(policies))
    demo = race.demo
    client = httpx.Client(headers={"authorization": f"Bearer {demo.key()}"}, timeout=30)
    asker = Client(demo, False, True)
    assert asker.plain(client)
    (policies / "demo.yaml").write_text("kind: Nonsense\n")
    before = len(race.text())
    os.kill(race.pids[-1], signal.SIGUSR2)
    race.await_text("nobody has taken over: .*; this process goes on", before)
    assert demo.process.poll() is None
    # The same connection, and a new one.
    assert asker.plain(client) and asker.plain(httpx.Client(headers=client.headers))
    # And with the folder in order it can be relieved after all.
    shutil.copy("policies/demo.yaml", policies / "demo.yaml")
    old = race.pids[-1]
    race.take_over()
    assert asker.plain(client) and asker.plain(httpx.Client(headers=client.headers))
    client.close()
    assert race.await_end(old) in (0, None)


def test_who_still_knows_the_old_process_reloads_the_new_one(relay, tmp_path):
    policies = tmp_path / "policies"
    shutil.copytree("policies", policies)
    race = relay("--policies", str(policies))
    demo = race.demo
    good = (policies / "demo.yaml").read_text()
    body = {"model": "mock-endless;delay=50;seconds=60", "messages": [{"role": "user", "content": "x"}], "stream": True}
    with httpx.Client(headers={"authorization": f"Bearer {demo.key()}"}, timeout=30) as client:
        with client.stream("POST", demo.base_url + "/chat/completions", json=body) as answer:
            assert answer.status_code == 200
            old = race.pids[-1]
            race.take_over()
            for text, failed in ((good + "\nunknown-key: 1\n", 1), (good, 0)):
                (policies / "demo.yaml").write_text(text)
                assert running(old)
                os.kill(old, signal.SIGHUP)
                assert settles(lambda failed=failed: metric(demo, "torhaus_policy_reload_failed") == failed)
            # Also who asks it to end still means this one.
            os.kill(old, signal.SIGTERM)
            race.await_end(old)
    assert running(race.pids[-1])
    assert Client(demo, False, True).plain(httpx.Client(headers={"authorization": f"Bearer {demo.key()}"}))


def test_a_process_that_starts_by_itself_is_refused(relay):
    race = relay()
    old = race.pids[-1]
    race.take_over()
    race.await_end(old)
    second = Demo(race.demo.state, upstream=race.demo.upstream)
    with pytest.raises(RuntimeError, match="another process holds this data folder\\n.*end that process"):
        second.start()
