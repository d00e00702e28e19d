"""Providers over HTTP/2: the faults of `http2_faults.py`, and what one request's fault does to others on its connection."""

import asyncio
import json
import random
import socket

import pytest
from certificates import Authority
from conftest import Server, metric, provider, register, settles
from fault_run import Faults, check, own_count
from faults import Broken, Well
from http2_faults import BEFORE, CASES, answer, body, goaway, head_of, heading, reset
from provider_wires import CHAT, FIRST, TEXT, USAGE, chat_piece
from raw_http2 import END_STREAM
from rude_http2 import RudeHTTP2Provider, server_context
from rude_provider import CLOSE, HANG, Forever, Pause
from wire import Client, chat


# Handshakes take their time, on a busy machine a lot of it.
TIMES = {"connect": "10s", "first-byte": "5s", "idle": "3s", "total": "10s"}


class Behind:
    """Rude providers behind TLS, and how a record of the register names one."""

    def __init__(self, folder):
        authority = Authority(folder, "authority")
        authority.issue("server")
        self.certificate, self.key = authority.pair("server")
        self.authority = str(authority.file)
        self.secret = folder / "key"
        self.secret.write_text("sk-test-1234567890\n")
        self.secret.chmod(0o600)
        self.configuration = f"loops: 1\ncredentials: {json.dumps({'key': f'file:{self.secret}'})}"

    def start(self, scripts):
        return RudeHTTP2Provider(scripts, server_context(self.certificate, self.key)).start()

    def record(self, name, port, models, wire=CHAT, **more):
        return provider(
            name, port, models, adapter=wire.adapter, credential="key", ca=self.authority,
            endpoint=f"https://localhost:{port}{wire.base}", **wire.record, **more)


@pytest.fixture(scope="module")
def behind(tmp_path_factory):
    return Behind(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def rude(behind, tmp_path_factory):
    scripts, providers, aliases, asks = {}, [], {}, {}
    server = behind.start(scripts)
    for number, case in enumerate(CASES):
        alias, kind = f"h{number}", "stream" if case.ask.stream else "plain"
        scripts[alias, kind], scripts[alias + ".good", kind] = case.steps, case.good
        providers.append(behind.record(alias, server.port, [alias, alias + ".good"], case.wire, timeouts=TIMES))
        aliases |= {name: {"candidates": [f"{alias}/{name}"]} for name in (alias, alias + ".good")}
        asks[alias] = case.ask
    faults = Faults(tmp_path_factory.mktemp("http2-faults"), asks, providers, aliases, server, behind.configuration, at_once=50)
    yield faults
    server.stop()


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case.name for case in CASES])
def test_a_fault(rude, number):
    case, alias = CASES[number], f"h{number}"
    outcome = rude.outcomes[alias]
    told = check(outcome, case.outcome, case.ask)
    rude.check_connections(alias, case.outcome.keeps, getattr(case.outcome, "tries", 1))
    used = (outcome.row["input_tokens"], outcome.row["output_tokens"])
    if isinstance(case.outcome, Well):
        assert used == USAGE
    elif isinstance(case.outcome, Broken):
        assert told.text in ("", FIRST, TEXT), "what is delivered is what was said"
        assert used[1] == own_count(told.text)


def test_the_ledger_says_what_the_records_say(rude):
    rude.check_totals()


SEED, ROUNDS, AT_ONCE = 7, 20, 50


def script_of(dice):
    """Says the question back piece by piece, and sometimes breaks off, or takes no more streams on this connection."""

    def steps(request):
        text = request["messages"][0]["content"]
        pieces = [text[start : start + 5] for start in range(0, len(text), 5)]
        fate = dice.choices(["well", "reset", "goaway"], [85, 12, 3])[0]
        parts = CHAT.parts()
        yield head_of(CHAT, True)
        yield body(parts.begin)
        for piece in pieces[: dice.randrange(len(pieces)) if fate == "reset" else None]:
            yield body(chat_piece(piece))
            yield Pause(dice.random() * 0.01)
        if fate == "reset":
            yield reset(8)
            return
        if fate == "goaway":
            yield goaway(0x7FFF_FFFF)
        yield body(parts.end + parts.last, END_STREAM)

    return steps


@pytest.fixture
def one_provider(behind, tmp_path):
    """Starts a gateway with one provider, for a script that is given; returns both."""
    started = []

    def start(script):
        server = behind.start({("m", "stream"): script})
        record = behind.record("p", server.port, ["m"])
        gateway = Server(tmp_path, register([record], {"m": {"candidates": ["p/m"]}}), behind.configuration).start()
        gateway.key()
        started.append((server, gateway))
        return server, gateway

    yield start
    for server, gateway in started:
        assert gateway.stop() == 0, gateway.log()
        server.stop()


