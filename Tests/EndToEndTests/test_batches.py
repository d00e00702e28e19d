"""Files and batches, with the official library and with raw bytes, against the scripted provider."""

import http.client
import json
import pathlib
import re
import sqlite3

import openai
import pytest
import requests
from conftest import Server, provider, register, settles

MAIL = "anna.muster" + "@example.ch"
IBAN = "CH93 0076 2011 " + "6238 5295 7"
# The mock's own names, and what its answers carry: none of these may reach a client.
THEIRS = re.compile(r"file-mock|batch_mock|batch_req_mock|req_mock|mock-|org-mock|__mock")


@pytest.fixture(scope="module")
def house(mock, tmp_path_factory):
    record = provider("scripted", mock.port, [
        "mock-echo", "mock-echo;looks=3", "mock-echo;expires=1", "mock-echo;sum=0", "mock-error-400", "mock-tool"])
    for model in record["models"]:
        model["capabilities"] = ["tools", "batch"]
        model["price"] = dict(model["price"], tiers={"batch": {"input": "0.125", "output": "1.00"}})
    plain = provider("plain", mock.port, ["mock-echo"])
    aliases = {
        "echo": "scripted/mock-echo", "slow": "scripted/mock-echo;looks=3", "late": "scripted/mock-echo;expires=1",
        "unsummed": "scripted/mock-echo;sum=0", "wrong": "scripted/mock-error-400", "tool": "scripted/mock-tool",
        "single": "plain/mock-echo"}
    server = Server(tmp_path_factory.mktemp("batches"), register(
        [record, plain], {name: {"candidates": [candidate]} for name, candidate in aliases.items()})).start()
    yield server
    assert server.stop() == 0, server.log()


@pytest.fixture
def client(house):
    return openai.OpenAI(api_key=house.key(), base_url=house.base_url, max_retries=0)


@pytest.fixture
def other(house):
    return openai.OpenAI(api_key=house.key("mandant-b"), base_url=house.base_url, max_retries=0)


def line(name, text, model="echo", url="/v1/chat/completions", **more):
    body = {"model": model, "max_tokens": 50, "messages": [{"role": "user", "content": text}], **more}
    if url == "/v1/embeddings":
        body = {"model": model, "input": text, **more}
    return json.dumps({"custom_id": name, "method": "POST", "url": url, "body": body}, ensure_ascii=False)


def upload(client, *lines):
    return client.files.create(file=("Anna Muster.jsonl", "\n".join(lines).encode()), purpose="batch")


def order(client, file, endpoint="/v1/chat/completions"):
    return client.batches.create(input_file_id=file.id, endpoint=endpoint, completion_window="24h")


def finished(client, batch):
    for _ in range(5):
        batch = client.batches.retrieve(batch.id)
        if batch.status in ("completed", "failed", "expired", "cancelled"):
            return batch
    raise AssertionError(batch)


def results(client, file):
    text = client.files.content(file).text
    assert not THEIRS.search(text), text
    return {one["custom_id"]: one for one in map(json.loads, text.rstrip("\n").split("\n"))}


def said(result):
    return result["response"]["body"]["choices"][0]["message"]["content"]


def used(house, slug="mandant-a"):
    totals = json.loads(house.ctl("usage", "--tenant", slug, "-o", "json").stdout)["totals"]
    return totals["input_tokens"] + totals["output_tokens"], float(totals["cost"])


def bodies(mock):
    return [request["body"] for request in json.loads(mock.report())["requests"]]


def test_what_was_replaced_comes_back_byte_for_byte(house, mock, client):
    mock.reset()
    text = f"Brief an {MAIL},\nKonto {IBAN} – «grüezi» \"Zitat\" \\ \u2028 Ende"
    file = upload(client, line(f"Akte {MAIL}", text), line("zwei", "Guten Tag"), line("drei", "", model="echo"))
    assert file.purpose == "batch" and file.status == "processed" and file.filename == "batch.jsonl"
    assert client.files.retrieve(file.id).id == file.id
    batch = order(client, file)
    assert batch.input_file_id == file.id and batch.endpoint == "/v1/chat/completions" and batch.status == "validating"
    batch = finished(client, batch)
    assert batch.status == "completed" and batch.request_counts.completed == 3 and batch.error_file_id is None
    found = results(client, batch.output_file_id)
    assert list(found) == [f"Akte {MAIL}", "zwei", "drei"]
    assert said(found[f"Akte {MAIL}"]) == text and said(found["zwei"]) == "Guten Tag"
    assert found["zwei"]["response"]["body"]["model"] == "echo"
    sent = "".join(bodies(mock))
    assert MAIL not in sent and "6238" not in sent and "Anna" not in sent and '"model": "mock-echo"' in sent


