"""The sealed log: unreadable on disk, readable for its owner, provable when somebody changes it."""

import json
import os
import pathlib
import shutil
import time

import openai
import pytest

CANARY = "Kanarienvogel-7f3a9c51-singt"


def chat(demo, slug="kanzlei-a", text=CANARY):
    client = openai.OpenAI(api_key=demo.key(slug), base_url=demo.base_url, max_retries=0)
    answer = client.chat.completions.with_raw_response.create(
        model="mock-echo", messages=[{"role": "user", "content": text}])
    assert answer.parse().choices[0].message.content == text
    return answer.headers["x-request-id"]


def listed(demo, slug="kanzlei-a", request=None, timeout=10):
    """The index may lag a moment behind the log."""
    token = demo.tenant(slug)["reader_token_file"]
    deadline = time.monotonic() + timeout
    while True:
        rows = json.loads(demo.ctl("log", "list", "--tenant", slug, "--all", "-o", "json", token=token).stdout)
        if request is None or any(row["request_id"] == request for row in rows) or time.monotonic() > deadline:
            return rows
        time.sleep(0.05)


def test_a_canary_is_nowhere_in_the_state_folder(demo):
    chat(demo)
    openai.OpenAI(api_key=demo.key(), base_url=demo.base_url).chat.completions.create(
        model="mock-echo", messages=[{"role": "user", "content": CANARY}], stream=True).close()
    for folder, _, files in os.walk(demo.state):
        for name in files:
            content = (pathlib.Path(folder) / name).read_bytes()
            assert CANARY.encode() not in content, name
            assert CANARY.encode("utf-16-le") not in content, name
    assert CANARY not in demo.log()


def test_the_tenants_reader_opens_it_with_a_reason(demo):
    request = chat(demo)
    assert any(row["request_id"] == request for row in listed(demo, request=request))
    shown = demo.ctl("log", "show", request, "--tenant", "kanzlei-a", "--reason", "Auskunft nach Art. 15",
                     token=demo.tenant()["reader_token_file"]).stdout
    assert shown.count(CANARY) >= 2  # prompt and answer


def test_a_reason_is_required(demo):
    request = chat(demo)
    listed(demo, request=request)
    refused = demo.ctl("log", "show", request, "--tenant", "kanzlei-a", "--reason", "weil",
                       token=demo.tenant()["reader_token_file"], check=False)
    assert refused.returncode != 0 and CANARY not in refused.stdout


def test_another_tenants_reader_gets_the_404_of_an_unknown_id(demo):
    request = chat(demo)
    listed(demo, request=request)
    reader = demo.tenant("kanzlei-b")["reader_token_file"]
    reason = ["--reason", "Neugier ist kein Grund"]
    foreign = demo.ctl("log", "show", request, "--tenant", "kanzlei-b", *reason, token=reader, check=False)
    unknown = demo.ctl("log", "show", "req_" + "0" * 26, "--tenant", "kanzlei-b", *reason, token=reader, check=False)
    assert foreign.returncode == unknown.returncode == 6
    strip = lambda result, id: (result.stdout + result.stderr).replace(id, "ID")
    without_ids = [
        "\n".join(line for line in strip(result, id).splitlines() if "request" not in line.lower() or "ID" in line)
        for result, id in [(foreign, request), (unknown, "req_" + "0" * 26)]
    ]
    assert without_ids[0] == without_ids[1]
    other_tenant = demo.ctl("log", "show", request, "--tenant", "kanzlei-a", *reason, token=reader, check=False)
    assert other_tenant.returncode in (5, 6) and CANARY not in other_tenant.stdout


def test_the_operator_gets_no_content(demo):
    request = chat(demo)
    listed(demo, request=request)
    refused = demo.ctl("log", "show", request, "--tenant", "kanzlei-a", "--reason", "Fehlersuche im Betrieb", check=False)
    assert refused.returncode != 0
    assert CANARY not in refused.stdout + refused.stderr


def test_verify_is_0_and_3_after_one_flipped_byte(fresh, tmp_path):
    for number in range(3):
        chat(fresh, text=f"{CANARY} {number}")
    assert fresh.ctl("log", "verify", "--tenant", "kanzlei-a", token=fresh.tenant()["reader_token_file"],
                     check=False).returncode == 0
    fresh.stop()
    segments = [path for path in fresh.state.rglob("*.thl")]
    largest = max(segments, key=lambda path: path.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[len(content) // 2] ^= 1
    largest.write_bytes(bytes(content))
    fresh.start()
    verified = [
        fresh.ctl("log", "verify", "--tenant", slug, token=fresh.tenant(slug)["reader_token_file"], check=False).returncode
        for slug in ("kanzlei-a", "kanzlei-b")
    ]
    assert verified == [3, 0]
