"""Prices by service tier and length of the prompt, and prompts that are too long for a model, with the real binaries."""

import json
from decimal import ROUND_UP, Decimal

import pytest
import requests
from conftest import Server, provider, register
from test_retries import record

#: Per million tokens: input and output.
USUAL, LONG, FLEX, PRIORITY = ("1.00", "4.00"), ("3.00", "9.00"), ("0.50", "2.00"), ("5.00", "20.00")
SCRIPTS = ["mock-echo", "mock-tier-default", "mock-tier-flex", "mock-tier-priority", "mock-tier-standard", "mock-tier-ultra"]
#: Above so many tokens a prompt is a long one; four bytes are one token to the mock.
THRESHOLD = 100
#: Adapter and path of each provider that is asked in its own dialect and in those of others.
PLACES = {"chat": ("openai", "/strict/v1"), "claude": ("anthropic", "/v1"), "gemini": ("gemini", "/v1beta"),
          "responses": ("openai", "/v1"), "mistral": ("mistral", "/mistral/v1"), "vllm": ("vllm", "/vllm/v1"), "bedrock": ("bedrock", "")}


def amounts(price):
    return {"input": price[0], "output": price[1]}


def price(tiers=(), long=False, **more):
    made = {"version": "2026-11-29", "currency": "EUR", **amounts(USUAL), **more}
    if long:
        made["above"] = {"input-tokens": str(THRESHOLD), **amounts(LONG)}
    if tiers:
        made["tiers"] = {name: amounts({"flex": FLEX, "priority": PRIORITY}[name]) for name in tiers}
    return made


def record_of(name, mock, models):
    adapter, path = PLACES[name.split("-")[0]]
    made = provider(name, mock.port, [], adapter=adapter, endpoint=f"http://127.0.0.1:{mock.port}{path}", credential="key")
    made["models"] = [{"id": model, "max-output": "500", **more} for model, more in models]
    if adapter == "openai" and not name.startswith("responses"):
        made["responses"] = "false"
    if adapter == "bedrock":
        made["region"] = "eu-central-1"
    return made


