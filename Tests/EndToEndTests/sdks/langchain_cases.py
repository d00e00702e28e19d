"""LangChain's chat models and embeddings for OpenAI and Anthropic."""

import anthropic
import harness
import openai
import pydantic
from harness import PROMPT, hidden, raises, restored
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
    more = {"max_retries": 0, **more}
    return [
        ChatOpenAI(model=alias, base_url=s.base_url, api_key=s.key, **more),
        ChatOpenAI(model=alias, base_url=s.base_url, api_key=s.key, use_responses_api=True, **more),
        ChatAnthropic(model=alias, base_url=s.endpoint, api_key=s.key, max_tokens=1000, **more),
    ]


def case_invoke(s):
    for model in models(s):
        answer = model.invoke("Grüezi")
        assert answer.text == "Grüezi", (model, answer)
        assert answer.usage_metadata["output_tokens"] == 2, (model, answer)


async def case_async_stream(s):
    for model in models(s):
        assert "".join([chunk.text async for chunk in model.astream("eins zwei drei vier fünf")]) == "eins zwei drei vier fünf"


def case_stream(s):
    for model in models(s):
        chunks = list(model.stream("eins zwei drei vier fünf sechs sieben"))
        assert "".join(chunk.text for chunk in chunks) == "eins zwei drei vier fünf sechs sieben", model


def case_tools(s):
    for model in models(s, "tool-once"):
        asking = model.bind_tools([suche])
        question = HumanMessage("Suche dies")
        first = asking.invoke([question])
        assert [(call["name"], call["args"]) for call in first.tool_calls] == [("suche", {"text": "Suche dies"})], (model, first)
        second = asking.invoke([question, first, ToolMessage("gefunden", tool_call_id=first.tool_calls[0]["id"])])
        assert second.text == "gefunden", (model, second)


def case_structured(s):
    for model in models(s)[:2]:
        answer = model.with_structured_output(Person, method="json_schema").invoke('{"name":"Grüezi","age":7}')
        assert answer == Person(name="Grüezi", age=7)


def case_private(s):
    s.forget()
    for model in models(s):
        restored("".join(chunk.text for chunk in model.stream(f"[[mock chunk=1;split=1]]{PROMPT}")))
        restored(model.invoke(PROMPT).text)
    hidden(s.seen())


def case_errors(s):
    for model in models(s, alias=s.failing(429)):
        with raises((openai.RateLimitError, anthropic.RateLimitError)):
            model.invoke("x")


def case_embeddings(s):
    texts = OpenAIEmbeddings(
        model=s.model("embed"), base_url=s.base_url, api_key=s.key, check_embedding_ctx_length=False, max_retries=0)
    assert len(texts.embed_documents(["eins", "zwei"])) == 2


if __name__ == "__main__":
    harness.run(globals())