def test_tool_calls_are_restored(client):
    batch = finished(client, order(client, upload(client, line("a", f"An {MAIL}", model="tool"))))
    call = results(client, batch.output_file_id)["a"]["response"]["body"]["choices"][0]["message"]["tool_calls"][0]
    assert json.loads(call["function"]["arguments"])["text"] == f"An {MAIL}"


def test_embeddings(client):
    file = upload(client, *(line(str(n), f"Akte {MAIL} {n}", url="/v1/embeddings") for n in range(3)))
    batch = finished(client, order(client, file, "/v1/embeddings"))
    found = results(client, batch.output_file_id)
    assert len(found) == 3 and found["1"]["response"]["body"]["data"][0]["embedding"]


def test_nothing_of_the_provider_shows(house, client):
    file = upload(client, line("a", "Guten Tag"))
    batch = finished(client, order(client, file))
    key = {"authorization": f"Bearer {house.key()}"}
    for path in ["/files", f"/files/{file.id}", f"/files/{batch.output_file_id}", f"/files/{batch.output_file_id}/content",
                 "/batches", f"/batches/{batch.id}"]:
        answer = requests.get(house.base_url + path, headers=key, timeout=30)
        assert answer.status_code == 200, answer.text
        assert not THEIRS.search(answer.text), answer.text
        assert not THEIRS.search(str(answer.headers)), answer.headers
    assert file.id in [one.id for one in client.files.list()]
    assert batch.output_file_id in [one.id for one in client.files.list()]
    assert batch.id in [one.id for one in client.batches.list()]


def test_two_tenants_never_meet(house, client, other):
    file = upload(client, line("a", f"An {MAIL}"))
    batch = finished(client, order(client, file))
    mine = finished(other, order(other, upload(other, line("b", "Gruss"))))
    assert file.id not in [one.id for one in other.files.list()]
    assert batch.id not in [one.id for one in other.batches.list()]
    assert mine.id not in [one.id for one in client.batches.list()]
    unknown_file, unknown_batch = "file-" + "0" * 32, "batch_" + "0" * 32
    calls = [("get", "/files/{f}"), ("delete", "/files/{f}"), ("get", "/files/{o}/content"), ("get", "/batches/{b}"),
             ("post", "/batches/{b}/cancel"), ("delete", "/files/{o}")]
    key = {"authorization": f"Bearer {house.key('mandant-b')}"}

    def answers(**names):
        got = []
        for method, path in calls:
            answer = requests.request(method, house.base_url + path.format(**names), headers=key, timeout=30)
            got.append((answer.status_code, re.sub(r"req_[0-9a-z]{26}", "", answer.text)))
        answer = requests.post(house.base_url + "/batches", headers=key, timeout=30, json={
            "input_file_id": names["f"], "endpoint": "/v1/chat/completions", "completion_window": "24h"})
        return got + [(answer.status_code, re.sub(r"req_[0-9a-z]{26}", "", answer.text))]

    foreign = answers(f=file.id, o=batch.output_file_id, b=batch.id)
    assert foreign == answers(f=unknown_file, o=unknown_file + "-output", b=unknown_batch)
    assert all(status == 404 for status, _ in foreign)
    assert client.files.retrieve(file.id).id == file.id, "nothing was deleted"


@pytest.mark.parametrize("path", [
    "/files/", "/files/..", "/files/file-1", "/files/file-%2e%2e", "/files/file-mock1", "/batches/batch_mock1",
    "/batches/../files", "/files/file-" + "0" * 32 + "/content/x", "/files/file-" + "A" * 32, "/batches/batch_" + "0" * 33])
def test_what_is_no_id_is_no_route(house, mock, path):
    mock.reset()
    host, port = house.address
    connection = http.client.HTTPConnection(host, port, timeout=30)
    connection.request("GET", "/v1" + path, headers={"authorization": f"Bearer {house.key()}"})
    answer = connection.getresponse()
    text = answer.read().lower()
    # What could be taken for another path is refused before there is any route.
    assert (answer.status, b"no such route" in text) in [(404, True), (400, False)], text
    assert not bodies(mock)


