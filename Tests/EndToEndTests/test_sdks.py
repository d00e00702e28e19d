"""Client libraries as applications use them, several versions of each, before providers of every dialect.

A script in `sdks/` holds the cases of one library. It runs once for a version and a provider, in a process of its own
with that version's folder as its path; each of its cases is one test here.
"""

import ast
import json
import os
import pathlib
import subprocess
import sys

import pytest
from conftest import Mock, Server, provider, register

HERE = pathlib.Path(__file__).parent
SDKS = pathlib.Path(os.environ.get("TORHAUS_SDKS", HERE.parent.parent / ".build" / "end-to-end-sdks"))

# What the mock speaks under which path, and the record that calls it.
PROVIDERS = {
    "openai": {"adapter": "openai", "path": "/v1", "completions": True},
    "chat": {"adapter": "openai-compatible", "path": "/strict/v1"},
    "anthropic": {"adapter": "anthropic", "path": "/v1", "credential": "mock"},
    "gemini": {"adapter": "gemini", "path": "/v1beta", "credential": "mock"},
    "bedrock": {"adapter": "bedrock", "path": "", "credential": "mock", "region": "eu-central-1"},
    "mistral": {"adapter": "mistral", "path": "/mistral/v1", "deny-fields": [
        "user", "logit_bias", "logprobs", "top_logprobs", "store", "metadata", "service_tier", "stream_options"]},
    "vllm": {"adapter": "vllm", "path": "/vllm/v1"},
}
SCRIPTS = ["echo", "tool-once", "blocked", "cached", "thinking", "embed", "cut", "stream-error"]
MODELS = {"cut": "mock-cut-stream"}
STATUSES = [400, 401, 404, 429, 500, 503, 529]

# Every version of a library before a provider of its own dialect and one of another; the newest before all, of which two
# that speak chat with oddities of their own only if asked: `test_dialects.py` looks at their bytes.
ODD = ["mistral", "vllm"] if os.environ.get("TORHAUS_ALL_SDK_RUNS") else []
RUNS = [(sdk, at) for sdk in ["openai-1", "openai-2", "anthropic-0", "anthropic-1"] for at in ["openai", "anthropic"]]
RUNS += [(sdk, at) for sdk in ["openai-3", "anthropic-2"] for at in ["openai", "chat", "anthropic", "gemini", "bedrock", *ODD]]
RUNS += [(sdk, at) for sdk in ["langchain-1", "litellm-1", "pydantic_ai-2"] for at in ["openai", "anthropic"]]
RUNS += [("instructor-1", "chat"), ("llm-0", "chat")]

# Cases that need what only some providers have.
ONLY = {
    "embeddings": {"openai", "chat", "gemini", "mistral", "vllm"}, "embeddings_private": {"openai", "chat", "gemini", "mistral", "vllm"},
    "embedding": {"openai"}, "completions": {"openai"},
    # Thinking that is signed, and calls that are.
    "thinking": {"anthropic"}, "thinking_tools": {"gemini"},
    "cached": {"openai", "chat", "anthropic", "gemini", "bedrock"},
}


def script(sdk):
    return HERE / "sdks" / f"{sdk.rsplit('-', 1)[0]}_cases.py"


def cases(sdk, at):
    found = [node.name.removeprefix("case_") for node in ast.parse(script(sdk).read_text()).body
             if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("case_")]
    return [name for name in found if at in ONLY.get(name, PROVIDERS)]


def failing(sdk, at):
    """Models that fail, for each run and use its own: a breaker that one has opened stands in nobody else's way."""
    for status in STATUSES:
        for number, use in enumerate(["chat", "responses", "retries"]):
            yield f"{at}-error-{status}-{use}-{sdk}", f"mock-error-{status};size={RUNS.index((sdk, at)) * 8 + number + 1}"


@pytest.fixture(scope="module")
def mock_of_sdks(tmp_path_factory):
    server = Mock(tmp_path_factory.mktemp("mock-of-sdks")).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def server(mock_of_sdks, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sdks")
    records, aliases = [], {}
    for at, record in PROVIDERS.items():
        record = dict(record)
        models = {f"{at}-{name}": MODELS.get(name, f"mock-{name}") for name in SCRIPTS}
        for sdk in [sdk for sdk, where in RUNS if where == at]:
            models.update(failing(sdk, at))
        record["endpoint"] = f"http://127.0.0.1:{mock_of_sdks.port}{record.pop('path')}"
        records.append(provider(at, mock_of_sdks.port, models.values(), **record))
        aliases.update({alias: {"order": "listed", "candidates": [f"{at}/{model}"]} for alias, model in models.items()})
    records.append(provider("abroad", mock_of_sdks.port, ["mock-echo"], country="US"))
    aliases["abroad"] = {"order": "listed", "candidates": ["abroad/mock-echo"]}
    (folder / "mock.key").write_text("key-of-the-mock")
    (folder / "mock.key").chmod(0o600)
    running = Server(folder, register(records, aliases), f"loops: 1\ncredentials: {{mock: 'file:{folder}/mock.key'}}").start()
    yield running
    assert running.stop() == 0, running.log()


@pytest.fixture(scope="module")
def results(server, mock_of_sdks, request):
    """What came of each case; a script runs when the first of its tests asks, with the cases that this session wants."""
    done = {}

    def result(sdk, at, case):
        if (sdk, at) not in done:
            wanted = [item.callspec.params["case"] for item in request.session.items
                      if item.path == pathlib.Path(__file__) and (item.callspec.params["sdk"], item.callspec.params["at"]) == (sdk, at)]
            done[sdk, at] = run(sdk, at, wanted, server, mock_of_sdks)
        return done[sdk, at][case]

    return result


def run(sdk, at, wanted, server, mock):
    job = {"endpoint": server.info["endpoint"], "key": server.key(), "provider": at, "run": sdk,
           "mock": f"http://127.0.0.1:{mock.port}", "cases": wanted}
    # Nothing of this machine's settings reaches the library, and it writes no compiled files into the folders.
    environment = {"PATH": os.environ["PATH"], "HOME": str(server.folder), "PYTHONPATH": str(SDKS / sdk),
                   "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"}
    process = subprocess.run(
        [sys.executable, str(script(sdk))], input=json.dumps(job), capture_output=True, text=True, env=environment, timeout=300)
    assert process.returncode == 0, process.stderr[-4000:]
    return json.loads(process.stdout.splitlines()[-1])


@pytest.mark.parametrize("sdk, at, case", [
    pytest.param(sdk, at, case, id=f"{sdk}-at-{at}-{case}") for sdk, at in RUNS for case in cases(sdk, at)])
def test_library(results, sdk, at, case):
    if failure := results(sdk, at, case):
        pytest.fail(f"{sdk} before {at}:\n{failure}", pytrace=False)
