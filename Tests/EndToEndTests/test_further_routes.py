"""Routes that are no conversation, with the official library and with raw bytes, against the scripted provider."""

import base64
import json

import openai
import pytest
import requests
from conftest import Server, policy, provider, register, settles

MAIL = "anna.muster" + "@example.ch"
USD = {"version": "1", "currency": "EUR"}


def model(name, capabilities, **price):
    return {"id": name, "capabilities": capabilities, "price": USD | price}


@pytest.fixture(scope="module")
def house(mock, tmp_path_factory):
    """Each route by an alias of its own; `talk` has none of them."""
    record = provider("scripted", mock.port, ["mock-echo"])
    record["models"] += [
        model("mock-moderation", ["moderation"], input="0.10"),
        model("mock-image", ["image-generation"], **{"per-image": "0.04"}),
        model("mock-picture", ["image-generation"], input="5.00", output="8.00") | {"max-output": "6240"},
        model("mock-voice", ["speech"], **{"per-1m-characters": "15.00"}),
        model("mock-ear", ["transcription", "translation"], **{"per-minute": "0.006"}) | {"max-duration": "10min"},
        model("mock-rerank", ["rerank"], **{"per-search": "0.002"}),
    ]
    aliases = {name: {"candidates": [f"scripted/mock-{name}"]} for name in ["moderation", "rerank", "image", "picture", "voice", "ear"]}
    aliases["talk"] = {"candidates": ["scripted/mock-echo"]}
    seeing = json.dumps({"kind": "Redaction", "profiles": {"seeing": [
        {"settings": {"binary": "allow"}},
        {"id": "people", "where": ["input"], "detect": ["email"], "action": "pseudonymise"}]}})
    documents = register([record], aliases) + "\n---\n" + seeing + "\n---\n" + policy(
        aliases, id="seeing@1", redaction="seeing", show={"provider": False, "redactions": True})
    server = Server(tmp_path_factory.mktemp("further"), documents).start()
    yield server
    assert server.stop() == 0, server.log()


@pytest.fixture
def client(house):
    return openai.OpenAI(api_key=house.key(), base_url=house.base_url, max_retries=0)


def post(house, path, body, **headers):
    return requests.post(
        house.base_url + path, data=body if isinstance(body, (bytes, str)) else json.dumps(body),
        headers={"authorization": f"Bearer {house.key()}", "content-type": "application/json"} | headers, timeout=30)


def record(house, request):
    """What the log's index says of a request, once it is written."""
    found = []

    def is_there():
        rows = json.loads(house.ctl("log", "list", "--tenant", "mandant-a", "--all", "-o", "json").stdout)
        found[:] = [row for row in rows if row["request_id"] == request]
        return found

    assert settles(is_there)
    return found[0]


def test_moderation(client):
    answer = client.moderations.create(model="moderation", input=["eins", f"Brief an {MAIL}"])
    assert answer.model == "moderation" and len(answer.results) == 2
    assert not answer.results[0].flagged and answer.results[0].category_scores.hate == 0.01


def test_moderation_of_parts(client):
    answer = client.moderations.create(model="moderation", input=[{"type": "text", "text": "eins"}])
    assert len(answer.results) == 1
    with pytest.raises(openai.BadRequestError) as refused:
        client.moderations.create(model="moderation", input=[
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}])
    assert refused.value.code == "content_policy_violation" and refused.value.param == "input"
    with pytest.raises(openai.BadRequestError) as refused:
        client.moderations.create(model="moderation", input=[
            {"type": "image_url", "image_url": {"url": "https://example.ch/a.png"}}])
    assert refused.value.code == "unsupported_parameter"


def test_an_alias_of_another_kind_says_so(client):
    for call in [lambda: client.moderations.create(model="talk", input="eins"),
                 lambda: client.embeddings.create(model="rerank", input="eins"),
                 lambda: client.chat.completions.create(model="moderation", messages=[{"role": "user", "content": "x"}])]:
        with pytest.raises(openai.BadRequestError) as refused:
            call()
        assert refused.value.param == "model" and "route" in refused.value.message


