"""The official `anthropic` library, each major version: messages, streams, tools, tokens, models.

Each case is also run with the asynchronous client.
"""


import anthropic
import harness
from harness import PROMPT, Sleeps, hidden, raises, restored, waited_as_told, watched

TOOLS = [
    {"name": name, "description": "Sucht", "input_schema": {
        "type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"], "additionalProperties": False}}
    for name in ["suche", "zeige"]
]
PERSON = '{"name":"Grüezi","age":7}'
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
          "required": ["name", "age"], "additionalProperties": False}


def client(s, **more):
    settings = {"api_key": s.key, "base_url": s.endpoint, "max_retries": 0, **more}
    return s.blocking(anthropic.Anthropic, anthropic.AsyncAnthropic, **settings)


def ask(text):
    return [{"role": "user", "content": text}]


def case_message(s):
    answer = client(s).messages.create(model=s.model(), max_tokens=100, messages=ask("Grüezi"), system="Sei kurz.")
    assert answer.type == "message" and answer.role == "assistant" and answer.model == s.model() and answer.id
    assert [block.text for block in answer.content] == ["Grüezi"] and answer.stop_reason == "end_turn"
    assert answer.usage.output_tokens == 2 and answer.usage.input_tokens > 0
    assert answer._request_id.startswith("req_")


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
    for how in ["", f"[[mock {s.cuts[-1]}]]"]:
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
    if s.provider == "azure":  # it answers with an error
        with raises(anthropic.BadRequestError) as caught:
            client(s).messages.create(model=s.model("blocked"), max_tokens=100, messages=ask("nein"))
        assert caught.value.body["error"]["type"] == "invalid_request_error"
        return
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
    for how in s.cuts:
        with client(s).messages.stream(model=s.model(), max_tokens=1000, messages=ask(f"[[mock {how}]]{PROMPT}")) as stream:
            restored("".join(stream.text_stream))
    hidden(s.seen())


def case_private_tools(s):
    s.forget()
    answer = client(s).messages.create(model=s.model("tool-once"), max_tokens=1000, messages=ask(PROMPT), tools=TOOLS)
    restored(answer.content[0].input["text"])
    with client(s).messages.stream(
            model=s.model("tool-once"), max_tokens=1000, tools=TOOLS, messages=ask(f"[[mock {s.cuts[-1]}]]{PROMPT}")) as stream:
        content = stream.get_final_message().content
    restored(content[0].input["text"])
    client(s).messages.create(model=s.model("tool-once"), max_tokens=1000, tools=TOOLS, messages=[
        *ask("los"), {"role": "assistant", "content": [
            {"type": "tool_use", "id": content[0].id, "name": "suche", "input": {"text": harness.PERSONAL[1]}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": content[0].id, "content": [
            {"type": "text", "text": harness.PERSONAL[2]}]}]}])
    hidden(s.seen())


def fails_within(s, fault, code):
    """The class that the library has for an error event, and no end that could be taken for a normal one."""
    turn = {"model": s.failing(fault), "max_tokens": 1000, "messages": ask("hallo " * 50)}
    types = []

    def events():
        for event in client(s).messages.create(stream=True, **turn):
            types.append(event.type)

    def helper():
        with client(s).messages.stream(**turn) as stream:
            stream.get_final_message()

    for way in [events, helper]:
        with raises(anthropic.APIStatusError) as caught:
            way()
        error = caught.value
        # The status of the answer is 200, so it is the class without one.
        assert type(error) is anthropic.APIStatusError and error.body["error"]["type"] == "api_error", (way, error)
        assert code in str(error) and error.body["request_id"] == error.request_id, (way, error)
    assert types and "message_stop" not in types and "message_delta" not in types, types


def case_cut(s):
    fails_within(s, "cut-stream", "broke off")


def case_stream_error(s):
    fails_within(s, "stream-error", "could not answer")


