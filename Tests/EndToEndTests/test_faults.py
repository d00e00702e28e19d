"""Whatever a provider does wrong, the client gets the right end in time, the books are right, and the next request works.

The table is in `faults.py`. Each case has a provider of its own in the register, so a connection pool and a breaker of its
own: a good request, then the fault on the connection that was kept, then a good request again. All cases run at once.
"""

import asyncio
import dataclasses
import json

import pytest
from conftest import Server, metric, provider, register, settles
from faults import CASES, GOOD_EMBED, GOOD_PLAIN, GOOD_STREAM, SCRIPTS, TEXT, Broken, Case, Refused, Well
from rude_provider import RudeProvider
from wire import Client, chat

# Beyond what any case may take, deadlines of its provider included.
PATIENCE = 20
TIMES = {"connect": "1s", "first-byte": "1s", "idle": "1s", "total": "3s"}
GOOD = {"plain": [GOOD_PLAIN], "stream": [GOOD_STREAM], "embed": [GOOD_EMBED]}


@dataclasses.dataclass
class Outcome:
    """What was seen of one case."""

    before: object = None
    answer: object = None
    after: object = None
    # The connection to the client was still good behind the answer.
    stayed: bool = False
    row: dict = None


def question(alias, kind):
    if kind == "embed":
        return "embeddings", {"model": alias, "input": "Wie geht es?", "encoding_format": "float"}
    return "chat/completions", chat(alias, TEXT, stream=kind == "stream")


async def run(server, alias, kind, provider):
    outcome, client = Outcome(), await Client(*server.address, server.key()).connect()
    try:
        outcome.before = await client.ask(*question(alias + ".good", kind))
        outcome.answer = await client.ask(*question(alias, kind))
        # What a provider says too late is to arrive before it is asked again.
        await asyncio.sleep(0.3)
        while provider and alias not in provider.served:
            await asyncio.sleep(0.02)
        outcome.stayed = client.is_open
        if not outcome.stayed:
            client.close()
            await client.connect()
        outcome.after = await client.ask(*question(alias + ".good", kind))
    finally:
        client.close()
    return outcome


async def run_all(server, aliases, provider):
    server.key()
    places = asyncio.Semaphore(150)  # a source may have 200 connections

    async def one(alias, kind):
        async with places:
            return await asyncio.wait_for(run(server, alias, kind, provider), PATIENCE)

    tasks = {alias: asyncio.create_task(one(alias, kind)) for alias, kind in aliases.items()}
    await asyncio.wait(tasks.values())
    return {alias: task.exception() or task.result() for alias, task in tasks.items()}


def read_books(server, outcomes):
    """Waits until nothing is open and gives each outcome its record."""
    assert settles(lambda: metric(server, "torhaus_reservations_open") == 0 and metric(server, "torhaus_inflight") == 0)
    wanted = {o.answer.headers["x-request-id"]: o for o in outcomes.values() if isinstance(o, Outcome)}

    def listed():
        rows = json.loads(server.ctl("log", "list", "--tenant", "mandant-a", "--all", "-o", "json").stdout)
        for row in rows:
            if row["request_id"] in wanted:
                wanted[row["request_id"]].row = row
        return rows if all(outcome.row for outcome in wanted.values()) else None

    assert settles(lambda: listed() is not None), "records are missing"
    return listed()


class Faults:
    """All cases of a table, run once; `aliases` are their names by alias."""

    def __init__(self, folder, cases, providers, aliases, provider=None):
        self.provider = provider
        self.server = Server(folder, register(providers, aliases)).start()
        try:
            self.outcomes = asyncio.run(run_all(self.server, cases, provider))
            self.rows = read_books(self.server, self.outcomes)
            self.totals = json.loads(self.server.ctl("usage", "--tenant", "mandant-a", "-o", "json").stdout)["totals"]
            self.log = self.server.log()
        finally:
            assert self.server.stop() == 0, self.server.log()


@pytest.fixture(scope="module")
def rude(tmp_path_factory):
    scripts, providers, aliases, cases = {}, [], {}, {}
    server = RudeProvider(scripts).start()
    for number, case in enumerate(CASES):
        alias = f"c{number}"
        scripts[alias, case.kind] = case.steps
        scripts[alias + ".good", case.kind] = GOOD[case.kind]
        providers.append(provider(alias, server.port, [alias, alias + ".good"], timeouts=TIMES))
        aliases |= {name: {"candidates": [f"{alias}/{name}"]} for name in (alias, alias + ".good")}
        cases[alias] = case.kind
    faults = Faults(tmp_path_factory.mktemp("rude"), cases, providers, aliases, server)
    yield faults
    server.stop()


