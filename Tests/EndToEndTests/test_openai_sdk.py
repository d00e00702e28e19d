"""The official `openai` library against the real gateway: what an application sees."""

import json

import openai
import pytest


@pytest.fixture
def client(demo):
    return openai.OpenAI(api_key=demo.key(), base_url=demo.base_url, max_retries=0)


def ask(text):
    return [{"role": "user", "content": text}]


def test_chat(client):
    answer = client.chat.completions.create(model="mock-echo", messages=ask("Grüezi"))
    assert answer.choices[0].message.content == "Grüezi"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == "mock-echo"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0


def test_streaming_chat(client):
    pieces, reasons = [], []
    with client.chat.completions.create(model="mock-echo", messages=ask("eins zwei drei"), stream=True) as stream:
        for chunk in stream:
            assert chunk.usage is None
            for choice in chunk.choices:
                pieces.append(choice.delta.content or "")
                reasons.append(choice.finish_reason)
    assert "".join(pieces) == "eins zwei drei"
    assert reasons[-1] == "stop" and reasons.count("stop") == 1


def test_streaming_usage_comes_when_asked_for(client):
    usages = [
        chunk.usage
        for chunk in client.chat.completions.create(
            model="mock-echo", messages=ask("wie viel?"), stream=True, stream_options={"include_usage": True}
        )
        if chunk.usage
    ]
    assert len(usages) == 1 and usages[0].completion_tokens > 0


@pytest.mark.parametrize("stream", [False, True])
def test_tool_call(client, stream):
    tools = [{"type": "function", "function": {"name": "suche", "parameters": {"type": "object", "properties": {}}}}]
    answer = client.chat.completions.create(
        model="mock-tool", messages=ask('mit "Anführung"'), tools=tools, stream=stream
    )
    if stream:
        name, arguments = "", ""
        for chunk in answer:
            for choice in chunk.choices:
                for call in choice.delta.tool_calls or []:
                    name += call.function.name or ""
                    arguments += call.function.arguments or ""
    else:
        call = answer.choices[0].message.tool_calls[0]
        name, arguments = call.function.name, call.function.arguments
    assert name
    assert 'mit "Anführung"' in json.loads(arguments).values()


def test_embeddings(client):
    answer = client.embeddings.create(model="mock-embed", input=["eins", "zwei"])
    assert len(answer.data) == 2
    assert len(answer.data[0].embedding) > 0
    assert answer.data[0].embedding != answer.data[1].embedding


def test_model_list(client, demo):
    names = [model.id for model in client.models.list()]
    assert names == sorted(names)
    for name in names:
        assert client.models.retrieve(name).id == name
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("no-such-model")


def test_wrong_key_is_an_authentication_error(demo):
    stranger = openai.OpenAI(api_key=demo.key()[:-1] + "x", base_url=demo.base_url, max_retries=0)
    with pytest.raises(openai.AuthenticationError) as caught:
        stranger.chat.completions.create(model="mock-echo", messages=ask("hallo"))
    assert caught.value.code == "invalid_api_key"
    assert demo.key()[4:20] not in str(caught.value)


def test_exhausted_quota_is_a_rate_limit_error_with_retry_after(demo):
    key = demo.ctl("key", "create", "--tenant", "kanzlei-b", "--project", demo.tenant("kanzlei-b")["project"],
                   "--name", "knapp").stdout.strip()
    ids = json.loads(demo.ctl("key", "list", "--tenant", "kanzlei-b", "-o", "json").stdout)
    key_id = next(row["id"] for row in ids if row["name"] == "knapp")
    demo.ctl("quota", "set", "--tenant", "kanzlei-b", "--key", key_id, "--requests-per-minute", "2")
    client = openai.OpenAI(api_key=key, base_url=demo.base_url, max_retries=0)
    for _ in range(2):
        client.chat.completions.create(model="mock-echo", messages=ask("hallo"))
    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(model="mock-echo", messages=ask("hallo"))
    assert 1 <= int(caught.value.response.headers["retry-after"]) <= 60
    assert caught.value.code == "rate_limit_exceeded"


def test_upstream_errors_keep_their_meaning(client):
    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(model="mock-error-429", messages=ask("hallo"))
    assert caught.value.code == "upstream_rate_limited"
    with pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.create(model="mock-error-401", messages=ask("hallo"))
    assert caught.value.code == "upstream_auth"
    assert "sk-" not in str(caught.value)


def test_a_cut_stream_is_an_error_and_never_a_normal_end(client):
    with pytest.raises((openai.APIError, openai.APIConnectionError)):
        for _ in client.chat.completions.create(model="mock-cut-stream", messages=ask("hallo " * 50), stream=True):
            pass


def test_unknown_route_and_doubled_version(demo):
    doubled = openai.OpenAI(api_key=demo.key(), base_url=demo.base_url + "/v1", max_retries=0)
    with pytest.raises(openai.NotFoundError) as caught:
        doubled.chat.completions.create(model="mock-echo", messages=ask("hallo"))
    assert "twice" in str(caught.value)