@pytest.fixture(scope="module")
def house(mock, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiers")
    tiered = {"price": price(["flex", "priority"], long=True)}
    records = [
        record_of("chat", mock, [(script, tiered) for script in SCRIPTS]),
        record_of("responses", mock, [(script, tiered) for script in SCRIPTS]),
        record_of("chat-plain", mock, [("mock-echo", {"price": price()})]),
        record_of("claude", mock, [(script, {"price": price(["priority"], long=True)}) for script in SCRIPTS]),
        record_of("gemini", mock, [("mock-echo", {"price": price(long=True)})]),
    ]
    aliases = {f"{name}.{script}": {"candidates": [f"{name}/{script}"]}
               for name in ("chat", "responses", "claude") for script in SCRIPTS}
    aliases |= {"gemini.mock-echo": {"candidates": ["gemini/mock-echo"]}, "plain": {"candidates": ["chat-plain/mock-echo"]},
                "both": {"candidates": ["chat-plain/mock-echo", "chat/mock-tier-flex"]}}
    for name in PLACES:
        records.append(record_of(f"{name}-small", mock, [("mock-context-10", {"context": "1000", "price": price()})]))
        aliases[f"{name}.small"] = {"candidates": [f"{name}-small/mock-context-10"]}
        aliases[f"{name}.grows"] = {"candidates": [f"{name}-small/mock-context-10", "chat-large/mock-echo"]}
        aliases[f"{name}.stays"] = {"candidates": [f"{name}-small/mock-context-10", "chat-same/mock-echo"]}
    records.append(record_of("chat-large", mock, [("mock-echo", {"context": "2000", "price": price()})]))
    records.append(record_of("chat-same", mock, [("mock-echo", {"context": "1000", "price": price()})]))
    file = folder / "key"
    file.write_text("sk-test-1234567890\n")
    file.chmod(0o600)
    server = Server(folder, register(records, aliases), f"loops: 1\ncredentials: {json.dumps({'key': f'file:{file}'})}").start()
    server.mock = mock
    yield server
    assert server.stop() == 0, server.log()


def ask(house, route, model, text="Hallo", stream=False, **more):
    body = {"model": model, "stream": stream, **more}
    headers = {"Authorization": f"Bearer {house.key()}"}
    if route == "messages":
        body |= {"max_tokens": 500, "messages": [{"role": "user", "content": text}]}
        headers["anthropic-version"] = "2023-06-01"
    elif route == "responses":
        body |= {"input": text}
    else:
        body |= {"messages": [{"role": "user", "content": text}]}
    path = "chat/completions" if route == "chat" else route
    return requests.post(f"{house.info['endpoint']}/v1/{path}", json=body, headers=headers, timeout=30)


def cost(row, price):
    """Rounded up once, at nine places."""
    exact = (row["input_tokens"] * Decimal(price[0]) + row["output_tokens"] * Decimal(price[1])) / 1_000_000
    return exact.quantize(Decimal("1e-9"), rounding=ROUND_UP)


PAID = [("chat", "mock-tier-default", None, USUAL), ("chat", "mock-tier-flex", "flex", FLEX),
        ("chat", "mock-tier-default", "flex", USUAL), ("chat", "mock-tier-priority", None, PRIORITY),
        ("chat", "mock-echo", None, PRIORITY), ("chat", "mock-echo", "flex", FLEX), ("chat", "mock-tier-ultra", "flex", PRIORITY),
        ("responses", "mock-tier-flex", "flex", FLEX), ("responses", "mock-tier-default", None, USUAL),
        ("claude", "mock-echo", None, USUAL), ("claude", "mock-tier-priority", None, PRIORITY)]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("route", ["chat", "responses", "messages"])
@pytest.mark.parametrize("name,script,tier,price", PAID)
def test_the_tier_of_the_answer_is_paid(house, name, script, tier, price, route, stream):
    if tier and route == "messages":
        pytest.skip("Anthropic's requests name no such tier")
    house.mock.reset()
    answer = ask(house, route, f"{name}.{script}", stream=stream, **({"service_tier": tier} if tier else {}))
    assert answer.status_code == 200, answer.text
    row = record(house, answer)
    assert row["input_tokens"] > 0 and row["output_tokens"] > 0
    assert Decimal(row["cost"]) == cost(row, price), row
    assert ("service_tier" in house.mock.report()) == bool(tier)


@pytest.mark.parametrize("name", ["chat", "claude", "gemini"])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_long_prompt_is_paid_as_one(house, name, stream):
    script = {"chat": "mock-tier-default"}.get(name, "mock-echo")
    for text, expected in (("kurz", USUAL), ("lang " * THRESHOLD, LONG)):
        row = record(house, ask(house, "chat", f"{name}.{script}", text, stream))
        assert (row["input_tokens"] > THRESHOLD) == (expected == LONG)
        assert Decimal(row["cost"]) == cost(row, expected), row


def test_only_a_provider_with_a_price_for_it_is_asked(house):
    answer = ask(house, "chat", "both", service_tier="flex")
    assert answer.status_code == 200 and record(house, answer)["provider"] == "chat"
    assert record(house, ask(house, "chat", "both"))["provider"] == "chat-plain"
    for route, model in (("chat", "plain"), ("chat", "claude.mock-echo"), ("responses", "gemini.mock-echo")):
        house.mock.reset()
        refused = ask(house, route, model, service_tier="flex")
        error = refused.json()["error"]
        assert (refused.status_code, error["code"], error["param"]) == (400, "unsupported_parameter", "service_tier")
        assert house.mock.bill()["requests"] == 0


def why(house, *more):
    made = house.ctl("route", "why", "--tenant", "mandant-a", "--model", "both", "--tokens", "50", "-o", "json", *more)
    return json.loads(made.stdout)["candidates"]


def test_tiers_are_shown(house):
    plain, tiered = why(house)
    assert "tiers" not in plain and tiered["tiers"] == ["default", "default above 100", "flex", "priority"]
    # The dearest: 50 tokens at 5 and 500 at 20 for a million.
    assert (plain["most"], tiered["most"]) == ("0.00205", "0.01025")
    plain, tiered = why(house, "--tier", "flex")
    assert (plain["verdict"], plain["rule"]) == ("refused", "tier") and (tiered["verdict"], tiered["most"]) == ("first", "0.001025")
    assert house.ctl("route", "why", "--tenant", "mandant-a", "--model", "both", "--tier", "gold", check=False).returncode != 0
    listed = house.ctl("provider", "list").stdout
    rows = [line.split() for line in listed.splitlines() if line.split()[0] == "chat" and "mock-echo" in line]
    assert [row[row.index("mock-echo") + 1:][:2] for row in rows] == [
        ["default", "1"], ["default", "100"], ["flex", "0.5"], ["priority", "5"]], listed


# A prompt that is too long.

TOO_LONG = "Ein Satz, der ganz sicher mehr als zehn Token hat, so wie das hier gezählt wird."


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("route", ["chat", "responses", "messages"])
def test_a_prompt_too_long_goes_to_a_larger_model(house, route, name, stream):
    answer = ask(house, route, f"{name}.grows", TOO_LONG, stream)
    assert answer.status_code == 200, answer.text
    # A stream says it in pieces.
    assert stream or "mehr als zehn Token" in answer.content.decode(), answer.text
    row = record(house, answer)
    assert row["provider"] == "chat-large" and Decimal(row["cost"]) == cost(row, USUAL), "the refusal cost nothing"
    short = ask(house, route, f"{name}.grows", "Ja", stream)
    assert short.status_code == 200 and record(house, short)["provider"] == f"{name}-small"


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("model", ["small", "stays"])
def test_where_none_is_larger_the_client_reads_it_in_its_dialect(house, name, model):
    house.mock.reset()
    for route in ("chat", "responses"):
        error = ask(house, route, f"{name}.{model}", TOO_LONG)
        assert (error.status_code, error.json()["error"]["code"]) == (400, "context_length_exceeded"), error.text
    error = ask(house, "messages", f"{name}.{model}", TOO_LONG)
    assert (error.status_code, error.json()["error"]["type"]) == (400, "invalid_request_error"), error.text
    assert house.mock.bill()["requests"] == 0


def test_one_that_surely_cannot_is_not_asked(house):
    house.mock.reset()
    answer = ask(house, "chat", "chat.grows", "wort " * 1_700)
    assert answer.status_code == 200 and record(house, answer)["provider"] == "chat-large"
    assert json.loads(house.mock.report())["received"] == 1
    refused = ask(house, "chat", "chat.stays", "wort " * 1_700)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "context_length_exceeded")
    assert json.loads(house.mock.report())["received"] == 1, "nothing was sent"
