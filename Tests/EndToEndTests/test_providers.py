"""Where requests go and whether providers answer, asked over the Admin API with the real binaries."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from conftest import Server, fetch, policy, provider
from test_provider_transport import secret

SECRET = "sk-" + "checked" + "1234567890"
CANARY = "streng vertraulich"


class Listed:
    """A provider that has a list of models, a status of its own for it, and notes what it is asked."""

    def __init__(self, models, status=200, needs=SECRET):
        self.asked, self.models, self.status, self.needs = [], models, status, needs

    def start(self):
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                provider.asked.append((self.command, self.path, dict(self.headers)))
                known = provider.needs in self.headers.get("authorization", "") + self.headers.get("x-api-key", "")
                body = json.dumps({"data": [{"id": model} for model in provider.models], "note": CANARY}).encode()
                self.send_response(provider.status if known else 401)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    folder = tmp_path_factory.mktemp("providers")
    good, poor, busy = Listed(["m", "n-20261001"]).start(), Listed(["m"]).start(), Listed([], 500).start()
    own = dict(credential="right")
    records = [
        provider("good", good.port, ["m", "n"], **own), provider("poor", poor.port, ["m", "n"], **own),
        provider("wrong", good.port, ["m"], credential="wrong"), provider("busy", busy.port, ["m"], **own),
        provider("claude", good.port, ["m"], **own) | {"adapter": "anthropic"},
        provider("away", 1, ["m"], **own), provider("bare", good.port, ["m"], credential="nowhere"),
        provider("abroad", good.port, ["m"], **own) | {"country": "US"},
        provider("seeing", good.port, ["m"], **own),
    ]
    for model in records[0]["models"]:
        model["capabilities"] = ["tools"]
    records[-1]["models"][0] |= {"capabilities": ["tools", "images"], "context": "100000"}
    aliases = {
        "fragen": {"candidates": ["abroad/m", "bare/m", "good/m", "seeing/m"]}, "lone": {"candidates": ["good/m"]},
        "foreign": {"candidates": ["good/n"]}, "dead": {"candidates": ["away/m"]}}
    text = "\n---\n".join([
        json.dumps({"kind": "Providers", "providers": records}), json.dumps({"kind": "Routing", "aliases": aliases}),
        policy(["fragen", "lone", "dead"])])
    secrets = {"right": secret(folder, "right.key", SECRET), "wrong": secret(folder, "wrong.key", "sk-" + "falsch")}
    server = Server(folder, text, f"loops: 1\ncredentials: {json.dumps(secrets)}").start()
    server.good = good
    yield server
    code = server.stop()
    for one in (good, poor, busy):
        one.stop()
    assert code == 0, server.log()


def checked(house, name):
    made = house.ctl("provider", "check", name, "-o", "json", check=False)
    return made.returncode, json.loads(made.stdout)[0]


@pytest.mark.parametrize("name, outcome, status, missing", [
    ("good", "ok", 200, []), ("poor", "models_missing", 200, ["n"]), ("wrong", "credential_refused", 401, []),
    ("busy", "failed", 500, []), ("claude", "ok", 200, []), ("away", "unreachable", None, []),
    ("bare", "credential_missing", None, []),
])
def test_a_check_says_what_a_provider_answers(house, name, outcome, status, missing):
    code, answer = checked(house, name)
    assert (answer["outcome"], answer.get("status"), answer["missing"]) == (outcome, status, missing), answer
    assert code == (0 if outcome == "ok" else 1)
    # Nothing of the provider's words, nothing of ours that is secret.
    assert SECRET not in json.dumps(answer) and CANARY not in json.dumps(answer)


def test_a_check_is_one_question_without_content(house):
    before = len(house.good.asked)
    assert checked(house, "good")[0] == 0
    (method, path, headers), = house.good.asked[before:]
    assert (method, path) == ("GET", "/v1/models") and "content-length" not in {name.lower() for name in headers}
    assert headers["authorization"] == f"Bearer {SECRET}"
    assert checked(house, "claude")[0] == 0
    method, path, headers = house.good.asked[-1]
    assert (method, path) == ("GET", "/v1/models?limit=1000") and headers["anthropic-version"] == "2023-06-01"
    assert headers["x-api-key"] == SECRET and "authorization" not in headers


def test_the_register_is_listed_with_what_is_wrong(house):
    records = {one["id"]: one for one in json.loads(house.ctl("provider", "list", "-o", "json").stdout)}
    assert records["good"]["models"][0]["price"]["input"] == "0.25" and "fault" not in records["good"]
    assert "nowhere" in records["bare"]["fault"] and records["abroad"]["country"] == "US"
    assert records["good"]["models"][0]["capabilities"] == ["tools"]
    assert SECRET not in json.dumps(records)


def why(house, alias, *more, token=None):
    made = house.ctl("route", "why", "--tenant", "mandant-a", "--model", alias, "-o", "json", *more, token=token)
    answer = json.loads(made.stdout)
    return answer, [(one["provider"], one["verdict"], one.get("rule")) for one in answer["candidates"]]


def test_why_names_the_rule_of_each_candidate(house):
    house.key()
    answer, candidates = why(house, "fragen")
    assert candidates == [
        ("abroad", "refused", "compliance.countries"), ("bare", "refused", "credential"), ("good", "first", None),
        ("seeing", "usable", None)]
    assert answer["policy"] == "test@1" and "rule" not in answer and float(answer["candidates"][2]["most"]) > 0
    _, candidates = why(house, "fragen", "--needs", "images,tools")
    assert candidates[2:] == [("good", "refused", "capability"), ("seeing", "first", None)]
    _, candidates = why(house, "fragen", "--tokens", "100001")
    assert candidates[2:] == [("good", "first", None), ("seeing", "refused", "context")]


def test_why_says_which_keys_may(house):
    house.key()
    answer, _ = why(house, "fragen", "--project", "test")
    assert [(one["name"], one["allowed"]) for one in answer["callers"]] == [("test", True)]
    answer, _ = why(house, "foreign", "--project", "test")
    assert answer["rule"] == "models" and answer["callers"][0]["rule"] == "models"
    assert house.ctl("route", "why", "--tenant", "mandant-a", "--model", "nobody", check=False).returncode == 6


def test_why_agrees_with_what_a_request_meets(house):
    key = house.key()

    def ask(alias, **more):
        body = {"model": alias, "messages": [{"role": "user", "content": "Grüezi"}], "max_tokens": 5, **more}
        try:
            fetch(house.info["endpoint"] + "/v1/chat/completions", json.dumps(body).encode(),
                  {"authorization": f"Bearer {key}", "content-type": "application/json"})
        except OSError as error:
            return error.code, json.loads(error.read())["error"]
        raise AssertionError("no provider here writes answers")

    before = len(house.good.asked)
    image = [{"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}]
    status, error = ask("lone", messages=[{"role": "user", "content": image}])
    assert status == 400 and "audio" in error["message"], error
    assert len(house.good.asked) == before, "nothing was sent"
    assert why(house, "lone", "--needs", "audio")[1] == [("good", "refused", "capability")]
    for _ in range(5):
        assert ask("dead")[0] in (502, 503)
    assert why(house, "dead")[1] == [("away", "refused", "breaker")]
