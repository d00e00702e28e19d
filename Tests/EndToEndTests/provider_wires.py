"""What providers say, wire by wire, in bytes: answers, the events of streams, errors. Tables of faults are made from it."""

import dataclasses
import json
import struct
import typing
import zlib

TEXT = "Guten Tag, wer da?"
FIRST, REST = TEXT[:6], TEXT[6:]
#: Tokens of the input and of the output, as a provider tells them.
USAGE = (7, 5)


@dataclasses.dataclass(frozen=True)
class Parts:
    """A stream in its order; each part is any number of whole events."""

    begin: bytes
    first: bytes
    rest: bytes
    # How the answer ended; behind it `last`, the wire's last word. Where that is empty, the end of the stream is.
    end: bytes
    last: bytes

    @property
    def whole(self):
        return self.begin + self.first + self.rest + self.end + self.last


@dataclasses.dataclass(frozen=True)
class Wire:
    """Each `usage` is a pair of any values, or None where the provider tells none; `finish` None is a regular end."""

    adapter: str
    # The path in front of the routes, and what else the provider's record says.
    base: str
    record: dict
    stream_kind: bytes
    plain: typing.Callable
    parts: typing.Callable
    # An event with a piece of text.
    piece: typing.Callable
    # An error by its HTTP status: a whole body, and an event of a stream.
    error: typing.Callable
    error_event: typing.Callable
    # An event that nobody knows, and one that is no JSON.
    unknown: bytes
    unreadable: bytes
    # A piece of a block or call that never began.
    orphan: bytes
    # A provider that keeps alive.
    ping: bytes


def packed(value):
    return json.dumps(value, ensure_ascii=False).encode()


def data(value):
    return b"data: " + packed(value) + b"\n\n"


def named(value):
    return b"event: " + value["type"].encode() + b"\n" + data(value)


# ---- OpenAI chat -----------------------------------------------------------------------------------------------------


def chat_usage(usage):
    return {} if usage is None else {"usage": {"prompt_tokens": usage[0], "completion_tokens": usage[1]}}


def chat_plain(text=TEXT, usage=USAGE, finish=None):
    message = {"role": "assistant", "content": text}
    return packed({"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m",
                   "choices": [{"index": 0, "message": message, "finish_reason": finish or "stop"}], **chat_usage(usage)})


def chat_chunk(delta=None, finish=None, usage=None):
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return data({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices,
                 **chat_usage(usage)})


def chat_piece(text):
    return chat_chunk({"content": text})


def chat_parts(usage=USAGE, finish=None):
    end = chat_chunk({}, finish or "stop") + (chat_chunk(usage=usage) if usage else b"")
    return Parts(chat_chunk({"role": "assistant", "content": ""}), chat_piece(FIRST), chat_piece(REST), end, b"data: [DONE]\n\n")


OPENAI_WORDS = {400: ("invalid_request_error", None), 401: ("invalid_request_error", "invalid_api_key"),
                429: ("requests", "rate_limit_exceeded")}


def openai_error(status, message="boom"):
    kind, code = OPENAI_WORDS.get(status, ("server_error", None))
    return packed({"error": {"message": message, "type": kind, "param": None, "code": code}})


def chat_error_event(status):
    return b"data: " + openai_error(status) + b"\n\n"


CHAT = Wire(
    "openai-compatible", "/v1", {}, b"text/event-stream", chat_plain, chat_parts, chat_piece, openai_error, chat_error_event,
    unknown=data({"object": "chat.something", "choices": []}), unreadable=b"data: {\"choices\":[\n\n",
    orphan=chat_chunk({"tool_calls": [{"index": 5, "function": {"arguments": "{}"}}]}), ping=b": ping\n\n")


# ---- OpenAI Responses ------------------------------------------------------------------------------------------------


