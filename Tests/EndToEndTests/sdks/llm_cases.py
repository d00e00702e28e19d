"""The `llm` command with models that extra-openai-models.yaml names."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

import harness
from harness import PROMPT, hidden, restored


def ask(s, *arguments):
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "extra-openai-models.yaml").write_text(json.dumps([
            {"model_id": "haus", "model_name": s.model(), "api_base": s.base_url, "api_key_name": "torhaus"}]))
        pathlib.Path(folder, "keys.json").write_text(json.dumps({"torhaus": s.key}))
        done = subprocess.run(
            [sys.executable, "-m", "llm", "-m", "haus", "--no-log", *arguments], capture_output=True, text=True, timeout=60,
            stdin=subprocess.DEVNULL, env={**os.environ, "LLM_USER_PATH": folder})
        assert done.returncode == 0, done.stderr
        return done.stdout.rstrip("\n")


def case_plain(s):
    assert ask(s, "--no-stream", "Grüezi") == "Grüezi"


def case_stream(s):
    assert ask(s, "eins zwei drei vier") == "eins zwei drei vier"


def case_private(s):
    s.forget()
    restored(ask(s, PROMPT))
    hidden(s.seen())


if __name__ == "__main__":
    harness.run(globals())
