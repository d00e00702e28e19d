"""LiteLLM's library with this gateway as an OpenAI, an OpenAI Responses and an Anthropic endpoint."""

import json
import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # no look at the network for prices

import harness
import litellm
import openai
from harness import PROMPT, hidden, raises, restored

litellm.suppress_debug_info = True
TOOLS = [{"type": "function", "function": {"name": "suche", "description": "Sucht", "parameters": {
    "type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}}}]


def ways(s, script="echo", alias=None):
    alias = alias or s.model(script)
    for provider, base in [("openai", s.base_url), ("anthropic", s.endpoint)]:
        yield {"model": f"{provider}/{alias}", "api_base": base, "api_key": s.key, "num_retries": 0, "max_retries": 0}


def ask(text):
    return [{"role": "user", "content": text}]


def case_completion(s):
    for way in ways(s):
        answer = litellm.completion(messages=ask("Grüezi"), max_tokens=100, **way)
        assert answer.choices[0].message.content == "Grüezi" and answer.choices[0].finish_reason == "stop", way
        assert answer.usage.completion_tokens == 2, way


async def case_async(s):
    for way in ways(s):
        answer = await litellm.acompletion(messages=ask("Grüezi"), max_tokens=100, **way)
        assert answer.choices[0].message.content == "Grüezi", way


def case_stream(s):
    for way in ways(s):
        stream = litellm.completion(messages=ask("eins zwei drei vier fünf"), max_tokens=100, stream=True, **way)
        text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
        assert text == "eins zwei drei vier fünf", way


def case_tools(s):
    for way in ways(s, "tool-once"):
        first = litellm.completion(messages=ask("Suche dies"), tools=TOOLS, max_tokens=100, **way).choices[0]
        assert first.finish_reason == "tool_calls", way
        call = first.message.tool_calls[0]
        assert (call.function.name, json.loads(call.function.arguments)) == ("suche", {"text": "Suche dies"}), way
        second = litellm.completion(
            messages=[*ask("Suche dies"), first.message.model_dump(),
                      {"role": "tool", "tool_call_id": call.id, "content": "gefunden"}], tools=TOOLS, max_tokens=100, **way)
        assert second.choices[0].message.content == "gefunden", way


def case_responses(s):
    way = next(ways(s))
    answer = litellm.responses(input="Grüezi", model=way["model"], api_base=way["api_base"], api_key=way["api_key"])
    assert answer.output[0].content[0].text == "Grüezi"


def case_private(s):
    s.forget()
    for way in ways(s):
        restored(litellm.completion(messages=ask(PROMPT), max_tokens=1000, **way).choices[0].message.content)
        stream = litellm.completion(messages=ask(f"[[mock {s.cuts[-1]}]]{PROMPT}"), max_tokens=1000, stream=True, **way)
        restored("".join(chunk.choices[0].delta.content or "" for chunk in stream))
    hidden(s.seen())


ERRORS = {
    "error-400": litellm.BadRequestError, "error-401": litellm.BadGatewayError, "error-429": litellm.RateLimitError,
    "error-500": litellm.BadGatewayError, "error-504": litellm.Timeout, "cut-plain": litellm.BadGatewayError,
}


def case_errors(s):
    for fault, kind in ERRORS.items():
        for way in ways(s, alias=s.failing(fault)):
            with raises(kind) as caught:
                litellm.completion(messages=ask("x"), max_tokens=100, **way)
            assert "req_" in str(caught.value), (way, caught.value)
    for way in ways(s):
        with raises(litellm.AuthenticationError):
            litellm.completion(messages=ask("x"), max_tokens=100, **{**way, "api_key": "th_nobody"})
        with raises(openai.APIError) as caught:  # it has a class for 403, which it does not use everywhere
            litellm.completion(messages=ask("x"), max_tokens=100, **{**way, "api_key": s.keys["elsewhere"]})
        assert "roles.clerk.networks" in str(caught.value), (way, caught.value)
    for way in ways(s, alias="gibt-es-nicht"):
        with raises(litellm.NotFoundError):
            litellm.completion(messages=ask("x"), max_tokens=100, **way)


def case_stream_errors(s):
    """Whatever the library makes of it, it is no normal end."""
    for fault in ["stream-error", "cut-stream"]:
        for way in ways(s, alias=s.failing(fault)):
            with raises(Exception):
                list(litellm.completion(messages=ask("hallo " * 50), max_tokens=1000, stream=True, **way))


def case_embedding(s):
    answer = litellm.embedding(
        model=f"openai/{s.model('embed')}", api_base=s.base_url, api_key=s.key, input=["eins", "zwei"], encoding_format="float")
    assert len(answer.data) == 2


if __name__ == "__main__":
    harness.run(globals())
