"""docs/openapi/gateway.yaml is what the gateway does: schemathesis makes requests from it and reads the answers by it."""

import json
import os
import pathlib
import re
import subprocess
import sys
import urllib.parse

from test_sdks import MANY_CLIENTS, SDKS

ROOT = pathlib.Path(__file__).parent.parent.parent
DOCUMENT = ROOT / "docs" / "openapi" / "gateway.yaml"
EXAMPLES = os.environ.get("TORHAUS_OPENAPI_EXAMPLES", "10")
# What an answer must be, whatever was asked. Whether odd bodies are refused is the provider's affair: unknown members travel.
CHECKS = ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
          "response_schema_conformance", "missing_required_header", "ignored_auth"]


def schemathesis(demo, document, folder, *options):
    return subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "run", str(document), "--url", demo.info["endpoint"],
         # The same key in each of the three headers, or the ones that are made up would contradict it.
         "--header", f"Authorization: Bearer {demo.key()}", "--header", f"x-api-key: {demo.key()}",
         "--header", f"api-key: {demo.key()}", "--header", "Connection: close", "--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing",
         "--max-examples", EXAMPLES, "--seed", "1", "--generation-deterministic",
         "--request-timeout", "30", "--no-color", *options],
        cwd=folder, capture_output=True, text=True, timeout=540,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": f"{MANY_CLIENTS}:{SDKS / 'schemathesis-4'}",
             "LANG": "C.UTF-8"})


def test_the_document_tells_what_happens(demo, tmp_path):
    done = schemathesis(demo, DOCUMENT, tmp_path, "--report", "har", "--report-har-path", "report.har")
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    # It is worth something only if every operation was also asked what it answers well.
    entries = json.loads((tmp_path / "report.har").read_text())["log"]["entries"]
    good = {re.sub(r"/models/.+", "/models/{alias}", urllib.parse.urlsplit(entry["request"]["url"]).path)
            for entry in entries if entry["response"]["status"] == 200}
    # Sound cannot be redacted, so the demo's policy lets none pass: test_further_routes.py has these.
    sound = {f"{version}/audio/{route}" for version in ["", "/v1"] for route in ["transcriptions", "translations"]}
    # Nobody has a file or a batch whose id was made up, and whether a list shows one is chance: test_batches.py has these.
    good = {path for path in good if "/files/file-" not in path and "/batches/batch_" not in path}
    paths = {path for path in re.findall(r"^  (/\S*):$", DOCUMENT.read_text(), re.MULTILINE)
             if "{file}" not in path and "{batch}" not in path}
    assert good == paths - sound


def test_a_document_that_lies_is_found_out(demo, tmp_path):
    text, said = DOCUMENT.read_text(), "owned_by: {const: torhaus}"
    assert said in text
    document = tmp_path / "gateway.yaml"
    document.write_text(text.replace(said, "owned_by: {const: somebody}"))
    done = schemathesis(demo, document, tmp_path, "--include-path", "/v1/models")
    assert done.returncode == 1 and "Response violates schema" in done.stdout, done.stdout[-4000:] + done.stderr[-2000:]