def test_what_it_cost_is_booked_at_the_batch_price(house, mock, client):
    mock.reset()
    file = upload(client, *(line(str(n), "Guten Tag") for n in range(4)))
    before = used(house)
    batch = order(client, file)
    assert settles(lambda: used(house)[0] - before[0] > 300), "the worst case stands first"
    finished(client, batch)
    bill = mock.bill()
    assert bill["requests"] == 4
    assert settles(lambda: used(house)[0] - before[0] == bill["prompt_tokens"] + bill["completion_tokens"])
    cost = (bill["prompt_tokens"] * 0.125 + bill["completion_tokens"] * 1.00) / 1e6
    assert abs(used(house)[1] - before[1] - cost) < 1e-6
    finished(client, batch)
    assert used(house)[0] - before[0] == bill["prompt_tokens"] + bill["completion_tokens"]


def test_without_a_sum_the_output_says_what_was_used(house, mock, client):
    before = used(house)[0]
    mock.reset()
    batch = finished(client, order(client, upload(client, line("a", "Guten Tag", model="unsummed"))))
    assert batch.usage is None
    client.files.content(batch.output_file_id)
    bill = mock.bill()
    assert settles(lambda: used(house)[0] - before == bill["prompt_tokens"] + bill["completion_tokens"])


def test_a_limit_is_never_passed(house):
    key = house.key("mandant-a", tokens_per_day=1_000)
    poor = openai.OpenAI(api_key=key, base_url=house.base_url, max_retries=0)
    file = upload(poor, *(line(str(n), "Guten Tag") for n in range(20)))
    with pytest.raises(openai.RateLimitError) as refused:
        order(poor, file)
    assert refused.value.code == "insufficient_quota"
    small = order(poor, upload(poor, line("a", "Guten Tag")))
    assert finished(poor, small).status == "completed"


def test_errors_of_lines(client):
    batch = finished(client, order(client, upload(client, line(MAIL, "a", model="wrong"))))
    assert batch.output_file_id is None and batch.request_counts.failed == 1
    failed = results(client, batch.error_file_id)[MAIL]
    assert failed["response"]["status_code"] == 400 and "refuse this request" in failed["response"]["body"]["error"]["message"]


def test_what_has_run_out_of_time(client):
    batch = finished(client, order(client, upload(client, *(line(str(n), f"An {MAIL}", model="late") for n in range(4)))))
    assert batch.status == "expired"
    assert len(results(client, batch.output_file_id)) == 2
    failed = results(client, batch.error_file_id)
    assert {one["error"]["code"] for one in failed.values()} == {"batch_expired"}


def test_cancelling(house, client):
    before = used(house)[0]
    batch = order(client, upload(client, line("a", "Guten Tag", model="slow")))
    assert client.batches.retrieve(batch.id).status == "in_progress"
    assert client.batches.cancel(batch.id).status == "cancelling"
    assert finished(client, batch).status == "cancelled"
    assert settles(lambda: used(house)[0] == before), "nothing was used"
    with pytest.raises(openai.BadRequestError) as refused:
        client.batches.cancel(batch.id)
    assert not THEIRS.search(refused.value.message), refused.value.message


