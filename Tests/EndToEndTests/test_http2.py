"""HTTP/2 with real clients and with rude ones: streams that run side by side stay apart, and each is settled once."""

import json
import os
import shutil
import signal
import subprocess
import threading

import httpx
import openai
import pytest
from http2_wire import HTTP2Wire
from raw_http2 import CANCEL, DATA, END_STREAM, RST, fields, frame, headers
from test_budget import totals
from test_isolation import metric, settles

STREAMS = range(1, 101, 2)
# Each round is a fresh connection of each tenant; the marked streams of HTTP/1.1 have the same setting.
ROUNDS = max(1, int(os.environ.get("TORHAUS_MARKED_STREAMS", "0")) // (2 * len(STREAMS)))


def text_of(events):
    """What the deltas of a stream say together."""
    out = ""
    for line in events.decode(errors="replace").split("\n\n"):
        if line.startswith("data: {") and line.endswith("}"):
            for choice in json.loads(line[6:])["choices"]:
                out += choice["delta"].get("content") or ""
    return out


def test_streams_of_two_tenants_half_of_them_taken_back(fresh, mock):
    mock.reset()
    faults = []

    def ask(slug):
        for number in range(ROUNDS):
            if not faults:
                ask_once(slug, number)

    def ask_once(slug, number):
        key = fresh.key(slug).encode()

        def marker(slug, stream):
            return f"<{slug}:{number:04}:{stream:03}:{'.' * 40}>"

        with HTTP2Wire(fresh) as wire:
            data = b""
            for stream in STREAMS:
                content = json.dumps(
                    {
                        "model": "mock-echo;chunk=8;delay=20",
                        "stream": True,
                        "messages": [{"role": "user", "content": marker(slug, stream)}],
                    }
                ).encode()
                data += headers(fields(key), stream) + frame(DATA, END_STREAM, stream, content)
            wire.send(data)
            taken_back = set()
            kept = {stream for stream in STREAMS if stream % 4 == 1}
            while not all(wire.answers[stream].is_over for stream in kept):
                if not wire.next():
                    faults.append((slug, "the connection ended", wire.goaways))
                    return
                for stream in set(STREAMS) - kept - taken_back:
                    if text_of(wire.answers[stream].body):
                        wire.send(frame(RST, 0, stream, CANCEL.to_bytes(4, "big")))
                        taken_back.add(stream)
            for stream in STREAMS:
                said = text_of(wire.answers[stream].body)
                if stream in kept and said != marker(slug, stream):
                    faults.append((slug, stream, said))
                if not marker(slug, stream).startswith(said):
                    faults.append((slug, stream, said))
            if taken_back != set(STREAMS) - kept:
                faults.append((slug, "not all were taken back"))

    threads = [threading.Thread(target=ask, args=(slug,)) for slug in ("kanzlei-a", "kanzlei-b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults, faults[:3]
    assert settles(lambda: metric(fresh, "torhaus_reservations_open") == 0 and metric(fresh, "torhaus_inflight") == 0)
    bill, ledgers = mock.bill(), [totals(fresh, slug) for slug in ("kanzlei-a", "kanzlei-b")]
    assert [ledger["requests"] for ledger in ledgers] == [ROUNDS * len(STREAMS)] * 2
    assert bill["requests"] == 2 * ROUNDS * len(STREAMS)
    # Those who left were read on to their usage, so the books agree to the token.
    assert sum(ledger["input_tokens"] for ledger in ledgers) == bill["prompt_tokens"]
    assert sum(ledger["output_tokens"] for ledger in ledgers) == bill["completion_tokens"]


def test_a_lost_connection_ends_all_its_requests(fresh, mock):
    mock.reset()
    key = fresh.key().encode()
    with HTTP2Wire(fresh) as wire:
        content = json.dumps(
            {"model": "mock-echo;chunk=1;delay=20", "stream": True, "messages": [{"role": "user", "content": "x" * 50}]}
        ).encode()
        wire.send(b"".join(headers(fields(key), stream) + frame(DATA, END_STREAM, stream, content) for stream in STREAMS))
        assert wire.read(lambda wire: all(wire.answers[stream].body for stream in STREAMS))
    assert settles(lambda: metric(fresh, "torhaus_reservations_open") == 0 and metric(fresh, "torhaus_inflight") == 0)
    assert totals(fresh, "kanzlei-a")["requests"] == len(STREAMS)


def test_a_slow_stream_stops_no_other(demo):
    """One stream's window stays shut; what its provider sends is held back, and others on the connection go on."""
    key = demo.key().encode()

    def ask(model, text="x"):
        return json.dumps({"model": model, "stream": True, "messages": [{"role": "user", "content": text}]}).encode()

    with HTTP2Wire(demo, window=20_000) as wire:
        wire.send(headers(fields(key), 1) + frame(DATA, END_STREAM, 1, ask("mock-endless;delay=1;seconds=20")))
        assert wire.read(lambda wire: len(wire.answers[1].body) == 20_000)
        for stream in range(3, 23, 2):
            wire.send(headers(fields(key), stream) + frame(DATA, END_STREAM, stream, ask("mock-echo", f"weiter-{stream}")))
            answer = wire.answer(stream)
            assert answer.is_over and text_of(answer.body) == f"weiter-{stream}"
        assert len(wire.answers[1].body) == 20_000


def test_a_cut_stream_is_no_normal_end(demo):
    key = demo.key().encode()
    with HTTP2Wire(demo) as wire:
        content = json.dumps({"model": "mock-cut-stream", "stream": True, "messages": [{"role": "user", "content": "x"}]}).encode()
        wire.send(headers(fields(key)) + frame(DATA, END_STREAM, 1, content))
        answer = wire.answer(1)
        assert answer.status == 200 and b'"error"' in answer.body and b"[DONE]" not in answer.body
        assert not answer.is_over and answer.reset == 2


def test_a_stop_lets_streams_finish(fresh):
    key = fresh.key().encode()
    content = json.dumps(
        {"model": "mock-echo;chunk=1;delay=20", "stream": True, "messages": [{"role": "user", "content": "bis zum Ende " * 8}]}
    ).encode()
    with HTTP2Wire(fresh) as wire, HTTP2Wire(fresh) as idle:
        idle.send(b"")
        wire.send(headers(fields(key)) + frame(DATA, END_STREAM, 1, content))
        assert wire.read(lambda wire: wire.answers[1].body)
        fresh.process.send_signal(signal.SIGTERM)
        assert not idle.read(lambda _: False)
        assert [code for _, code in idle.goaways] == [0, 0]
        answer = wire.answer(1)
        assert answer.is_over and text_of(answer.body) == "bis zum Ende " * 8
        assert not wire.read(lambda _: False)
        assert wire.goaways == [(0x7FFF_FFFF, 0), (1, 0)]
    assert fresh.process.wait(20) == 0


@pytest.fixture
def http2(demo):
    with httpx.Client(http1=False, http2=True, timeout=30, headers={"authorization": f"Bearer {demo.key()}"}) as client:
        yield client


def test_httpx(demo, http2):
    for number in range(20):
        answer = http2.post(
            demo.base_url + "/chat/completions",
            json={"model": "mock-echo", "messages": [{"role": "user", "content": f"frage {number} " + "x" * number * 4_000}]},
        )
        assert answer.http_version == "HTTP/2" and answer.status_code == 200
        assert answer.json()["choices"][0]["message"]["content"].startswith(f"frage {number} ")
    assert http2.get(demo.base_url + "/models").json()["data"]


def test_httpx_takes_a_large_answer(demo, http2):
    answer = http2.post(
        demo.base_url + "/embeddings",
        json={"model": "mock-embed", "input": [f"text {number}" for number in range(200)], "dimensions": 1536},
    )
    assert answer.http_version == "HTTP/2" and len(answer.json()["data"]) == 200


def test_the_openai_client_over_http2(demo):
    with httpx.Client(http1=False, http2=True, timeout=30) as transport:
        client = openai.OpenAI(api_key=demo.key(), base_url=demo.base_url, max_retries=0, http_client=transport)
        messages = [{"role": "user", "content": "Grüezi, anna.muster@example.ch"}]
        stream = client.chat.completions.create(model="mock-echo;chunk=1", messages=messages, stream=True)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices) == messages[0]["content"]
        with pytest.raises(openai.NotFoundError):
            client.models.retrieve("there-is-none")


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl(demo):
    def curl(*arguments):
        command = ["curl", "-sS", "-w", "\n%{http_version} %{http_code}", "-H", f"Authorization: Bearer {demo.key()}"]
        return subprocess.run(
            [*command, "-H", "Content-Type: application/json", *arguments], capture_output=True, text=True, timeout=60, check=True
        ).stdout.rsplit("\n", 1)

    question = json.dumps({"model": "mock-echo", "messages": [{"role": "user", "content": "hallo"}]})
    content, line = curl("--http2-prior-knowledge", "-d", question, demo.base_url + "/chat/completions")
    assert line == "2 200" and "hallo" in content
    # Asked for by an upgrade it is not spoken: the request is answered all the same.
    content, line = curl("--http2", "-d", question, demo.base_url + "/chat/completions")
    assert line == "1.1 200" and "hallo" in content
