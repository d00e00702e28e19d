"""The official `openai` library, each major version: chat, Responses, embeddings, models, completions.

Each case is also run with the asynchronous client.
"""

import json

import harness
import openai
import pydantic
from harness import PROMPT, Sleeps, hidden, raises, restored, waited_as_told, watched

TOOLS = [
    {"type": "function", "function": {"name": name, "description": "Sucht", "parameters": {
        "type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"], "additionalProperties": False}}}
    for name in ["suche", "zeige"]
]
# The asynchronous helper of 1.x takes no others.
STRICT = [{"type": "function", "function": {**tool["function"], "strict": True}} for tool in TOOLS]
FLAT = [{"type": "function", "strict": False, **tool["function"]} for tool in TOOLS]
PERSON = '{"name":"Grüezi","age":7}'


class Person(pydantic.BaseModel):
    name: str
    age: int


def client(s, **more):
    settings = {"api_key": s.key, "base_url": s.base_url, "max_retries": 0, **more}
    return s.blocking(openai.OpenAI, openai.AsyncOpenAI, **settings)


def ask(text):
    return [{"role": "user", "content": text}]


def summed(usage):
    assert usage.prompt_tokens > 0 and usage.completion_tokens > 0
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


def case_chat(s):
    answer = client(s).chat.completions.create(model=s.model(), messages=ask("Grüezi"))
    assert answer.object == "chat.completion" and answer.model == s.model() and answer.id
    assert answer.choices[0].message.content == "Grüezi" and answer.choices[0].message.role == "assistant"
    assert answer.choices[0].finish_reason == "stop"
    assert answer._request_id.startswith("req_")
    # Two tokens of four bytes each way: seven bytes of UTF-8.
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (2, 2, 4)


def read(stream):
    pieces, reasons, usages, ids = [], [], [], set()
    for chunk in stream:
        if chunk.choices or chunk.usage:  # Azure begins with a chunk that has neither, and no id
            ids.add((chunk.id, chunk.model, chunk.created))
        usages += [chunk.usage] if chunk.usage else []
        for choice in chunk.choices:
            pieces.append(choice.delta.content or "")
            reasons += [choice.finish_reason] if choice.finish_reason else []
    assert len(ids) == 1, ids
    return "".join(pieces), reasons, usages, len(pieces)


def case_chat_stream(s):
    text, reasons, usages, pieces = read(
        client(s).chat.completions.create(model=s.model(), messages=ask("eins zwei drei vier fünf sechs sieben"), stream=True))
    assert text == "eins zwei drei vier fünf sechs sieben" and reasons == ["stop"] and not usages and pieces > 2


def case_chat_stream_usage(s):
    text, reasons, usages, _ = read(client(s).chat.completions.create(
        model=s.model(), messages=ask("wie viel?"), stream=True, stream_options={"include_usage": True}))
    assert text == "wie viel?" and reasons == ["stop"] and len(usages) == 1
    summed(usages[0])


def case_chat_stream_helper(s):
    with client(s).chat.completions.stream(model=s.model(), messages=ask(PERSON), response_format=Person) as stream:
        for _ in stream:
            pass
        assert stream.get_final_completion().choices[0].message.parsed == Person(name="Grüezi", age=7)


def called(calls, count):
    assert [call.function.name for call in calls] == ["suche", "zeige"][:count]
    assert [json.loads(call.function.arguments) for call in calls] == [{"text": 'mit "Anführung"'}] * count
    assert len({call.id for call in calls}) == count


def second_turn(s, calls, question):
    answer = client(s).chat.completions.create(model=s.model("tool-once"), tools=TOOLS, messages=[
        *ask(question),
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": call.id, "type": "function", "function": {"name": call.function.name, "arguments": call.function.arguments}}
            for call in calls]},
        *[{"role": "tool", "tool_call_id": call.id, "content": f"Ergebnis {n}"} for n, call in enumerate(calls)]])
    assert answer.choices[0].finish_reason == "stop"
    for number in range(len(calls)):
        assert f"Ergebnis {number}" in answer.choices[0].message.content


