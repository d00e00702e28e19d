"""TLS on the endpoint, by the clients that applications use: handshakes, who gets in, and new certificates in flight."""

import http.client
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import threading
import time

import httpx
import openai
import pytest
import requests
from certificates import Authority, replace
from conftest import BIN, Demo, fetch


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"), "root")


def trust(authority, pair=None):
    context = ssl.create_default_context(cafile=str(authority.file))
    if pair:
        context.load_cert_chain(*pair)
    return context


def install(state, authority, name):
    """Puts a pair where the demo looks for it: the chain first, as most tools do, so that for a moment nothing fits."""
    chain, key = authority.pair(name)
    (state / "tls").mkdir(parents=True, exist_ok=True)
    replace(state / "tls" / "chain.pem", pathlib.Path(chain).read_bytes())
    replace(state / "tls" / "key.pem", pathlib.Path(key).read_bytes())


def start(mock, folder, authority, pair=None, clients=None):
    state = folder / "state"
    authority.issue("server")
    install(state, authority, "server")
    if clients:
        replace(state / "tls" / "client-ca.pem", clients)
    return Demo(state, upstream=mock.base_url, arguments=["--tls"], trust=trust(authority, pair)).start()


@pytest.fixture(scope="module")
def secure(mock, authority, tmp_path_factory):
    demo = start(mock, tmp_path_factory.mktemp("tls"), authority)
    yield demo
    assert demo.stop() == 0, demo.log()


def place(demo):
    host, port = demo.info["endpoint"].removeprefix("https://").split(":")
    return host, int(port)


def chat(text, **more):
    return {"model": "mock-echo", "messages": [{"role": "user", "content": text}], **more}


def ask(demo, context, text):
    """One request on a connection of its own. Returns the answer's text and the number of the server's certificate."""
    connection = http.client.HTTPSConnection(*place(demo), context=context, timeout=20)
    try:
        connection.request(
            "POST", "/v1/chat/completions", json.dumps(chat(text)),
            {"authorization": f"Bearer {demo.key()}", "content-type": "application/json"},
        )
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body
        serial = int(connection.sock.getpeercert()["serialNumber"], 16) if connection.sock else None
        return json.loads(body)["choices"][0]["message"]["content"], serial
    finally:
        connection.close()


def s_client(demo, *arguments):
    host, port = place(demo)
    return subprocess.run(
        ["openssl", "s_client", "-connect", f"{host}:{port}", *arguments],
        # What the endpoint says first over HTTP/2 is no text.
        input="", capture_output=True, text=True, errors="replace", timeout=30,
    )


def settles(check, seconds=15):
    deadline = time.monotonic() + seconds
    while not check():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


# --- Clients


def openai_client(demo, authority, http2):
    return openai.OpenAI(
        api_key=demo.key(), base_url=demo.base_url, max_retries=0,
        http_client=openai.DefaultHttpxClient(verify=trust(authority), http2=http2),
    )


@pytest.mark.parametrize("http2", [False, True])
@pytest.mark.parametrize("stream", [False, True])
def test_openai(secure, authority, stream, http2):
    client = openai_client(secure, authority, http2)
    for number in range(5):
        answer = client.chat.completions.create(stream=stream, **chat(f"Grüezi {number}"))
        if stream:
            text = "".join(c.delta.content or "" for chunk in answer for c in chunk.choices)
        else:
            text = answer.choices[0].message.content
        assert text == f"Grüezi {number}"


@pytest.mark.parametrize("http2", [False, True])
def test_a_large_answer_and_a_large_question(secure, authority, http2):
    client = openai_client(secure, authority, http2)
    answer = client.embeddings.create(
        model="mock-embed", input=[f"text {number}" for number in range(600)], dimensions=1536, encoding_format="float"
    )
    assert len(answer.data) == 600 and all(len(one.embedding) == 1536 for one in answer.data)
    text = "lang und länger " * 100_000
    echo = client.chat.completions.create(**chat(text)).choices[0].message.content
    assert len(echo) > 30_000 and text.startswith(echo)  # the scripted provider has its own end


