"""Runs the cases of a script with the client library that PYTHONPATH names, and prints what came of each as JSON.

A case is a function whose name begins with `case_`; it takes the setup and fails by raising. Where the setup's `blocking`
makes the client, `NAME-async` runs the same case with the library's asynchronous client. The script reads its jobs from
standard input, one for each provider; the last line of its output is `{"provider": {"case": null or the traceback}}`.
"""

import asyncio
import contextlib
import inspect
import json
import sys
import time
import traceback
import urllib.request

import anyio


class Setup:
    """Where the gateway is, which provider is behind it, and what that provider has seen."""

    loop = None  # one for all cases, as in an application: libraries keep connections between them
    clients = {}

    def __init__(self, endpoint, keys, provider, mock, run, bytewise):
        self.endpoint, self.keys, self.provider, self.mock, self.run = endpoint, keys, provider, mock, run
        self.is_async = False
        # How the mock cuts its streams. Byte by byte takes the gateway long and looks the same to each library.
        self.cuts = ["chunk=1", "chunk=7;split=7", *(["chunk=1;split=1"] if bytewise else [])]

    @property
    def key(self):
        return self.keys["plain"]

    @property
    def base_url(self):
        return self.endpoint + "/v1"

    def model(self, script="echo"):
        """The alias of a script of the mock at this run's provider."""
        return f"{self.provider}-{script}"

    def failing(self, fault, use="chat"):
        """The alias of a model with this fault, of this run and use alone."""
        return f"{self.provider}-{fault}-{use}{'-async' if self.is_async else ''}-{self.run}"

    def blocking(self, plain, asynchronous, **settings):
        """A client of the library: the plain one, or the asynchronous one made to look like it. As in an application,
        one with these settings serves all."""
        kind = asynchronous if self.is_async else plain
        which = kind, *sorted(settings.items())
        if which not in self.clients:
            made = kind(**settings)
            self.clients[which] = Blocking(made, self.loop) if self.is_async else made
        return self.clients[which]

    def forget(self):
        urllib.request.urlopen(self.mock + "/mock/reset", data=b"", timeout=30).read()

    def seen(self):
        """The bodies that the provider got since `forget`."""
        report = json.load(urllib.request.urlopen(self.mock + "/mock/report", timeout=30))
        return [entry["body"] if isinstance(entry["body"], str) else json.dumps(entry["body"], ensure_ascii=False)
                for entry in report["requests"]]


class Blocking:
    """An object of an asynchronous library, used as one uses its plain sister: one script of cases serves both."""

    def __init__(self, value, loop):
        self.value, self.loop = value, loop

    def await_(self, value):
        if inspect.isawaitable(value):
            value = self.loop.run_until_complete(value)
        return self.wrapped(value)

    def wrapped(self, value):
        """Resources, streams and what opens them; what a library answers with stays as it is."""
        is_resource = type(value).__name__.startswith("Async") or "With" in type(value).__name__
        return Blocking(value, self.loop) if is_resource or hasattr(value, "__anext__") else value

    def __getattr__(self, name):
        value = getattr(self.value, name)
        if not callable(value):
            return self.wrapped(value)
        return lambda *arguments, **named: self.await_(value(*arguments, **named))

    def __iter__(self):
        pieces = aiter(self.value)
        while True:
            try:
                yield self.loop.run_until_complete(anext(pieces))
            except StopAsyncIteration:
                return

    def __enter__(self):
        return self.wrapped(self.loop.run_until_complete(self.value.__aenter__()))

    def __exit__(self, *error):
        return self.loop.run_until_complete(self.value.__aexit__(*error))


@contextlib.contextmanager
def raises(kind):
    """Like pytest's: hands out the exception as `.value`."""
    class Caught:
        value = None

    caught = Caught()
    try:
        yield caught
    except kind as error:
        caught.value = error
    else:
        raise AssertionError(f"nothing raised {kind}")


def use_up_the_minute(ask, limited):
    """Sends the one request that a key has in a minute, so that what follows is refused; another case may have sent it
    already, and that minute may be over too soon."""
    try:
        ask()
    except limited as error:
        left = int(error.response.headers["retry-after"])
        if left < 10:
            time.sleep(left)
            ask()


class Sleeps(list):
    """Notes how long a library wants to wait, and lets it go on at once."""

    async def append_later(self, seconds):
        self.append(seconds)

    def __enter__(self):
        self.real = time.sleep, anyio.sleep
        time.sleep, anyio.sleep = self.append, self.append_later
        return self

    def __exit__(self, *_):
        time.sleep, anyio.sleep = self.real


@contextlib.contextmanager
def watched(client):
    """The list of the answers that a client of OpenAI's or Anthropic's gets: one for each request that it sends."""
    answers = []
    http = (client.value if isinstance(client, Blocking) else client)._client
    real = http.send

    async def send_later(*arguments, **named):
        answers.append(await real(*arguments, **named))
        return answers[-1]

    def send(*arguments, **named):
        answers.append(real(*arguments, **named))
        return answers[-1]

    http.send = send_later if inspect.iscoroutinefunction(real) else send
    try:
        yield answers
    finally:
        http.send = real


def waited_as_told(case, sleeps, answers):
    """Between two requests the library waits for as long as the gateway says, to the second."""
    told = [answer.headers["retry-after"] for answer in answers[:-1]]
    assert list(sleeps) == [float(seconds) for seconds in told], (case, sleeps, told)
    assert all(1 <= seconds <= 60 for seconds in sleeps), (case, sleeps)


PERSONAL = ["anna.muster@example-treuhand.ch", "CH93 0076 2011 6238 5295 7", "756.9217.0769.85", "+41 44 668 18 00"]
SECRET = "AKIA" + "Z7QXN4PL2MWD5RTB"
PROMPT = (
    f"Bitte schreiben Sie an {PERSONAL[0]} wegen IBAN {PERSONAL[1]}, AHV {PERSONAL[2]}, Tel. {PERSONAL[3]}. "
    f'Schlüssel: {SECRET}. "Danke" \\ 🙂'
)


def restored(answer):
    """The client reads what it wrote, but for the secret, which never comes back."""
    assert answer.startswith("Bitte schreiben Sie an ") and answer.endswith('"Danke" \\ 🙂'), answer
    for value in PERSONAL:
        assert value in answer, answer
    assert SECRET not in answer, answer


def hidden(seen):
    """The provider got the text and none of the values, however they are written."""
    text = "\n".join(seen)
    assert "Bitte schreiben" in text, "the provider got nothing"
    compact = "".join(character for character in text if character.isalnum()).lower()
    for value in [*PERSONAL, SECRET]:
        assert "".join(character for character in value if character.isalnum()).lower() not in compact, value


def run(names):
    results = {}
    with asyncio.Runner() as runner:
        Setup.loop = runner.get_loop()
        for job in json.load(sys.stdin):
            cases = job.pop("cases")
            setup = Setup(**job)
            results[setup.provider] = {name: outcome(names, name, setup) for name in cases}
    print("\n" + json.dumps(results))


def outcome(names, name, setup):
    case = names[f"case_{name.removesuffix('-async')}"]
    setup.is_async = name.endswith("-async")
    try:
        Setup.loop.run_until_complete(case(setup)) if inspect.iscoroutinefunction(case) else case(setup)
    except Exception:
        return traceback.format_exc()
    return None
