"""instructor: structured answers through a forced tool, and through a schema."""

import harness
import instructor
import openai
import pydantic
from harness import raises


class Found(pydantic.BaseModel):
    """Was gefunden wurde."""
    text: str


def client(s, mode):
    return instructor.from_openai(openai.OpenAI(base_url=s.base_url, api_key=s.key, max_retries=0), mode=mode)


def case_tool(s):
    answer = client(s, instructor.Mode.TOOLS).chat.completions.create(
        model=s.model("tool-once"), response_model=Found, messages=[{"role": "user", "content": "Grüezi"}])
    assert answer.text == "Grüezi", answer


def case_schema(s):
    answer = client(s, instructor.Mode.JSON_SCHEMA).chat.completions.create(
        model=s.model(), response_model=Found, messages=[{"role": "user", "content": '{"text":"Grüezi"}'}])
    assert answer.text == "Grüezi", answer


def case_asks_again(s):
    """On an answer that does not fit it asks again, and that costs again."""
    s.forget()
    with raises(Exception):
        client(s, instructor.Mode.JSON_SCHEMA).chat.completions.create(
            model=s.model(), response_model=Found, max_retries=2, messages=[{"role": "user", "content": "kein JSON"}])
    assert len(s.seen()) >= 2


if __name__ == "__main__":
    harness.run(globals())
