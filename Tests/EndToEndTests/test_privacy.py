"""Nothing leaves that policy names, and what left comes back byte for byte."""

import json

import openai
import pytest

PERSONAL = {
    "email": "anna.muster@example-treuhand.ch",
    "iban": "CH93 0076 2011 6238 5295 7",
    "ahv": "756.9217.0769.85",
    "phone": "+41 44 668 18 00",
}
SECRET = "AKIA" + "Z7QXN4PL2MWD5RTB"

PROMPT = (
    f"Bitte schreiben Sie an {PERSONAL['email']} wegen IBAN {PERSONAL['iban']}, "
    f"AHV {PERSONAL['ahv']}, Tel. {PERSONAL['phone']}. Schlüssel: {SECRET}. \"Danke\" \\ 🙂"
)


@pytest.fixture
def client(demo):
    return openai.OpenAI(api_key=demo.key(), base_url=demo.base_url, max_retries=0)


def check(answer):
    for value in PERSONAL.values():
        assert value in answer
    assert SECRET not in answer
    assert answer.startswith("Bitte schreiben Sie an ") and answer.endswith("\"Danke\" \\ 🙂")


def compact(text):
    return "".join(character for character in text if character.isalnum()).lower()


def assert_provider_saw_nothing(mock):
    seen = json.dumps(json.loads(mock.report()), ensure_ascii=False)
    assert "Bitte schreiben" in seen
    for value in [*PERSONAL.values(), SECRET]:
        assert value not in seen
        assert compact(value) not in compact(seen)


def test_plain_answer(client, mock):
    mock.reset()
    answer = client.chat.completions.create(model="mock-echo", messages=[{"role": "user", "content": PROMPT}])
    check(answer.choices[0].message.content)
    assert_provider_saw_nothing(mock)


@pytest.mark.parametrize("kilobytes", [60, 70, 600])
def test_large_bodies_that_helpers_work_on(client, mock, kilobytes):
    mock.reset()
    lines = [f"{number}: {PROMPT}" for number in range(kilobytes * 1024 // len(PROMPT.encode()))]
    answer = client.chat.completions.create(model="mock-echo", messages=[{"role": "user", "content": "\n".join(lines)}])
    # The scripted provider echoes the beginning only, and may end within a line.
    back = answer.choices[0].message.content.split("\n")[:-1]
    assert len(back) > 100
    for number in (0, len(back) // 2, len(back) - 1):
        start = f"{number}: "
        assert back[number].startswith(start)
        check(back[number][len(start):])
    assert_provider_saw_nothing(mock)


@pytest.mark.parametrize("script", ["mock-echo", "mock-echo;chunk=1", "mock-echo;chunk=1;split=1", "mock-echo;chunk=7;split=1"])
def test_streamed_answer_however_it_is_split(client, mock, script):
    mock.reset()
    stream = client.chat.completions.create(model=script, messages=[{"role": "user", "content": PROMPT}], stream=True)
    check("".join(choice.delta.content or "" for chunk in stream for choice in chunk.choices))
    assert_provider_saw_nothing(mock)


@pytest.mark.parametrize("stream", [False, True])
def test_tool_call_arguments(client, mock, stream):
    mock.reset()
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}]
    answer = client.chat.completions.create(
        model="mock-tool;chunk=1" if stream else "mock-tool",
        messages=[{"role": "user", "content": PROMPT}], tools=tools, stream=stream,
    )
    if stream:
        arguments = "".join(
            call.function.arguments or ""
            for chunk in answer for choice in chunk.choices for call in choice.delta.tool_calls or []
        )
    else:
        arguments = answer.choices[0].message.tool_calls[0].function.arguments
    check(next(value for value in json.loads(arguments).values() if "Bitte" in str(value)))
    assert_provider_saw_nothing(mock)


def test_history_with_tools_is_covered_too(client, mock):
    mock.reset()
    client.chat.completions.create(
        model="mock-echo",
        messages=[
            {"role": "system", "content": f"Kunde {PERSONAL['email']}"},
            {"role": "user", "content": "los", "name": "x"},
            {"role": "assistant", "content": None, "tool_calls": [
                {"id": "call_1", "type": "function",
                 "function": {"name": "f", "arguments": json.dumps({"iban": PERSONAL["iban"], "n": 1})}}]},
            {"role": "tool", "tool_call_id": "call_1", "content": PERSONAL["ahv"]},
            {"role": "user", "content": "Bitte schreiben"},
        ],
    )
    assert_provider_saw_nothing(mock)


def test_the_same_value_has_the_same_placeholder_for_a_tenant_and_another_for_the_next(demo, mock):
    mock.reset()
    for slug in ["kanzlei-a", "kanzlei-a", "kanzlei-b"]:
        openai.OpenAI(api_key=demo.key(slug), base_url=demo.base_url).chat.completions.create(
            model="mock-echo", messages=[{"role": "user", "content": f"an {PERSONAL['email']}"}])
    bodies = [request["body"] if isinstance(request["body"], str) else json.dumps(request["body"])
              for request in json.loads(mock.report())["requests"]]
    tokens = [body.split("[EMAIL_")[1][:8] for body in bodies]
    assert tokens[0] == tokens[1] != tokens[2]
