"""Any client's dialect to any provider's, through the real binaries: the scripted provider is strict about what it is sent.

The official libraries have tests of their own (`test_sdks.py`); here bytes are looked at.
"""

import json
import subprocess

import pytest
import requests
from conftest import BIN, Mock, Server, metric, provider, register, settles

KEY_ID, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
MAIL = "@".join(["anna.muster", "example.ch"])
TEXT = f"Bitte an {MAIL} schreiben: \"Grüezi\"\n\\ und 🙂, danke."
SCRIPTS = ["mock-echo", "mock-thinking", "mock-tools", "mock-refusal", "mock-error-429", "mock-cut-stream"]
#: Path behind the port, and the adapter that speaks there.
PROVIDERS = {
    "chat": ("openai", "/strict/v1", "key"), "vllm": ("vllm", "/vllm/v1", "key"), "mistral": ("mistral", "/mistral/v1", "key"),
    "azure": ("azure", "/openai/v1", "key"), "azure-old": ("azure", "/openai", "key"),
    "claude": ("anthropic", "/v1", "key"), "gemini": ("gemini", "/v1beta", "key"), "bedrock": ("bedrock", "", "aws"),
}


class SigningMock(Mock):
    """Checks the signatures of requests to Bedrock."""

    def start(self):
        self.process = subprocess.Popen(
            [str(BIN / "torhaus-mock"), "--port", "0", "--port-file", str(self.port_file), "--aws-key", f"{KEY_ID}:{SECRET}"],
            stdout=subprocess.DEVNULL)
        assert settles(lambda: self.port_file.exists() and self.port_file.read_text().strip().isdigit(), 30)
        self.port = int(self.port_file.read_text())
        return self


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    mock = SigningMock(tmp_path_factory.mktemp("signing-mock")).start()
    folder = tmp_path_factory.mktemp("dialects")
    records, aliases = [], {}
    for name, (adapter, path, credential) in PROVIDERS.items():
        record = provider(name, mock.port, [], adapter=adapter, endpoint=f"http://127.0.0.1:{mock.port}{path}", credential=credential)
        price = {"version": "1", "currency": "EUR", "input": "0.25", "output": "2.00"}
        record["models"] = [{"id": script, "max-output": "16384", "price": price} for script in SCRIPTS]
        if name == "azure-old":
            record["api-version"] = "2024-10-21"
        if name == "azure":
            record["responses"] = "false"
        if name == "chat":
            record["responses"] = "false"
        if name == "bedrock":
            record["region"] = "eu-central-1"
        if name == "mistral":
            record["deny-fields"] = ["user", "logit_bias", "logprobs", "top_logprobs", "store", "metadata", "service_tier",
                                     "stream_options"]
        records.append(record)
        for script in SCRIPTS:
            aliases[f"{name}.{script}"] = {"candidates": [f"{name}/{script}"]}
    responses = provider("responses", mock.port, ["mock-echo"], adapter="openai", credential="key")
    records.append(responses)
    aliases["responses.mock-echo"] = {"candidates": ["responses/mock-echo"]}
    secrets = {}
    for name, text in {"key": "sk-test-1234567890", "aws": f"{KEY_ID}:{SECRET}"}.items():
        file = folder / f"{name}.key"
        file.write_text(text + "\n")
        file.chmod(0o600)
        secrets[name] = f"file:{file}"
    server = Server(folder, register(records, aliases), f"loops: 1\ncredentials: {json.dumps(secrets)}").start()
    server.mock = mock
    yield server
    code = server.stop()
    mock.stop()
    assert code == 0, server.log()


def ask(house, route, model, stream=False, text=TEXT, **more):
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


def events(answer):
    """The data of each event, and that `event:` says what the data's type says."""
    found = []
    for block in answer.content.decode().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
        if "data" not in lines or lines["data"] == "[DONE]":
            continue
        data = json.loads(lines["data"])
        if "event" in lines:
            assert lines["event"] == data["type"]
        found.append(data)
    return found


def texts(route, answer, stream):
    if route == "chat":
        if stream:
            return "".join(choice["delta"].get("content") or "" for event in events(answer) for choice in event["choices"])
        return answer.json()["choices"][0]["message"]["content"]
    if route == "messages":
        if stream:
            return "".join(event["delta"].get("text", "") for event in events(answer) if event["type"] == "content_block_delta")
        return "".join(block.get("text", "") for block in answer.json()["content"])
    if stream:
        return "".join(event["delta"] for event in events(answer) if event["type"] == "response.output_text.delta")
    return "".join(part["text"] for item in answer.json()["output"] if item["type"] == "message" for part in item["content"])