# Since 2.0 there is a class for it.
TIMEOUT = getattr(anthropic, "GatewayTimeoutError", anthropic.InternalServerError)
ERRORS = {
    # What the provider does: class, status and type of ours, whether the library tries again.
    "error-400": (anthropic.BadRequestError, 400, "invalid_request_error", False),
    "error-401": (anthropic.InternalServerError, 502, "api_error", False),
    "error-402": (anthropic.InternalServerError, 502, "api_error", False),
    "error-403": (anthropic.InternalServerError, 502, "api_error", False),
    "error-404": (anthropic.InternalServerError, 502, "api_error", True),
    "error-408": (TIMEOUT, 504, "timeout_error", True),
    "error-413": (anthropic.BadRequestError, 400, "invalid_request_error", False),
    "error-422": (anthropic.BadRequestError, 400, "invalid_request_error", False),
    "error-429": (anthropic.RateLimitError, 429, "rate_limit_error", True),
    "error-500": (anthropic.InternalServerError, 502, "api_error", True),
    "error-503": (anthropic.InternalServerError, 502, "api_error", True),
    "error-504": (TIMEOUT, 504, "timeout_error", True),
    "error-529": (anthropic.InternalServerError, 502, "api_error", True),
    "reset": (anthropic.InternalServerError, 502, "api_error", True),
    "cut-plain": (anthropic.InternalServerError, 502, "api_error", True),
    "hang": (TIMEOUT, 504, "timeout_error", True),
}


def case_errors(s):
    for fault, (kind, status, what, helps) in ERRORS.items():
        with raises(anthropic.APIStatusError) as caught:
            client(s).messages.create(model=s.failing(fault), max_tokens=100, messages=ask("x"))
        error, told = caught.value, (fault, caught.value)
        assert type(error) is kind and error.status_code == status, told
        assert error.body["type"] == "error" and error.body["error"]["type"] == what, told
        assert error.request_id.startswith("req_") and error.body["request_id"] == error.request_id, told
        assert error.request_id in error.body["error"]["message"], told
        assert "sk-" not in str(error) and "127.0.0.1" not in str(error), told
        assert error.response.headers.get("x-should-retry") == ("false" if status > 400 and not helps else None), told
        assert ("retry-after" in error.response.headers) == helps, told


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
    with raises(anthropic.PermissionDeniedError) as caught:
        client(s, api_key=s.keys["elsewhere"]).messages.create(model=s.model(), max_tokens=9, messages=ask("x"))
    assert caught.value.body["error"]["type"] == "permission_error" and "roles.clerk.networks" in str(caught.value)
    with raises(anthropic.BadRequestError):
        client(s).messages.create(model=s.model(), max_tokens=9, messages=[])
    with raises(anthropic.BadRequestError):
        client(s).messages.create(
            model=s.model(), max_tokens=9, messages=ask("x"), extra_headers={"anthropic-version": "2020-01-01"})


def patient(s, **more):
    """A client as it is without settings: it tries twice more."""
    return client(s, max_retries=2, **more)


def case_retries(s):
    """As the library does them: none where the gateway says that none helps, else two, after as long as it says."""
    for fault in ["error-400", "error-401", "error-429", "error-500", "error-504", "cut-plain"]:
        helps = ERRORS[fault][3]
        s.forget()
        with Sleeps() as sleeps, watched(patient(s)) as answers, raises(anthropic.APIStatusError):
            patient(s).messages.create(model=s.failing(fault, "retries"), max_tokens=100, messages=ask("x"))
        assert len(answers) == (3 if helps else 1), (fault, answers)
        # A provider that asks to be left alone is, whoever tries.
        assert len(s.seen()) == (1 if fault == "error-429" else len(answers)), (fault, s.seen())
        waited_as_told(fault, sleeps, answers)


def case_retry_succeeds(s):
    s.forget()
    with Sleeps() as sleeps, watched(patient(s)) as answers:
        answer = patient(s).messages.create(model=s.failing("once"), max_tokens=100, messages=ask("Grüezi"))
    assert answer.content[0].text == "Grüezi"
    assert [answer.status_code for answer in answers] == [502, 200] and len(s.seen()) == 2
    waited_as_told("once", sleeps, answers)


def case_retries_and_limits(s):
    """A rate is waited for; a budget that is used up is not."""
    hurried = client(s, api_key=s.keys["hurried"])
    harness.use_up_the_minute(
        lambda: hurried.messages.create(model=s.model(), max_tokens=9, messages=ask("x")), anthropic.RateLimitError
    )
    s.forget()
    for key, count in [("hurried", 3), ("broke", 1)]:
        asking = patient(s, api_key=s.keys[key])
        with Sleeps() as sleeps, watched(asking) as answers, raises(anthropic.RateLimitError) as caught:
            asking.messages.create(model=s.model(), max_tokens=100, messages=ask("x"))
        assert caught.value.body["error"]["type"] == "rate_limit_error" and len(answers) == count, (key, caught.value, answers)
        assert [answer.headers.get("x-should-retry") for answer in answers] == [None if count > 1 else "false"] * count
        waited_as_told(key, sleeps, answers)
    assert not s.seen()


if __name__ == "__main__":
    harness.run(globals())