def case_chat_tools(s):
    question = '[[mock calls=2]]mit "Anführung"'
    answer = client(s).chat.completions.create(model=s.model("tool-once"), messages=ask(question), tools=TOOLS)
    assert answer.choices[0].finish_reason == "tool_calls"
    called(answer.choices[0].message.tool_calls, 2)
    second_turn(s, answer.choices[0].message.tool_calls, question)


def case_chat_tools_stream(s):
    question = '[[mock calls=2;chunk=1]]mit "Anführung"'
    with client(s).chat.completions.stream(
            model=s.model("tool-once"), messages=ask(question), tools=STRICT if s.is_async else TOOLS) as stream:
        for _ in stream:
            pass
        message = stream.get_final_completion().choices[0].message
    called(message.tool_calls, 2)
    second_turn(s, message.tool_calls, question)


def case_chat_tool_choice(s):
    answer = client(s).chat.completions.create(
        model=s.model("tool-once"), messages=ask('mit "Anführung"'), tools=TOOLS, parallel_tool_calls=False,
        tool_choice={"type": "function", "function": {"name": "suche"}})
    called(answer.choices[0].message.tool_calls, 1)


def case_chat_structured(s):
    answer = client(s).chat.completions.parse(model=s.model(), messages=ask(PERSON), response_format=Person)
    assert answer.choices[0].message.parsed == Person(name="Grüezi", age=7)


def case_chat_length(s):
    for limit in ["max_tokens", "max_completion_tokens"]:
        answer = client(s).chat.completions.create(model=s.model(), messages=ask("eins zwei drei vier"), **{limit: 2})
        assert answer.choices[0].finish_reason == "length" and answer.choices[0].message.content == "eins zwe"
        assert answer.usage.completion_tokens == 2
    text, reasons, _, _ = read(client(s).chat.completions.create(
        model=s.model(), messages=ask("eins zwei drei vier"), max_completion_tokens=2, stream=True))
    assert (text, reasons) == ("eins zwe", ["length"])


def case_cached(s):
    """19 bytes are 5 tokens, 2 of them from a cache: inside the prompt here, whatever the provider's way of counting."""
    answer = client(s).chat.completions.create(model=s.model("cached"), messages=ask("eins zwei drei vier"))
    assert answer.usage.prompt_tokens == 5 and answer.usage.prompt_tokens_details.cached_tokens == 2
    summed(answer.usage)
    answer = client(s).responses.create(model=s.model("cached"), input="eins zwei drei vier")
    assert answer.usage.input_tokens == 5 and answer.usage.input_tokens_details.cached_tokens == 2


def case_thinking_tools(s):
    """A signed call is only taken back with its signature; clients that drop it are helped."""
    first = client(s).chat.completions.create(model=s.model("thinking"), messages=ask("los"), tools=TOOLS)
    call = first.choices[0].message.tool_calls[0].to_dict()
    assert call["extra_content"]["google"]["thought_signature"]
    for carried in [call, {key: value for key, value in call.items() if key != "extra_content"}]:
        second = client(s).chat.completions.create(model=s.model("thinking"), tools=TOOLS, messages=[
            *ask("los"), {"role": "assistant", "content": None, "tool_calls": [carried]},
            {"role": "tool", "tool_call_id": call["id"], "content": "Ergebnis"}])
        assert "Ergebnis" in second.choices[0].message.content


def case_chat_blocked(s):
    if s.provider == "azure":  # it answers with an error
        with raises(openai.BadRequestError) as caught:
            client(s).chat.completions.create(model=s.model("blocked"), messages=ask("nein"))
        assert caught.value.code == "content_policy_violation"
        return
    answer = client(s).chat.completions.create(model=s.model("blocked"), messages=ask("nein"))
    assert answer.choices[0].finish_reason == "content_filter"


