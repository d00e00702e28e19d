"""What a client of each dialect reads in an answer, strictly: whatever breaks off must still be well-formed up to there."""

import dataclasses
import json

#: Anthropic's word for our codes; `api_error` for all others.
ANTHROPIC_TYPES = {
    "upstream_rate_limited": "rate_limit_error", "upstream_timeout": "timeout_error", "invalid_value": "invalid_request_error",
    "content_policy_violation": "invalid_request_error",
}
#: Names of a stream's final event: what tells a client that its answer is whole.
FINAL = (b"[DONE]", b"message_stop", b"response.completed", b"response.incomplete")


@dataclasses.dataclass
class Told:
    text: object = ""
    # The code of the error, as this dialect has it; None without one.
    code: str = None
    # The stream's final event came.
    is_done: bool = False
    # Tokens of the input and the output, where the answer names them.
    usage: tuple = None


def question(route, model, text, stream=False):
    """Route and body of a request."""
    if route == "embeddings":
        return route, {"model": model, "input": text, "encoding_format": "float"}
    if route == "responses":
        return route, {"model": model, "stream": stream, "input": text}
    messages = [{"role": "user", "content": text}]
    if route == "messages":
        return route, {"model": model, "stream": stream, "max_tokens": 500, "messages": messages}
    return "chat/completions", {"model": model, "stream": stream, "messages": messages}


def codes(route, code):
    """How a dialect may say one of our codes, or any of several."""
    wanted = code if isinstance(code, tuple) else (code,)
    return {ANTHROPIC_TYPES.get(code, "api_error") if route == "messages" and code else code for code in wanted}


def told(route, answer):
    if answer.is_stream:
        return {"chat": chat_stream, "responses": responses_stream, "messages": messages_stream}[route](events(answer.body))
    value = json.loads(answer.body)
    if answer.status != 200:
        assert list(value) == (["type", "error", "request_id"] if route == "messages" else ["error"])
        return Told(code=error_code(route, value, answer))
    return {"chat": chat_plain, "responses": responses_plain, "messages": messages_plain, "embeddings": embeddings}[route](value)


def error_code(route, value, answer=None):
    error = value["error"]
    assert isinstance(error["message"], str) and error["message"]
    if route == "messages":
        assert value["type"] == "error" and set(error) == {"type", "message"}
        assert answer is None or value["request_id"] == answer.headers["request-id"]
        return error["type"]
    assert set(error) == {"message", "type", "param", "code"}
    return error["code"]


def events(body):
    """Names and data of all events; a stream consists of whole ones."""
    assert body == b"" or body.endswith(b"\n\n"), "half an event"
    found = []
    for block in body.split(b"\n\n")[:-1]:
        if block.startswith(b":"):
            continue
        lines = block.split(b"\n")
        name = lines.pop(0).removeprefix(b"event: ").decode() if lines[0].startswith(b"event: ") else None
        assert len(lines) == 1 and lines[0].startswith(b"data: "), block
        found.append((name, lines[0][6:]))
    return found


def pair(usage, names):
    return None if usage is None else (usage.get(names[0]), usage.get(names[1]))


# ---- Chat ------------------------------------------------------------------------------------------------------------


def chat_plain(value):
    assert value["object"] == "chat.completion"
    return Told(value["choices"][0]["message"]["content"], usage=pair(value.get("usage"), ("prompt_tokens", "completion_tokens")))


def chat_stream(events):
    told, ended = Told(), False
    for place, (name, data) in enumerate(events):
        assert name is None and told.code is None and not told.is_done, "nothing behind the last event"
        if data == b"[DONE]":
            assert ended, "an end has a reason"
            told.is_done = True
            continue
        value = json.loads(data)
        if "error" in value:
            told.code = error_code("chat", value)
            continue
        assert value["object"].startswith("chat.") and not value.get("usage"), "usage that nobody asked for"
        for choice in value["choices"]:
            told.text += choice["delta"].get("content") or ""
            ended = ended or choice["finish_reason"] is not None
    return told


# ---- Responses -------------------------------------------------------------------------------------------------------


def response_text(response):
    return "".join(part["text"] for item in response["output"] if item["type"] == "message" for part in item["content"])


def responses_plain(value):
    assert value["object"] == "response" and value["error"] is None
    return Told(response_text(value), usage=pair(value["usage"], ("input_tokens", "output_tokens")))


def responses_stream(events):
    told, has_failed = Told(), False
    for place, (name, data) in enumerate(events):
        value = json.loads(data)
        assert value["type"] == name and value["sequence_number"] == place
        assert not told.is_done and not has_failed, "nothing behind the last event"
        if name == "error":
            assert {"code", "message", "param"} <= set(value) and told.code is None
            told.code = value["code"]
        elif name == "response.failed":
            assert told.code is not None and value["response"]["status"] == "failed" and value["response"]["error"]["message"]
            has_failed = True
        elif name == "response.output_text.delta":
            told.text += value["delta"]
        elif name in ("response.completed", "response.incomplete"):
            told.is_done = True
            assert response_text(value["response"]) == told.text
            told.usage = pair(value["response"]["usage"], ("input_tokens", "output_tokens"))
    assert has_failed == (told.code is not None), "an error is told by both events"
    return told


# ---- Messages --------------------------------------------------------------------------------------------------------


def messages_plain(value):
    assert value["type"] == "message" and value["stop_reason"]
    return Told("".join(block["text"] for block in value["content"]), usage=pair(value.get("usage"), ("input_tokens", "output_tokens")))


def messages_stream(events):
    told, usage, open_blocks, ended = Told(), {}, set(), False
    for place, (name, data) in enumerate(events):
        value = json.loads(data)
        assert value["type"] == name and told.code is None and not told.is_done
        assert (name == "message_start") == (place == 0) or name == "error" and place == 0, "one message_start, in front"
        if name == "error":
            told.code = error_code("messages", value)
        elif name == "message_start":
            usage = value["message"].get("usage") or {}
        elif name == "content_block_start":
            open_blocks.add(value["index"])
        elif name == "content_block_delta":
            assert value["index"] in open_blocks
            told.text += value["delta"].get("text", "")
        elif name == "content_block_stop":
            open_blocks.remove(value["index"])
        elif name == "message_delta":
            usage = {**usage, **(value.get("usage") or {})}
            ended = bool(value["delta"]["stop_reason"])
        elif name == "message_stop":
            assert ended and not open_blocks
            told.is_done = True
            told.usage = pair(usage, ("input_tokens", "output_tokens")) if usage else None
    return told


# ---- Embeddings ------------------------------------------------------------------------------------------------------


def embeddings(value):
    return Told(value["data"][0]["embedding"])