def response(status, output, usage=None):
    told = None if usage is None else {
        "input_tokens": usage[0], "input_tokens_details": {"cached_tokens": 0}, "output_tokens": usage[1],
        "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 12}
    return {"id": "resp_1", "object": "response", "created_at": 1, "status": status, "model": "m", "error": None,
            "incomplete_details": None, "output": output, "usage": told}


def responses_item(status, *texts):
    content = [{"type": "output_text", "text": text, "annotations": []} for text in texts]
    return {"id": "msg_1", "type": "message", "status": status, "role": "assistant", "content": content}


def responses_plain(text=TEXT, usage=USAGE, finish=None):
    return packed(response(finish or "completed", [responses_item("completed", text)], usage))


PLACE = {"item_id": "msg_1", "output_index": 0, "content_index": 0}


def responses_piece(text):
    return named({"type": "response.output_text.delta", **PLACE, "delta": text, "sequence_number": 0})


def responses_parts(usage=USAGE, finish=None):
    begin = [
        {"type": "response.created", "response": response("in_progress", [])},
        {"type": "response.output_item.added", "output_index": 0, "item": responses_item("in_progress")},
        {"type": "response.content_part.added", **PLACE, "part": {"type": "output_text", "text": "", "annotations": []}}]
    end = [
        {"type": "response.output_text.done", **PLACE, "text": TEXT},
        {"type": "response.output_item.done", "output_index": 0, "item": responses_item("completed", TEXT)}]
    last = {"type": "response.completed", "response": response(finish or "completed", [responses_item("completed", TEXT)], usage)}
    return Parts(b"".join(map(named, begin)), responses_piece(FIRST), responses_piece(REST), b"".join(map(named, end)), named(last))


def responses_error_event(status):
    code = OPENAI_WORDS.get(status, (None, None))[1] or ("invalid_request_error" if status == 400 else "server_error")
    return named({"type": "error", "code": code, "message": "boom", "param": None, "sequence_number": 9})


RESPONSES = Wire(
    "openai", "/v1", {}, b"text/event-stream", responses_plain, responses_parts, responses_piece, openai_error,
    responses_error_event, unknown=named({"type": "response.something.new", "sequence_number": 3}),
    unreadable=b"event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\n\n",
    orphan=b"", ping=b": ping\n\n")


# ---- Anthropic Messages ----------------------------------------------------------------------------------------------


def message(content, reason, usage):
    told = {} if usage is None else {"usage": {"input_tokens": usage[0], "output_tokens": usage[1]}}
    return {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": content, "stop_reason": reason,
            "stop_sequence": None, **told}


def messages_plain(text=TEXT, usage=USAGE, finish=None):
    return packed(message([{"type": "text", "text": text}], finish or "end_turn", usage))


def messages_piece(text, index=0):
    return named({"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": text}})