def test_rerank(house, mock):
    answer = post(house, "/rerank", {
        "model": "rerank", "query": "Brief Anna", "documents": ["nichts", {"text": f"Brief an {MAIL}"}],
        "top_n": 1, "return_documents": True})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["model"] == "rerank" and [one["index"] for one in told["results"]] == [1]
    assert told["results"][0]["document"]["text"] == f"Brief an {MAIL}"
    # One search, whatever the tokens.
    kept = record(house, answer.headers["x-request-id"])
    assert float(kept["cost"]) == 0.002 and kept["findings"] == [{"class": "email", "count": 1}], kept


def test_images(house, client):
    answer = client.images.with_raw_response.generate(model="image", prompt=f"Ein Brief an {MAIL}", n=2)
    told = answer.parse()
    assert len(told.data) == 2 and base64.b64decode(told.data[0].b64_json) == b"picture 0"
    assert told.data[1].revised_prompt == f"Ein Brief an {MAIL}"
    kept = record(house, answer.headers["x-request-id"])
    assert float(kept["cost"]) == 0.08 and kept["findings"] == [{"class": "email", "count": 1}]


def test_images_by_tokens(house, client):
    answer = client.images.with_raw_response.generate(model="picture", prompt="Ein Haus", n=3)
    assert answer.parse().usage.output_tokens == 3 * 272
    kept = record(house, answer.headers["x-request-id"])
    assert kept["output_tokens"] == 3 * 272


def test_images_have_no_stream(client):
    with pytest.raises(openai.BadRequestError) as refused:
        client.images.generate(model="image", prompt="Ein Haus", stream=True)
    assert refused.value.param == "stream"


def test_speech(house, client, tmp_path):
    with client.audio.speech.with_streaming_response.create(
            model="voice", voice="alloy", input="Grüezi mitenand", response_format="mp3") as answer:
        assert answer.headers["content-type"] == "audio/mpeg"
        assert answer.headers["x-content-type-options"] == "nosniff"
        answer.stream_to_file(tmp_path / "sound.mp3")
        request = answer.headers["x-request-id"]
    # The mock's sound: four bytes, what was to be spoken, four bytes.
    sound = (tmp_path / "sound.mp3").read_bytes()
    assert sound == b"\xff\xfb\x00\x80" + "Grüezi mitenand".encode() + b"\x00\xc3\x28\xff"
    assert float(record(house, request)["cost"]) == pytest.approx(15 * 15 / 1e6)


def test_what_would_have_to_come_back_is_not_spoken(client):
    with pytest.raises(openai.BadRequestError) as refused:
        client.audio.speech.create(model="voice", voice="alloy", input=f"Brief an {MAIL}")
    assert refused.value.code == "content_policy_violation" and "mask" in refused.value.message
    assert MAIL not in refused.value.message


SOUND = b"ID3\x03\x00" + bytes(range(256)) * 40


@pytest.fixture(scope="module")
def seeing(house):
    """The key of a tenant whose policy lets sound pass."""
    house.ctl("tenant", "create", "mandant-s", "--name", "Sehend", "--policy", "seeing@1")
    house.ctl("project", "create", "test", "--tenant", "mandant-s")
    made = house.ctl("key", "create", "--tenant", "mandant-s", "--project", "test", "--name", "t", "--role", "app")
    return made.stdout.strip()


@pytest.fixture
def listener(house, seeing):
    return openai.OpenAI(api_key=seeing, base_url=house.base_url, max_retries=0)


def test_sound_passes_only_where_policy_says_so(client, listener):
    with pytest.raises(openai.BadRequestError) as refused:
        client.audio.transcriptions.create(model="ear", file=("Anna Muster.mp3", SOUND))
    assert refused.value.code == "content_policy_violation" and refused.value.param == "file"
    # The mock hears the name and the size of the file: nothing of the client's name has gone upstream.
    heard = listener.audio.transcriptions.create(model="ear", file=("Anna Muster.mp3", SOUND))
    assert heard.text == f"The mock heard {len(SOUND)} bytes of audio.mp3."


