"""People and keys that are stored but cannot be read: what was revoked does not live on."""

import http.client
import json
import sqlite3
import urllib.error
import urllib.parse
import urllib.request

import pytest
from conftest import settles
from served import Served, chat

LISTEN = ("api: {address: 127.0.0.1, port: 0}", "admin: {address: 127.0.0.1, port: 0}")


@pytest.fixture
def served(mock, tmp_path):
    installation = Served(tmp_path / "served", mock, LISTEN).start()
    yield installation
    assert installation.stop() == 0


def post(served, key):
    """A chat's status and the code of its error."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    request = urllib.request.Request(served.endpoint + "/chat/completions", chat(), headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, None
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)["error"]["code"]


def unready(served):
    """Names of what is not ready, by the Admin API."""
    token = (served.folder / "etc" / "operator.token").read_text().strip()
    request = urllib.request.Request(served.admin + "/readyz", headers={"authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            found = json.load(answer)
    except urllib.error.HTTPError as error:
        found = json.load(error)
    return {check["name"] for check in found["checks"] if not check["ready"]}


def rename(served, before, after):
    """Takes a table away that is read with the keys, but not written when one is revoked; or gives it back."""
    with sqlite3.connect(served.folder / "data" / "tenancy.sqlite", timeout=10) as database:
        database.execute(f"ALTER TABLE {before} RENAME TO {after}")


def revoke(served, name):
    """Revokes a key by its name; what the command says."""
    listed = json.loads(served.ctl("key", "list", "--tenant", "edge", "-o", "json").stdout)
    number = next(row["id"] for row in listed if row["name"] == name)
    return served.ctl("key", "revoke", number, "--tenant", "edge", "--yes", check=False)


def test_while_keys_cannot_be_read_nobody_is_served_and_afterwards_all_but_the_revoked_are(served):
    revoked = served.make_tenant()
    kept = served.ctl("key", "create", "--tenant", "edge", "--project", "buero", "--name", "l").stdout.strip()
    assert post(served, revoked) == post(served, kept) == (200, None)

    rename(served, "overrides", "mislaid")
    told = revoke(served, "k")
    assert told.returncode == 69 and "stored" in told.stderr, told
    closed = (503, "policy_unavailable")
    assert settles(lambda: post(served, revoked) == closed and post(served, kept) == closed)
    assert unready(served) == {"directory"}

    rename(served, "mislaid", "overrides")
    assert settles(lambda: unready(served) == set())
    assert settles(lambda: post(served, kept) == (200, None))
    assert post(served, revoked) == (401, "invalid_api_key")
    assert served.log().count("no key is served until people and keys can be read again") == 1
    assert served.log().count("people and keys are in force as they are stored") == 1


def test_what_is_open_ends_while_keys_cannot_be_read(served):
    key = served.make_tenant()
    place = urllib.parse.urlsplit(served.endpoint)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    stream = http.client.HTTPConnection(place.hostname, place.port, timeout=30)
    body = json.loads(chat("[[mock script=mock-stream;chunks=2000;delay=20]] Grüezi"))
    stream.request("POST", "/v1/chat/completions", json.dumps({**body, "stream": True}), headers)
    answer = stream.getresponse()
    assert answer.status == 200 and answer.readline().startswith(b"data: ")

    slow = http.client.HTTPConnection(place.hostname, place.port, timeout=30)
    slow.putrequest("POST", "/v1/chat/completions")
    for name, value in {**headers, "Content-Length": str(len(chat()))}.items():
        slow.putheader(name, value)
    slow.endheaders()
    slow.send(chat()[:10])

    rename(served, "overrides", "mislaid")
    assert revoke(served, "k").returncode == 69
    with pytest.raises(http.client.IncompleteRead) as cut:
        answer.read()
    said = cut.value.partial.decode()
    assert "policy_unavailable" in said and "[DONE]" not in said
    slow.send(chat()[10:])
    assert slow.getresponse().status == 503, "nothing is sent for a key of which nobody knows whether it still holds"
    rename(served, "mislaid", "overrides")
    assert settles(lambda: post(served, key) == (401, "invalid_api_key"))
