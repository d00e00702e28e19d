"""kill -9 under load, again and again: what was answered is in the log and in the ledger, and the start is quick."""

import http.client
import json
import os
import random
import threading
import time

import pytest

CYCLES = int(os.environ.get("TORHAUS_CRASH_CYCLES", "50"))
BODY = json.dumps({"model": "mock-fast", "messages": [{"role": "user", "content": "Sturz"}]})


class Client(threading.Thread):
    """Asks until told to stop and notes every answer it has read to the end."""

    def __init__(self, endpoint, key):
        super().__init__(daemon=True)
        self.host = endpoint.removeprefix("http://")
        self.key = key
        self.stopping = False
        self.answered = []

    def run(self):
        while not self.stopping:
            try:
                connection = http.client.HTTPConnection(self.host, timeout=5)
                while not self.stopping:
                    connection.request("POST", "/v1/chat/completions", BODY, {
                        "authorization": f"Bearer {self.key}", "content-type": "application/json"})
                    answer = connection.getresponse()
                    answer.read()
                    if answer.status == 200:
                        self.answered.append(answer.headers["x-request-id"])
            except (OSError, http.client.HTTPException):
                if not self.stopping:
                    time.sleep(0.005)


@pytest.mark.parametrize("by_memory", [True, False], ids=["by-memory", "by-file"])
def test_kill_9_loses_nothing_that_was_answered(fresh, mock, by_memory, runtime_folder, monkeypatch):
    random.seed(20261124)
    mock.reset()
    if by_memory and not runtime_folder:
        pytest.skip("/dev/shm has no room")
    if not by_memory:  # the first process still has it, the second one begins where that has left off
        monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    cycles = CYCLES if by_memory else max(1, CYCLES // 5)
    answered, slowest = [], 0.0
    for cycle in range(cycles):
        clients = [Client(fresh.info["endpoint"], fresh.key()) for _ in range(4)]
        for client in clients:
            client.start()
        time.sleep(random.uniform(0.05, 0.35))
        fresh.kill()
        for client in clients:
            client.stopping = True
        for client in clients:
            client.join()
            answered += client.answered
        began = time.monotonic()
        fresh.start()
        slowest = max(slowest, time.monotonic() - began)
    assert len(answered) > cycles

    reader = fresh.tenant()["reader_token_file"]
    wanted = set(answered)
    deadline = time.monotonic() + 60
    while True:
        rows = json.loads(fresh.ctl("log", "list", "--tenant", "kanzlei-a", "--all", "-o", "json", token=reader).stdout)
        missing = wanted - {row["request_id"] for row in rows if row["status"] == 200}
        if not missing or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    assert not missing, f"{len(missing)} of {len(wanted)} answered requests are not in the log"

    report = json.loads(fresh.ctl("usage", "--tenant", "kanzlei-a", "-o", "json").stdout)
    totals = report.get("totals", report)
    assert totals["requests"] >= len(wanted)
    bill = mock.bill()
    assert totals["input_tokens"] + totals["output_tokens"] <= bill["prompt_tokens"] + bill["completion_tokens"]
    verified = fresh.ctl("log", "verify", "--tenant", "kanzlei-a", token=reader, check=False)
    assert verified.returncode in (0, 2), verified.stdout
    print(f"{cycles} kills, {len(wanted)} answers, slowest start {slowest:.2f} s")
    assert slowest < 5  # the goal of one second is measured by the benchmark; here a hang must show
