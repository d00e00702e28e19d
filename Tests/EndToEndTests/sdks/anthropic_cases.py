"""The official `anthropic` library, each major version: messages, streams, tools, tokens, models."""

import anthropic
import harness
from harness import PROMPT, Sleeps, hidden, raises, restored

TOOLS = [
    {"name": name, "description": "Sucht", "input_schema": {
        "type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"], "additionalProperties": False}}
    for name in ["suche", "zeige"]
]
PERSON = '{"name":"Grüezi","age":7}'
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
          "required": ["name", "age"], "additionalProperties": False}


def client(s, **more):
    return anthropic.Anthropic(**{"api_key": s.key, "base_url": s.endpoint, "max_retries": 0, **more})


def ask(text):
    return [{"role": "user", "content": text}]


def case_message(s):
    answer = client(s).messages.create(model=s.model(), max_tokens=100, messages=ask("Grüezi"), system="Sei kurz.")
    assert answer.type == "message" and answer.role == "assistant" and answer.model == s.model() and answer.id
    assert [block.text for block in answer.content] == ["Grüezi"] and answer.stop_reason == "end_turn"
    assert answer.usage.output_tokens == 2 and answer.usage.input_tokens > 0
    assert answer._request_id.startswith("req_")


async def case_message_async(s):
    async with anthropic.AsyncAnthropic(api_key=s.key, base_url=s.endpoint, max_retries=0) as asking:
        answer = await asking.messages.create(model=s.model(), max_tokens=100, messages=ask("Grüezi"))
        assert answer.content[0].text == "Grüezi"
        async with asking.messages.stream(model=s.model(), max_tokens=100, messages=ask("eins zwei")) as stream:
            assert "".join([piece async for piece in stream.text_stream]) == "eins zwei"


def case_bearer(s):
    """Since 2.0 the key goes as Bearer, before as x-api-key; ANTHROPIC_AUTH_TOKEN is always Bearer."""
    answer = client(s, api_key=None, auth_token=s.key).messages.create(
        model=s.model(), max_tokens=100, messages=ask("Grüezi"))
    assert answer.content[0].text == "Grüezi"


def case_stream(s):
    question = "eins zwei drei vier fünf sechs sieben"
    with client(s).messages.stream(model=s.model(), max_tokens=100, messages=ask(question)) as stream:
        pieces = list(stream.text_stream)
        final = stream.get_final_message()
    assert "".join(pieces) == question and len(pieces) > 2
    assert final.content[0].text == question and final.stop_reason == "end_turn" and final.model == s.model()
    assert final.usage.output_tokens == 10