def messages_parts(usage=USAGE, finish=None):
    begin = [
        {"type": "message_start", "message": message([], None, usage and (usage[0], 1))},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}]
    told = {} if usage is None else {"usage": {"output_tokens": usage[1]}}
    end = [
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": finish or "end_turn", "stop_sequence": None}, **told}]
    return Parts(b"".join(map(named, begin)), messages_piece(FIRST), messages_piece(REST), b"".join(map(named, end)),
                 named({"type": "message_stop"}))


ANTHROPIC_WORDS = {400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error",
                   429: "rate_limit_error", 529: "overloaded_error"}


def messages_error(status, message="boom"):
    kind = ANTHROPIC_WORDS.get(status, "api_error")
    return packed({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"})


def messages_error_event(status):
    return b"event: error\ndata: " + messages_error(status) + b"\n\n"


MESSAGES = Wire(
    "anthropic", "/v1", {}, b"text/event-stream", messages_plain, messages_parts, messages_piece, messages_error,
    messages_error_event, unknown=named({"type": "something_new", "index": 0}),
    unreadable=b"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\n\n",
    orphan=messages_piece("verwaist", index=5), ping=named({"type": "ping"}))


# ---- Gemini ----------------------------------------------------------------------------------------------------------


def gemini_answer(text, finish=None, usage=None):
    candidate = {"index": 0, "content": {"role": "model", "parts": [{"text": text}]}}
    if finish:
        candidate["finishReason"] = finish
    told = {} if usage is None else {"usageMetadata": {"promptTokenCount": usage[0], "candidatesTokenCount": usage[1]}}
    return {"candidates": [candidate], "modelVersion": "m", **told}


def gemini_plain(text=TEXT, usage=USAGE, finish=None):
    return packed(gemini_answer(text, finish or "STOP", usage))


def gemini_piece(text):
    return data(gemini_answer(text))


def gemini_parts(usage=USAGE, finish=None):
    return Parts(b"", gemini_piece(FIRST), gemini_piece(REST), data(gemini_answer("", finish or "STOP", usage)), b"")


GEMINI_WORDS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND",
                429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}


def gemini_error(status, message="boom"):
    return packed({"error": {"code": status, "message": message, "status": GEMINI_WORDS.get(status, "INTERNAL")}})


def gemini_error_event(status):
    return b"data: " + gemini_error(status) + b"\n\n"


GEMINI = Wire(
    "gemini", "/v1beta", {}, b"text/event-stream", gemini_plain, gemini_parts, gemini_piece, gemini_error, gemini_error_event,
    unknown=data({"somethingNew": {"a": 1}}), unreadable=b"data: {\"candidates\":[\n\n",
    orphan=data({"candidates": [{"index": 0, "content": {"parts": [{"functionCall": {"args": {"a": 1}}}]}}]}), ping=b": ping\n\n")


# ---- Bedrock Converse ------------------------------------------------------------------------------------------------


def frame(kind, payload, type="event"):
    """A message of an AWS event stream: lengths, their CRC, headers, payload, the CRC of all."""
    headers = b""
    label = ":event-type" if type == "event" else ":exception-type"
    for name, value in ((label, kind), (":content-type", "application/json"), (":message-type", type)):
        headers += bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    said = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return said + struct.pack(">I", zlib.crc32(said))


def event(kind, value):
    return frame(kind, packed(value))


def converse_usage(usage):
    return {} if usage is None else {"usage": {"inputTokens": usage[0], "outputTokens": usage[1], "totalTokens": 12}}


def converse_plain(text=TEXT, usage=USAGE, finish=None):
    return packed({"output": {"message": {"role": "assistant", "content": [{"text": text}]}},
                   "stopReason": finish or "end_turn", "metrics": {"latencyMs": 1}, **converse_usage(usage)})


def converse_piece(text, index=0):
    return event("contentBlockDelta", {"contentBlockIndex": index, "delta": {"text": text}})


def converse_parts(usage=USAGE, finish=None):
    end = event("contentBlockStop", {"contentBlockIndex": 0}) + event("messageStop", {"stopReason": finish or "end_turn"})
    return Parts(event("messageStart", {"role": "assistant"}), converse_piece(FIRST), converse_piece(REST), end,
                 event("metadata", {"metrics": {"latencyMs": 1}, **converse_usage(usage)}))


CONVERSE_WORDS = {400: "validationException", 403: "accessDeniedException", 404: "resourceNotFoundException",
                  429: "throttlingException", 503: "serviceUnavailableException"}


def converse_error(status, message="boom"):
    return packed({"message": message})


def converse_error_event(status):
    return frame(CONVERSE_WORDS.get(status, "internalServerException"), converse_error(status), type="exception")


CONVERSE = Wire(
    "bedrock", "", {"region": "eu-central-1"}, b"application/vnd.amazon.eventstream", converse_plain, converse_parts,
    converse_piece, converse_error, converse_error_event, unknown=event("somethingNew", {"a": 1}),
    unreadable=frame("contentBlockDelta", b"{\"delta\":"),
    orphan=event("contentBlockDelta", {"contentBlockIndex": 5, "delta": {"toolUse": {"input": "{}"}}}),
    ping=event("somethingNew", {}))

WIRES = {"chat": CHAT, "responses": RESPONSES, "messages": MESSAGES, "gemini": GEMINI, "converse": CONVERSE}