def test_requests_and_httpx(secure, authority):
    headers = {"authorization": f"Bearer {secure.key()}"}
    with requests.Session() as session:
        for number in range(3):
            answer = session.post(
                f"{secure.base_url}/chat/completions", json=chat(f"r{number}"), headers=headers, timeout=20,
                verify=str(authority.file),
            )
            assert answer.json()["choices"][0]["message"]["content"] == f"r{number}"
    for http2 in (False, True):
        with httpx.Client(verify=trust(authority), http2=http2) as client:
            for number in range(3):
                answer = client.post(f"{secure.base_url}/chat/completions", json=chat(f"h{number}"), headers=headers)
                assert answer.json()["choices"][0]["message"]["content"] == f"h{number}"
                assert answer.http_version == ("HTTP/2" if http2 else "HTTP/1.1")


@pytest.mark.parametrize("http, spoken", [("--http1.1", "1.1"), ("--http2", "2")])
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_curl(secure, authority, version, http, spoken):
    result = subprocess.run(
        ["curl", "-sS", http, "--cacert", str(authority.file), f"--tlsv{version}", "--tls-max", version,
         f"{secure.base_url}/chat/completions", "-H", f"authorization: Bearer {secure.key()}",
         "-H", "content-type: application/json", "-d", json.dumps(chat("curl")), "-w", "%{http_version}"],
        capture_output=True, text=True, timeout=30,
    )
    assert '"curl"' in result.stdout and result.stdout.endswith(spoken), result


# --- Who is refused


def test_old_versions_and_weak_ciphers_are_refused(secure, authority):
    known = ["-CAfile", str(authority.file), "-verify_return_error"]
    for good in (["-tls1_2"], ["-tls1_3"], ["-alpn", "h2,http/1.1"]):
        result = s_client(secure, *known, *good)
        assert result.returncode == 0 and "Verify return code: 0 (ok)" in result.stdout, result.stderr
    assert "ALPN protocol: h2" in result.stdout
    for bad in (
        ["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"],
        ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-SHA"],
        ["-tls1_2", "-cipher", "AES256-GCM-SHA384"],
        ["-alpn", "h3"],
    ):
        result = s_client(secure, *bad)
        assert result.returncode != 0 and "alert" in result.stderr, (bad, result)


def test_plain_http_is_told_to_use_https(secure):
    plain = secure.base_url.replace("https://", "http://")
    answer = requests.post(f"{plain}/chat/completions", json=chat("x"), timeout=20)
    assert answer.status_code == 400 and answer.json()["error"]["code"] == "https_required"
    documented = pathlib.Path(__file__).parents[2] / "docs/openapi/gateway.yaml"
    assert "{const: https_required," in documented.read_text()
    with pytest.raises(openai.BadRequestError, match="https://"):
        openai.OpenAI(api_key="x", base_url=plain, max_retries=0).chat.completions.create(**chat("x"))


def test_without_trust_there_is_no_request(secure):
    with pytest.raises(openai.APIConnectionError):
        openai.OpenAI(api_key=secure.key(), base_url=secure.base_url, max_retries=0).chat.completions.create(
            **chat("x"))


# --- Clients' certificates