WAYS = [(route, name) for route in ("chat", "responses", "messages") for name in PROVIDERS] + [("responses", "responses")]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("route,name", WAYS)
def test_what_is_named_does_not_leave_and_comes_back(house, route, name, stream):
    house.mock.reset()
    script = "[[mock chunk=1;split=7]]" if stream else ""
    answer = ask(house, route, f"{name}.mock-echo", stream, script + TEXT)
    assert answer.status_code == 200, answer.text
    assert texts(route, answer, stream) == TEXT
    report = house.mock.report()
    assert MAIL not in report and "[EMAIL_" in report
    bill = house.mock.bill()
    assert bill["requests"] == 1, bill


@pytest.mark.parametrize("route,name", WAYS[:-1])
def test_calls_of_tools_keep_their_arguments(house, route, name):
    schema = {"type": "object", "properties": {"text": {"type": "string"}}}
    tools = {
        "chat": [{"type": "function", "function": {"name": "lookup", "parameters": schema}}],
        "responses": [{"type": "function", "name": "lookup", "parameters": schema}],
        "messages": [{"name": "lookup", "input_schema": schema}],
    }[route]
    for stream in (False, True):
        answer = ask(house, route, f"{name}.mock-tools", stream, tools=tools)
        assert answer.status_code == 200, answer.text
        if route == "chat" and not stream:
            calls = [json.loads(call["function"]["arguments"]) for call in answer.json()["choices"][0]["message"]["tool_calls"]]
        elif route == "messages" and not stream:
            calls = [block["input"] for block in answer.json()["content"] if block["type"] == "tool_use"]
        elif route == "responses" and not stream:
            calls = [json.loads(item["arguments"]) for item in answer.json()["output"] if item["type"] == "function_call"]
        elif route == "chat":
            parts = {}
            for event in events(answer):
                for choice in event["choices"]:
                    for call in choice["delta"].get("tool_calls") or []:
                        parts[call["index"]] = parts.get(call["index"], "") + call["function"].get("arguments", "")
            calls = [json.loads(part) for part in parts.values()]
        elif route == "messages":
            parts = {}
            for event in events(answer):
                if event["type"] == "content_block_delta" and event["delta"]["type"] == "input_json_delta":
                    parts[event["index"]] = parts.get(event["index"], "") + event["delta"]["partial_json"]
            calls = [json.loads(part) for part in parts.values()]
        else:
            calls = [json.loads(event["arguments"]) for event in events(answer)
                     if event["type"] == "response.function_call_arguments.done"]
        assert len(calls) == 2 and all(call == {"text": TEXT} for call in calls), calls


@pytest.mark.parametrize("route,name", WAYS[:-1])
def test_a_cut_provider_is_an_error_in_the_clients_dialect(house, route, name):
    content = {"input": TEXT * 4} if route == "responses" else {"messages": [{"role": "user", "content": TEXT * 4}]}
    limit = {"max_tokens": 500} if route == "messages" else {}
    with requests.post(
        f"{house.info['endpoint']}/v1/{'chat/completions' if route == 'chat' else route}", stream=True, timeout=30,
        headers={"Authorization": f"Bearer {house.key()}", "anthropic-version": "2023-06-01"},
        json={"model": f"{name}.mock-cut-stream", "stream": True, **content, **limit},
    ) as answer:
        assert answer.status_code == 200
        received = b""
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            for piece in answer.iter_content(None):
                received += piece
    text = received.decode()
    assert "upstream_cut" in text or "api_error" in text
    for last in ("[DONE]", "message_stop", "response.completed"):
        assert last not in text
    assert settles(lambda: metric(house, "torhaus_reservations_open") == 0)


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_providers_limit_is_told_as_ours(house, name):
    for route, kind in (("chat", "upstream_rate_limited"), ("messages", "rate_limit_error"), ("responses", "upstream_rate_limited")):
        answer = ask(house, route, f"{name}.mock-error-429")
        assert answer.status_code == 429 and kind in answer.text
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert not any(header.startswith("x-goog") or header == "server" for header in map(str.lower, answer.headers))


def test_a_wrong_signature_is_our_fault_not_the_clients(tmp_path, house):
    record = provider("bedrock", house.mock.port, ["mock-echo"], adapter="bedrock",
                      endpoint=f"http://127.0.0.1:{house.mock.port}", credential="aws", region="eu-central-1")
    file = tmp_path / "aws.key"
    file.write_text(f"{KEY_ID}:{SECRET}x\n")
    file.chmod(0o600)
    server = Server(tmp_path, register([record], {"m": {"candidates": ["bedrock/mock-echo"]}}),
                    f"loops: 1\ncredentials: {json.dumps({'aws': f'file:{file}'})}").start()
    try:
        answer = ask(server, "chat", "m")
        assert answer.status_code == 502 and answer.json()["error"]["code"] == "upstream_auth", answer.text
        assert answer.headers["x-should-retry"] == "false" and "AKID" not in answer.text
    finally:
        assert server.stop() == 0
