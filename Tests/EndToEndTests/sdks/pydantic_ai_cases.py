"""pydantic-ai's agents over chat, Responses and Messages."""

import harness
import pydantic
from anthropic import AsyncAnthropic
from harness import PROMPT, hidden, raises, restored
from openai import AsyncOpenAI
from pydantic_ai import Agent, NativeOutput
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider


class Person(pydantic.BaseModel):
    name: str
    age: int


def models(s, script="echo", alias=None):
    alias = alias or s.model(script)
    chat = OpenAIProvider(openai_client=AsyncOpenAI(base_url=s.base_url, api_key=s.key, max_retries=0))
    messages = AnthropicProvider(anthropic_client=AsyncAnthropic(base_url=s.endpoint, api_key=s.key, max_retries=0))
    return [OpenAIChatModel(alias, provider=chat), OpenAIResponsesModel(alias, provider=chat),
            AnthropicModel(alias, provider=messages)]


async def case_run(s):
    for model in models(s):
        answer = await Agent(model, instructions="Sei kurz.").run("Grüezi")
        assert answer.output == "Grüezi", model


async def case_stream(s):
    for model in models(s):
        async with Agent(model).run_stream("eins zwei drei vier fünf") as stream:
            assert await stream.get_output() == "eins zwei drei vier fünf", model


async def case_tools(s):
    for model in models(s, "tool-once"):
        agent, got = Agent(model), []

        @agent.tool_plain
        def suche(text: str) -> str:
            """Sucht."""
            got.append(text)
            return "gefunden"

        answer = await agent.run("Suche dies")
        assert got == ["Suche dies"] and answer.output == "gefunden", (model, got, answer.output)


async def case_structured(s):
    for model in models(s)[:2]:
        answer = await Agent(model, output_type=NativeOutput(Person)).run('{"name":"Grüezi","age":7}')
        assert answer.output == Person(name="Grüezi", age=7)


async def case_private(s):
    s.forget()
    for model in models(s):
        restored((await Agent(model).run(PROMPT)).output)
        async with Agent(model).run_stream(f"[[mock {s.cuts[-1]}]]{PROMPT}") as stream:
            restored(await stream.get_output())
    hidden(s.seen())


async def case_errors(s):
    for fault, status in [("error-400", 400), ("error-401", 502), ("error-429", 429), ("error-500", 502), ("error-504", 504)]:
        for model in models(s, alias=s.failing(fault)):
            with raises(ModelHTTPError) as caught:
                await Agent(model).run("x")
            assert caught.value.status_code == status, (fault, model, caught.value)


async def case_stream_errors(s):
    """Whatever the library makes of it, it is no normal end."""
    for fault in ["stream-error", "cut-stream"]:
        for model in models(s, alias=s.failing(fault)):
            with raises(Exception):
                async with Agent(model).run_stream("hallo " * 50) as stream:
                    await stream.get_output()


if __name__ == "__main__":
    harness.run(globals())
