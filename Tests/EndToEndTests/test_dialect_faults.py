"""The faults of `dialect_faults.py`: every dialect of clients on every wire of providers, plain and as streams."""

import json

import pytest
from conftest import provider
from dialect_faults import CASES
from fault_run import TIMES, Faults, check, own_count
from faults import Broken, Well
from provider_wires import FIRST, MESSAGES, TEXT, USAGE
from rude_provider import RudeProvider


@pytest.fixture(scope="module")
def rude(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dialect-faults")
    secret = folder / "key"
    secret.write_text("sk-test-1234567890\n")
    secret.chmod(0o600)
    scripts, providers, aliases, asks = {}, [], {}, {}
    server = RudeProvider(scripts).start()
    for number, case in enumerate(CASES):
        alias, kind = f"d{number}", "stream" if case.ask.stream else "plain"
        scripts[alias, kind], scripts[alias + ".good", kind] = case.steps, case.good
        providers.append(provider(
            alias, server.port, [alias, alias + ".good"], timeouts=TIMES, adapter=case.wire.adapter, credential="key",
            endpoint=f"http://127.0.0.1:{server.port}{case.wire.base}", **case.wire.record))
        aliases |= {name: {"candidates": [f"{alias}/{name}"]} for name in (alias, alias + ".good")}
        asks[alias] = case.ask
    configuration = f"loops: 1\ncredentials: {json.dumps({'key': f'file:{secret}'})}"
    faults = Faults(folder, asks, providers, aliases, server, configuration)
    yield faults
    server.stop()


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case.name for case in CASES])
def test_a_fault(rude, number):
    case, alias = CASES[number], f"d{number}"
    outcome = rude.outcomes[alias]
    told = check(outcome, case.outcome, case.ask)
    rude.check_connections(alias, case.outcome.keeps)
    used = (outcome.row["input_tokens"], outcome.row["output_tokens"])
    if isinstance(case.outcome, Well):
        has_figures = case.outcome.row == 1 and "usage" not in case.name
        assert used[1] == (USAGE[1] if has_figures else own_count(TEXT))
        if has_figures:
            assert used[0] == USAGE[0]
            # A stream of OpenAI's chat tells usage to those who ask for it.
            assert told.usage == (None if case.ask.stream and case.ask.route == "chat" else USAGE)
    elif isinstance(case.outcome, Broken):
        assert told.text in ("", FIRST, TEXT), "what is delivered is what was said"
        assert used[1] == own_count(told.text), "what was delivered is paid for, the rest of the answer is not"
        if told.text and case.wire is MESSAGES:
            assert used[0] == USAGE[0], "its first event tells the input"


def test_the_ledger_says_what_the_records_say(rude):
    rude.check_totals()