def case_stream_events(s):
    events = list(client(s).messages.create(model=s.model(), max_tokens=100, messages=ask("eins zwei drei vier"), stream=True))
    types = [event.type for event in events if event.type != "ping"]
    assert types[:2] == ["message_start", "content_block_start"] and types.count("message_start") == 1
    assert types[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert set(types[2:-3]) == {"content_block_delta"}
    assert events[0].message.usage.input_tokens > 0


def used(content, count):
    calls = [block for block in content if block.type == "tool_use"]
    assert [call.name for call in calls] == ["suche", "zeige"][:count]
    assert [call.input for call in calls] == [{"text": 'mit "Anführung"'}] * count
    assert len({call.id for call in calls}) == count
    return calls


def second_turn(s, question, content, calls):
    blocks = [block.to_dict() for block in content]
    answer = client(s).messages.create(model=s.model("tool-once"), max_tokens=100, tools=TOOLS, messages=[
        *ask(question), {"role": "assistant", "content": blocks},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": call.id, "content": f"Ergebnis {n}"} for n, call in enumerate(calls)]}])
    assert answer.stop_reason == "end_turn"
    for number in range(len(calls)):
        assert f"Ergebnis {number}" in answer.content[0].text


def case_tools(s):
    question = '[[mock calls=2]]mit "Anführung"'
    answer = client(s).messages.create(model=s.model("tool-once"), max_tokens=100, messages=ask(question), tools=TOOLS)
    assert answer.stop_reason == "tool_use"
    second_turn(s, question, answer.content, used(answer.content, 2))


def case_tools_stream(s):
    question = '[[mock calls=2;chunk=1]]mit "Anführung"'
    with client(s).messages.stream(model=s.model("tool-once"), max_tokens=100, messages=ask(question), tools=TOOLS) as stream:
        final = stream.get_final_message()
    assert final.stop_reason == "tool_use"
    second_turn(s, question, final.content, used(final.content, 2))


def case_tool_choice(s):
    for choice in [{"type": "tool", "name": "suche"}, {"type": "any", "disable_parallel_tool_use": True}]:
        answer = client(s).messages.create(
            model=s.model("tool-once"), max_tokens=100, messages=ask('mit "Anführung"'), tools=TOOLS, tool_choice=choice)
        used(answer.content, 1)


def case_structured(s):
    answer = client(s).messages.create(
        model=s.model(), max_tokens=100, messages=ask(PERSON),
        extra_body={"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}})
    assert answer.content[0].text == PERSON


def case_length(s):
    answer = client(s).messages.create(model=s.model(), max_tokens=2, messages=ask("eins zwei drei vier"))
    assert answer.stop_reason == "max_tokens" and answer.content[0].text == "eins zwe" and answer.usage.output_tokens == 2
    with client(s).messages.stream(model=s.model(), max_tokens=2, messages=ask("eins zwei drei vier")) as stream:
        assert stream.get_final_message().stop_reason == "max_tokens"


def case_cached(s):
    """19 bytes are 5 tokens, 2 of them from a cache: outside of `input_tokens` here, whatever the provider's way of counting."""
    usage = client(s).messages.create(model=s.model("cached"), max_tokens=100, messages=ask("eins zwei drei vier")).usage
    assert usage.cache_read_input_tokens == 2
    assert usage.input_tokens + usage.cache_read_input_tokens + (usage.cache_creation_input_tokens or 0) == 5


def case_thinking(s):
    """Thinking comes with its signature and goes back with it; what is personal in it leaves again as it came."""
    turn = {"model": s.model("thinking"), "max_tokens": 2000, "thinking": {"type": "enabled", "budget_tokens": 1024}}
    s.forget()
    for how in ["", "[[mock chunk=1;split=1]]"]:
        with client(s).messages.stream(messages=ask(how + PROMPT), **turn) as stream:
            content = stream.get_final_message().content
        assert [block.type for block in content] == ["thinking", "text"]
        restored(content[0].thinking.removeprefix("Considering: "))
        restored(content[1].text)
        answer = client(s).messages.create(messages=[
            *ask(how + PROMPT), {"role": "assistant", "content": [block.to_dict() for block in content]}, *ask("weiter")], **turn)
        assert answer.content[-1].text == "weiter"
    hidden(s.seen())


def case_refusal(s):
    answer = client(s).messages.create(model=s.model("blocked"), max_tokens=100, messages=ask("nein"))
    assert answer.stop_reason == "refusal"


def case_count_tokens(s):
    short = client(s).messages.count_tokens(model=s.model(), messages=ask("Grüezi"))
    long = client(s).messages.count_tokens(model=s.model(), messages=ask("Grüezi " * 100), system="Sei kurz.", tools=TOOLS)
    assert 0 < short.input_tokens < long.input_tokens


def case_models(s):
    names = [model.id for model in client(s).models.list()]
    assert s.model() in names
    assert client(s).models.retrieve(s.model()).type == "model"
    with raises(anthropic.NotFoundError):
        client(s).models.retrieve("gibt-es-nicht")


def case_beta(s):
    """`?beta=true` and a header of betas: as Claude Code asks."""
    answer = client(s).beta.messages.create(
        model=s.model(), max_tokens=100, messages=ask("Grüezi"), betas=["interleaved-thinking-2025-05-14"])
    assert answer.content[0].text == "Grüezi"


def case_private(s):
    s.forget()
    answer = client(s).messages.create(model=s.model(), max_tokens=1000, messages=ask(PROMPT), system=f"An {harness.PERSONAL[0]}")
    restored(answer.content[0].text)
    for how in ["chunk=1", "chunk=1;split=1", "chunk=7;split=1"]:
        with client(s).messages.stream(model=s.model(), max_tokens=1000, messages=ask(f"[[mock {how}]]{PROMPT}")) as stream:
            restored("".join(stream.text_stream))
    hidden(s.seen())


def case_private_tools(s):
    s.forget()
    answer = client(s).messages.create(model=s.model("tool-once"), max_tokens=1000, messages=ask(PROMPT), tools=TOOLS)
    restored(answer.content[0].input["text"])
    with client(s).messages.stream(
            model=s.model("tool-once"), max_tokens=1000, tools=TOOLS, messages=ask(f"[[mock chunk=1;split=1]]{PROMPT}")) as stream:
        content = stream.get_final_message().content
    restored(content[0].input["text"])
    client(s).messages.create(model=s.model("tool-once"), max_tokens=1000, tools=TOOLS, messages=[
        *ask("los"), {"role": "assistant", "content": [
            {"type": "tool_use", "id": content[0].id, "name": "suche", "input": {"text": harness.PERSONAL[1]}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": content[0].id, "content": [
            {"type": "text", "text": harness.PERSONAL[2]}]}]}])
    hidden(s.seen())


def case_cut(s):
    """A stream that broke off is never a normal end."""
    with raises(Exception) as caught:
        with client(s).messages.stream(model=s.model("cut"), max_tokens=1000, messages=ask("hallo " * 50)) as stream:
            stream.get_final_message()
    assert not isinstance(caught.value, AssertionError), caught.value


def case_stream_error(s):
    with raises(anthropic.APIError) as caught:
        with client(s).messages.stream(model=s.model("stream-error"), max_tokens=1000, messages=ask("hallo " * 50)) as stream:
            stream.get_final_message()
    assert "req_" in str(caught.value), caught.value


def counting(s, **more):
    made, sent = client(s, **more), []
    real = made._client.send

    def send(request, *rest, **named):
        sent.append(request)
        return real(request, *rest, **named)

    made._client.send = send
    return made, sent


ERRORS = {
    # Status of the provider: class, type, whether a retry helps.
    400: (anthropic.BadRequestError, "invalid_request_error", False),
    401: (anthropic.InternalServerError, "api_error", False),
    404: (anthropic.InternalServerError, "api_error", None),
    429: (anthropic.RateLimitError, "rate_limit_error", True),
    500: (anthropic.InternalServerError, "api_error", True),
    503: (anthropic.InternalServerError, "api_error", True),
    529: (anthropic.InternalServerError, None, True),
}


def case_errors(s):
    for status, (kind, what, _) in ERRORS.items():
        with raises(anthropic.APIStatusError) as caught:
            client(s).messages.create(model=s.failing(status), max_tokens=100, messages=ask("x"))
        error = caught.value
        assert isinstance(error, kind) or status == 529, (status, type(error))
        assert error.body["type"] == "error" and what in (None, error.body["error"]["type"]), (status, error.body)
        assert error.request_id.startswith("req_") and error.body["request_id"] == error.request_id, (status, error.body)
        assert error.request_id in error.body["error"]["message"], (status, error.body)
        assert "sk-" not in str(error) and "127.0.0.1" not in str(error), (status, error)


def case_errors_of_ours(s):
    with raises(anthropic.AuthenticationError) as caught:
        client(s, api_key="th_nobody").messages.create(model=s.model(), max_tokens=9, messages=ask("x"))
    assert caught.value.body["error"]["type"] == "authentication_error"
    with raises(anthropic.NotFoundError) as caught:
        client(s).messages.create(model="gibt-es-nicht", max_tokens=9, messages=ask("x"))
    assert caught.value.body["error"]["type"] == "not_found_error"
    with raises(anthropic.PermissionDeniedError) as caught:
        client(s).messages.create(model="abroad", max_tokens=9, messages=ask("x"))
    assert caught.value.body["error"]["type"] == "permission_error"
    with raises(anthropic.BadRequestError):
        client(s).messages.create(model=s.model(), max_tokens=9, messages=[])
    with raises(anthropic.BadRequestError):
        client(s).messages.create(
            model=s.model(), max_tokens=9, messages=ask("x"), extra_headers={"anthropic-version": "2020-01-01"})


def case_retries(s):
    for status, (_, _, helps) in ERRORS.items():
        if helps is None:
            continue
        asking, sent = counting(s, max_retries=2)
        with Sleeps() as sleeps, raises(anthropic.APIStatusError) as caught:
            asking.messages.create(model=s.failing(status, "retries"), max_tokens=100, messages=ask("x"))
        assert len(sent) == (3 if helps else 1), (status, len(sent))
        if helps:
            assert 1 <= int(caught.value.response.headers["retry-after"]) <= 60
            assert all(1 <= wait <= 60 for wait in sleeps) and len(sleeps) == 2, (status, sleeps)


if __name__ == "__main__":
    harness.run(globals())
