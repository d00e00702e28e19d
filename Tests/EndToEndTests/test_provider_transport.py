"""Providers behind a proxy, behind an authority of the house's own, and with a certificate of ours. Real TLS, real proxies;
the environment names a proxy that must not be used."""

import asyncio
import base64
import json
import socket
import ssl
import subprocess

import pytest
from conftest import Server, metric, provider, register, settles
from faults import GOOD_PLAIN, TEXT, plain, sized
from proxies import Proxy
from rude_provider import Pause, RudeProvider
from wire import Client, chat

# A name that no resolver knows: only a proxy can lead there.
NAME = "provider.invalid"
SECRET = "sk-" + "hausprovider" + "1234567890"


def certificates(folder):
    """Two authorities; of the first the certificates of a server, of a client, and of a server with another name."""

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=60)

    (folder / "server.ext").write_text(f"subjectAltName=DNS:{NAME},DNS:localhost,IP:127.0.0.1\n")
    (folder / "stranger.ext").write_text("subjectAltName=DNS:other.example\n")
    (folder / "client.ext").write_text("extendedKeyUsage=clientAuth\n")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    for name in ("ca", "other"):
        openssl("req", "-x509", *key, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "2", "-subj", f"/CN={name}")
    # The stranger's subject is the host that it is asked as: where there are other names, that one counts for nothing.
    for name, subject in (("server", "server"), ("client", "client"), ("stranger", "localhost")):
        openssl("req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={subject}")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                "-out", f"{name}.pem", "-extfile", f"{name}.ext")
    (folder / "both.pem").write_text((folder / "client.pem").read_text() + (folder / "client.key").read_text())
    (folder / "both.pem").chmod(0o600)


def pin(folder, name):
    """What RFC 7469 writes for the key of a certificate."""

    def openssl(*arguments, data=None):
        return subprocess.run(["openssl", *arguments], input=data, check=True, capture_output=True, timeout=60).stdout

    key = openssl("x509", "-in", str(folder / f"{name}.pem"), "-pubkey", "-noout")
    digest = openssl("dgst", "-sha256", "-binary", data=openssl("pkey", "-pubin", "-outform", "der", data=key))
    return "sha256//" + base64.b64encode(digest).decode()


def secret(folder, name, text):
    file = folder / name
    file.write_text(text + "\n")
    file.chmod(0o600)
    return f"file:{file}"