def is_settled(gateway):
    return settles(lambda: metric(gateway, "torhaus_reservations_open") == 0 and metric(gateway, "torhaus_inflight") == 0)


def test_streams_on_one_connection_stay_apart(one_provider):
    """Marked streams side by side on a provider's connections, of which some are reset: each client gets its own words,
    from the beginning and without a gap, and an end that is true."""
    server, gateway = one_provider(script_of(random.Random(SEED)))
    seen = []

    async def client_loop(number):
        client = Client(*gateway.address, gateway.key())
        for turn in range(ROUNDS):
            if not client.is_open:
                client.close()
                await client.connect()
            marker = f"M-{number:03}-{turn:03}-" + "abcdefgh"[number % 8] * 60
            answer = await asyncio.wait_for(client.ask("chat/completions", chat("m", marker, stream=True)), 30)
            while answer.status == 503:  # too many were reset in a row
                await asyncio.sleep(0.2)
                answer = await asyncio.wait_for(client.ask("chat/completions", chat("m", marker, stream=True)), 30)
            seen.append((marker, answer))
        client.close()

    async def all_of():
        await asyncio.gather(*[client_loop(number) for number in range(AT_ONCE)])

    asyncio.run(all_of())
    # libcurl may still choose a connection that has just said goodbye, and the request ends there.
    lost = [answer for _, answer in seen if (answer.status, answer.code) == (502, "upstream_cut")]
    assert len(lost) < len(seen) / 20
    for marker, answer in seen:
        if answer in lost:
            continue
        assert answer.status == 200 and marker.startswith(answer.text), (marker, answer.body)
        assert answer.is_done == answer.whole == (answer.code is None) == (answer.text == marker)
    whole = sum(answer.status == 200 and answer.is_done for _, answer in seen)
    assert ROUNDS * AT_ONCE * 3 / 4 < whole < ROUNDS * AT_ONCE
    assert is_settled(gateway)
    assert len(server.connections) < len(seen) / 5, "streams share connections"


@pytest.mark.parametrize("no", [[reset(7)], [goaway(BEFORE), HANG]], ids=["refused", "goodbye"])
def test_what_was_not_looked_at_is_asked_once_more(one_provider, no):
    """As after any goodbye that crosses a request: the client gets its answer, and pays for one."""
    asked = []

    def script(request):
        asked.append(request)
        yield from no if len(asked) == 2 else answer(CHAT, True)

    server, gateway = one_provider(script)

    async def both():
        client = await Client(*gateway.address, gateway.key()).connect()
        return [await asyncio.wait_for(client.ask("chat/completions", chat("m", "Hallo", stream=True)), 20) for _ in range(2)]

    for said in asyncio.run(both()):
        assert (said.status, said.is_done, said.text) == (200, True, TEXT)
    assert len(asked) == 3 and asked[1] == asked[2]
    assert is_settled(gateway)

    def are_listed():
        rows = json.loads(gateway.ctl("log", "list", "--tenant", "mandant-a", "--all", "-o", "json").stdout)
        return [(row["exit"], row["input_tokens"], row["output_tokens"]) for row in rows] == [("1", *USAGE)] * 2

    assert settles(are_listed)


def test_a_lost_connection_breaks_all_its_streams(one_provider):
    """And nothing else: each is told, each is paid for by what it got, and the next request gets another connection."""

    def script(request):
        text = request["messages"][0]["content"]
        yield head_of(CHAT, True)
        yield body(CHAT.parts().begin + chat_piece(text[:20]))
        if text.startswith("Schluss"):
            yield CLOSE
        if text.startswith("gut"):
            yield body(CHAT.parts().end + CHAT.parts().last, END_STREAM)
        yield HANG

    server, gateway = one_provider(script)

    async def ask(text):
        client = await Client(*gateway.address, gateway.key()).connect()
        try:
            return text, await asyncio.wait_for(client.ask("chat/completions", chat("m", text, stream=True)), 20)
        finally:
            client.close()

    async def all_of():
        first = await ask("gut, zuerst")  # a connection that is there
        streams = [asyncio.create_task(ask(f"Strom {number:02} " + "abcdefgh"[number % 8] * 40)) for number in range(12)]
        while sum(map(len, server.connections)) < 13:
            await asyncio.sleep(0.02)
        return [first, *await asyncio.gather(*streams, ask("Schluss" + "x" * 40))]

    first, *answers = asyncio.run(all_of())
    assert first[1].is_done and len(server.connections) == 1
    for text, answer in answers:
        assert (answer.status, answer.whole, answer.is_done) == (200, False, False)
        assert answer.text == text[:20] and answer.code == "upstream_cut"
    assert is_settled(gateway)
    ends = []

    def are_listed():  # the index follows the log
        rows = json.loads(gateway.ctl("log", "list", "--tenant", "mandant-a", "--all", "-o", "json").stdout)
        ends[:] = sorted((row["exit"], row["output_tokens"]) for row in rows)
        return len(ends) == 14

    assert settles(are_listed), ends
    assert ends == [("1", 5)] + [("9", 5)] * 13