def case_chat_roles(s):
    answer = client(s).chat.completions.create(model=s.model(), messages=[
        {"role": "developer", "content": "Sei kurz."}, {"role": "user", "content": "eins"},
        {"role": "assistant", "content": "zwei"}, {"role": "user", "content": [{"type": "text", "text": "drei"}]}])
    assert answer.choices[0].message.content == "drei"


def case_chat_dropped(s):
    """What cannot be carried is named, and refused where the client asks for that."""
    raw = client(s).chat.completions.with_raw_response.create(
        model=s.model(), messages=ask("los"), metadata={"a": "b"}, user="anna.muster@example-treuhand.ch")
    assert "metadata" in raw.headers["x-torhaus-dropped"]
    with raises(openai.BadRequestError) as caught:
        client(s).chat.completions.create(
            model=s.model(), messages=ask("los"), metadata={"a": "b"}, extra_headers={"x-torhaus-translation": "strict"})
    assert caught.value.code == "unsupported_parameter" and "metadata" in caught.value.param


def case_chat_private(s):
    s.forget()
    restored(client(s).chat.completions.create(model=s.model(), messages=ask(PROMPT)).choices[0].message.content)
    hidden(s.seen())


def case_chat_private_stream(s):
    s.forget()
    for how in s.cuts:
        text, _, _, _ = read(client(s).chat.completions.create(
            model=s.model(), messages=ask(f"[[mock {how}]]{PROMPT}"), stream=True))
        restored(text)
    hidden(s.seen())


def case_chat_private_tools(s):
    s.forget()
    answer = client(s).chat.completions.create(model=s.model("tool-once"), messages=ask(PROMPT), tools=TOOLS)
    restored(json.loads(answer.choices[0].message.tool_calls[0].function.arguments)["text"])
    with client(s).chat.completions.stream(
            model=s.model("tool-once"), messages=ask(f"[[mock {s.cuts[-1]}]]{PROMPT}"),
            tools=STRICT if s.is_async else TOOLS) as stream:
        for _ in stream:
            pass
        call = stream.get_final_completion().choices[0].message.tool_calls[0]
    restored(json.loads(call.function.arguments)["text"])
    client(s).chat.completions.create(model=s.model("tool-once"), tools=TOOLS, messages=[
        {"role": "system", "content": f"Kundin {harness.PERSONAL[0]}"}, *ask("los"),
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": call.id, "type": "function",
             "function": {"name": "suche", "arguments": json.dumps({"text": harness.PERSONAL[1]})}}]},
        {"role": "tool", "tool_call_id": call.id, "content": harness.PERSONAL[2]}])
    hidden(s.seen())


def fails_within(s, fault, code):
    """The class that the library has for an error event, and no end that could be taken for a normal one."""
    stream = client(s).chat.completions.create(model=s.failing(fault), messages=ask("hallo " * 50), stream=True)
    reasons = []
    with raises(openai.APIError) as caught:
        for chunk in stream:
            reasons += [choice.finish_reason for choice in chunk.choices if choice.finish_reason]
    assert type(caught.value) is openai.APIError and not reasons, (caught.value, reasons)
    assert caught.value.code == code and "req_" in caught.value.message, caught.value.body


def case_chat_cut(s):
    fails_within(s, "cut-stream", "upstream_cut")


def case_chat_stream_error(s):
    fails_within(s, "stream-error", "upstream_error")


def case_responses_stream_error(s):
    """The library raises on neither of both events; that the connection breaks off is what it raises on."""
    for fault, code in [("cut-stream", "upstream_cut"), ("stream-error", "upstream_error")]:
        events = []
        with raises(Exception) as caught:
            for event in client(s).responses.create(
                    model=s.failing(fault, "responses"), input="hallo " * 50, stream=True):
                events.append(event)
        assert not isinstance(caught.value, AssertionError), caught.value
        assert [event.type for event in events[-2:]] == ["error", "response.failed"], events[-2:]
        assert events[-2].code == code and "req_" in events[-2].message, events[-2]
        assert [event.sequence_number for event in events] == list(range(len(events)))