class House:
    """The gateway, three TLS providers (one asks for our certificate, one has a stranger's) and a proxy of each kind."""

    def __init__(self, folder):
        certificates(folder)
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(folder / "server.pem", folder / "server.key")
        careful = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=folder / "ca.pem")
        careful.load_cert_chain(folder / "server.pem", folder / "server.key")
        careful.verify_mode = ssl.CERT_REQUIRED
        strange = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        strange.load_cert_chain(folder / "stranger.pem", folder / "stranger.key")
        # The rest of an answer and one more answer in one record: TLS takes both from the socket, libcurl reads the first.
        surplus = [GOOD_PLAIN[:200], Pause(0.05), GOOD_PLAIN[200:] + sized(plain("fremd"))]
        scripts = {("m", "plain"): [GOOD_PLAIN], ("s", "plain"): surplus}
        self.tls = RudeProvider(scripts, tls).start()
        self.careful = RudeProvider(scripts, careful).start()
        self.stranger = RudeProvider(scripts, strange).start()
        # Nobody accepts here: whoever connects is seen in its queue.
        self.door = socket.create_server(("127.0.0.1", 0))
        self.proxies = {
            "open": Proxy("http", self.tls.port), "closed": Proxy("http", self.tls.port, "anna", "geheim"),
            "secure": Proxy("http", self.tls.port, tls=tls), "socks": Proxy("socks5", self.tls.port),
            "socks-closed": Proxy("socks5", self.tls.port, "anna", "geheim"),
        }
        for proxy in self.proxies.values():
            proxy.start()
        ca, other = str(folder / "ca.pem"), str(folder / "other.pem")
        here = dict(scheme="https", host="localhost")

        def behind(name, scheme, proxy, **more):
            """A public provider: it has no `local`, and its name is the proxy's to resolve."""
            url = f"{scheme}://127.0.0.1:{self.proxies[proxy].port}"
            record = provider(name, 443, ["m"], scheme="https", host=NAME, credential="haus", ca=ca,
                              proxy={"url": url, "local": "true", **more})
            return record | {"local": "false", "agreement": {"kind": "avv"}}

        records = [
            provider("right", self.tls.port, ["m"], **here, ca=ca), provider("surplus", self.tls.port, ["s"], **here, ca=ca),
            provider("right-address", self.tls.port, ["m"], scheme="https", ca=ca),
            provider("misnamed", self.stranger.port, ["m"], **here, ca=ca),
            provider("misnamed-address", self.stranger.port, ["m"], scheme="https", ca=ca),
            provider("unknown", self.tls.port, ["m"], **here),
            provider("other", self.tls.port, ["m"], **here, ca=other),
            provider("missing", self.tls.port, ["m"], **here, ca=str(folder / "none.pem")),
            provider("known", self.careful.port, ["m"], **here, ca=ca, **{"client-certificate": "ours"}),
            provider("pinned", self.tls.port, ["m"], **here, ca=ca, **{"pinned-keys": [pin(folder, "client"), pin(folder, "server")]}),
            provider("mispinned", self.tls.port, ["m"], **here, ca=ca, **{"pinned-keys": [pin(folder, "client")]}),
            # The name leads to this machine, which is not where the record says that the provider is.
            provider("elsewhere", self.tls.port, ["m"], **here, ca=ca, networks=["10.99.0.0/16", "::1"]),
            provider("bound", self.tls.port, ["m"], **here, ca=ca, credential="bound"),
            provider("astray", self.stranger.port, ["m"], **here, ca=ca, credential="bound"),
            provider("nameless", self.careful.port, ["m"], **here, ca=ca),
            behind("open", "http", "open"), behind("closed", "http", "closed", credential="proxy"),
            behind("wrong", "http", "closed", credential="wrong"), behind("anonymous", "http", "closed"),
            behind("secure", "https", "secure", ca=ca), behind("insecure", "https", "secure"),
            behind("socks", "socks5", "socks"), behind("socks-closed", "socks5", "socks-closed", credential="proxy"),
            behind("socks-wrong", "socks5", "socks-closed", credential="wrong"),
        ]
        # Loopback by a name: the rules hold for the proxy's address, when it is connected to.
        foreign = behind("foreign", "http", "open")
        foreign["proxy"] = {"url": f"http://localhost:{self.proxies['open'].port}"}
        records.append(foreign)
        # And for a provider's: without `local` its name may be any, what it leads to may not.
        inward = provider("inward", self.door.getsockname()[1], ["m"], **here, ca=ca, credential="haus")
        del inward["local"]
        records.append(inward | {"agreement": {"kind": "avv"}})
        aliases = {record["id"]: {"candidates": [f"{record['id']}/{'s' if record['id'] == 'surplus' else 'm'}"]} for record in records}
        secrets = {"haus": secret(folder, "haus.key", SECRET), "proxy": secret(folder, "proxy.key", "anna:geheim"),
                   "wrong": secret(folder, "wrong.key", "anna:falsch"), "ours": f"file:{folder / 'both.pem'}",
                   "bound": {"from": secret(folder, "bound.key", SECRET), "origins": [f"https://localhost:{self.tls.port}"]}}
        self.server = Server(folder, register(records, aliases), f"loops: 1\ncredentials: {json.dumps(secrets)}").start()

    def stop(self):
        code = self.server.stop()
        for part in (*self.proxies.values(), self.tls, self.careful, self.stranger):
            part.stop()
        self.door.close()
        assert code == 0, self.server.log()

    @property
    def requests(self):
        """How many have reached a provider, whichever."""
        return sum(len(part.heads) for part in (self.tls, self.careful, self.stranger))

    def ask(self, alias, times=1):
        async def all_of():
            client = await Client(*self.server.address, self.server.key()).connect()
            try:
                return [await asyncio.wait_for(client.ask("chat/completions", chat(alias, TEXT)), 20) for _ in range(times)]
            finally:
                client.close()

        answers = asyncio.run(all_of())
        assert settles(lambda: metric(self.server, "torhaus_reservations_open") == 0)
        assert len({(answer.status, answer.text if answer.status == 200 else answer.code) for answer in answers}) == 1, answers
        return answers[-1]


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
            patch.setenv(name, "http://127.0.0.1:1")
        patch.setenv("no_proxy", "*")
        patch.setenv("SSL_CERT_FILE", "/nonexistent")
        house = House(tmp_path_factory.mktemp("house"))
    yield house
    house.stop()


