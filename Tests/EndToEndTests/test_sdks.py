"""Client libraries as applications use them, several versions of each, before providers of every dialect.

A script in `sdks/` holds the cases of one library. It runs once for a version, in a process of its own with that version's
folder as its path; each of its cases before a provider is one test here.
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
MANY_CLIENTS = HERE / "many_clients"
SDKS = pathlib.Path(os.environ.get("TORHAUS_SDKS", HERE.parent.parent / ".build" / "end-to-end-sdks"))

# What the mock speaks under which path, and the record that calls it.
PROVIDERS = {
    "openai": {"adapter": "openai", "path": "/v1", "completions": True},
    "chat": {"adapter": "openai-compatible", "path": "/strict/v1"},
    "azure": {"adapter": "azure", "path": "/openai/v1", "credential": "mock"},
    "anthropic": {"adapter": "anthropic", "path": "/v1", "credential": "mock"},
    "gemini": {"adapter": "gemini", "path": "/v1beta", "credential": "mock"},
    "bedrock": {"adapter": "bedrock", "path": "", "credential": "mock", "region": "eu-central-1"},
    "mistral": {"adapter": "mistral", "path": "/mistral/v1", "deny-fields": [
        "user", "logit_bias", "logprobs", "top_logprobs", "store", "metadata", "service_tier", "stream_options"]},
    "vllm": {"adapter": "vllm", "path": "/vllm/v1"},
    "ollama": {"adapter": "ollama", "path": "/ollama/v1"},
}
SCRIPTS = ["echo", "tool-once", "blocked", "cached", "thinking", "embed"]
# Scripts of the mock with which a request fails. A provider that asks for more than five seconds is not asked again by the
# gateway itself; whoever is late is a provider of its own, with a second to answer.
FAULTS = {f"error-{status}": f"mock-error-{status};retry-after=7" for status in [
    400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 503, 504, 529]}
FAULTS |= {"reset": "mock-reset", "cut-plain": "mock-cut-plain", "hang": "mock-hang", "once": "mock-error-500;times=1"}
FAULTS |= {"cut-stream": "mock-cut-stream", "stream-error": "mock-stream-error"}

TRIED_AGAIN = ["error-400", "error-401", "error-429", "error-500", "error-504", "cut-plain"]

# Every version of a library before a provider of its own dialect and one of another; the newest before all.
BOTH = ["openai", "anthropic"]
SCRIPTED = {
    "openai-1": BOTH, "openai-2": BOTH, "openai-3": list(PROVIDERS),
    "anthropic-0": BOTH, "anthropic-1": BOTH, "anthropic-2": list(PROVIDERS),
    "langchain-0": BOTH, "langchain-1": BOTH, "litellm-1.79": BOTH, "litellm-1": BOTH, "pydantic_ai-1": BOTH, "pydantic_ai-2": BOTH,
    "instructor-1": ["chat"], "llm-0": ["chat"],
}
# The script's cases are also run with the library's asynchronous client; what is behind the gateway does not matter to that.
ASYNC = {(sdk, at) for sdk in SCRIPTED if sdk.startswith(("openai-", "anthropic-")) for at in BOTH}
BYTEWISE = {("openai-3", "openai"), ("anthropic-2", "anthropic")}

# Cases that need what only some providers have.
EMBEDDING = {"openai", "chat", "azure", "gemini", "mistral", "vllm", "ollama"}
ONLY = {
    "embeddings": EMBEDDING, "embeddings_private": EMBEDDING, "embedding": EMBEDDING, "completions": {"openai"},
    # Thinking that is signed, and calls that are.
    "thinking": {"anthropic"}, "thinking_tools": {"gemini"},
    "cached": {"openai", "chat", "azure", "anthropic", "gemini", "bedrock"},
}


def script(sdk):
    return HERE / "sdks" / f"{sdk.rsplit('-', 1)[0]}_cases.py"


def cases(sdk, at):
    found = [node.name.removeprefix("case_") for node in ast.parse(script(sdk).read_text()).body
             if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("case_")]
    found = [name for name in found if at in ONLY.get(name, PROVIDERS)]
    return found + [f"{name}-async" for name in found if (sdk, at) in ASYNC]


def failing(at):
    """Models that fail, for each use one of its own: a breaker that one has opened stands in nobody else's way."""
    faults = {"chat": FAULTS, "responses": FAULTS, "retries": TRIED_AGAIN}
    number = 0
    for sdk in [sdk for sdk, where in SCRIPTED.items() if at in where]:
        text = script(sdk).read_text()
        uses = [use for use in faults if use == "chat" or f'"{use}"' in text]
        for how in ["", "-async"] if (sdk, at) in ASYNC else [""]:
            for use, fault in [(use, fault) for use in uses for fault in faults[use] if f'"{fault}"' in text]:
                number += 1
                yield f"{at}-{fault}-{use}{how}-{sdk}", f"{FAULTS[fault]};size={number}"


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
        models = {f"{at}-{name}": f"mock-{name}" for name in SCRIPTS} | dict(failing(at))
        record["endpoint"] = f"http://127.0.0.1:{mock_of_sdks.port}{record.pop('path')}"
        late = {alias for alias, model in models.items() if model.startswith("mock-hang")}
        for name, offered, more in [(at, models.keys() - late, {}), (f"{at}-late", late, {"timeouts": {"first-byte": "1s"}})]:
            records.append(provider(name, mock_of_sdks.port, [models[alias] for alias in offered], **record, **more))
            aliases.update({alias: {"order": "listed", "candidates": [f"{name}/{models[alias]}"]} for alias in offered})
    records.append(provider("abroad", mock_of_sdks.port, ["mock-echo"], country="US"))
    aliases["abroad"] = {"order": "listed", "candidates": ["abroad/mock-echo"]}
    (folder / "mock.key").write_text("key-of-the-mock")
    (folder / "mock.key").chmod(0o600)
    running = Server(
        folder, register(records, aliases, roles={"app": {}, "clerk": {"networks": ["192.0.2.0/24"]}}),
        f"loops: 1\ncredentials: {{mock: 'file:{folder}/mock.key'}}").start()
    yield running
    assert running.stop() == 0, running.log()


