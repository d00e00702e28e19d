"""Starts the real binaries for a test session and hands out what the tests need. Loopback only; ends what it starts."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import pytest

BIN = pathlib.Path(os.environ.get("TORHAUS_BIN", ".build/debug"))


@pytest.fixture(scope="session", autouse=True)
def runtime_folder():
    """Memory that outlives a process, as systemd's RuntimeDirectory: for all that is started."""
    # Each gateway takes some twenty megabytes of it.
    if not os.access("/dev/shm", os.W_OK) or shutil.disk_usage("/dev/shm").free < 1 << 30:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="torhaus-", dir="/dev/shm") as folder:
        os.environ["RUNTIME_DIRECTORY"] = folder
        yield folder
        del os.environ["RUNTIME_DIRECTORY"]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Several processes share the tests by groups: a file is one, unless it has smaller ones itself."""
    for item in items:
        if not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


class Demo:
    """A running `torhaus demo` with its state folder."""

    def __init__(self, state, upstream=None, arguments=(), trust=None):
        self.state = pathlib.Path(state)
        self.upstream = upstream
        self.arguments = list(arguments)
        self.trust = trust  # an SSLContext for an endpoint with TLS
        self.process = None

    def start(self, timeout=60):
        command = [str(BIN / "torhaus"), "demo", "--state", str(self.state), "--port", "0", "--admin-port", "0"]
        if self.upstream:
            command += ["--upstream", self.upstream]
        (self.state / "demo.json").unlink(missing_ok=True) if self.state.exists() else None
        self.output = open(self.state.parent / f"{self.state.name}.out", "ab")
        self.process = subprocess.Popen(command + self.arguments, stdout=self.output, stderr=self.output)
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"torhaus ended with {self.process.returncode}: {self.log()}")
            try:
                self.info = json.loads((self.state / "demo.json").read_text())
                if status(self.info["endpoint"] + "/readyz", self.trust) == 200:
                    return self
            except (OSError, ValueError):
                pass
            time.sleep(0.02)
        raise RuntimeError(f"torhaus was not ready in {timeout} s: {self.log()}")

    def log(self):
        self.output.flush()
        return pathlib.Path(self.output.name).read_text(errors="replace")[-4000:]

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, timeout=30):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
        return self.process.returncode if self.process else None

    @property
    def base_url(self):
        return self.info["endpoint"] + "/v1"

    def tenant(self, slug="kanzlei-a"):
        return next(t for t in self.info["tenants"] if t["slug"] == slug)

    def key(self, slug="kanzlei-a"):
        return self.tenant(slug)["key"]

    def ctl(self, *arguments, token=None, check=True):
        """Runs torhausctl; `token` is a file."""
        result = subprocess.run(
            [str(BIN / "torhausctl"), *arguments],
            env=dict(
                os.environ,
                TORHAUS_SERVER=self.info["admin"],
                TORHAUS_TOKEN_FILE=str(token or self.info["operator_token_file"]),
            ),
            capture_output=True,
            text=True,
            timeout=60,
        )
        if check and result.returncode != 0:
            raise AssertionError(f"torhausctl {arguments}: {result.returncode}\n{result.stdout}\n{result.stderr}")
        return result


class Server(Demo):
    """An installation as an operator makes one: `torhaus init` and `serve`, with a register and routes of the test's own.

    `policies` is one YAML text beside the shipped files; tenants are bound to its policy `test@1`.
    """

    def __init__(self, folder, policies, configuration="loops: 1"):
        self.folder = pathlib.Path(folder)
        self.state = self.folder / "state"
        self.policies, self.configuration = policies, configuration
        self.process = None
        self.keys = {}

    def start(self, timeout=60):
        file = self.folder / "torhaus.yaml"
        if not file.exists():
            subprocess.run(
                [str(BIN / "torhaus"), "init", "--email", "test@provider.example", "--data", str(self.state),
                 "--config", str(file)], check=True, capture_output=True, timeout=timeout)
            file.write_text(
                f"data: {self.state}\nkeys: {{kind: file, master: 'file:{self.folder}/master.key'}}\n"
                f"listen: {{api: {{port: 0}}, admin: {{port: 0}}}}\npolicies: {{path: {self.folder}/policies}}\n"
                f"{self.configuration}\n")
        self.write_policies(self.policies)
        self.output = open(self.folder / "server.out", "ab")
        began = self.output.tell()
        self.process = subprocess.Popen(
            [str(BIN / "torhaus"), "serve", "--config", str(file)], stdout=self.output, stderr=self.output)
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            said = pathlib.Path(self.output.name).read_text(errors="replace")[began:]
            found = re.search(r"serving on (\S+), Admin API on (\S+)", said)
            if found:
                self.info = {"endpoint": found[1], "admin": found[2],
                             "operator_token_file": str(self.folder / "operator.token")}
                return self
            if self.process.poll() is not None:
                raise RuntimeError(f"torhaus ended with {self.process.returncode}: {said[-4000:]}")
            time.sleep(0.02)
        raise RuntimeError(f"torhaus was not ready in {timeout} s: {self.log()}")

    def write_policies(self, text):
        self.policies = text
        (self.folder / "policies" / "test.yaml").write_text(text)

    def key(self, slug="mandant-a", role="app", **quota):
        """The key of a tenant that is made when it is first asked for. One with limits is one of its own, of a tenant that has
        a key."""
        if slug not in self.keys:
            self.ctl("tenant", "create", slug, "--name", slug, "--policy", "test@1")
            self.ctl("project", "create", "test", "--tenant", slug)
            self.keys[slug] = self._make_key(slug, "test", "app")
        if role == "app" and not quota:
            return self.keys[slug]
        name = "-".join([role, *quota])
        made = self._make_key(slug, name, role)
        if quota:
            listed = json.loads(self.ctl("key", "list", "--tenant", slug, "-o", "json").stdout)
            limits = [word for limit, value in quota.items() for word in (f"--{limit.replace('_', '-')}", str(value))]
            self.ctl("quota", "set", "--tenant", slug, "--key", next(row["id"] for row in listed if row["name"] == name), *limits)
        return made

    def _make_key(self, slug, name, role):
        return self.ctl("key", "create", "--tenant", slug, "--project", "test", "--name", name, "--role", role).stdout.strip()

    @property
    def address(self):
        host, port = self.info["endpoint"].removeprefix("http://").split(":")
        return host, int(port)


def policy(models, **more):
    """A policy `test@1` with everything on and limits out of the way."""
    document = {
        "kind": "Policy", "id": "test@1", "log": {"mode": "managed", "durability": "buffered",
                                                 "retention": {"content": "7d", "metadata": "30d"}},
        "compliance": {"countries": ["EU"], "agreement": "required", "training": "never", "retention": "30d"},
        "plan": "demo", "redaction": "demo", "detection": "baseline", "translation": "loud",
        "models": list(models), "roles": {"app": {}}, **more}
    return json.dumps(document)


def provider(name, port, models, scheme="http", host="127.0.0.1", **more):
    """A record of the register for a provider on this machine."""
    price = {"version": "1", "currency": "EUR", "input": "0.25", "output": "2.00"}
    return {
        "id": name, "adapter": "openai-compatible", "endpoint": f"{scheme}://{host}:{port}/v1", "local": "true",
        "country": "DE", "agreement": {"kind": "own"}, "retention": "0d", "training": "never",
        "models": [{"id": model, "max-output": "16384", "price": price} for model in models], **more}


def register(providers, aliases, **more):
    """The documents of a register and its routes, and a policy; YAML takes JSON as it is."""
    return "\n---\n".join([
        json.dumps({"kind": "Providers", "providers": list(providers)}),
        json.dumps({"kind": "Routing", "aliases": aliases}), policy(aliases, **more)])


def metric(demo, name):
    token = open(demo.info["operator_token_file"]).read().strip()
    lines = fetch(demo.info["admin"] + "/metrics", headers={"authorization": f"Bearer {token}"}).splitlines()
    return next(float(line.split()[-1]) for line in lines if line.startswith(name))


def settles(check, seconds=15):
    deadline = time.monotonic() + seconds
    while not check():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


class Mock:
    """The scripted provider as a process of its own."""

    def __init__(self, folder):
        self.port_file = pathlib.Path(folder) / "mock.port"
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            [str(BIN / "torhaus-mock"), "--port", "0", "--port-file", str(self.port_file)],
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                self.port = int(self.port_file.read_text())
                return self
            except (OSError, ValueError):
                time.sleep(0.02)
        raise RuntimeError("the mock provider was not ready")

    @property
    def base_url(self):
        return f"http://127.0.0.1:{self.port}/v1"

    def report(self):
        return fetch(f"http://127.0.0.1:{self.port}/mock/report")

    def bill(self):
        return json.loads(fetch(f"http://127.0.0.1:{self.port}/mock/bill"))

    def reset(self):
        fetch(f"http://127.0.0.1:{self.port}/mock/reset", data=b"")

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()


def fetch(url, data=None, headers=None):
    request = urllib.request.Request(url, data=data, headers=headers or {})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read().decode()


def status(url, trust=None):
    try:
        with urllib.request.urlopen(url, timeout=5, context=trust) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


@pytest.fixture(scope="session")
def mock(tmp_path_factory):
    server = Mock(tmp_path_factory.mktemp("mock")).start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def demo(mock, tmp_path_factory):
    """One installation for all tests that do not kill it; its provider is the `mock` fixture."""
    running = Demo(tmp_path_factory.mktemp("demo") / "state", upstream=mock.base_url).start()
    yield running
    code = running.stop()
    assert code == 0, running.log()


@pytest.fixture
def fresh(mock, tmp_path):
    """An installation of its own for one test."""
    running = Demo(tmp_path / "state", upstream=mock.base_url).start()
    yield running
    if running.process.poll() is None:
        running.stop()