def case_responses(s):
    answer = client(s).responses.create(model=s.model(), input="Grüezi", instructions="Sei kurz.")
    assert answer.status == "completed" and answer.output_text == "Grüezi" and answer.model == s.model()
    assert answer.id.startswith("resp_") and answer.usage.output_tokens == 2
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens
    assert answer.usage.input_tokens_details.cached_tokens == 0
    assert answer.to_dict()["store"] is False


def case_responses_stream(s):
    question = "eins zwei drei vier fünf sechs sieben"
    events = list(client(s).responses.create(model=s.model(), input=question, stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == question
    assert events[-1].type == "response.completed" and events[-1].response.output_text == question
    assert events[-1].response.usage.output_tokens == 10
    with client(s).responses.stream(model=s.model(), input=question) as stream:
        for _ in stream:
            pass
        assert stream.get_final_response().output_text == question


def case_responses_tools(s):
    question = ask('[[mock calls=2]]mit "Anführung"')
    first = client(s).responses.create(model=s.model("tool-once"), input=question, tools=FLAT)
    calls = [item for item in first.output if item.type == "function_call"]
    assert [call.name for call in calls] == ["suche", "zeige"]
    assert [json.loads(call.arguments) for call in calls] == [{"text": 'mit "Anführung"'}] * 2
    results = [{"type": "function_call_output", "call_id": call.call_id, "output": f"Ergebnis {n}"} for n, call in enumerate(calls)]
    second = client(s).responses.create(
        model=s.model("tool-once"), input=[*question, *[item.to_dict() for item in first.output], *results], tools=FLAT)
    assert "Ergebnis 0" in second.output_text and "Ergebnis 1" in second.output_text


def case_responses_tools_stream(s):
    events = list(client(s).responses.create(
        model=s.model("tool-once"), input=ask('[[mock calls=2;chunk=1]]mit "Anführung"'), tools=FLAT, stream=True))
    done = [event for event in events if event.type == "response.function_call_arguments.done"]
    assert [json.loads(event.arguments) for event in done] == [{"text": 'mit "Anführung"'}] * 2
    assert len({event.output_index for event in done}) == 2
    for event in done:
        pieces = [e.delta for e in events
                  if e.type == "response.function_call_arguments.delta" and e.output_index == event.output_index]
        assert "".join(pieces) == event.arguments
    assert [item.type for item in events[-1].response.output] == ["function_call"] * 2


def case_responses_structured(s):
    answer = client(s).responses.parse(model=s.model(), input=PERSON, text_format=Person)
    assert answer.output_parsed == Person(name="Grüezi", age=7)


def case_responses_length(s):
    answer = client(s).responses.create(model=s.model(), input="z" * 200, max_output_tokens=16)
    assert answer.status == "incomplete" and answer.incomplete_details.reason == "max_output_tokens"
    assert answer.output_text == "z" * 64


def case_responses_stateless(s):
    with raises(openai.BadRequestError) as caught:
        client(s).responses.create(model=s.model(), input="x", previous_response_id="resp_1")
    assert caught.value.code == "previous_response_not_found"
    with raises(openai.NotFoundError):
        client(s).responses.retrieve("resp_1")
    with raises(openai.BadRequestError) as caught:
        client(s).responses.create(model=s.model(), input="x", background=True)
    assert caught.value.param == "background"
    with raises(openai.BadRequestError) as caught:
        client(s).responses.create(model=s.model(), input="x", tools=[{"type": "web_search"}])
    assert caught.value.param.startswith("tools")


def case_responses_private(s):
    s.forget()
    restored(client(s).responses.create(model=s.model(), input=PROMPT).output_text)
    for how in s.cuts:
        events = list(client(s).responses.create(model=s.model(), input=f"[[mock {how}]]{PROMPT}", stream=True))
        restored("".join(event.delta for event in events if event.type == "response.output_text.delta"))
        restored(events[-1].response.output_text)
        restored(next(event.text for event in events if event.type == "response.output_text.done"))
    call = next(item for item in client(s).responses.create(
        model=s.model("tool-once"), input=ask(PROMPT), tools=FLAT).output if item.type == "function_call")
    restored(json.loads(call.arguments)["text"])
    hidden(s.seen())


def case_embeddings(s):
    """The library asks for base64 by itself."""
    answer = client(s).embeddings.create(model=s.model("embed"), input=["eins", "zwei"], dimensions=8)
    assert [item.index for item in answer.data] == [0, 1] and len(answer.data[0].embedding) == 8
    floats = client(s).embeddings.create(model=s.model("embed"), input=["eins", "zwei"], dimensions=8, encoding_format="float")
    for plain, packed in zip(floats.data, answer.data):
        assert all(abs(a - b) < 1e-6 for a, b in zip(plain.embedding, packed.embedding))
    assert answer.usage.prompt_tokens == answer.usage.total_tokens == 2 and answer.model == s.model("embed")


def case_embeddings_private(s):
    s.forget()
    client(s).embeddings.create(model=s.model("embed"), input=[PROMPT, "x"])
    hidden(s.seen())
    with raises(openai.BadRequestError) as caught:
        client(s).embeddings.create(model=s.model("embed"), input=[[1, 2, 3]])
    assert "check_embedding_ctx_length" in caught.value.message


def case_models(s):
    names = [model.id for model in client(s).models.list()]
    assert s.model() in names and names == sorted(names)
    assert client(s).models.retrieve(s.model()).owned_by == "torhaus"
    with raises(openai.NotFoundError) as caught:
        client(s).models.retrieve("gibt-es-nicht")
    assert caught.value.code == "model_not_found"


def case_completions(s):
    answer = client(s).completions.create(model=s.model(), prompt="Grüezi")
    assert answer.object == "text_completion" and answer.choices[0].text == "Grüezi" and answer.model == s.model()
    s.forget()
    stream = client(s).completions.create(model=s.model(), prompt=PROMPT, max_tokens=1000, stream=True)
    restored("".join(choice.text for chunk in stream for choice in chunk.choices))
    hidden(s.seen())


ERRORS = {
    # What the provider does: class, status and code of ours, whether the library tries again.
    "error-400": (openai.BadRequestError, 400, "invalid_value", False),
    "error-401": (openai.InternalServerError, 502, "upstream_auth", False),
    "error-402": (openai.InternalServerError, 502, "upstream_quota", False),
    "error-403": (openai.InternalServerError, 502, "upstream_auth", False),
    "error-404": (openai.InternalServerError, 502, "upstream_error", True),
    "error-408": (openai.InternalServerError, 504, "upstream_timeout", True),
    "error-413": (openai.BadRequestError, 400, "invalid_value", False),
    "error-422": (openai.BadRequestError, 400, "invalid_value", False),
    "error-429": (openai.RateLimitError, 429, "upstream_rate_limited", True),
    "error-500": (openai.InternalServerError, 502, "upstream_error", True),
    "error-503": (openai.InternalServerError, 502, "upstream_error", True),
    "error-504": (openai.InternalServerError, 504, "upstream_timeout", True),
    "error-529": (openai.InternalServerError, 502, "upstream_error", True),
    "reset": (openai.InternalServerError, 502, "upstream_cut", True),
    "cut-plain": (openai.InternalServerError, 502, "upstream_cut", True),
    "hang": (openai.InternalServerError, 504, "upstream_timeout", True),
}


def case_errors(s):
    for route, asks in [("chat", lambda model: client(s).chat.completions.create(model=model, messages=ask("x"))),
                        ("responses", lambda model: client(s).responses.create(model=model, input="x"))]:
        for fault, (kind, status, code, helps) in ERRORS.items():
            with raises(openai.APIStatusError) as caught:
                asks(s.failing(fault, route))
            error, told = caught.value, (route, fault, caught.value)
            assert type(error) is kind and (error.status_code, error.code) == (status, code), (*told, error.code)
            assert error.request_id.startswith("req_") and error.request_id in str(error), told
            assert "sk-" not in str(error) and "127.0.0.1" not in str(error), told
            assert error.response.headers.get("x-should-retry") == ("false" if status > 400 and not helps else None), told
            assert ("retry-after" in error.response.headers) == helps, told


def case_errors_of_ours(s):
    with raises(openai.AuthenticationError) as caught:
        client(s, api_key="th_nobody").models.list()
    assert caught.value.code == "invalid_api_key"
    for call in [lambda c: c.chat.completions.create(model="gibt-es-nicht", messages=ask("x")),
                 lambda c: c.responses.create(model="gibt-es-nicht", input="x"),
                 lambda c: c.embeddings.create(model="gibt-es-nicht", input="x")]:
        with raises(openai.NotFoundError) as caught:
            call(client(s))
        assert caught.value.code == "model_not_found"
    with raises(openai.NotFoundError) as caught:
        client(s, base_url=s.base_url + "/v1").chat.completions.create(model=s.model(), messages=ask("x"))
    assert "twice" in caught.value.message
    with raises(openai.PermissionDeniedError) as caught:
        client(s).chat.completions.create(model="abroad", messages=ask("x"))
    assert caught.value.code == "data_residency_mismatch"
    with raises(openai.PermissionDeniedError) as caught:
        client(s, api_key=s.keys["elsewhere"]).chat.completions.create(model=s.model(), messages=ask("x"))
    assert caught.value.code == "policy_denied" and "roles.clerk.networks" in caught.value.message, caught.value
    with raises(openai.BadRequestError) as caught:
        client(s).chat.completions.create(model=s.model(), messages=[])
    assert caught.value.param == "messages"


def patient(s, **more):
    """A client as it is without settings: it tries twice more."""
    return client(s, max_retries=2, **more)


def case_retries(s):
    """As the library does them: none where the gateway says that none helps, else two, after as long as it says."""
    for fault in ["error-400", "error-401", "error-429", "error-500", "error-504", "cut-plain"]:
        helps = ERRORS[fault][3]
        s.forget()
        with Sleeps() as sleeps, watched(patient(s)) as answers, raises(openai.APIStatusError):
            patient(s).chat.completions.create(model=s.failing(fault, "retries"), messages=ask("x"))
        assert len(answers) == (3 if helps else 1), (fault, answers)
        # A provider that asks to be left alone is, whoever tries.
        assert len(s.seen()) == (1 if fault == "error-429" else len(answers)), (fault, s.seen())
        waited_as_told(fault, sleeps, answers)


def case_retry_succeeds(s):
    s.forget()
    with Sleeps() as sleeps, watched(patient(s)) as answers:
        answer = patient(s).chat.completions.create(model=s.failing("once"), messages=ask("Grüezi"))
    assert answer.choices[0].message.content == "Grüezi"
    assert [answer.status_code for answer in answers] == [502, 200] and len(s.seen()) == 2
    waited_as_told("once", sleeps, answers)


def case_retries_and_limits(s):
    """A rate is waited for; a budget that is used up is not."""
    hurried = client(s, api_key=s.keys["hurried"])
    harness.use_up_the_minute(
        lambda: hurried.chat.completions.create(model=s.model(), messages=ask("x")), openai.RateLimitError
    )
    s.forget()
    for key, code, count in [("hurried", "rate_limit_exceeded", 3), ("broke", "insufficient_quota", 1)]:
        asking = patient(s, api_key=s.keys[key])
        with Sleeps() as sleeps, watched(asking) as answers, raises(openai.RateLimitError) as caught:
            asking.chat.completions.create(model=s.model(), messages=ask("x"))
        assert caught.value.code == code and len(answers) == count, (key, caught.value, answers)
        assert [answer.headers.get("x-should-retry") for answer in answers] == [None if count > 1 else "false"] * count
        waited_as_told(key, sleeps, answers)
    assert not s.seen()


if __name__ == "__main__":
    harness.run(globals())
