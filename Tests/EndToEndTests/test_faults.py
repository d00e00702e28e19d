"""Whatever a provider does wrong, the client gets the right end in time, the books are right, and the next request works.

The table is in `faults.py`, and how it is run in `fault_run.py`; `dialect_faults.py` and `http2_faults.py` have more.
"""

import asyncio
import json

import client_dialects
import pytest
from conftest import Server, metric, provider, register, settles
from fault_run import TIMES, Ask, Faults, check
from faults import CASES, ENDLESS_ERROR, GOOD_EMBED, GOOD_PLAIN, GOOD_STREAM, SCRIPTS, TEXT, Case
from rude_provider import RudeProvider
from wire import Client

GOOD = {"plain": [GOOD_PLAIN], "stream": [GOOD_STREAM], "embed": [GOOD_EMBED]}
ASKS = {"plain": Ask("chat"), "stream": Ask("chat", stream=True), "embed": Ask("embeddings")}


@pytest.fixture(scope="module")
def rude(tmp_path_factory):
    scripts, providers, aliases, asks = {}, [], {}, {}
    server = RudeProvider(scripts).start()
    for number, case in enumerate(CASES):
        alias = f"c{number}"
        scripts[alias, case.kind] = case.steps
        scripts[alias + ".good", case.kind] = GOOD[case.kind]
        providers.append(provider(alias, server.port, [alias, alias + ".good"], timeouts=TIMES))
        aliases |= {name: {"candidates": [f"{alias}/{name}"]} for name in (alias, alias + ".good")}
        asks[alias] = ASKS[case.kind]
    faults = Faults(tmp_path_factory.mktemp("rude"), asks, providers, aliases, server)
    yield faults
    server.stop()


@pytest.fixture(scope="module")
def scripted(mock, tmp_path_factory):
    mock.reset()
    providers, aliases, asks = [], {}, {}
    for number, script in enumerate(SCRIPTS):
        for kind in ("plain", "stream"):
            alias = f"{kind}{number}"
            providers.append(provider(alias, mock.port, [script, "mock-echo"], timeouts=TIMES))
            aliases |= {alias: {"candidates": [f"{alias}/{script}"]}, alias + ".good": {"candidates": [f"{alias}/mock-echo"]}}
            asks[alias] = ASKS[kind]
    faults = Faults(tmp_path_factory.mktemp("scripted"), asks, providers, aliases)
    faults.received = json.loads(mock.report())["received"]
    return faults


@pytest.mark.parametrize("number", range(len(CASES)), ids=[f"{case.name}-{case.kind}" for case in CASES])
def test_a_fault(rude, number):
    case: Case = CASES[number]
    alias = f"c{number}"
    check(rude.outcomes[alias], case.outcome, ASKS[case.kind])
    rude.check_connections(alias, case.outcome.keeps)


@pytest.mark.parametrize("kind", ["plain", "stream"])
@pytest.mark.parametrize("number", range(len(SCRIPTS)), ids=list(SCRIPTS))
def test_a_script_of_the_mock(scripted, number, kind):
    name, outcomes = list(SCRIPTS.items())[number]
    outcome = scripted.outcomes[f"{kind}{number}"]
    # Some say what they like; that it is told whole is all there is to check.
    says_own = any(word in name for word in ("late", "slow-head", "endless", "huge"))
    own = ANYTHING if says_own else None
    check(outcome, outcomes[kind == "stream"], ASKS[kind], own_text=own)


class Anything:
    def __eq__(self, other):
        return True


ANYTHING = Anything()


def test_every_request_was_sent_once(scripted):
    assert scripted.received == 3 * len(scripted.outcomes)


def test_an_error_without_an_end_waits_for_no_deadline(tmp_path):
    """In the table a deadline would end it after seconds; a record that names none has an hour."""
    asks = {f"{route}-{kind}": (route, kind) for route in ("chat", "responses", "messages") for kind in ("plain", "stream")}
    rude = RudeProvider({(alias, kind): ENDLESS_ERROR for alias, (_, kind) in asks.items()}).start()
    records = [provider(alias, rude.port, [alias]) for alias in asks]
    server = Server(tmp_path, register(records, {alias: {"candidates": [f"{alias}/{alias}"]} for alias in asks})).start()

    async def ask(alias, route, kind):
        client = await Client(*server.address, server.key()).connect()
        try:
            return await asyncio.wait_for(client.ask(*client_dialects.question(route, alias, TEXT, kind == "stream")), 60)
        finally:
            client.close()

    try:
        for alias, (route, kind) in asks.items():
            answer = asyncio.run(ask(alias, route, kind))
            assert (answer.status, answer.whole, answer.is_stream) == (502, True, False)
            assert client_dialects.told(route, answer).code in client_dialects.codes(route, "upstream_error")
            # Its provider ends only with its connection.
            assert settles(lambda alias=alias: alias in rude.served, 60)
        assert settles(lambda: metric(server, "torhaus_reservations_open") == 0 and metric(server, "torhaus_inflight") == 0)
    finally:
        code = server.stop()
        rude.stop()
    assert code == 0, server.log()


@pytest.mark.parametrize("table", ["rude", "scripted"])
def test_the_ledger_says_what_the_records_say(table, request):
    request.getfixturevalue(table).check_totals()
