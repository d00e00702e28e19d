"""Runs a table of faults: each case has a provider of its own in the register, so a connection pool and a breaker of its
own. It gets a good request, then the fault on the connection that was kept, then a good request again. All run at once."""

import asyncio
import dataclasses
import json

import client_dialects
from conftest import Server, metric, register, settles
from faults import TEXT, Broken, Refused, Well
from wire import Client

# Beyond what any case may take, deadlines of its provider included.
PATIENCE = 30
TIMES = {"connect": "1s", "first-byte": "1s", "idle": "1s", "total": "3s"}
VECTOR = [0.5, -0.25]


@dataclasses.dataclass(frozen=True)
class Ask:
    """How a case asks: chat, responses, messages or embeddings, plain or as a stream."""

    route: str
    stream: bool = False

    @property
    def text(self):
        return VECTOR if self.route == "embeddings" else TEXT


@dataclasses.dataclass
class Outcome:
    """What was seen of one case."""

    before: object = None
    answer: object = None
    after: object = None
    # The connection to the client was still good behind the answer.
    stayed: bool = False
    row: dict = None


async def run(server, alias, ask, provider):
    outcome, client = Outcome(), await Client(*server.address, server.key()).connect()

    def question(alias):
        return client_dialects.question(ask.route, alias, TEXT, ask.stream)

    try:
        outcome.before = await client.ask(*question(alias + ".good"))
        outcome.answer = await client.ask(*question(alias))
        # What a provider says too late is to arrive before it is asked again.
        await asyncio.sleep(0.3)
        while provider and alias not in provider.served:
            await asyncio.sleep(0.02)
        outcome.stayed = client.is_open
        if not outcome.stayed:
            client.close()
            await client.connect()
        outcome.after = await client.ask(*question(alias + ".good"))
    finally:
        client.close()
    return outcome


async def run_all(server, asks, provider, at_once):
    server.key()
    places = asyncio.Semaphore(at_once)

    async def one(alias, ask):
        async with places:
            return await asyncio.wait_for(run(server, alias, ask, provider), PATIENCE)

    tasks = {alias: asyncio.create_task(one(alias, ask)) for alias, ask in asks.items()}
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
    """All cases of a table, run once. `asks` are the ways of asking by alias; each has an alias with `.good` behind it."""

    def __init__(self, folder, asks, providers, aliases, provider=None, configuration="loops: 1", at_once=150):
        # A source may have 200 connections.
        self.provider = provider
        self.server = Server(folder, register(providers, aliases), configuration).start()
        try:
            self.outcomes = asyncio.run(run_all(self.server, asks, provider, at_once))
            settles(self.read_books)
            self.log = self.server.log()
        finally:
            assert self.server.stop() == 0, self.server.log()

    def read_books(self):
        """Whether the books agree: requests that nobody looks at by name may get their records last."""
        self.rows = read_books(self.server, self.outcomes)
        self.totals = json.loads(self.server.ctl("usage", "--tenant", "mandant-a", "-o", "json").stdout)["totals"]
        return self.booked("input_tokens", "output_tokens")

    def booked(self, *members):
        return all(self.totals[member] == sum(row[member] for row in self.rows) for member in members)

    def check_totals(self):
        """The ledger says what the records say, and nothing trapped."""
        for member in ("input_tokens", "output_tokens"):
            assert self.booked(member), member
        assert "Fatal" not in self.log

    def check_connections(self, alias, keeps, tries=1):
        """The rude provider got what it should have got, on the connections that it should."""
        assert self.provider.requests(alias) == tries, "each try is another reservation"
        assert self.provider.requests(alias + ".good") == 2
        connections = [models for models in self.provider.connections if models and models[0].split(".")[0] == alias]
        assert connections[0][:2] == [alias + ".good", alias], "the fault met a connection that was kept"
        if keeps is not None:
            assert (len(connections) == 1) == keeps, f"a damaged connection is not used again: {connections}"


def check(outcome, expected, ask, own_text=None):
    """What the client and the books must say. `own_text` is what a sound answer says; the usual text if None.
    - Returns: what the client was told."""
    assert isinstance(outcome, Outcome), f"nothing came within {PATIENCE} s: {outcome!r}"
    answer, row = outcome.answer, outcome.row
    assert outcome.before.status == 200 and outcome.before.whole
    told = client_dialects.told(ask.route, answer)
    codes = client_dialects.codes(ask.route, getattr(expected, "code", None))
    if isinstance(expected, Well):
        assert (answer.status, told.code, answer.whole) == (200, None, True)
        assert told.text == (ask.text if own_text is None else own_text)
        assert told.is_done == ask.stream
    elif isinstance(expected, Refused):
        assert (answer.status, answer.whole, answer.is_stream) == (expected.status, True, False)
        assert told.code in codes
        if expected.retry_after:
            assert answer.headers["retry-after"] == str(expected.retry_after)
        if expected.code in ("upstream_auth", "upstream_quota"):
            assert answer.headers["x-should-retry"] == "false"
        assert b"sk-mock" not in answer.body
    elif isinstance(expected, Broken):
        assert (answer.status, answer.whole, told.is_done) == (200, False, False)
        assert told.code in codes
        assert not any(name in answer.body for name in client_dialects.FINAL)
    assert outcome.stayed == (not isinstance(expected, Broken)), "a broken stream ends the connection, nothing else does"
    # The same provider, and where it is still open the same connection of the client.
    after = client_dialects.told(ask.route, outcome.after)
    assert (outcome.after.status, after.code) == (200, None), "the next request"
    assert after.text == ask.text, "the next request gets its own answer"
    rows = expected.row if isinstance(expected.row, tuple) else (expected.row,)
    assert int(row["exit"]) in rows, "the row of the settlement rule"
    check_cost(row, expected, ask)
    return told


def own_count(text):
    """Tokens of a text by our own count."""
    return -(-len(text.encode()) // 4)


def check_cost(row, expected, ask):
    used = (row["input_tokens"], row["output_tokens"])
    is_embedding = ask.route == "embeddings"
    if row["exit"] in ("3", "4"):
        assert used == (0, 0)
    elif expected.row == 5:
        assert used == (7, 0 if is_embedding else 5)
    else:
        # Never free, and never more than the worst case: text bytes and allowances, the limit of the answer.
        says_zero = isinstance(expected, Well) and expected.says_zero
        assert used[0] == 0 if says_zero else 0 < used[0] < 200
        assert 0 <= used[1] <= 16384
        if isinstance(expected, Well):
            assert used[1] > 0 or is_embedding
        assert not is_embedding or used[1] == 0
