"""A provider that nobody here wrote: llama.cpp's server, with a tiny model of random weights that the test makes.

What such a model says is noise, and always the same noise for the same question. So the gateway's answer must be the
server's own, byte for byte: whole, streamed, in each dialect that the server speaks and in those that are translated.
"""

import json
import os
import re
import subprocess
import sys

import openai
import pytest
from conftest import Server, provider, register
from test_sdks import HERE, SDKS

QUESTION = [{"role": "user", "content": "Grüezi, wie geht es?"}]
SAME = {"temperature": 0, "seed": 7, "max_tokens": 40}


@pytest.fixture(scope="module")
def llama(tmp_path_factory):
    folder = tmp_path_factory.mktemp("llama")
    model = folder / "tiny.gguf"
    subprocess.run([sys.executable, str(HERE / "sdks" / "tiny_gguf.py"), str(model)], check=True, timeout=60)
    with open(folder / "llama.log", "wb") as log:
        process = subprocess.Popen(
            [sys.executable, str(HERE / "sdks" / "llama_server.py"), str(model)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=log, text=True,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(SDKS / "llamacpp-0")})
    for line in process.stdout:
        if found := re.match(r"serving on http://127\.0\.0\.1:(\d+)", line):
            break
    else:
        raise RuntimeError((folder / "llama.log").read_text(errors="replace")[-4000:])
    yield int(found[1])
    process.stdin.close()
    process.terminate()
    process.wait(30)


@pytest.fixture(scope="module")
def server(llama, tmp_path_factory):
    records = [provider("llama", llama, ["tiny"])]
    aliases = {"noise": {"order": "listed", "candidates": ["llama/tiny"]}}
    running = Server(tmp_path_factory.mktemp("foreign"), register(records, aliases)).start()
    yield running
    assert running.stop() == 0, running.log()


@pytest.fixture(scope="module")
def through(server):
    return openai.OpenAI(base_url=server.info["endpoint"] + "/v1", api_key=server.key(), max_retries=0)


@pytest.fixture(scope="module")
def direct(llama):
    return openai.OpenAI(base_url=f"http://127.0.0.1:{llama}/v1", api_key="none", max_retries=0)


@pytest.fixture(scope="module")
def noise(direct):
    """What the server says by itself."""
    said = direct.chat.completions.create(model="tiny", messages=QUESTION, **SAME).choices[0].message.content
    assert len(said) > 10
    return said


def test_a_whole_answer(through, noise):
    answer = through.chat.completions.create(model="noise", messages=QUESTION, **SAME)
    assert answer.choices[0].message.content == noise and answer.choices[0].finish_reason == "length"
    assert answer.model == "noise" and answer.usage.completion_tokens == 40


@pytest.mark.parametrize("asked", [False, True])
def test_a_stream(through, noise, asked):
    stream = through.chat.completions.create(
        model="noise", messages=QUESTION, stream=True, stream_options={"include_usage": asked}, **SAME)
    chunks = list(stream)
    assert "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices) == noise
    assert [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason] == ["length"]
    assert [chunk.usage.completion_tokens for chunk in chunks if chunk.usage] == ([40] if asked else [])


def test_a_structured_answer(through):
    """Its grammar makes even noise fit a schema."""
    schema = {"type": "object", "properties": {"ja": {"type": "boolean"}}, "required": ["ja"], "additionalProperties": False}
    answer = through.chat.completions.create(
        model="noise", messages=QUESTION, temperature=0, max_tokens=400,
        response_format={"type": "json_schema", "json_schema": {"name": "urteil", "schema": schema}})
    assert json.loads(answer.choices[0].message.content)["ja"] in (True, False)


def test_its_refusals_are_the_clients_errors(through):
    with pytest.raises(openai.BadRequestError) as caught:
        through.chat.completions.create(model="noise", messages=[{"role": "user", "content": "x" * 20_000}], max_tokens=8)
    assert caught.value.request_id.startswith("req_")


def test_responses_over_its_chat(server, through, noise):
    """Translated, because the record says that it speaks chat."""
    answer = through.responses.create(
        model="noise", input=QUESTION, temperature=0, max_output_tokens=40)
    assert answer.output_text == noise and answer.incomplete_details.reason == "max_output_tokens"
    events = list(through.responses.create(
        model="noise", input=QUESTION, temperature=0, max_output_tokens=40, stream=True))
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == noise


def test_the_ledger_has_what_it_said(server, through):
    def used():
        return json.loads(server.ctl("usage", "--tenant", "mandant-a", "-o", "json").stdout)["totals"]["output_tokens"]

    before = used()
    answer = through.chat.completions.create(model="noise", messages=QUESTION, **SAME)
    assert used() - before == answer.usage.completion_tokens == 40