def test_only_clients_with_a_certificate_get_in(mock, authority, tmp_path):
    clients, strangers = Authority(tmp_path, "clients"), Authority(tmp_path, "strangers")
    for name in ("known", "revoked"):
        clients.issue(name, client=True)
    clients.issue("expired", client=True, days=-1)
    clients.issue("server-only")
    strangers.issue("stranger", client=True)
    revoked = clients.issue("revoked", client=True)
    accepted = clients.file.read_bytes() + clients.revocations(revoked)
    demo = start(mock, tmp_path, authority, clients.pair("known"), accepted)
    try:
        assert ask(demo, trust(authority, clients.pair("known")), "hinein")[0] == "hinein"
        for pair in (None, clients.pair("expired"), clients.pair("revoked"), clients.pair("server-only"),
                     strangers.pair("stranger")):
            with pytest.raises((ssl.SSLError, ConnectionError)) as raised:
                ask(demo, trust(authority, pair), "hinein")
            assert "ALERT" in str(raised.value).upper(), (pair, raised.value)  # told why, not cut off
        result = subprocess.run(
            ["curl", "-sS", "--cacert", str(authority.file), demo.info["endpoint"] + "/livez"],
            capture_output=True, text=True, timeout=30,
        )
        assert result.returncode != 0 and "certificate required" in result.stderr, result
        # Withdrawn while the gateway runs.
        replace(demo.state / "tls" / "client-ca.pem", strangers.file.read_bytes())
        demo.process.send_signal(signal.SIGHUP)

        def is_out():
            try:
                ask(demo, trust(authority, clients.pair("known")), "hinein")
                return False
            except (ssl.SSLError, ConnectionError):
                return True

        assert settles(is_out)
        assert ask(demo, trust(authority, strangers.pair("stranger")), "hinein")[0] == "hinein"
    finally:
        demo.stop()


# --- New certificates


def admin(demo, path):
    token = pathlib.Path(demo.info["operator_token_file"]).read_text().strip()
    try:
        return fetch(demo.info["admin"] + path, headers={"authorization": f"Bearer {token}"})
    except OSError as error:
        return error.read().decode()


def metric(demo, name):
    return next(float(line.split()[-1]) for line in admin(demo, "/metrics").splitlines() if line.startswith(name))


def test_new_certificates_cost_no_request(mock, authority, tmp_path):
    demo = start(mock, tmp_path, authority)
    context = trust(authority)
    stop, failures, serials, answered = threading.Event(), [], set(), []

    def on_new_connections(number):
        turn = 0
        while not stop.is_set():
            turn += 1
            try:
                text, serial = ask(demo, context, f"neu {number}-{turn}")
                assert text == f"neu {number}-{turn}"
                serials.add(serial)
                answered.append(1)
            except Exception as error:  # whatever it is, it is a failed request
                failures.append(repr(error))

    def on_one_connection(number, stream):
        client = openai.OpenAI(
            api_key=demo.key(), base_url=demo.base_url, max_retries=0, http_client=openai.DefaultHttpxClient(verify=context))
        turn = 0
        while not stop.is_set():
            turn += 1
            try:
                answer = client.chat.completions.create(stream=stream, **chat(f"alt {number}-{turn}"))
                if stream:
                    text = "".join(c.delta.content or "" for chunk in answer for c in chunk.choices)
                else:
                    text = answer.choices[0].message.content
                assert text == f"alt {number}-{turn}"
                answered.append(1)
            except Exception as error:
                failures.append(repr(error))

    threads = [threading.Thread(target=on_new_connections, args=(number,)) for number in range(4)]
    threads += [threading.Thread(target=on_one_connection, args=(number, number % 2 == 0)) for number in range(4)]
    try:
        for thread in threads:
            thread.start()
        issued = []
        for number in range(8):
            issued.append(authority.issue(f"next-{number}").serial_number)
            install(demo.state, authority, f"next-{number}")
            demo.process.send_signal(signal.SIGHUP)
            assert settles(lambda: issued[-1] in serials), demo.log()
            # Half of a pair, and then nonsense: the pair before stays in force.
            replace(demo.state / "tls" / "chain.pem", authority.file.read_bytes() if number % 2 else b"nonsense")
            demo.process.send_signal(signal.SIGHUP)
            assert settles(lambda: metric(demo, "torhaus_tls_reload_failed") == 1)
            assert ask(demo, context, "noch da")[1] == issued[-1]
        checks = admin(demo, "/readyz")
        assert "the first certificate of the chain" in checks or "no certificate in the file" in checks, checks
        assert "the old ones stay in force" in demo.log()
        install(demo.state, authority, "next-7")
        demo.process.send_signal(signal.SIGHUP)
        assert settles(lambda: metric(demo, "torhaus_tls_reload_failed") == 0)
        assert "certificate until" in admin(demo, "/readyz")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        code = demo.stop()
    assert not failures, (len(failures), failures[:3])
    assert set(issued) <= serials and len(answered) > 100
    assert code == 0


