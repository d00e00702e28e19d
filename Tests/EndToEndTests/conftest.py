"""Starts the real binaries for a test session and hands out what the tests need. Loopback only; ends what it starts."""

import json
import os
import pathlib
import signal
import subprocess
import time
import urllib.error
import urllib.request

import pytest

BIN = pathlib.Path(os.environ.get("TORHAUS_BIN", ".build/debug"))


class Demo:
    """A running `torhaus demo` with its state folder."""

    def __init__(self, state, upstream=None, arguments=()):
        self.state = pathlib.Path(state)
        self.upstream = upstream
        self.arguments = list(arguments)
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
                if status(self.info["endpoint"] + "/readyz") == 200:
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


def status(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
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