def test_a_stream_that_is_given_up_is_taken_back(one_provider):
    """Whether others use its connection or nobody does: what nobody reads must not be made, nor paid for."""
    given_up = []

    def script(request):
        text = request["messages"][0]["content"]
        yield head_of(CHAT, True)
        yield body(CHAT.parts().begin + CHAT.parts().first)
        yield Forever(body(chat_piece("x")), 0.05)  # until it is taken back, or the connection ends
        given_up.append((text, len(server.connections)))

    server, gateway = one_provider(script)

    async def begin(text):
        client = await Client(*gateway.address, gateway.key()).connect()
        client.send("chat/completions", chat("m", text, stream=True))
        pieces = client.pieces(await client.head())
        await anext(pieces)
        return client, pieces

    async def until(count):
        while len(given_up) < count:
            await asyncio.sleep(0.05)

    async def all_of():
        stays, pieces = await begin("bleibt")
        goes, _ = await begin("geht")

        async def read_on():
            async for _ in pieces:
                pass

        reading = asyncio.create_task(read_on())
        goes.close()
        await asyncio.wait_for(until(1), 15)
        assert given_up == [("geht", 1)] and not reading.done(), "the other goes on"
        reading.cancel()
        stays.close()
        await asyncio.wait_for(until(2), 15)

    asyncio.run(all_of())
    assert is_settled(gateway)


def test_a_provider_without_an_end_is_left(one_provider):
    """What has too much of a head is not read on, and what is not read must not go on, or somebody pays for it."""

    def script(request):
        yield heading((b"content-type", b"text/event-stream"), *[(b"x-%d" % number, b"a") for number in range(100)])
        yield Forever(body(b"x" * 1_000), 0.01)

    server, gateway = one_provider(script)

    async def ask():
        client = await Client(*gateway.address, gateway.key("mandant-a")).connect()
        try:
            return await asyncio.wait_for(client.ask("chat/completions", chat("m", "Hallo", stream=True)), 20)
        finally:
            client.close()

    answer = asyncio.run(ask())
    assert (answer.status, answer.code) == (502, "upstream_cut")
    assert settles(lambda: server.served), "its connection has ended"
    assert is_settled(gateway)


def test_who_does_not_read_holds_nobody_else_back(one_provider):
    """Streams of all tenants come on one connection. What a client does not take waits at the gateway, up to a bound: then its
    stream ends, and no other."""
    given_up = []

    def script(request):
        yield head_of(CHAT, True)
        yield body(CHAT.parts().begin)
        if request["messages"][0]["content"] == "liest nicht":
            # Frames that libcurl's own buffer of a stream cannot hold.
            yield Forever(body(chat_piece("x" * 9_800)), 0.001)
            given_up.append(request)
        else:
            while not given_up:
                yield body(chat_piece("x"))
                yield Pause(0.02)
            yield body(CHAT.parts().end + CHAT.parts().last, END_STREAM)

    server, gateway = one_provider(script)
    keys = gateway.key("mandant-a"), gateway.key("mandant-b")

    async def begin_unread():
        tcp = socket.socket()
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        tcp.setblocking(False)
        await asyncio.get_running_loop().sock_connect(tcp, gateway.address)
        client = Client(*gateway.address, keys[0])
        client.reader, client.writer = await asyncio.open_connection(sock=tcp, limit=4096)
        client.send("chat/completions", chat("m", "liest nicht", stream=True))
        return client, await client.head()

    async def both():
        client, unread = await begin_unread()
        other = await Client(*gateway.address, keys[1]).connect()
        # Well before the time in which a client that takes nothing at all is given up.
        said = await asyncio.wait_for(other.ask("chat/completions", chat("m", "liest", stream=True)), 20)
        async for _ in client.pieces(unread):
            pass
        client.close()
        other.close()
        return unread, said

    unread, said = asyncio.run(both())
    assert len(server.connections) == 1, "they share it"
    assert (said.status, said.whole, said.is_done, said.code) == (200, True, True, None)
    assert len(given_up) == 1 and set(said.text) == {"x"}
    assert (unread.status, unread.whole, unread.is_done, unread.code) == (200, False, False, "overloaded")
    assert len(unread.body) > 4 << 20, "what was held is not lost"
    assert is_settled(gateway)

    def are_listed():
        rows = [json.loads(gateway.ctl("log", "list", "--tenant", slug, "--all", "-o", "json").stdout)
                for slug in ("mandant-a", "mandant-b")]
        return [[row["exit"] for row in tenant] for tenant in rows] == [["10"], ["1"]]

    assert settles(are_listed)