# --- torhaus.yaml


@pytest.fixture
def served(authority, tmp_path):
    """`torhaus init` and a configuration whose TLS a test completes."""
    config = tmp_path / "etc" / "torhaus.yaml"
    subprocess.run(
        [BIN / "torhaus", "init", "--email", "o@example.ch", "--data", tmp_path / "data", "--config", config],
        check=True, capture_output=True, timeout=60, cwd=pathlib.Path(__file__).parents[2],
    )
    authority.issue("served")
    text = config.read_text().replace("port: 8081", "port: 0")

    def serve(tls):
        config.write_text(text.replace(
            "api:   {address: 127.0.0.1, port: 8080}", f"api: {{address: 127.0.0.1, port: 0, tls: {tls}}}"))
        return subprocess.Popen(
            [BIN / "torhaus", "serve", "--config", config], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=dict(os.environ, CREDENTIALS_DIRECTORY=str(authority.folder)))

    return serve


def test_serve(served, authority):
    chain, _ = authority.pair("served")
    process = served(f'{{certificate: {chain}, key: "credential:served.key.pem", minimum: 1.3}}')
    try:
        line = process.stdout.readline()
        assert "serving on https://127.0.0.1:" in line, line + process.stderr.read()
        endpoint = line.split("serving on ")[1].split(",")[0]
        answer = requests.get(f"{endpoint}/livez", verify=str(authority.file), timeout=20)
        assert answer.status_code == 200
        old = ssl.create_default_context(cafile=str(authority.file))
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        host, port = endpoint.removeprefix("https://").split(":")
        with socket.create_connection((host, int(port)), timeout=20) as plain, pytest.raises(ssl.SSLError):
            old.wrap_socket(plain, server_hostname="localhost")
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


@pytest.mark.parametrize(
    "tls, says",
    [
        ('{certificate: CHAIN, key: "file:OTHER"}', ["does not belong", "torhaus.yaml:4:", "hint: "]),
        ('{certificate: CHAIN, key: "file:ENCRYPTED"}', ["encrypted", "torhaus.yaml:4:", "openssl pkey"]),
        ('{certificate: /nonexistent.pem, key: "file:KEY"}', ["/nonexistent.pem cannot be read", "torhaus.yaml:4:"]),
        ('{certificate: CHAIN, key: "file:/nonexistent"}', ["key of TLS", "torhaus.yaml:4:"]),
        ('{certificate: CHAIN, key: "file:EXPOSED"}', ["others may read", "chmod 600", "torhaus.yaml:4:"]),
        ('{certificate: CHAIN, key: "file:KEY", client-ca: KEY}', ["authority", "torhaus.yaml:4:"]),
        ('{certificate: CHAIN, key: "file:KEY", minimum: 1.1}', ["1.2 or 1.3", "torhaus.yaml:4:"]),
    ],
)
def test_a_mistake_is_no_start(served, authority, tls, says):
    chain, key = authority.pair("served")
    authority.issue("other")
    authority.issue("encrypted", password=b"geheim")
    exposed = authority.folder / "exposed.pem"
    exposed.write_bytes(pathlib.Path(key).read_bytes())
    exposed.chmod(0o644)
    for word, path in (
        ("CHAIN", chain), ("OTHER", authority.pair("other")[1]), ("ENCRYPTED", authority.pair("encrypted")[1]),
        ("EXPOSED", exposed), ("KEY", key),
    ):
        tls = tls.replace(word, str(path))
    process = served(tls)
    _, talk = process.communicate(timeout=30)
    assert process.returncode == 1
    for words in says:
        assert words in talk, talk


def test_an_expired_certificate_is_served_and_said(served, authority):
    authority.issue("expired", days=-1)
    chain, key = authority.pair("expired")
    process = served(f'{{certificate: {chain}, key: "file:{key}"}}')
    try:
        assert "https://" in process.stdout.readline()
    finally:
        process.send_signal(signal.SIGTERM)
        _, talk = process.communicate(timeout=30)
    assert "has expired" in talk, talk
