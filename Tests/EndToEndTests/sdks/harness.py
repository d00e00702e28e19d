"""Runs the cases of a script with the client library that PYTHONPATH names, and prints what came of each as JSON.

A case is a function whose name begins with `case_`; it takes the setup and fails by raising. The script reads its setup
from standard input. The last line of its output is `{"case": null or the traceback}`.
"""

import asyncio
import contextlib
import importlib.metadata
import inspect
import json
import sys
import time
import traceback
import urllib.request


class Setup:
    """Where the gateway is, which provider is behind it, and what that provider has seen."""

    def __init__(self, endpoint, key, provider, mock, run, cases):
        self.endpoint, self.key, self.provider, self.mock, self.run = endpoint, key, provider, mock, run
        self.cases = cases

    @property
    def base_url(self):
        return self.endpoint + "/v1"

    def model(self, script="echo"):
        """The alias of a script of the mock at this run's provider."""
        return f"{self.provider}-{script}"

    def failing(self, status, use="chat"):
        """The alias of a model that answers with this status, of this run and use alone."""
        return f"{self.provider}-error-{status}-{use}-{self.run}"

    def forget(self):
        urllib.request.urlopen(self.mock + "/mock/reset", data=b"", timeout=30).read()

    def seen(self):
        """The bodies that the provider got since `forget`."""
        report = json.load(urllib.request.urlopen(self.mock + "/mock/report", timeout=30))
        return [entry["body"] if isinstance(entry["body"], str) else json.dumps(entry["body"], ensure_ascii=False)
                for entry in report["requests"]]


def version(package):
    return int(importlib.metadata.version(package).split(".")[0])


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


class Sleeps(list):
    """Notes how long a library wants to wait, and lets it go on at once."""

    def __enter__(self):
        self.real = time.sleep
        time.sleep = self.append
        return self

    def __exit__(self, *_):
        time.sleep = self.real


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
    job = json.load(sys.stdin)
    setup, results = Setup(**job), {}
    for name in setup.cases:
        case = names[f"case_{name}"]
        try:
            asyncio.run(case(setup)) if inspect.iscoroutinefunction(case) else case(setup)
            results[name] = None
        except Exception:
            results[name] = traceback.format_exc()
    print("\n" + json.dumps(results))
