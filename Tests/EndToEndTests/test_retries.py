"""Providers that cannot just now: asked again where that is safe, left alone where they ask for it, and never flooded."""

import asyncio
import json
import socket

import pytest
from conftest import Server, metric, provider, register, settles
from faults import CLOSE, GOOD_PLAIN, HANG, TEXT, error, plain, sized
from rude_provider import Pause, RudeProvider
from wire import Client, chat

MOMENT = error("503 Service Unavailable", "one moment", b"Retry-After: 1")
TIMES = {"connect": "1s", "first-byte": "1s", "idle": "1s", "total": "5s"}


class Turns(list):
    """Steps for one request after the other; the last ones go on."""

    def __iter__(self):
        steps = self[0] if len(self) == 1 else self.pop(0)
        return iter(steps)


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    """Aliases and what their providers do; each provider is one of its own."""
    scripts = {
        "moment": Turns([[MOMENT], [GOOD_PLAIN]]),
        "away": Turns([[MOMENT]]),
        "lost": Turns([[CLOSE]]),
        "late": Turns([[HANG]]),
        "limited": Turns([[error("429 Too Many Requests", "no", b"Retry-After: 3")], [GOOD_PLAIN]]),
        "exhausted": Turns([[sized(plain(), b"x-ratelimit-remaining-requests: 0", b"x-ratelimit-reset-requests: 2s")], [GOOD_PLAIN]]),
        "slow": Turns([[Pause(1), GOOD_PLAIN]]),
        "a": Turns([[Pause(0.2), GOOD_PLAIN]]),
        "b": Turns([[Pause(0.2), GOOD_PLAIN]]),
        "good": Turns([[GOOD_PLAIN]]),
    }
    rude = RudeProvider({(model, "plain"): steps for model, steps in scripts.items()}).start()
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        records = [provider(name, rude.port, [name], timeouts=TIMES) for name in scripts]
        records.append(provider("nobody", closed.getsockname()[1], ["nobody"], timeouts=TIMES))
        slow = next(record for record in records if record["id"] == "slow")
        slow["limits"] = {"concurrency": "2"}
        slow["timeouts"] = TIMES | {"first-byte": "20s", "total": "30s"}
        aliases = {record["id"]: {"candidates": [f"{record['id']}/{record['id']}"]} for record in records}
        aliases["nobody-or-good"] = {"candidates": ["nobody/nobody", "good/good"]}
        aliases["slow-or-good"] = {"candidates": ["slow/slow", "good/good"]}
        aliases["least"] = {"order": "least-outstanding", "candidates": ["a/a", "b/b"]}
        server = Server(tmp_path_factory.mktemp("retries"), register(records, aliases), "loops: 2").start()
        server.rude = rude
        yield server
        assert server.stop() == 0, server.log()
    rude.stop()


def ask(server, alias, count=1):
    async def one():
        client = await Client(*server.address, server.key()).connect()
        try:
            return await client.ask("chat/completions", chat(alias, TEXT))
        finally:
            client.close()

    async def several():
        return await asyncio.wait_for(asyncio.gather(*[one() for _ in range(count)]), 30)

    answers = asyncio.run(several())
    assert settles(lambda: metric(server, "torhaus_reservations_open") == 0)
    return answers if count > 1 else answers[0]


def record(server, answer):
    """What the log says of a request."""
    found = []

    def listed():
        rows = json.loads(server.ctl("log", "list", "--tenant", "mandant-a", "--all", "-o", "json").stdout)
        found[:] = [row for row in rows if row["request_id"] == answer.headers["x-request-id"]]
        return found

    assert settles(listed)
    return found[0]


def test_one_moment_is_waited_for(gate):
    answer = ask(gate, "moment")
    assert (answer.status, answer.text) == (200, TEXT)
    assert gate.rude.requests("moment") == 2
    assert (record(gate, answer)["input_tokens"], record(gate, answer)["exit"]) == (7, "1"), "the refusal cost nothing"


def test_no_more_than_three_attempts(gate):
    answer = ask(gate, "away")
    assert (answer.status, answer.code, answer.headers["retry-after"]) == (502, "upstream_error", "1")
    assert gate.rude.requests("away") == 3


@pytest.mark.parametrize("alias, status, code", [("lost", 502, "upstream_cut"), ("late", 504, "upstream_timeout")])
def test_what_may_have_been_carried_out_is_not_sent_twice(gate, alias, status, code):
    answer = ask(gate, alias)
    assert (answer.status, answer.code) == (status, code)
    assert gate.rude.requests(alias) == 1
    assert record(gate, answer)["exit"] == "6"


def test_a_provider_that_is_not_there(gate):
    answer = ask(gate, "nobody")
    assert (answer.status, answer.code) == (502, "upstream_error")
    assert (record(gate, answer)["exit"], record(gate, answer)["input_tokens"]) == ("3", 0)
    assert ask(gate, "nobody-or-good").text == TEXT


def test_a_limited_provider_is_asked_again_when_it_says(gate):
    answer = ask(gate, "limited")
    assert (answer.status, answer.text) == (200, TEXT)
    assert gate.rude.requests("limited") == 2


def test_a_provider_with_nothing_left_is_left_alone(gate):
    assert ask(gate, "exhausted").status == 200
    refused = ask(gate, "exhausted")
    assert (refused.status, refused.code) == (429, "upstream_rate_limited")
    assert 1 <= int(refused.headers["retry-after"]) <= 2
    assert gate.rude.requests("exhausted") == 1
    assert settles(lambda: ask(gate, "exhausted").status == 200, 10)


def test_a_full_provider_refuses_at_once_and_another_takes_over(gate):
    answers = ask(gate, "slow", 5)
    assert sorted(answer.status for answer in answers) == [200, 200, 503, 503, 503]
    assert all(answer.code == "no_route" and answer.headers["retry-after"] == "1" for answer in answers if answer.status == 503)
    assert gate.rude.requests("slow") == 2
    assert [answer.status for answer in ask(gate, "slow-or-good", 5)] == [200] * 5
    assert gate.rude.requests("slow") == 4


def test_the_one_with_the_least_under_way_is_asked(gate):
    assert [answer.status for answer in ask(gate, "least", 10)] == [200] * 10
    # Two loops may look at the same instant.
    assert min(gate.rude.requests("a"), gate.rude.requests("b")) >= 3