def test_deleting(house, mock, client):
    file = upload(client, line("a", f"An {MAIL}"))
    batch = finished(client, order(client, file))
    assert client.files.delete(file.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(file.id)
    answer = client.files.with_raw_response.content(batch.output_file_id)
    assert answer.headers["x-torhaus-originals"] == "gone" and "[EMAIL_" in answer.text
    assert client.files.delete(batch.output_file_id).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.content(batch.output_file_id)
    assert client.batches.retrieve(batch.id).output_file_id is None


def test_a_wrong_line_is_named(client):
    good = line("a", "Guten Tag")
    for wrong, code in [
        ("{", "invalid_json"), (good, "invalid_value"), (line("b", "x", model="slow"), "invalid_value"),
        (line("b", "x", stream=True), "unsupported_parameter"), (line("b", "x", url="/v1/embeddings"), "invalid_value"),
        (line("b", "x", tools=[{"type": "web_search"}]), "unsupported_parameter")]:
        with pytest.raises(openai.BadRequestError) as refused:
            upload(client, good, wrong)
        assert refused.value.code == code and "Line 2: " in refused.value.message, refused.value.message


def test_what_is_not_taken_says_why(client):
    with pytest.raises(openai.BadRequestError) as refused:
        client.files.create(file=("a.jsonl", b"{}"), purpose="assistants")
    assert "not supported" in refused.value.message and refused.value.param == "purpose"
    with pytest.raises(openai.BadRequestError) as refused:
        upload(client, line("a", "x", model="single"))
    assert "batch" in refused.value.message
    with pytest.raises(openai.NotFoundError):
        upload(client, line("a", "x", model="nothing"))
    file = upload(client, line("a", "x"))
    with pytest.raises(openai.BadRequestError) as refused:
        order(client, file, "/v1/embeddings")
    assert refused.value.param == "endpoint"
    with pytest.raises(openai.BadRequestError):
        client.files.content(file.id)


def test_the_log_has_each_step_and_its_lines_as_they_were_sent(demo):
    client = openai.OpenAI(api_key=demo.key(), base_url=demo.base_url, max_retries=0)

    def rows():
        return json.loads(demo.ctl("log", "list", "--tenant", "kanzlei-a", "--all", "-o", "json").stdout)

    before = {row["request_id"] for row in rows()}
    file = upload(client, line("a", f"An {MAIL}", model="mock-echo"), line("b", f"Konto {IBAN}", model="mock-echo"))
    batch = finished(client, order(client, file))
    client.files.content(batch.output_file_id)
    client.files.delete(file.id)
    news = []

    def are_there():
        news[:] = [row for row in rows() if row["request_id"] not in before]
        return len(news) >= 5

    assert settles(are_there), news
    assert all(row["model"] == "mock-echo" and row["alias"] == "mock-echo" for row in news)

    def shown(row):
        return demo.ctl("log", "show", row["request_id"], "--tenant", "kanzlei-a", "--reason", "Auskunft nach Art. 15",
                        token=demo.tenant()["reader_token_file"]).stdout

    texts = [shown(row) for row in news]
    assert MAIL not in "".join(texts) and "6238" not in "".join(texts)
    uploaded = next(text for text in texts if '"custom_id":"a"' in text.replace("\\", "") and "IBAN_" in text and "completion_window" not in text)
    assert "EMAIL_" in uploaded
    assert any(file.id in text and "completion_window" in text for text in texts)
    assert "file-mock" not in "".join(texts)
    assert demo.ctl("log", "verify", "--tenant", "kanzlei-a", check=False).returncode in (0, 2)


def test_kill_between_upload_and_fetch(mock, tmp_path):
    record = provider("scripted", mock.port, ["mock-echo"])
    record["models"][0]["capabilities"] = ["batch"]
    server = Server(tmp_path, register([record], {"echo": {"candidates": ["scripted/mock-echo"]}})).start()
    try:
        client = openai.OpenAI(api_key=server.key(), base_url=server.base_url, max_retries=0)
        file = upload(client, line("a", f"An {MAIL} und {IBAN}"))
        server.kill()
        server.start()
        client = openai.OpenAI(api_key=server.key(), base_url=server.base_url, max_retries=0)
        before = used(server)[0]
        batch = order(client, file)
        server.kill()
        server.start()
        client = openai.OpenAI(api_key=server.key(), base_url=server.base_url, max_retries=0)
        assert [one.id for one in client.batches.list()] == [batch.id]
        batch = finished(client, batch)
        assert said(results(client, batch.output_file_id)["a"]) == f"An {MAIL} und {IBAN}"
        usage = batch.usage
        assert settles(lambda: used(server)[0] - before == usage.input_tokens + usage.output_tokens)
        for path in pathlib.Path(server.state).rglob("*"):
            if path.is_file():
                assert MAIL.encode() not in path.read_bytes(), path
    finally:
        server.stop()
    stored = sqlite3.connect(f"file:{server.state}/batches.sqlite?mode=ro", uri=True)
    assert stored.execute("SELECT count(*) FROM file WHERE originals IS NOT NULL").fetchone()[0] == 1


def test_raw_forms(house):
    host, port = house.address

    def post(body, kind):
        connection = http.client.HTTPConnection(host, port, timeout=30)
        connection.request("POST", "/v1/files", body, {"authorization": f"Bearer {house.key()}", "content-type": kind})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

    part = b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
    file = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n' + line("a", "x").encode() + b"\r\n"
    form = "multipart/form-data; boundary=x"
    assert post(part + file + b"--x--\r\n", form)[0] == 200
    assert post(part + file + b"--x--\r\n", "application/json")[0] == 415
    for wrong in [b"", part, file + b"--x--", part + b"--x--", part + part + file + b"--x--", b"x" + part + file + b"--x--",
                  part + file + file + b"--x--", part + file + b"--x--\r\ntrailing", part.replace(b"batch", b"vision") + file + b"--x--"]:
        status, body = post(wrong, form)
        assert status == 400 and body["error"]["type"] == "invalid_request_error", (wrong, body)
