"""LangChain's chat models and embeddings for OpenAI and Anthropic."""

import anthropic
import harness
import openai
import pydantic
from harness import PROMPT, Sleeps, hidden, raises, restored
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings


@tool
def suche(text: str) -> str:
    """Sucht."""
    return text


class Person(pydantic.BaseModel):
    """Eine Person."""
    name: str
    age: int


def models(s, script="echo", alias=None, **more):
    alias = alias or s.model(script)
    more = {"api_key": s.key, "max_retries": 0, **more}
    return [
        ChatOpenAI(model=alias, base_url=s.base_url, **more),
        ChatOpenAI(model=alias, base_url=s.base_url, use_responses_api=True, **more),
        ChatAnthropic(model=alias, base_url=s.endpoint, max_tokens=1000, **more),
    ]


def said(message):
    """Since 1.0 the text is no method any more."""
    return message.text if isinstance(message.text, str) else message.text()


def case_invoke(s):
    for model in models(s):
        answer = model.invoke("Grüezi")
        assert said(answer) == "Grüezi", (model, answer)
        assert answer.usage_metadata["output_tokens"] == 2, (model, answer)


async def case_async_stream(s):
    for model in models(s):
        assert "".join([said(chunk) async for chunk in model.astream("eins zwei drei vier fünf")]) == "eins zwei drei vier fünf"


def case_stream(s):
    for model in models(s):
        chunks = list(model.stream("eins zwei drei vier fünf sechs sieben"))
        assert "".join(said(chunk) for chunk in chunks) == "eins zwei drei vier fünf sechs sieben", model


def case_tools(s):
    for model in models(s, "tool-once"):
        asking = model.bind_tools([suche])
        question = HumanMessage("Suche dies")
        first = asking.invoke([question])
        assert [(call["name"], call["args"]) for call in first.tool_calls] == [("suche", {"text": "Suche dies"})], (model, first)
        second = asking.invoke([question, first, ToolMessage("gefunden", tool_call_id=first.tool_calls[0]["id"])])
        assert said(second) == "gefunden", (model, second)


def case_structured(s):
    for model in models(s)[:2]:
        answer = model.with_structured_output(Person, method="json_schema").invoke('{"name":"Grüezi","age":7}')
        assert answer == Person(name="Grüezi", age=7)


def case_private(s):
    s.forget()
    for model in models(s):
        restored("".join(said(chunk) for chunk in model.stream(f"[[mock {s.cuts[-1]}]]{PROMPT}")))
        restored(said(model.invoke(PROMPT)))
    hidden(s.seen())


STATUSES = {
    # What the provider does: the class's name in both libraries below.
    "error-400": "BadRequestError", "error-401": "InternalServerError", "error-429": "RateLimitError",
    "error-500": "InternalServerError", "error-504": "InternalServerError", "cut-plain": "InternalServerError",
}


def named(name):
    return getattr(openai, name), getattr(anthropic, name)


def case_errors(s):
    for fault, name in STATUSES.items():
        for model in models(s, alias=s.failing(fault)):
            with raises(named(name)) as caught:
                model.invoke("x")
            assert "req_" in str(caught.value), (fault, model, caught.value)
    for key, name in [("th_nobody", "AuthenticationError"), (s.keys["elsewhere"], "PermissionDeniedError")]:
        for model in models(s, api_key=key):
            with raises(named(name)):
                model.invoke("x")
    for model in models(s, alias="gibt-es-nicht"):
        with raises(named("NotFoundError")):
            model.invoke("x")


def case_stream_errors(s):
    """Whatever the library makes of it, it is no normal end."""
    for fault in ["stream-error", "cut-stream"]:
        for model in models(s, alias=s.failing(fault)):
            with raises(Exception):
                list(model.stream("hallo " * 50))


def case_retries(s):
    for model in models(s, alias=s.failing("error-500", "retries"), max_retries=1)[::2]:  # a fifth failure would open the breaker
        s.forget()
        with Sleeps() as sleeps, raises(named("InternalServerError")):
            model.invoke("x")
        assert len(s.seen()) == 2 and sleeps == [2], (model, sleeps)


def case_embeddings(s):
    texts = OpenAIEmbeddings(
        model=s.model("embed"), base_url=s.base_url, api_key=s.key, check_embedding_ctx_length=False, max_retries=0)
    assert len(texts.embed_documents(["eins", "zwei"])) == 2


if __name__ == "__main__":
    harness.run(globals())
