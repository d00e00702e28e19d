"""The snippets of docs/clients, as they stand there, against the real gateway.

A fence of Python or sh is run; the fence of text that follows says what it prints, `…` standing for anything. Only address
and key are filled in. Fences in other languages are settings of clients that do not run here.
"""

import os
import pathlib
import re
import subprocess
import sys

import pytest
from test_sdks import SDKS

PAGES = pathlib.Path(__file__).parent.parent.parent / "docs" / "clients"
# Which folders of sdks/versions.txt a page's snippets run with; a line `# with: NAME` in a snippet names another.
WITH = {
    "openai-python": ["openai-1", "openai-2", "openai-3"], "anthropic": ["anthropic-0", "anthropic-1", "anthropic-2"],
    "langchain": ["langchain-1"], "llamaindex": ["llamaindex-0"], "pydantic-ai": ["pydantic_ai-2"], "litellm": ["litellm-1"],
    "llm": ["llm-0"], "curl": [""],
}


def fences(page):
    return re.findall(r"^```(\S+)\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


def snippets():
    for name, folders in WITH.items():
        found = fences(PAGES / f"{name}.md")
        for number, (language, code) in enumerate(found):
            if language not in ("python", "sh"):
                continue
            assert number + 1 < len(found) and found[number + 1][0] == "text", f"{name}: nothing says what snippet {number} prints"
            named = re.search(r"^# with: (\S+)$", code, re.MULTILINE)
            for folder in [f"{named[1]}-1"] if named else folders:
                yield pytest.param(language, code, found[number + 1][1], folder, id=f"{name}-{number}-{folder or 'curl'}")


@pytest.mark.parametrize("language, code, printed, folder", list(snippets()))
def test_snippet(demo, tmp_path, language, code, printed, folder):
    assert "th_" in code
    code = code.replace("http://127.0.0.1:8080", demo.info["endpoint"]).replace("th_…", demo.key())
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8",
                   "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LLM_USER_PATH": str(tmp_path)}
    if folder:
        environment["PYTHONPATH"] = str(SDKS / folder)
        environment["PATH"] = f"{SDKS / folder / 'bin'}:{environment['PATH']}"
    command = [sys.executable, "-c", code] if language == "python" else ["bash", "-c", code]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, env=environment, cwd=tmp_path, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr[-4000:]
    expected = "(?s:.*?)".join(re.escape(part) for part in printed.strip().split("…"))
    assert re.fullmatch(expected, done.stdout.strip()), done.stdout


def test_every_page_is_listed_and_every_link_leads_somewhere():
    index = (PAGES / "README.md").read_text()
    assert {page.name for page in PAGES.glob("*.md")} - {"README.md"} == set(re.findall(r"\(([a-z0-9-]+\.md)\)", index))
    for page in PAGES.glob("*.md"):
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / link).exists(), (page.name, link)


@pytest.mark.parametrize("page", sorted(page.name for page in PAGES.glob("*.md") if page.stem not in [*WITH, "README"]))
def test_pages_that_are_not_run_say_so(page):
    assert "Not tested here" in (PAGES / page).read_text()
    assert not [language for language, _ in fences(PAGES / page) if language in ("python", "sh")]