@pytest.mark.parametrize("form", ["json", "text"])
def test_the_words_beside_sound_are_redacted(listener, form):
    answer = listener.audio.transcriptions.with_raw_response.create(
        model="ear", file=("a.wav", SOUND), prompt=f'Namen: "{MAIL}"', response_format=form)
    assert answer.headers["x-torhaus-redactions"] == "email=1"
    # The mock hears the prompt, which comes back.
    told = answer.parse()
    assert (told if form == "text" else told.text) == f'Namen: "{MAIL}"'
    kind = "application/json" if form == "json" else "text/plain; charset=utf-8"
    assert answer.headers["content-type"] == kind


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # the library advises against it; who calls it is served
def test_translation(listener):
    assert listener.audio.translations.create(model="ear", file=("a.m4a", SOUND)).text.endswith("audio.m4a.")


def test_a_large_sound(listener):
    big = SOUND * 300  # 3 MB: read, written and sent by helpers
    heard = listener.audio.transcriptions.create(model="ear", file=("a.flac", big))
    assert heard.text == f"The mock heard {len(big)} bytes of audio.flac."


@pytest.mark.parametrize("arguments, param", [
    ({"file": ("a.exe", SOUND)}, "file"), ({"file": ("a.mp3", b"")}, "file"),
    ({"file": ("a.mp3", SOUND), "stream": True}, "stream"),
    ({"file": ("a.mp3", SOUND), "extra_body": {"speaker": "Anna"}}, "speaker"),
    ({"file": ("a.mp3", SOUND), "language": "de; rm"}, "language"),
])
def test_what_is_no_such_form_is_refused(listener, arguments, param):
    with pytest.raises(openai.BadRequestError) as refused:
        listener.audio.transcriptions.create(model="ear", **arguments)
    assert refused.value.param == param


PART = b'--x\r\nContent-Disposition: form-data; name="model"\r\n\r\near\r\n'


@pytest.mark.parametrize("body", [
    b"", b"--x--", PART, PART + b"--x--\r\ntrailing", b"preamble\r\n" + PART + b"--x--", PART.replace(b"\r\n", b"\n") + b"--x--",
    PART + b"--xy\r\n\r\n--x--", PART + PART + b"--x--", b"\x00" * 100_000, b"--x\r\n" * 50_000,
])
def test_ugly_forms_are_refused(house, seeing, body):
    answer = post(house, "/audio/transcriptions", body, **{
        "authorization": f"Bearer {seeing}", "content-type": "multipart/form-data; boundary=x"})
    assert answer.status_code == 400 and answer.json()["error"]["type"] == "invalid_request_error", answer.text


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data", "multipart/mixed; boundary=x",
                                  "multipart/form-data; boundary=x; boundary=y"])
def test_a_body_that_is_called_otherwise_is_refused(house, seeing, kind):
    answer = post(house, "/audio/transcriptions", PART + b"--x--", **{
        "authorization": f"Bearer {seeing}", "content-type": kind})
    assert answer.status_code == 415, answer.text


@pytest.mark.parametrize("body, code, param", [
    (b"", "invalid_json", None), (b"[]", "invalid_type", None), (b'{"model":"rerank"', "invalid_json", None),
    ({"model": "rerank", "query": "q", "documents": []}, "invalid_value", "documents"),
    ({"model": "rerank", "query": "q", "documents": ["a"], "stream": True}, "unsupported_parameter", "stream"),
    ({"model": "rerank", "query": "q", "documents": [{"text": "a", "image": "AAAA"}]}, "unsupported_parameter",
     "documents[0].image"),
    (b'{"model":"rerank","query":"q","Documents":["a"],"documents":["b"]}', "invalid_value", "documents"),
])
def test_what_is_no_rerank_is_refused(house, body, code, param):
    answer = post(house, "/rerank", body)
    assert answer.status_code == 400 and answer.json()["error"]["code"] == code, answer.text
    assert answer.json()["error"]["param"] == param