@pytest.mark.parametrize("alias", ["right", "right-address", "known", "pinned", "bound", "open", "closed", "secure", "socks", "socks-closed"])
def test_the_way_that_the_record_names_is_taken(house, alias):
    proxy = house.proxies.get(alias)
    seen = len(house.tls.connections) + len(house.careful.connections)
    answer = house.ask(alias, 3)
    assert (answer.status, answer.text) == (200, TEXT)
    # Within TLS to a proxy nobody sees what is left over, so there no connection serves twice.
    needed = 3 if alias == "secure" else 1
    assert len(house.tls.connections) + len(house.careful.connections) == seen + needed
    if proxy:
        assert proxy.names == [f"{NAME}:443"] * needed, "the proxy resolves the name"
        assert b"uthorization: Bearer " + SECRET.encode() in house.tls.heads[-1]
        for secret_bytes in (SECRET.encode(), TEXT.encode(), b"torhaus/"):
            assert secret_bytes not in proxy.greetings + proxy.through
        assert b"Proxy-Authorization" not in house.tls.heads[-1] and b"geheim" not in house.tls.heads[-1]


def test_what_a_provider_says_too_much_within_tls_answers_nobody(house):
    """It lies decrypted behind the socket, where looking at the socket does not show it."""
    seen = len(house.tls.connections)
    answer = house.ask("surplus", 3)
    assert (answer.status, answer.text) == (200, TEXT)
    assert len(house.tls.connections) == seen + 3, "each on a connection of its own"
    assert house.tls.resumed[-2:] == [True, True], "which costs no whole handshake"


NO_WAY = ["unknown", "other", "misnamed", "misnamed-address", "mispinned", "elsewhere", "wrong", "anonymous", "insecure", "socks-wrong", "foreign", "inward"]


@pytest.mark.parametrize("alias", NO_WAY)
def test_no_way_no_request(house, alias):
    requests = house.requests
    answer = house.ask(alias)
    assert (answer.status, answer.code) == (502, "upstream_error")
    assert house.requests == requests
    rows = json.loads(house.server.ctl("log", "list", "--tenant", "mandant-a", "--all", "-o", "json").stdout)
    row = next((row for row in rows if row["request_id"] == answer.headers["x-request-id"]), None)
    assert row is None or (row["exit"], row["input_tokens"]) == ("3", 0), "nothing left, nothing costs"


def test_a_name_that_leads_to_this_machine_is_not_connected_to(house):
    """The name of `right`, whose record says that it may be this machine's."""
    answer = house.ask("inward")
    assert (answer.status, answer.code) == (502, "upstream_error")
    # The kernel lets in who connects, whether anybody accepts or not: an empty queue has seen nobody.
    house.door.setblocking(False)
    with pytest.raises(BlockingIOError):
        house.door.accept()
    house.door.settimeout(20)
    with socket.create_connection(house.door.getsockname()):
        house.door.accept()[0].close()


def test_a_provider_that_wants_our_certificate_gets_no_request_without_it(house):
    assert house.ask("nameless").status == 502


def test_a_provider_whose_authorities_cannot_be_read_is_no_candidate(house):
    answer = house.ask("missing")
    assert (answer.status, answer.code) == (503, "no_route")
    assert house.server.log().count("provider 'missing' is not called") == 1


def test_a_bound_credential_is_not_sent_to_another_origin(house):
    """Whoever changes a record cannot have the key sent to a host of theirs."""
    connections = len(house.stranger.connections)
    answer = house.ask("astray")
    assert (answer.status, answer.code) == (503, "no_route")
    assert len(house.stranger.connections) == connections
    fault = f"the credential 'bound' is not for https://localhost:{house.stranger.port}"
    rows = json.loads(house.server.ctl("provider", "list", "-o", "json").stdout)
    assert next(row for row in rows if row["id"] == "astray")["fault"].startswith(fault)
    check = house.server.ctl("provider", "check", "astray", check=False)
    assert check.returncode == 1 and fault in check.stdout + check.stderr
    assert len(house.stranger.connections) == connections


def test_who_looks_is_told_of_a_key_that_was_changed(house):
    check = house.server.ctl("provider", "check", "mispinned", check=False)
    assert check.returncode == 1 and "none of its record's 'pinned-keys'" in check.stdout


def test_no_secret_is_said(house):
    said = house.server.log()
    assert all(word not in said for word in (SECRET, "geheim", "falsch", "PRIVATE KEY"))