@pytest.fixture(scope="module")
def keys(server):
    """As the cases call them: with nothing in its way, with a rule, with a rate, with nothing to spend."""
    return {"plain": server.key(), "elsewhere": server.key(role="clerk"), "hurried": server.key(requests_per_minute=1),
            "broke": server.key(tokens_per_day=0)}


@pytest.fixture(scope="module")
def results(server, keys, mock_of_sdks, request):
    """What came of each case; a script runs when the first of its tests asks, with the cases that this session wants."""
    done = {}

    def result(sdk, at, case):
        if sdk not in done:
            wanted = {}
            for item in request.session.items:
                if item.path == pathlib.Path(__file__) and item.callspec.params["sdk"] == sdk:
                    wanted.setdefault(item.callspec.params["at"], []).append(item.callspec.params["case"])
            done[sdk] = run(sdk, [
                {"endpoint": server.info["endpoint"], "keys": keys, "provider": at, "run": sdk,
                 "mock": f"http://127.0.0.1:{mock_of_sdks.port}", "cases": cases,
                 "bytewise": (sdk, at) in BYTEWISE} for at, cases in wanted.items()], server)
        return done[sdk][at][case]

    return result


def run(sdk, jobs, server):
    # Nothing of this machine's settings reaches the library.
    environment = {"PATH": os.environ["PATH"], "HOME": str(server.folder), "PYTHONPATH": f"{MANY_CLIENTS}:{SDKS / sdk}", "LANG": "C.UTF-8"}
    process = subprocess.run(
        [sys.executable, str(script(sdk))], input=json.dumps(jobs), capture_output=True, text=True, env=environment, timeout=600)
    assert process.returncode == 0, process.stderr[-4000:]
    return json.loads(process.stdout.splitlines()[-1])


@pytest.mark.parametrize("sdk, at, case", [
    pytest.param(sdk, at, case, id=f"{sdk}-at-{at}-{case}", marks=pytest.mark.xdist_group(sdk))
    for sdk, where in SCRIPTED.items() for at in where for case in cases(sdk, at)])
def test_library(results, sdk, at, case):
    if failure := results(sdk, at, case):
        pytest.fail(f"{sdk} before {at}:\n{failure}", pytrace=False)