@pytest.fixture(scope="module")
def scripted(mock, tmp_path_factory):
    mock.reset()
    providers, aliases, cases = [], {}, {}
    for number, script in enumerate(SCRIPTS):
        for kind in ("plain", "stream"):
            alias = f"{kind}{number}"
            providers.append(provider(alias, mock.port, [script, "mock-echo"], timeouts=TIMES))
            aliases |= {alias: {"candidates": [f"{alias}/{script}"]}, alias + ".good": {"candidates": [f"{alias}/mock-echo"]}}
            cases[alias] = kind
    faults = Faults(tmp_path_factory.mktemp("scripted"), cases, providers, aliases)
    faults.received = json.loads(mock.report())["received"]
    return faults


def check(outcome, expected, kind, own_text=TEXT):
    assert isinstance(outcome, Outcome), f"nothing came within {PATIENCE} s: {outcome!r}"
    answer, row = outcome.answer, outcome.row
    assert outcome.before.status == 200 and outcome.before.whole
    if isinstance(expected, Well):
        assert (answer.status, answer.code, answer.whole) == (200, None, True)
        if own_text is not None:
            assert answer.text == (own_text if kind != "embed" else [0.5, -0.25])
        assert kind != "stream" or answer.is_done
    elif isinstance(expected, Refused):
        assert (answer.status, answer.code, answer.whole) == (expected.status, expected.code, True)
        assert not answer.is_stream
        if expected.retry_after:
            assert answer.headers["retry-after"] == str(expected.retry_after)
        assert b"sk-mock" not in answer.body
    elif isinstance(expected, Broken):
        assert (answer.status, answer.code, answer.whole, answer.is_done) == (200, expected.code, False, False)
    assert outcome.stayed == (not isinstance(expected, Broken)), "a broken stream ends the connection, nothing else does"
    # The same provider, and where it is still open the same connection of the client.
    assert (outcome.after.status, outcome.after.code) == (200, None), "the next request"
    assert outcome.after.text == (TEXT if kind != "embed" else [0.5, -0.25]), "the next request gets its own answer"
    assert row["exit"] == str(expected.row), "the row of the settlement rule"
    check_cost(row, expected, kind)


def check_cost(row, expected, kind):
    used = (row["input_tokens"], row["output_tokens"])
    if expected.row in (3, 4):
        assert used == (0, 0)
    elif expected.row == 5:
        assert used == (7, 0 if kind == "embed" else 5)
    else:
        # Never free, and never more than the worst case: text bytes and allowances, the limit of the answer.
        says_zero = isinstance(expected, Well) and expected.says_zero
        assert used[0] == 0 if says_zero else 0 < used[0] < 200
        assert 0 <= used[1] <= 16384
        if isinstance(expected, Well):
            assert used[1] > 0 or kind == "embed"
        assert kind != "embed" or used[1] == 0


@pytest.mark.parametrize("number", range(len(CASES)), ids=[f"{case.name}-{case.kind}" for case in CASES])
def test_a_fault(rude, number):
    case: Case = CASES[number]
    alias = f"c{number}"
    check(rude.outcomes[alias], case.outcome, case.kind)
    assert rude.provider.requests(alias) == 1, "sent once: another try is another reservation"
    assert rude.provider.requests(alias + ".good") == 2
    connections = [models for models in rude.provider.connections if models and models[0].split(".")[0] == alias]
    assert connections[0][:2] == [alias + ".good", alias], "the fault met a connection that was kept"
    if case.outcome.keeps is not None:
        assert (len(connections) == 1) == case.outcome.keeps, f"a damaged connection is not used again: {connections}"


@pytest.mark.parametrize("kind", ["plain", "stream"])
@pytest.mark.parametrize("number", range(len(SCRIPTS)), ids=list(SCRIPTS))
def test_a_script_of_the_mock(scripted, number, kind):
    name, outcomes = list(SCRIPTS.items())[number]
    own = None if any(word in name for word in ("late", "slow-head", "endless", "huge")) else TEXT
    check(scripted.outcomes[f"{kind}{number}"], outcomes[kind == "stream"], kind, own_text=own)


def test_every_request_was_sent_once(scripted):
    assert scripted.received == 3 * len(scripted.outcomes)


@pytest.mark.parametrize("table", ["rude", "scripted"])
def test_the_ledger_says_what_the_records_say(table, request):
    faults = request.getfixturevalue(table)
    for member in ("input_tokens", "output_tokens"):
        assert faults.totals[member] == sum(row[member] for row in faults.rows)
    assert "Fatal" not in faults.log
